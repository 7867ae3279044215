"""Which way a copy goes, and what stands around it."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery.outbox import Priority
from bot.delivery.references import Payload
from bot.desk.desk import Desk
from bot.dialogue.message import Button
from bot.dialogue.rich import Rich, bold, join
from bot.dialogue.texts import spoken, texts
from bot.records.states import Direction
from bot.records.tables import Candidate, Ticket


@dataclass(frozen=True, slots=True)
class Route:
    """Where copies come from and go to, and what stands around them."""

    direction: Direction
    ticket_id: int
    source: int
    target: int
    head: Rich
    buttons: tuple[Button, ...] = ()
    priority: Priority = Priority.ANSWER

    def headed(self, said: Rich) -> Rich:
        """A text below its head."""
        return join([self.head, said], "\n\n" if self.direction is Direction.TO_CANDIDATE else "\n")

    def text(self, said: Rich) -> Payload:
        """A text with what stands around it."""
        return self.headed(said).message(self.buttons).payload()

    @property
    def markup(self) -> Payload:
        """The buttons alone."""
        return {name: part for name, part in self.text(Rich()).items() if name == "reply_markup"}


def to_staff(desk: Desk, ticket: Ticket, candidate_chat: int, *, remark: bool = False) -> Route:
    """From a candidate: below the pseudonym, and that it is a remark on a rating if it is one."""
    words = texts(desk.language)
    head = bold((words.staff_remark if remark else words.staff_follow_up).format(candidate=ticket.candidate_id))
    return Route(Direction.TO_STAFF, ticket.id, candidate_chat, desk.group(ticket), head, priority=Priority.CARD)


async def to_candidate(tx: AsyncSession, desk: Desk, ticket: Ticket) -> Route:
    """From staff: below the words that say so, above the way back to the assistant."""
    candidate = await tx.get_one(Candidate, ticket.candidate_id)
    words = texts(spoken(ticket.language))
    # Who is banned gets an answer from nobody, the assistant included.
    buttons = () if candidate.banned_at else (Button(words.button_bot_again, data=f"b:{ticket.id}"),)
    head = bold(words.reply_header)
    return Route(Direction.TO_CANDIDATE, ticket.id, desk.group(ticket), candidate.chat_id, head, buttons)
