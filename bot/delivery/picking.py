"""Which rows of the outbox go next."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Row, bindparam, exists, func, or_, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from bot.delivery.calls import Letter, Part
from bot.delivery.joining import OWN, joinable, joined, together
from bot.delivery.outbox import whole
from bot.delivery.references import Impossible, NotYet, Payload, Result, named, refers, resolve
from bot.delivery.retry import place
from bot.records.states import ChatKind, OutgoingState
from bot.records.tables import Chat, Outgoing, UtcTime

log = logging.getLogger(__name__)

PAGE = 64  # rows looked at together
REFUSED_TOGETHER = "refused together with others"  # such a row is sent alone

# Built once: to build a statement takes longer than to run it.
_earlier, _after = aliased(Outgoing), aliased(Outgoing)
_NOW = bindparam("now", type_=UtcTime)
_IN_RETRY = exists().where(
    _earlier.chat_id == Outgoing.chat_id,
    _earlier.priority == Outgoing.priority,
    _earlier.id < Outgoing.id,
    _earlier.state == OutgoingState.WAITING,
    _earlier.attempts > 0,
    _earlier.not_before > _NOW,
)
_DUE = (
    select(
        Outgoing.id,
        Outgoing.key,
        Outgoing.chat_id,
        Outgoing.method,
        Outgoing.payload,
        Outgoing.priority,
        Outgoing.attempts,
        Outgoing.not_before,
        Outgoing.created_at,
        Outgoing.ticket_id,
        Outgoing.error,
        Outgoing.after_id,
        Outgoing.after_state,
        _after.state.label("ended"),
        _after.key.label("ended_key"),
        Chat.telegram_id,
        Chat.kind,
    )
    .join(Chat, Chat.id == Outgoing.chat_id)
    .outerjoin(_after, _after.id == Outgoing.after_id)
    .where(
        Outgoing.state == OutgoingState.WAITING,
        tuple_(Outgoing.priority, Outgoing.id) > tuple_(bindparam("priority"), bindparam("id")),
        Outgoing.chat_id.not_in(bindparam("skip", expanding=True)),
        or_(Outgoing.not_before.is_(None), Outgoing.not_before <= _NOW),
        or_(Chat.paused_until.is_(None), Chat.paused_until <= _NOW),
        or_(Outgoing.after_id.is_(None), _after.state != OutgoingState.WAITING),
        ~_IN_RETRY,
    )
    .order_by(Outgoing.priority, Outgoing.id)
    .limit(PAGE)
)
_NEXT_ROW = select(func.min(Outgoing.not_before)).where(
    Outgoing.state == OutgoingState.WAITING, Outgoing.not_before > _NOW
)
_NEXT_CHAT = select(func.min(Chat.paused_until)).where(Chat.paused_until > _NOW)
_NEXT = select(_NEXT_ROW.scalar_subquery(), _NEXT_CHAT.scalar_subquery())
_IDS: BindParameter[Sequence[int]] = bindparam("ids", expanding=True)
_RESULTS = select(
    Outgoing.id, Outgoing.state, Outgoing.message_id, Outgoing.message_ids, Outgoing.joined_id, Outgoing.error
).where(Outgoing.id.in_(_IDS))
_CHATS = select(Chat.id, Chat.telegram_id).where(Chat.id.in_(_IDS))
_JOINED = select(Outgoing.id, Outgoing.payload).where(Outgoing.joined_id.in_(_IDS)).order_by(Outgoing.id)


@dataclass(frozen=True, slots=True)
class Void:
    """A row that will never be sent, and why."""

    row_id: int
    chat_id: int
    state: OutgoingState
    error: str


@dataclass(frozen=True, slots=True)
class Picked:
    """What may go now, by priority and age; `again` is when more may: now if not all was looked at.

    None if that is unknown: always if something may go now, for how it ends may let others go.
    """

    items: Sequence[Letter | Void]
    again: datetime | None


async def pick(connection: AsyncConnection, now: datetime, skip: Collection[int]) -> Picked:
    """Rows that may go now, at most one message a chat; none of the chats in `skip`.

    Within a chat and a priority the order is kept: while one waits for another try, later ones wait. Texts that wait
    for the same place in a group go as one message.
    """
    begin = (-1, 0)
    while True:
        values = {"now": now, "skip": list(skip), "priority": begin[0], "id": begin[1]}
        rows = (await connection.execute(_DUE, values)).all()
        items = await _ready_ones(connection, rows)
        if items:
            return Picked(items, now if len(rows) == PAGE else None)
        if len(rows) < PAGE:
            return Picked((), min((m for m in await _moments(connection, now) if m), default=None))
        begin = (rows[-1].priority, rows[-1].id)  # all of these wait for others: look behind them


async def _moments(connection: AsyncConnection, now: datetime) -> Sequence[datetime | None]:
    """When a row and when a chat that waits for its time may go."""
    row = (await connection.execute(_NEXT, {"now": now})).one()
    return tuple(row)


async def _ready_ones(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[Letter | Void]:
    refer = [row.payload for row in rows if refers(row.payload)]
    ids = {row_id for payload in refer for name in ("message_of", "error_of") for row_id in named(payload, name)}
    found = (await connection.execute(_RESULTS, {"ids": list(ids)})).all() if ids else ()
    results = {row.id: Result(row.state, row.message_id, tuple(row.message_ids or ()), row.error) for row in found}
    chats = await _telegram_ids(connection, {chat_id for payload in refer for chat_id in named(payload, "chat_of")})
    leads = {row.id: row.joined_id for row in found if row.joined_id is not None}
    first: dict[int, Letter | Void] = {}
    for row in rows:
        try:
            picked = _ready(row, results, chats)
        except Exception as error:
            picked = _unreadable(row.id, row.chat_id, error)
        before = first.setdefault(row.chat_id, picked) if picked else None
        if isinstance(picked, Letter) and isinstance(before, Letter) and before.row_id != row.id:
            first[row.chat_id] = _with(before, picked)
    return [await _whole_or_void(connection, item, leads) for item in first.values()]


def _unreadable(row_id: int, chat_id: int, error: Exception) -> Void:
    """One row that is a mistake of ours must not keep all others from being sent."""
    why = place(error)
    log.error("message cannot be read, given up", extra={"row": row_id, "chat": chat_id, "error": why})
    return Void(row_id, chat_id, OutgoingState.FAILED, why)


async def _telegram_ids(connection: AsyncConnection, ids: set[int]) -> dict[int, int]:
    found = (await connection.execute(_CHATS, {"ids": list(ids)})).all() if ids else ()
    return {row.id: row.telegram_id for row in found}


def _ready(row: Row[Any], results: Mapping[int, Result], chats: Mapping[int, int]) -> Letter | Void | None:
    if row.after_id is not None and row.ended is not row.after_state:
        # A message of several parts has failed as a whole if one of them has: who waits for that must hear of it.
        failed = row.ended is OutgoingState.FAILED and row.ended_key.startswith(f"{whole(row.key)}#")
        state = OutgoingState.FAILED if failed else OutgoingState.DROPPED
        return Void(row.id, row.chat_id, state, f"row {row.after_id} ended as {row.ended}")
    match resolve(row.payload, results, chats):
        case NotYet():
            return None
        case Impossible(row_id):
            error = f"depends on row {row_id}, which has no message"
            return Void(row.id, row.chat_id, OutgoingState.FAILED, error)
        case payload:
            group = row.kind is not ChatKind.PRIVATE
            joins = group and row.method == "sendMessage" and joinable(payload) and row.error != REFUSED_TOGETHER
            return Letter(
                row_id=row.id,
                chat_id=row.chat_id,
                method=row.method,
                parameters={"chat_id": row.telegram_id, **payload},
                attempts=row.attempts,
                group=group,
                since=row.not_before if row.not_before and not row.attempts else row.created_at,
                ticket_id=row.ticket_id,
                joins=joins,
                edits=next(named(row.payload.get("message_id")), None) if row.method == "editMessageText" else None,
            )


def _with(letter: Letter, other: Letter) -> Letter:
    """The letter with another's text added, where the two go together: staff's answer to it must mean one ticket."""
    same = letter.joins and other.joins and letter.ticket_id == other.ticket_id
    if not same or not together(letter.parameters, other.parameters):
        return letter
    both = joined([letter.parameters, other.parameters])
    return replace(letter, parameters=both, others=(*letter.others, other.row_id)) if both else letter


async def _whole_or_void(connection: AsyncConnection, item: Letter | Void, leads: Mapping[int, int]) -> Letter | Void:
    try:
        return await _whole(connection, item, leads)
    except SQLAlchemyError:
        raise
    except Exception as error:
        return _unreadable(item.row_id, item.chat_id, error)


async def _whole(connection: AsyncConnection, item: Letter | Void, leads: Mapping[int, int]) -> Letter | Void:
    """An edit of one text among several in a message: of the message, with the others as they are."""
    if isinstance(item, Void) or item.edits is None or item.edits not in leads:
        return item
    rows = (await connection.execute(_JOINED, {"ids": [leads[item.edits]]})).all()
    own = {name: item.parameters[name] for name in OWN if name in item.parameters}
    # Empty is what was taken back, or whose person is forgotten.
    texts = [own if row.id == item.edits else row.payload for row in rows if row.id == item.edits or row.payload]
    both = joined(texts)
    kept: Payload = {name: value for name, value in item.parameters.items() if name not in OWN}
    shown = {name: both[name] for name in OWN if name in both} if both else own
    return replace(item, parameters=kept | shown, part=Part(item.edits, own))
