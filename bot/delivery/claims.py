"""Who handles which chat: a worker leases a chat, so that its updates are handled in order by one worker at a time.

The statements are built once: SQLAlchemy needs longer to build one than SQLite to run it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import BindParameter, Integer, Row, String, Table, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from bot.delivery.incoming import Raw
from bot.records.states import UpdateState
from bot.records.tables import Chat, Update, UtcTime

LEASE = timedelta(minutes=2)  # longer than any handler may take

CHAT, UPDATE = cast(Table, Chat.__table__).c, cast(Table, Update.__table__).c
MOMENT, WORKER = bindparam("moment", type_=UtcTime), bindparam("worker", type_=String)
PLACES: BindParameter[Sequence[int]] = bindparam("places", expanding=True)
FREED = {"leased_by": None, "leased_until": None}

# What a worker itself still has leased, and does not work on, is left from a try that the database cut short.
_left = and_(CHAT.leased_by == WORKER, CHAT.id.not_in(bindparam("busy", expanding=True)))
_free = or_(CHAT.leased_until.is_(None), CHAT.leased_until <= MOMENT, _left)
_new = UPDATE.state == UpdateState.NEW
_due = _new & or_(UPDATE.not_before.is_(None), UPDATE.not_before <= MOMENT)
_waiting = cast(Table, Update.__table__).alias("waiting").c
_oldest = select(func.min(_waiting.seq)).where(_waiting.chat_id == CHAT.id, _waiting.state == UpdateState.NEW)
_following = (
    select(CHAT.id)
    .join(Update, UPDATE.chat_id == CHAT.id)
    .where(_free, _due, UPDATE.seq == _oldest.scalar_subquery())
    .order_by(CHAT.served_at.nulls_first(), UPDATE.seq)
    .limit(bindparam("count", type_=Integer))
    .with_for_update(of=Chat, skip_locked=True, key_share=True)
    .cte("following")  # so that PostgreSQL looks for them once
)
# One that belongs to no chat is leased itself.
_left_alone = and_(UPDATE.leased_by == WORKER, UPDATE.seq.not_in(bindparam("busy_alone", expanding=True)))
_free_alone = _new & or_(UPDATE.not_before.is_(None), UPDATE.not_before <= MOMENT, _left_alone)
_lone = (
    select(UPDATE.seq)
    .where(UPDATE.chat_id.is_(None), _free_alone)
    .order_by(UPDATE.seq)
    .limit(bindparam("room", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("lone")
)
_first = (
    select(func.min(_waiting.seq))
    .where(_waiting.chat_id.in_(PLACES), _waiting.state == UpdateState.NEW)
    .group_by(_waiting.chat_id)
)
_held = (
    select(CHAT.id)
    .where(CHAT.id.in_(PLACES), CHAT.leased_by == WORKER)
    .order_by(CHAT.telegram_id)  # the order in which intake locks them, or each might wait for the other
    .with_for_update(key_share=True)
)
_columns = (UPDATE.seq, UPDATE.update_id, UPDATE.chat_id, UPDATE.attempts, UPDATE.received_at, UPDATE.raw)
_counted = {"attempts": UPDATE.attempts + 1}

_leasing = (
    update(CHAT.id.table)
    .where(_free)
    .values(leased_by=WORKER, leased_until=bindparam("until", type_=UtcTime), served_at=MOMENT)
    .returning(CHAT.id)
)
LEASE_CHATS = _leasing.where(CHAT.id.in_(select(_following.c.id)))
LEASE_THESE = _leasing.where(CHAT.id.in_(PLACES))
BEGIN_IN_CHATS = update(UPDATE.seq.table).where(UPDATE.seq.in_(_first), _due).values(_counted).returning(*_columns)
BEGIN_LONE = (
    update(UPDATE.seq.table)
    .where(UPDATE.seq.in_(select(_lone.c.seq)), _free_alone)
    .values(_counted | {"leased_by": WORKER, "not_before": bindparam("until", type_=UtcTime)})
    .returning(*_columns)
)
RELEASE = update(CHAT.id.table).where(CHAT.id.in_(_held)).values(FREED)
_more = exists().where(_waiting.chat_id == CHAT.id, _waiting.state == UpdateState.NEW)
# Passed over if somebody has locked it: they may wait for what the handler's transaction holds.
_own = (
    select(CHAT.id)
    .where(CHAT.id == bindparam("place"), CHAT.leased_by == WORKER)
    .with_for_update(skip_locked=True, key_share=True)
)
RELEASE_ONE = update(CHAT.id.table).where(CHAT.id.in_(_own)).values(FREED).returning(_more)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An update that this worker alone may handle, until the lease ends."""

    worker: str
    seq: int
    update_id: int
    chat_id: int | None
    attempts: int  # this one included
    received_at: datetime
    raw: Raw


