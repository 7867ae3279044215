"""A button below a card or a list that staff have pressed, as it is handled."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.desk import cards, relay, sending
from bot.desk.desk import Desk
from bot.dialogue.message import Message
from bot.dialogue.texts import Texts, texts
from bot.handlers.context import Deps
from bot.records.tables import Member, Ticket


@dataclass(frozen=True, slots=True)
class Press:
    """Who pressed what, where."""

    tx: AsyncSession
    deps: Deps
    desk: Desk
    ticket: Ticket
    member: Member
    number: int  # the third part of the data, -1 without one
    shown: int  # the message with the button
    key: str

    @property
    def words(self) -> Texts:
        """The texts for staff."""
        return texts(self.desk.language)

    async def tell(self, said: str | Message) -> None:
        """Say something below the card."""
        await relay.tell(self.tx, self.desk, self.ticket, said, key=self.key)

    async def choose(self, asked: str, options: list[tuple[str, str]]) -> None:
        """Ask which one; options as in `sending.choose`."""
        await sending.choose(self.tx, self.desk, self.ticket, asked, options, key=self.key)

    async def refresh(self) -> None:
        """Show on the card how the ticket stands now."""
        await cards.refresh(self.tx, self.desk, self.ticket, key=self.key)

    async def take_away(self) -> None:
        """A question of the bot to staff that is settled goes away."""
        gone = {"message_id": self.shown}
        await outbox.put(self.tx, self.desk.chat, "deleteMessage", gone, key=f"{self.key}:settled")
