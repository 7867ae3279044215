"""Lists for staff: open tickets by age, and tickets that hold certain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.records.states import TicketState
from bot.records.tables import Member, Question, Ticket
from indexer.lexical import fold

PAGE = 8
SEARCHED = 5000  # latest tickets: several seasons of a school
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A ticket in a list."""

    ticket_id: int
    candidate: str
    question: str
    owner: str  # empty if nobody has it
    state: TicketState
    since: datetime
    course: str = ""


_LINES = (
    select(Ticket.id, Ticket.candidate_id, Question.text, Member.name, Ticket.state, Ticket.opened_at, Ticket.course)
    .outerjoin(Question, Question.id == Ticket.question_id)
    .outerjoin(Member, Member.chat_id == Ticket.owner_chat_id)
)


async def open_ones(
    tx: AsyncSession, page: int, owner: int | None = None, *, here: ColumnElement[bool]
) -> tuple[list[Line], int]:
    """A page of the group's tickets that are open, and how many there are; of one owner if given.

    Those that wait for the team come first, the longest wait before all.
    """
    alive = [here, Ticket.state != TicketState.CLOSED, *([Ticket.owner_chat_id == owner] if owner else [])]
    count = (await tx.execute(select(func.count()).select_from(Ticket).where(*alive))).scalar_one()
    rows = await tx.execute(
        _LINES.where(*alive)
        .order_by(Ticket.asked_at.is_(None), Ticket.asked_at, Ticket.id)
        .offset(page * PAGE)
        .limit(PAGE)
    )
    return [_line(row) for row in rows.all()], count


async def find(tx: AsyncSession, words: str, *, here: ColumnElement[bool]) -> list[Line]:
    """The latest tickets of the group whose question or pseudonym holds all words, whatever accents and capitals."""
    wanted = fold(words).split()
    rows = (await tx.execute(_LINES.where(here).order_by(Ticket.id.desc()).limit(SEARCHED))).all()
    found = [row for row in rows if all(word in fold(f"{row[1]} {row[2] or ''}") for word in wanted)]
    return [_line(row) for row in found[:SHOWN]] if wanted else []


def _line(row: Sequence[object]) -> Line:
    number, candidate, question, owner, state, since, course = row
    assert isinstance(number, int)
    assert isinstance(state, TicketState)
    assert isinstance(since, datetime)
    return Line(number, str(candidate), str(question or ""), str(owner or ""), state, since, str(course))
