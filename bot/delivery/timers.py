"""Timers: what is to happen at a time is a row, so that no restart forgets it."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery.retry import backoff, place
from bot.records.sessions import Database
from bot.records.tables import Timer
from bot.records.upsert import insert_into

log = logging.getLogger(__name__)

ATTEMPTS = 8  # then a timer is set aside
Payload = dict[str, Any]  # ids of our own, never people's texts
Handler = Callable[[AsyncSession, Payload], Awaitable[None]]  # what it does is committed with the timer's end


class Due(NamedTuple):
    """A timer whose time has come."""

    id: int
    key: str
    kind: str
    payload: Payload
    attempts: int


async def set_timer(tx: AsyncSession, key: str, kind: str, due_at: datetime, payload: Payload) -> None:
    """Has the handler of `kind` run at `due_at`; a timer that has this key already is moved and given `payload`."""
    values = {"kind": kind, "due_at": due_at, "payload": payload, "attempts": 0, "error": None, "set_aside_at": None}
    new = insert_into(tx.get_bind().dialect.name, Timer).values(key=key, **values)
    await tx.execute(new.on_conflict_do_update(index_elements=[Timer.key], set_=values))


async def cancel(tx: AsyncSession, key: str) -> bool:
    """Takes a timer away; False if there is none, or none any more."""
    gone = delete(Timer).where(Timer.key == key).returning(Timer.id)
    return (await tx.execute(gone)).scalar_one_or_none() is not None


async def is_set(tx: AsyncSession, key: str) -> bool:
    """Whether there is a timer of that key."""
    return await tx.scalar(select(Timer.id).where(Timer.key == key)) is not None


async def hurry(tx: AsyncSession, kinds: Collection[str], now: datetime) -> None:
    """Let all timers of these kinds be due: what they watch over has ended."""
    later = update(Timer).where(Timer.kind.in_(kinds), Timer.due_at > now)
    await tx.execute(later.values(due_at=now))


async def run_next(db: Database, handlers: Mapping[str, Handler], now: datetime) -> bool:
    """Runs the handler of the timer that has been due longest, in one transaction with its end; False if none is due.

    A handler may set its own timer again. One that fails is called again later, and set aside after the last time.
    """
    due: Due | None = None
    try:
        async with db.begin() as tx:
            if (due := await _take(tx, handlers.keys(), now)) is not None:
                await handlers[due.kind](tx, due.payload)
    except Exception as error:
        if due is None:
            raise
        await _failed(db, due, place(error), now)
    return due is not None


async def next_due(db: Database, kinds: Collection[str]) -> datetime | None:
    """When the next timer of one of these kinds is due."""
    async with db.glance() as connection:
        return (await connection.execute(select(func.min(Timer.due_at)).where(*_waiting(kinds)))).scalar()


async def _take(tx: AsyncSession, kinds: Collection[str], now: datetime) -> Due | None:
    # Deleted before the handler runs, and back in its place if that fails. Of several workers each takes another.
    oldest = select(Timer.id).where(*_waiting(kinds), Timer.due_at <= now).order_by(Timer.due_at, Timer.id).limit(1)
    taken = delete(Timer).where(Timer.id == oldest.with_for_update(skip_locked=True).scalar_subquery())
    row = (await tx.execute(taken.returning(Timer.id, Timer.key, Timer.kind, Timer.payload, Timer.attempts))).first()
    return Due(*row) if row else None


async def _failed(db: Database, due: Due, error: str, now: datetime) -> None:
    last = due.attempts + 1 >= ATTEMPTS
    async with db.begin() as tx:
        row = await tx.get(Timer, due.id)
        if row is None:  # cancelled meanwhile
            return
        row.attempts, row.error = due.attempts + 1, error
        row.due_at, row.set_aside_at = now + backoff(due.attempts), now if last else None
    log.error("timer set aside" if last else "timer failed", extra={"row": due.id, "kind": due.kind, "error": error})


def _waiting(kinds: Collection[str]) -> tuple[Any, ...]:
    return Timer.set_aside_at.is_(None), Timer.kind.in_(kinds)
