"""Processes that share a database: each known by its heartbeat, and roles that one of them has at a time."""

import asyncio
import logging
import os
import platform
import secrets
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, func, inspect, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery.claims import release_all
from bot.delivery.retry import Trouble, place
from bot.delivery.sqlitefile import only_process
from bot.delivery.wake import wait
from bot.records.news import WORDS, News, Signal, listen, tell
from bot.records.sessions import Database
from bot.records.tables import Process, Role, UtcTime, utc_now
from bot.records.upsert import insert_new
from bot.watch.beats import Beats

log = logging.getLogger(__name__)

BEAT = 3.0  # seconds between two heartbeats
DEAD = timedelta(seconds=10)  # a process not heard of for so long is taken for dead
FAR = timedelta(minutes=2)  # ahead of the clock: a sign of life from before it was set back
SURE = 6.0  # seconds after a heartbeat in which a process relies on its roles; what it then begins ends before DEAD
POLL, SEND = "poll", "send"


class NameTakenError(RuntimeError):
    """Another process of that name works on this database."""

    def __init__(self, name: str) -> None:
        super().__init__(f"another process works as '{name}': stop that one, or set another GUICHET_PROCESS_NAME here")


def unique_name() -> str:
    """A name for a process that no other has, and that tells an operator where it runs."""
    return f"{platform.node()[:50] or 'process'}-{os.getpid()}-{secrets.token_hex(3)}"


class Roles:
    """What this process alone may do for now, as far as its last heartbeat tells."""

    def __init__(self, wanted: Collection[str] = (POLL, SEND)) -> None:
        self.wanted = tuple(wanted)
        self.changed = Signal()
        self._held: frozenset[str] = frozenset()
        self._renewed = float("-inf")

    def holds(self, role: str) -> bool:
        """Whether no other process can have this role now."""
        return role in self._held and time.monotonic() < self._renewed + SURE

    def heard(self, within: float) -> bool:
        """Whether the last heartbeat is no older than so many seconds."""
        return time.monotonic() < self._renewed + within

    def silent(self, within: float) -> bool:
        """Whether heartbeats have begun, and the last is older than so many seconds: this process cannot write."""
        return self._renewed > float("-inf") and not self.heard(within)

    def renew(self, held: frozenset[str], begun: float) -> None:
        """After a heartbeat that began at this moment of the monotonic clock."""
        before, self._held, self._renewed = self._held, held, begun
        if held != before:
            log.info("roles", extra={"held": ",".join(sorted(held)) or "none"})
            self.changed.ring()


async def join(tx: AsyncSession, process: str, roles: Collection[str], alone_since: datetime | None = None) -> None:
    """Registers a process, as others hear, and ends the leases that its earlier life left, or everybody's if alone.

    Raises NameTakenError if another one has registered under that name: of two at once, the database lets one.
    """
    now = await _clock(tx)
    over = ~_heard(alone_since, now) if alone_since else (Process.name == process) & ~_heard(now - DEAD, now)
    gone = (await tx.scalars(delete(Process).where(over).returning(Process.name))).all()
    others = bool(await tx.scalar(select(exists().where(Process.name != process))))
    if await insert_new(tx, Process, Process.name, name=process, started_at=now, beat_at=now) is None:
        raise NameTakenError(process)
    for name in {*gone, process} if others or not alone_since else {None}:
        await release_all(tx, name)
    for role in roles:
        await insert_new(tx, Role, Role.name, name=role)
    tell(tx, "processes")


async def at_work(db: Database) -> Sequence[str]:
    """The names of the processes that are alive; none in a database without tables."""
    async with db.read() as tx:
        if not await (await tx.connection()).run_sync(lambda inner: inspect(inner).has_table(Process.__tablename__)):
            return ()
        now = await _clock(tx)
        alive = select(Process.name).where(_heard(now - DEAD, now)).order_by(Process.name)
        return (await tx.scalars(alive)).all()


async def alone_by_name(db: Database, process: str) -> None:
    """Returns once nobody works as `process`; raises NameTakenError if somebody gives another sign of life.

    What an earlier life of this process left, which was killed, gives none, and counts as gone after DEAD.
    """
    first: datetime | None = None
    while True:
        async with db.read() as tx:
            now = await _clock(tx)
            fresh = (Process.name == process) & _heard(now - DEAD, now)
            last = (await tx.execute(select(Process.beat_at).where(fresh))).scalar_one_or_none()
        if last is None:
            return
        if first is not None and last > first:
            raise NameTakenError(process)
        first = last
        await asyncio.sleep(BEAT / 6)


