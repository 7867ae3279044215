"""Which rows of the outbox go next."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.delivery.calls import Letter
from bot.delivery.references import Impossible, NotYet, Result, named, resolve
from bot.records.states import ChatKind, OutgoingState
from bot.records.tables import Chat, Outgoing

BATCH = 200  # rows looked at together


@dataclass(frozen=True, slots=True)
class Void:
    """A row that will never be sent, and why."""

    row_id: int
    chat_id: int
    state: OutgoingState
    error: str


async def pick(tx: AsyncSession, now: datetime, skip: Collection[int]) -> list[Letter | Void]:
    """Rows that may go now, by priority and age, at most one a chat; none of the chats in `skip`.

    Within a chat and a priority the order is kept: while one waits for another try, later ones wait.
    """
    earlier, after = aliased(Outgoing), aliased(Outgoing)
    in_retry = exists().where(
        earlier.chat_id == Outgoing.chat_id,
        earlier.priority == Outgoing.priority,
        earlier.id < Outgoing.id,
        earlier.state == OutgoingState.WAITING,
        earlier.attempts > 0,
        earlier.not_before > now,
    )
    rows = await tx.execute(
        select(Outgoing, Chat, after)
        .join(Chat, Chat.id == Outgoing.chat_id)
        .outerjoin(after, after.id == Outgoing.after_id)
        .where(
            Outgoing.state == OutgoingState.WAITING,
            Outgoing.chat_id.not_in(skip),
            or_(Outgoing.not_before.is_(None), Outgoing.not_before <= now),
            or_(Chat.paused_until.is_(None), Chat.paused_until <= now),
            or_(Outgoing.after_id.is_(None), after.state != OutgoingState.WAITING),
            ~in_retry,
        )
        .order_by(Outgoing.priority, Outgoing.id)
        .limit(BATCH)
    )
    found = [(row, chat, before) for row, chat, before in rows]
    results = await _results(tx, [row for row, _, _ in found])
    ready: dict[int, Letter | Void] = {}
    for row, chat, before in found:
        if row.chat_id not in ready and (picked := _ready(row, chat, before, results)) is not None:
            ready[row.chat_id] = picked
    return list(ready.values())


async def next_moment(tx: AsyncSession, now: datetime) -> datetime | None:
    """When a row or a chat that waits for its time may go."""
    timed = (Outgoing.state == OutgoingState.WAITING) & (Outgoing.not_before > now)
    row = (await tx.execute(select(func.min(Outgoing.not_before)).where(timed))).scalar()
    chat = (await tx.execute(select(func.min(Chat.paused_until)).where(Chat.paused_until > now))).scalar()
    return min((moment for moment in (row, chat) if moment is not None), default=None)


async def _results(tx: AsyncSession, rows: Sequence[Outgoing]) -> dict[int, Result]:
    """How the rows ended that these name."""
    ids = {row_id for row in rows for row_id in named(row.payload)}
    if not ids:
        return {}
    columns = select(Outgoing.id, Outgoing.state, Outgoing.message_id).where(Outgoing.id.in_(ids))
    return {row.id: Result(row.state, row.message_id) for row in await tx.execute(columns)}


def _ready(row: Outgoing, chat: Chat, after: Outgoing | None, results: Mapping[int, Result]) -> Letter | Void | None:
    if after is not None and after.state is not row.after_state:
        # A message of several parts has failed as a whole if one of them has: who waits for that must hear of it.
        failed = after.state is OutgoingState.FAILED and after.key.startswith(f"{row.key.partition('#')[0]}#")
        state = OutgoingState.FAILED if failed else OutgoingState.DROPPED
        return Void(row.id, row.chat_id, state, f"row {row.after_id} ended as {after.state}")
    match resolve(row.payload, results):
        case NotYet():
            return None
        case Impossible(row_id):
            error = f"depends on row {row_id}, which has no message"
            return Void(row.id, row.chat_id, OutgoingState.FAILED, error)
        case payload:
            parameters = {"chat_id": chat.telegram_id, **payload}
            group = chat.kind is not ChatKind.PRIVATE
            return Letter(row.id, row.chat_id, row.method, parameters, row.attempts, group)
