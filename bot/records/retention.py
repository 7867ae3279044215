"""How long each kind of data is kept, what is past that, and taking it away."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from bot.records.forgetting import delete_outgoing, delete_tickets
from bot.records.sessions import erases
from bot.records.states import ChatKind, OutgoingState, TicketState, UpdateState
from bot.records.tables import (
    Ban,
    Candidate,
    Chat,
    Member,
    Note,
    Outgoing,
    Proposal,
    Question,
    Relay,
    Ticket,
    Topic,
    Update,
)

BATCH = 50  # rows that one transaction takes away: nobody waits for it long
Ids = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of data: whose period it has, its rows, since when they are kept, which may go, and how."""

    period: str
    id: InstrumentedAttribute[Any]
    since: InstrumentedAttribute[Any]
    free: ColumnElement[bool]
    remove: Callable[[AsyncSession, Ids], Awaitable[None]]


def border(period: str, periods: Mapping[str, int], now: datetime) -> datetime | None:
    """Before when data are past their period of so many days; None if they have none."""
    days = periods.get(period, 0)
    return now - timedelta(days=days) if days else None


async def oldest(tx: AsyncSession, period: str) -> datetime | None:
    """Since when the oldest row of a period's main kind has been kept."""
    since, free = MAIN[period]
    found: datetime | None = (await tx.execute(select(func.min(since)).where(free))).scalar()
    return found


async def remove_some(tx: AsyncSession, periods: Mapping[str, int], now: datetime) -> bool:
    """Take away some rows of the first kind that has any past its period; False if there are none."""
    for kind in KINDS:
        if (before := border(kind.period, periods, now)) is None:
            continue
        past = select(kind.id).where(kind.since < before, kind.free).order_by(kind.since, kind.id).limit(BATCH)
        if ids := (await tx.execute(past)).scalars().all():
            erases(tx)
            await kind.remove(tx, ids)
            return True
    return False


async def inactive(tx: AsyncSession, periods: Mapping[str, int], now: datetime) -> Candidate | None:
    """A candidate of whom nothing was heard for too long, held; who waits for the team is not one."""
    before = border("people", periods, now)
    if before is None:
        return None
    silent = select(Candidate).where(Candidate.last_seen_at < before, _AT_REST).order_by(Candidate.last_seen_at)
    return (await tx.execute(silent.limit(1).with_for_update(skip_locked=True))).scalar_one_or_none()


async def _rows(tx: AsyncSession, ids: Ids, column: InstrumentedAttribute[Any]) -> None:
    await tx.execute(delete(column.class_).where(column.in_(ids)))


async def _tickets(tx: AsyncSession, ids: Ids) -> None:
    await delete_tickets(tx, Ticket.id.in_(ids))


async def _messages(tx: AsyncSession, ids: Ids) -> None:
    await delete_outgoing(tx, Outgoing.id.in_(ids))


def _named(*columns: InstrumentedAttribute[Any], of: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Whether a row of another table names this one."""
    return or_(*(exists().where(column == of) for column in columns))


_follower = aliased(Outgoing)
_waited_for = exists().where(_follower.after_id == Outgoing.id, _follower.state == OutgoingState.WAITING)
_NEEDED = _waited_for | _named(
    Question.answer_id, Ticket.card_id, Relay.outgoing_id, Topic.outgoing_id, Proposal.card_id, of=Outgoing.id
)
_BESIDE = Outgoing.ticket_id.is_(None) & (Outgoing.state != OutgoingState.WAITING) & ~_NEEDED
_USED = _named(
    *(Candidate.chat_id, Update.chat_id, Outgoing.chat_id, Ticket.owner_chat_id, Relay.chat_id, Member.chat_id),
    *(Topic.chat_id, Note.chat_id),
    of=Chat.id,
)
_AT_REST = ~exists().where(Ticket.candidate_id == Candidate.id, Ticket.state != TicketState.CLOSED)
_ALONE = ~_named(Ticket.question_id, of=Question.id)
_HANDLED = Update.state != UpdateState.NEW

# In this order: what goes first frees what comes after it.
KINDS = (
    Kind("tickets", Ticket.id, Ticket.closed_at, Ticket.state == TicketState.CLOSED, _tickets),
    Kind("questions", Question.id, Question.asked_at, _ALONE, partial(_rows, column=Question.id)),
    Kind("messages", Outgoing.id, Outgoing.created_at, _BESIDE, _messages),
    Kind("inbox", Update.seq, Update.received_at, _HANDLED, partial(_rows, column=Update.seq)),
    Kind("bans", Ban.fingerprint, Ban.banned_at, true(), partial(_rows, column=Ban.fingerprint)),
    Kind("people", Member.chat_id, Member.seen_at, true(), partial(_rows, column=Member.chat_id)),
    Kind("people", Chat.id, Chat.created_at, ~_USED & (Chat.kind == ChatKind.PRIVATE), partial(_rows, column=Chat.id)),
)
MAIN: dict[str, tuple[InstrumentedAttribute[Any], ColumnElement[bool]]] = {
    **{kind.period: (kind.since, kind.free) for kind in KINDS},
    "people": (Candidate.last_seen_at, _AT_REST),
}