async def leave(tx: AsyncSession, process: str) -> None:
    """Ends a process's leases and roles at once, and tells the others."""
    await release_all(tx, process)
    await tx.execute(delete(Process).where(Process.name == process))
    tell(tx, "processes")


async def beat(tx: AsyncSession, process: str, roles: Collection[str], *, judge: bool = True) -> frozenset[str]:
    """Notes that a process lives, buries the dead (if it may judge), and takes what roles are free; those it has."""
    now = await _clock(tx)
    alive = update(Process).where(Process.name == process).values(beat_at=now).returning(Process.name)
    if (await tx.execute(alive)).scalar_one_or_none() is None:  # taken for dead meanwhile
        await insert_new(tx, Process, Process.name, name=process, started_at=now, beat_at=now)
    if judge:
        await _bury(tx, now)
    mine = or_(Role.held_by.is_(None), Role.held_by == process)
    held = update(Role).where(Role.name.in_(roles), mine).values(held_by=process).returning(Role.name)
    return frozenset(await tx.scalars(held))


async def share(tx: AsyncSession, process: str, news: News) -> None:
    """Notes whether others are there to hear news; if so for the first time, they are told all they may have missed."""
    others = bool(await tx.scalar(select(exists().where(Process.name != process))))
    if others and not news.shared:
        for word in WORDS:
            tell(tx, word)
    news.shared = others


async def _bury(tx: AsyncSession, now: datetime) -> None:
    """Frees what dead processes held, so that others go on with it; their roles fall free with their rows."""
    set_back = Process.beat_at > now + FAR  # who lives beats anew before that
    dead = delete(Process).where((Process.beat_at < now - DEAD) | set_back).returning(Process.name)
    for name in (await tx.scalars(dead)).all():
        log.warning("process is gone, others go on with its work", extra={"gone": name})
        await release_all(tx, name)


def _heard(since: datetime, now: datetime) -> ColumnElement[bool]:
    """Who has been heard of since then; what is far later than now is of a clock that has been set back meanwhile."""
    return Process.beat_at.between(since, now + DEAD)


async def _clock(tx: AsyncSession) -> datetime:
    """The present moment by a clock that all processes share: the server's, or the one machine's."""
    if tx.get_bind().dialect.name == "sqlite":
        return utc_now()
    return (await tx.execute(select(func.clock_timestamp(type_=UtcTime)))).scalar_one()


async def live(db: Database, process: str, roles: Roles, beats: Beats) -> None:
    """Heartbeats until cancelled, however often the database is out of reach."""
    trouble = Trouble()
    while True:
        left = db.news.processes.next()
        beats.beat("heartbeat", BEAT)  # without it this process would do nothing any more that takes a role
        begun = time.monotonic()
        try:
            async with db.begin() as tx:
                # After a long silence of one's own, as when the server was away, the others' silence means nothing.
                judge = roles.heard(DEAD.total_seconds())
                held = await beat(tx, process, roles.wanted, judge=judge)
                if db.postgresql:
                    await share(tx, process, db.news)
            roles.renew(held, begun)
            if failures := trouble.over():
                log.info("heartbeat works again", extra={"failures": failures})
        except (SQLAlchemyError, OSError) as error:
            if trouble.again(what := place(error)):
                log.error("heartbeat failed, will try again", extra={"error": what})  # noqa: TRY400  a trace may quote texts
        await wait(left, BEAT)


@asynccontextmanager
async def present(db: Database, process: str, roles: Roles, beats: Beats | None = None) -> AsyncIterator[None]:
    """A process among those that share the database, from its first heartbeat to its leave-taking.

    Raises NameTakenError.
    """
    with only_process(db) as since:
        if since is None:
            await alone_by_name(db, process)
        async with db.begin() as tx:
            await join(tx, process, roles.wanted, since)
        beats = beats or Beats()
        beside = [asyncio.create_task(live(db, process, roles, beats))]
        if db.postgresql:
            beside.append(asyncio.create_task(listen(db.engine.url, db.news)))
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            beats.end("heartbeat")
            with suppress(SQLAlchemyError, OSError):  # out of reach now: others will notice the silence
                async with db.begin() as tx:
                    await leave(tx, process)
