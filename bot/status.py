"""How a running bot stands: queues, tickets, index, database; numbers of ours only, no texts of people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select, text
from sqlalchemy import update as change
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery.outbox import Priority
from bot.publishing.gate import limits_of
from bot.records.migrations import Standing, standing
from bot.records.retention import oldest
from bot.records.sessions import Database
from bot.records.states import ChatKind, OutgoingState, TicketState, UpdateState
from bot.records.tables import (
    ACTIVE_SNAPSHOT,
    TELEGRAM_SILENT,
    Chat,
    Outgoing,
    Process,
    Role,
    Setting,
    StoredSnapshot,
    Ticket,
    Update,
    utc_now,
)
from bot.settings import Settings
from indexer import store
from indexer.snapshot import SnapshotError, load

NO_TABLES = "the bot has never run with this database: 'guichet run' starts it"
SHOWN = 20  # rows of each kind that are listed
LATELY = timedelta(days=1)
LATE_INBOX = timedelta(minutes=5)  # an update that waits longer has nobody who works
LATE_OUTBOX = timedelta(minutes=15)
LATE_RETENTION = timedelta(days=3)
SILENT = timedelta(minutes=1)  # since a process's last sign of life


@dataclass(frozen=True, slots=True)
class SetAside:
    """An update that nobody tries again by itself."""

    row: int
    kind: str
    error: str | None
    attempts: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Failed:
    """A message that Telegram refused for good: to a group, or to somebody who has not blocked the bot."""

    row: int
    method: str
    error: str | None
    ticket: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Queue:
    """How many rows wait, by kind, and since when the oldest of those that are due."""

    waiting: dict[str, int] = field(default_factory=dict)
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """A process at work on this database."""

    name: str
    started_at: datetime
    beat_at: datetime  # its last sign of life
    roles: tuple[str, ...]  # what it alone does for all


@dataclass(frozen=True, slots=True)
class Kept:
    """How long a kind of data is kept, and since when its oldest."""

    kind: str
    days: int  # 0: without end
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Index:
    """The live index: of all machines where they share a database, else of this one."""

    id: str
    made: str
    entries: int
    certified: bool | None  # None: not known on this machine


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `guichet status` shows; `attention` is what a person has to look at."""

    at: datetime
    database: str
    size: int  # bytes
    revision: str | None
    folder: str  # of the index
    index: Index | None
    workers: tuple[Worker, ...] = ()
    inbox: Queue = field(default_factory=Queue)
    set_aside: tuple[SetAside, ...] = ()
    outbox: Queue = field(default_factory=Queue)
    failed: tuple[Failed, ...] = ()
    tickets: Queue = field(default_factory=Queue)
    kept: tuple[Kept, ...] = ()
    attention: tuple[str, ...] = ()


async def look(db: Database, settings: Settings) -> Status:
    """Read it all in one transaction, and write nothing: whether that works, processes' signs of life tell."""
    found, now = await standing(db), utc_now()
    async with db.read() as tx:
        facts: dict[str, Any] = {"inbox": Queue(), "outbox": Queue(), "tickets": Queue()}
        lost: list[str] = []
        if found.current:
            facts = await _queues(tx, now)
            silent = await tx.get(Setting, TELEGRAM_SILENT)
            lost = await _lost_groups(tx, settings, now - LATELY)
            if silent and not settings.webhook_url:
                since, _, why = silent.value.partition(" ")
                lost.append(f"Telegram does not let itself be polled since {since} ({why}): see 'guichet doctor'")
            facts["kept"] = tuple([Kept(kind, days, await oldest(tx, kind)) for kind, days in settings.periods.items()])
        size = await _size(tx)
        index, fault = await _index(tx, settings, shared=found.current)
    attention = (*_standing(found), *fault, *lost, *_attention(now, **facts))
    place = str(settings.index_root.absolute())
    kind = db.engine.dialect.name
    return Status(now, kind, size, found.revision, place, index, **facts, attention=attention)