async def claim(
    tx: AsyncSession, worker: str, now: datetime, count: int = 1, under_way: Collection[Claimed] = ()
) -> list[Claimed]:
    """The oldest update of each of `count` chats that have waited longest for service, with a lease on each chat; and
    the oldest updates of no chat, as far as `count` allows.

    A chat whose oldest update waits for another try waits with it. `under_way` is what the worker is at work on.
    """
    values = _lease(worker, now, under_way) | {"count": count}
    begun: list[Claimed] = []
    while not begun and (chats := (await tx.execute(LEASE_CHATS, values)).scalars().all()):
        begun = await _begun(tx, worker, now, chats)
    if len(begun) < count:
        lone = (await tx.execute(BEGIN_LONE, values | {"room": count - len(begun)})).all()
        begun += [_claimed(worker, row) for row in lone]
    return begun


async def claim_in(
    tx: AsyncSession, worker: str, now: datetime, chats: Collection[int], under_way: Collection[Claimed] = ()
) -> list[Claimed]:
    """The oldest update of each of these chats that is free, with a lease on it; `under_way` as for `claim`."""
    values = _lease(worker, now, under_way) | {"places": list(chats)}
    leased = (await tx.execute(LEASE_THESE, values)).scalars().all() if chats else ()
    return await _begun(tx, worker, now, leased) if leased else []


def _lease(worker: str, now: datetime, under_way: Collection[Claimed]) -> dict[str, Any]:
    busy = {"busy": _chats(under_way), "busy_alone": [one.seq for one in under_way if one.chat_id is None]}
    return {"worker": worker, "moment": now, "until": now + LEASE, **busy}


async def _begun(tx: AsyncSession, worker: str, now: datetime, chats: Collection[int]) -> list[Claimed]:
    rows = (await tx.execute(BEGIN_IN_CHATS, {"places": list(chats), "moment": now})).all()
    begun = [_claimed(worker, row) for row in rows]
    # Its oldest waits for another try, or another worker of PostgreSQL was faster to take it.
    await _let_go(tx, worker, set(chats) - set(_chats(begun)))
    return begun


def _claimed(worker: str, row: Row[tuple[int, int, int | None, int, datetime, Raw | None]]) -> Claimed:
    return Claimed(worker, row.seq, row.update_id, row.chat_id, row.attempts, row.received_at, row.raw or {})


async def release(tx: AsyncSession, *claimed: Claimed) -> None:
    """Ends the leases of one worker, as far as it still has them."""
    if claimed:
        await _let_go(tx, claimed[0].worker, _chats(claimed))


async def release_one(tx: AsyncSession, claimed: Claimed) -> bool | None:
    """Ends the lease; whether the chat has more updates than those that are done. None if it cannot be ended now."""
    if claimed.chat_id is None:
        return False
    found = await tx.execute(RELEASE_ONE, {"place": claimed.chat_id, "worker": claimed.worker})
    return found.scalar_one_or_none()


def _chats(claimed: Collection[Claimed]) -> list[int]:
    return [one.chat_id for one in claimed if one.chat_id is not None]


async def _let_go(tx: AsyncSession, worker: str, chats: Collection[int]) -> None:
    if chats:
        await tx.execute(RELEASE, {"places": list(chats), "worker": worker})


async def release_all(tx: AsyncSession, process: str | None) -> None:
    """Ends the leases of the workers of a process that is no more; their names begin with `process/`. None: of all."""
    await _release(tx, process, Chat.leased_by, FREED)
    await _release(tx, process, Update.leased_by, {"leased_by": None, "not_before": None})


async def _release(
    tx: AsyncSession, process: str | None, column: InstrumentedAttribute[str | None], freed: Mapping[str, None]
) -> None:
    held = column.is_not(None) if process is None else column.startswith(f"{process}/", autoescape=True)
    freeing = update(column.class_).where(held).values(freed)
    await tx.execute(freeing.execution_options(synchronize_session=False))
