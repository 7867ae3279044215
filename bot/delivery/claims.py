"""Who handles which chat: a worker leases a chat, so that its updates are handled in order by one worker at a time.

The statements are built once: SQLAlchemy needs longer to build one than SQLite to run it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Row, String, Table, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from bot.delivery.incoming import Raw
from bot.records.states import UpdateState
from bot.records.tables import Chat, RowId, Update, UtcTime

LEASE = timedelta(minutes=2)  # longer than any handler may take

CHAT, UPDATE = cast(Table, Chat.__table__).c, cast(Table, Update.__table__).c
MOMENT, WORKER = bindparam("moment", type_=UtcTime), bindparam("worker", type_=String)
PLACE = bindparam("place", type_=RowId)
FREED = {"leased_by": None, "leased_until": None}

# What a worker itself still has leased is left from a try that the database cut short.
_free = or_(CHAT.leased_until.is_(None), CHAT.leased_until <= MOMENT, CHAT.leased_by == WORKER)
_new = UPDATE.state == UpdateState.NEW
_due = _new & or_(UPDATE.not_before.is_(None), UPDATE.not_before <= MOMENT)
_waiting = cast(Table, Update.__table__).alias("waiting").c
_oldest = select(func.min(_waiting.seq)).where(_waiting.chat_id == CHAT.id, _waiting.state == UpdateState.NEW)
_following = (
    select(CHAT.id)
    .join(Update, UPDATE.chat_id == CHAT.id)
    .where(_free, _due, UPDATE.seq == _oldest.scalar_subquery())
    .order_by(CHAT.served_at.nulls_first(), UPDATE.seq)
    .limit(1)
    .with_for_update(of=Chat, skip_locked=True)
)
# One that belongs to no chat is leased itself.
_free_alone = _new & or_(UPDATE.not_before.is_(None), UPDATE.not_before <= MOMENT, UPDATE.leased_by == WORKER)
_lone = select(UPDATE.seq).where(UPDATE.chat_id.is_(None), _free_alone).order_by(UPDATE.seq).limit(1)
_first = select(func.min(_waiting.seq)).where(_waiting.chat_id == PLACE, _waiting.state == UpdateState.NEW)
_columns = (UPDATE.seq, UPDATE.update_id, UPDATE.chat_id, UPDATE.attempts, UPDATE.received_at, UPDATE.raw)
_counted = {"attempts": UPDATE.attempts + 1}

LEASE_CHAT = (
    update(CHAT.id.table)
    .where(CHAT.id == _following.scalar_subquery(), _free)
    .values(leased_by=WORKER, leased_until=bindparam("until", type_=UtcTime), served_at=MOMENT)
    .returning(CHAT.id)
)
BEGIN_IN_CHAT = (
    update(UPDATE.seq.table).where(UPDATE.seq == _first.scalar_subquery(), _due).values(_counted).returning(*_columns)
)
BEGIN_LONE = (
    update(UPDATE.seq.table)
    .where(UPDATE.seq == _lone.with_for_update(skip_locked=True).scalar_subquery(), _free_alone)
    .values(_counted | {"leased_by": WORKER, "not_before": bindparam("until", type_=UtcTime)})
    .returning(*_columns)
)
RELEASE = update(CHAT.id.table).where(CHAT.id == PLACE, CHAT.leased_by == WORKER).values(FREED)


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


async def claim(tx: AsyncSession, worker: str, now: datetime) -> Claimed | None:
    """The oldest update of the chat that has waited longest for service, with a lease on that chat.

    A chat whose oldest update waits for another try waits with it. None if there is nothing to do.
    """
    values = {"worker": worker, "moment": now, "until": now + LEASE}
    while (chat_id := (await tx.execute(LEASE_CHAT, values)).scalar_one_or_none()) is not None:
        begun = (await tx.execute(BEGIN_IN_CHAT, {"place": chat_id, "moment": now})).one_or_none()
        if begun is not None:
            return _claimed(worker, begun)
        # Another worker of PostgreSQL has handled it between our looking for a chat and our taking it.
        await tx.execute(RELEASE, {"place": chat_id, "worker": worker})
    lone = (await tx.execute(BEGIN_LONE, values)).one_or_none()
    return None if lone is None else _claimed(worker, lone)


def _claimed(worker: str, row: Row[tuple[int, int, int | None, int, datetime, Raw | None]]) -> Claimed:
    return Claimed(worker, row.seq, row.update_id, row.chat_id, row.attempts, row.received_at, row.raw or {})


async def release(tx: AsyncSession, claimed: Claimed) -> None:
    """Ends the lease, if this worker still has it."""
    if claimed.chat_id is not None:
        await tx.execute(RELEASE, {"place": claimed.chat_id, "worker": claimed.worker})


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