async def retry(tx: AsyncSession, row: int) -> bool:
    """Puts an update that was set aside back into the queue, with all its tries; False if it is none of those."""
    aside = (Update.seq == row) & (Update.state == UpdateState.SET_ASIDE) & Update.raw.is_not(None)
    again = {"state": UpdateState.NEW, "attempts": 0, "not_before": None, "error": None, "finished_at": None}
    put_back = await tx.execute(change(Update).where(aside).values(again).returning(Update.seq))
    return put_back.scalar_one_or_none() is not None


async def _queues(tx: AsyncSession, now: datetime) -> dict[str, Any]:
    due = or_(Outgoing.not_before.is_(None), Outgoing.not_before <= now) & Outgoing.after_id.is_(None)
    waiting = Outgoing.state == OutgoingState.WAITING
    names = {priority.value: priority.name.lower() for priority in Priority}
    by_priority = await _counts(tx, Outgoing.priority, waiting)
    new, unsettled = Update.state == UpdateState.NEW, Ticket.state != TicketState.CLOSED
    return {
        "inbox": Queue(await _counts(tx, Update.kind, new), await _oldest(tx, Update.received_at, new)),
        "set_aside": await _set_aside(tx),
        "outbox": Queue(
            {names.get(int(key), key): count for key, count in by_priority.items()},
            await _oldest(tx, Outgoing.created_at, waiting & due),
        ),
        "failed": await _failed(tx, now - LATELY),
        "workers": await _workers(tx),
        "tickets": Queue(
            await _counts(tx, Ticket.state, unsettled),
            await _oldest(tx, Ticket.opened_at, Ticket.state == TicketState.OPEN),
        ),
    }


async def _counts(tx: AsyncSession, by: Any, which: ColumnElement[bool]) -> dict[str, int]:
    rows = await tx.execute(select(by, func.count()).where(which).group_by(by).order_by(by))
    return {str(key): count for key, count in rows}


async def _oldest(tx: AsyncSession, moment: Any, which: ColumnElement[bool]) -> datetime | None:
    found: datetime | None = (await tx.execute(select(func.min(moment)).where(which))).scalar_one()
    return found


async def _set_aside(tx: AsyncSession) -> tuple[SetAside, ...]:
    columns = select(Update.seq, Update.kind, Update.error, Update.attempts, Update.received_at)
    aside = columns.where(Update.state == UpdateState.SET_ASIDE).order_by(Update.seq.desc()).limit(SHOWN)
    return tuple(SetAside(*row) for row in await tx.execute(aside))


async def _workers(tx: AsyncSession) -> tuple[Worker, ...]:
    held: dict[str | None, list[str]] = {}
    for name, holder in await tx.execute(select(Role.name, Role.held_by).order_by(Role.name)):
        held.setdefault(holder, []).append(name)
    known = select(Process.name, Process.started_at, Process.beat_at).order_by(Process.name)
    return tuple(Worker(*row, roles=tuple(held.get(row.name, ()))) for row in await tx.execute(known))


async def _failed(tx: AsyncSession, since: datetime) -> tuple[Failed, ...]:
    """That somebody has blocked the bot is nobody's fault, and told on their ticket."""
    columns = select(Outgoing.id, Outgoing.method, Outgoing.error, Outgoing.ticket_id, Outgoing.created_at)
    reachable = Chat.unreachable_since.is_(None) | (Chat.kind != ChatKind.PRIVATE)
    lately = (Outgoing.state == OutgoingState.FAILED) & (Outgoing.created_at >= since)
    ours = columns.join(Chat, Chat.id == Outgoing.chat_id).where(lately, reachable)
    rows = await tx.execute(ours.order_by(Outgoing.id.desc()).limit(SHOWN))
    return tuple(Failed(*row) for row in rows)


