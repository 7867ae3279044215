"""A button below a card or a list that staff have pressed, as it is handled."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.desk.desk import Desk
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


async def take_away(press: Press) -> None:
    """A question of the bot to staff that is settled goes away."""
    await outbox.put(
        press.tx, press.desk.chat, "deleteMessage", {"message_id": press.shown}, key=f"{press.key}:settled"
    )
