"""The inbox: updates committed first, then handled chat by chat, each at most once to completion."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.delivery import incoming
from bot.delivery.incoming import Raw
from bot.records.news import tell
from bot.records.people import chat_of, move_chat
from bot.records.sessions import Database
from bot.records.states import UpdateState
from bot.records.tables import Chat, Update, utc_now
from bot.records.upsert import insert_new

log = logging.getLogger(__name__)

ATTEMPTS = 5  # then an update is set aside
LEASE = timedelta(minutes=2)  # longer than any handler may take


class AlreadyDoneError(RuntimeError):
    """Another worker has finished this update: the transaction that hears of it must not commit."""


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


async def receive(tx: AsyncSession, raw: Sequence[object]) -> int:
    """Keeps those updates that are new, in their order; returns how many. Takes any JSON."""
    numbered = {number: item for item in raw if (number := incoming.number(item)) is not None}
    if len(numbered) < len(raw):
        log.error("updates without a usable id ignored", extra={"count": len(raw) - len(numbered)})
    known = set((await tx.execute(select(Update.update_id).where(Update.update_id.in_(numbered)))).scalars())
    kept = sum([await _keep(tx, number, item) for number, item in numbered.items() if number not in known])
    if kept:
        tell(tx, "updates")
    return kept


async def _keep(tx: AsyncSession, update_id: int, raw: object) -> bool:
    assert isinstance(raw, dict)
    kind = incoming.kind(raw)
    seq = await insert_new(tx, Update, Update.seq, update_id=update_id, kind=kind, raw=raw)
    where = incoming.place(raw)
    if seq is None or where is None:
        return seq is not None
    chat = await chat_of(tx, where.telegram_id, where.kind)
    if kind in incoming.WRITTEN:
        chat.unreachable_since, chat.reason = None, None
    await tx.execute(update(Update).where(Update.seq == seq).values(chat_id=chat.id))
    if (moved := incoming.moved_to(raw)) is not None:
        await tx.flush()
        await move_chat(tx, chat.id, moved)
    return True


async def claim(db: Database, worker: str, now: datetime) -> Claimed | None:
    """The oldest update of the chat that has waited longest for service, with a lease on that chat.

    A chat whose oldest update waits for another try waits with it. None if there is nothing to do.
    """
    async with db.begin() as tx:
        if (seq := await _lease_chat(tx, worker, now)) is None and (seq := await _lease_lone(tx, now)) is None:
            return None
        begun = update(Update).where(Update.seq == seq).values(attempts=Update.attempts + 1)
        row = (await tx.execute(begun.returning(Update))).scalar_one()
        return Claimed(worker, row.seq, row.update_id, row.chat_id, row.attempts, row.received_at, row.raw or {})


async def _lease_chat(tx: AsyncSession, worker: str, now: datetime) -> int | None:
    """Takes the next chat by one conditional UPDATE; the `seq` of its oldest update."""
    waiting = aliased(Update)
    oldest = select(func.min(waiting.seq)).where(waiting.chat_id == Chat.id, waiting.state == UpdateState.NEW)
    free = or_(Chat.leased_until.is_(None), Chat.leased_until <= now)
    following = (
        select(Chat.id)
        .join(Update, Update.chat_id == Chat.id)
        .where(free, _due(now), Update.seq == oldest.scalar_subquery())
        .order_by(Chat.served_at.nulls_first(), Update.seq)
        .limit(1)
        .with_for_update(of=Chat, skip_locked=True)
    )
    taking = update(Chat).where(Chat.id == following.scalar_subquery(), free)
    leased = taking.values(leased_by=worker, leased_until=now + LEASE, served_at=now).returning(Chat.id)
    chat_id = (await tx.execute(leased)).scalar_one_or_none()
    if chat_id is None:
        return None
    mine = (Update.chat_id == chat_id) & (Update.state == UpdateState.NEW)
    return (await tx.execute(select(func.min(Update.seq)).where(mine))).scalar_one()


async def _lease_lone(tx: AsyncSession, now: datetime) -> int | None:
    """Takes an update that belongs to no chat: `not_before` is its lease."""
    following = select(Update.seq).where(Update.chat_id.is_(None), _due(now)).order_by(Update.seq).limit(1)
    locked = following.with_for_update(skip_locked=True).scalar_subquery()
    leased = update(Update).where(Update.seq == locked, _due(now)).values(not_before=now + LEASE)
    return (await tx.execute(leased.returning(Update.seq))).scalar_one_or_none()


def _due(now: datetime) -> ColumnElement[bool]:
    return (Update.state == UpdateState.NEW) & or_(Update.not_before.is_(None), Update.not_before <= now)


async def done(tx: AsyncSession, update_id: int) -> None:
    """Handled: belongs into the transaction of its effects, once. Its JSON is erased.

    Raises AlreadyDoneError if another worker was faster, so that nothing happens twice.
    """
    if not await _finish(tx, Update.update_id == update_id, UpdateState.DONE, None):
        raise AlreadyDoneError(f"update {update_id} is not waiting to be handled")


async def close(tx: AsyncSession, claimed: Claimed) -> None:
    """Marks as done what its handler did not, and frees the chat."""
    await _finish(tx, Update.seq == claimed.seq, UpdateState.DONE, None)
    await release(tx, claimed)


async def failed(tx: AsyncSession, claimed: Claimed, error: str, now: datetime) -> None:
    """Another try later, longer each time; set aside after the last. Frees the chat."""
    if claimed.attempts >= ATTEMPTS:
        await set_aside(tx, claimed, error)
        return
    later = {"not_before": now + timedelta(seconds=4 ** (claimed.attempts - 1)), "error": error}
    await tx.execute(update(Update).where(Update.seq == claimed.seq, _new()).values(later))
    await release(tx, claimed)


async def set_aside(tx: AsyncSession, claimed: Claimed, error: str) -> None:
    """Never tried again by itself; its JSON is kept for people. Frees the chat."""
    await _finish(tx, Update.seq == claimed.seq, UpdateState.SET_ASIDE, error)
    await release(tx, claimed)


async def release(tx: AsyncSession, claimed: Claimed) -> None:
    """Ends the lease, if this worker still has it."""
    mine = (Chat.id == claimed.chat_id) & (Chat.leased_by == claimed.worker)
    await tx.execute(update(Chat).where(mine).values(leased_by=None, leased_until=None))


async def release_all(tx: AsyncSession, process: str) -> None:
    """Ends the leases of the workers of a process that is no more; their names begin with `process/`."""
    theirs = Chat.leased_by.startswith(f"{process}/", autoescape=True)
    await tx.execute(update(Chat).where(theirs).values(leased_by=None, leased_until=None))


async def _finish(tx: AsyncSession, which: ColumnElement[bool], state: UpdateState, error: str | None) -> bool:
    values = {"state": state, "error": error, "finished_at": utc_now()}
    if state is UpdateState.DONE:
        values["raw"] = None
    finished = update(Update).where(which, _new()).values(values).returning(Update.seq)
    return (await tx.execute(finished)).scalar_one_or_none() is not None


def _new() -> ColumnElement[bool]:
    return Update.state == UpdateState.NEW