async def _lost_groups(tx: AsyncSession, settings: Settings, since: datetime) -> list[str]:
    """Groups out of reach that staff work in: by the settings, or since something was sent there lately."""
    lately = (Outgoing.chat_id == Chat.id) & (Outgoing.state == OutgoingState.FAILED) & (Outgoing.created_at >= since)
    set_up = Chat.telegram_id.in_({settings.staff_chat_id or 0, *settings.routes.values()})
    lost = select(Chat.telegram_id, Chat.reason).where(
        Chat.kind != ChatKind.PRIVATE, Chat.unreachable_since.is_not(None), set_up | exists().where(lately)
    )
    return [
        f"the staff group {number} cannot be reached ({reason}): see 'guichet doctor'"
        for number, reason in await tx.execute(lost.order_by(Chat.id))
    ]


async def _size(tx: AsyncSession) -> int:
    """The database's bytes on disk."""
    if tx.get_bind().dialect.name == "postgresql":
        return int((await tx.execute(text("SELECT pg_database_size(current_database())"))).scalar_one())
    pages = (await tx.execute(text("PRAGMA page_count"))).scalar_one()
    return int(pages * (await tx.execute(text("PRAGMA page_size"))).scalar_one())


async def _index(tx: AsyncSession, settings: Settings, *, shared: bool) -> tuple[Index | None, list[str]]:
    active = None
    if shared and tx.get_bind().dialect.name == "postgresql":
        stored = select(StoredSnapshot).join(Setting, Setting.value == StoredSnapshot.id)
        active = (await tx.execute(stored.where(Setting.key == ACTIVE_SNAPSHOT))).scalar_one_or_none()
    try:
        folder = store.live(settings.index_root)
        if active and (folder is None or folder.name != active.id):
            return Index(active.id, active.manifest["created"], active.manifest["entries"], None), []
        if folder is None:
            return None, ["there is no index: run 'guichet index'"]
        snapshot = load(folder)
    except SnapshotError as error:
        return None, [str(error)]
    promise = limits_of(snapshot, settings.max_wrong)[1]
    certified = promise is not None and promise.certified
    return Index(snapshot.id, snapshot.manifest["created"], snapshot.manifest["entries"], certified), []


def _standing(found: Standing) -> list[str]:
    if found.unknown:
        return [f"the database is at revision {found.revision}, made by a later version: install that version"]
    if found.revision is None:
        return [NO_TABLES]
    if not found.current:
        return [f"the database is at revision {found.revision}: the next start of 'guichet run' brings it up to date"]
    return []


def _attention(
    now: datetime,
    *,
    inbox: Queue,
    outbox: Queue,
    tickets: Queue,
    set_aside: Sequence[SetAside] = (),
    failed: Sequence[Failed] = (),
    workers: Sequence[Worker] = (),
    kept: Sequence[Kept] = (),
) -> list[str]:
    del tickets  # staff see them in their group
    found = []
    if set_aside:
        found.append("updates were set aside: mend the cause, then 'guichet status retry ROW'")
    if failed:
        found.append("messages were refused by Telegram for good: the reason stands beside each")
    if inbox.oldest and now - inbox.oldest > LATE_INBOX:
        found.append("updates wait and nobody takes them: is 'guichet run' running? See its log")
    if outbox.oldest and now - outbox.oldest > LATE_OUTBOX:
        found.append("messages wait and are not sent: is Telegram within reach? See 'guichet doctor'")
    if any(one.days and one.oldest and now - one.oldest > timedelta(days=one.days) + LATE_RETENTION for one in kept):
        found.append("data are held beyond their period: each night 'guichet run' takes them away, and has not")
    if workers and all(now - worker.beat_at > SILENT for worker in workers):
        cause = "is 'guichet run' running, and does the database take writes? See its log and 'guichet doctor'"
        found.append(f"no process has written a sign of life lately: {cause}")
    return found
