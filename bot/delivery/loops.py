"""The loops: poll, work, send. All of a bot's life between start and stop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.delivery import inbox, incoming, timers
from bot.delivery.budgets import Limits
from bot.delivery.calls import call
from bot.delivery.claims import Claimed, claim, claim_in
from bot.delivery.handling import App, Ended, OnSetAside, handle, note, note_failure
from bot.delivery.outcomes import OnRefusal, nobody_minds
from bot.delivery.processes import BEAT, POLL, SEND, Roles, present, unique_name
from bot.delivery.retry import Trouble, backoff, pause, place, reason, token_refused
from bot.delivery.sender import Sender
from bot.delivery.silence import Silence
from bot.delivery.sqlitefile import FileGoneError, see_to_file
from bot.delivery.timers import Handler
from bot.delivery.wake import unless, wait
from bot.records.news import News, tell
from bot.records.sessions import Database
from bot.records.tables import utc_now
from bot.watch.watch import Watch

log = logging.getLogger(__name__)

ALLOWED = ("message", "edited_message", "callback_query", "inline_query", "my_chat_member")


class TokenRefusedError(RuntimeError):
    """Telegram does not know the token."""

    def __init__(self) -> None:
        super().__init__("Telegram refuses the token: set GUICHET_TELEGRAM_TOKEN to a valid one")


@dataclass(slots=True)
class UnderWay:
    """The updates that this process has claimed."""

    claimed: dict[int, Claimed] = field(default_factory=dict)  # by row, until they are done, or noted how they ended
    ended: list[Ended] = field(default_factory=list)  # not noted yet
    slots: list[str] = field(default_factory=list)  # free ones, by the names that the watchdog knows
    crowded: bool = False  # others may wait for one
    handlers: asyncio.TaskGroup | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # who claims has to know what was claimed before


@dataclass(frozen=True, slots=True)
class Loops:
    """What the loops work with."""

    db: Database
    application: App  # initialized
    watch: Watch = field(default_factory=Watch)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    name: str = field(default_factory=unique_name)  # of this process, like no other's
    roles: Roles = field(default_factory=Roles)  # what it alone may do
    workers: int = 8  # updates handled at once: more share a transaction, and from sixteen on sending lags
    allowed: Sequence[str] = ALLOWED
    limits: Limits = field(default_factory=Limits)
    long_poll: int = 30  # seconds
    handling: float = 60  # seconds that one update may take; less than claims.LEASE
    grace: float = 9  # seconds between the wish to stop and the end
    net: float = 5  # seconds after which a loop looks for work that nobody told it of
    timers: Mapping[str, Handler] = field(default_factory=dict)  # by kind
    refused: OnRefusal = nobody_minds
    now: Callable[[], datetime] = utc_now
    on_set_aside: OnSetAside | None = None  # tells people, in the transaction that gives an update up
    under_way: UnderWay = field(default_factory=UnderWay)

    @property
    def worker(self) -> str:
        """By which name this process claims updates."""
        return f"{self.name}/work"

    @property
    def wake(self) -> News:
        """Where the loops hear of work."""
        return self.db.news


Intake = Callable[[Loops], Coroutine[Any, Any, None]]  # sees to it that updates come in, until `loops.stop`


async def run(loops: Loops, intake: Intake | None = None) -> None:
    """Polls (or does `intake` instead), handles and sends until `loops.stop` is set.

    At the end polling stops at once, updates and messages under way are finished, the rest stays in the tables.
    Raises TokenRefusedError if Telegram refuses the token, NameTakenError if another process has this one's name,
    FileGoneError if somebody takes the SQLite file from under it.
    """
    loops.application.add_error_handler(note_failure)
    try:
        async with present(loops.db, loops.name, loops.roles, loops.watch.beats), asyncio.TaskGroup() as tasks:
            lives = [(intake or poll)(loops), work(loops), send(loops), keep_time(loops)]
            lives.append(see_to_file(loops.db, loops.stop))
            running = [tasks.create_task(life) for life in lives]
            await loops.stop.wait()
            loops.wake.updates.ring()
            loops.wake.messages.ring()
            loops.wake.timers.ring()
            _, late = await asyncio.wait(running, timeout=loops.grace)
            for task in late:
                task.cancel()
    except ExceptionGroup as errors:
        if (refused := errors.subgroup((TokenRefusedError, FileGoneError))) is None:
            raise
        raise refused.exceptions[0] from None


async def poll(loops: Loops) -> None:
    """Asks Telegram for updates and commits them before Telegram may forget them."""
    offset: int | None = None
    alone = False  # whether a webhook is known to be gone: Telegram would refuse to be polled
    silence = Silence(loops.db, loops.watch.metrics, loops.now)

    async def step() -> None:
        nonlocal offset, alone
        changed = loops.roles.changed.next()
        if not loops.roles.holds(POLL):
            offset, alone = None, False
            silence.forget()
            await wait(changed, BEAT)
            return
        try:
            if not alone:
                await call(loops.application.bot, "deleteWebhook", {})
                alone = True
            raw = await _get_updates(loops, offset)
        except TelegramError as error:
            with suppress(SQLAlchemyError):  # the heartbeat tells of that
                await silence.failed(error)
            raise
        await silence.heard()
        if raw:
            await take_in(loops, raw)
        # No offset is kept over a restart or a quiet time: what Telegram then repeats, the inbox knows.
        # After a week of silence ids start anew anywhere, and an old offset would confirm new updates unseen.
        numbers = [number for item in raw if (number := incoming.number(item)) is not None]
        offset = max(numbers) + 1 if numbers else None

    await repeat(loops, "poll", step, rest=loops.long_poll + 10)


async def take_in(loops: Loops, raw: Sequence[Any]) -> None:
    """Commits updates, so that Telegram may forget them, and begins to handle them where there is room."""
    here = loops.under_way
    room = 0 if here.crowded else _room(loops)  # nobody overtakes those who wait
    async with here.turn if room else nullcontext():
        try:
            async with loops.db.begin() as tx:
                new = await inbox.receive(tx, raw)
                chats = [*dict.fromkeys(chat for chat in new.values() if chat is not None)]
                most = min(room, _room(loops))  # now: others may have begun while this waited
                claimed = await claim_in(tx, loops.worker, utc_now(), chats[:most], here.claimed.values())
                if new.keys() - {one.update_id for one in claimed}:
                    tell(tx, "updates")
        except BaseException:
            loops.wake.updates.ring()  # cut off, it may have been committed all the same
            raise
        _begin(loops, claimed)
    log.debug("updates received", extra={"count": len(raw), "new": len(new)})
    loops.watch.metrics.received(incoming.label(item) for item in raw if isinstance(item, dict))


async def _get_updates(loops: Loops, offset: int | None) -> list[Any]:
    parameters: dict[str, Any] = {"timeout": loops.long_poll, "allowed_updates": list(loops.allowed)}
    if offset is not None:
        parameters["offset"] = offset
    asking = call(loops.application.bot, "getUpdates", parameters, read_timeout=loops.long_poll + 10)
    raw = await unless(loops.stop, asking)
    return raw if isinstance(raw, list) else []


async def work(loops: Loops) -> None:
    """Handles updates: those of different chats side by side, each chat's in their order.

    How they ended is noted in the transaction that claims the next, however often the database fails meanwhile.
    """
    here = loops.under_way

    async def step() -> None:
        news = loops.wake.updates.next()
        await _turn(loops)
        if not loops.stop.is_set():
            await wait(news, loops.net)

    async with asyncio.TaskGroup() as here.handlers:
        here.slots += [f"work/{number}" for number in range(loops.workers, 0, -1)]
        await repeat(loops, "work", step, rest=loops.net)
        async with here.turn:  # what is being claimed now is begun too
            pass
    with suppress(SQLAlchemyError):  # out of reach now: the leases end with this process
        await _turn(loops)


async def _turn(loops: Loops) -> None:
    """Notes how updates ended, and claims the next."""
    here = loops.under_way
    if not here.ended and not _room(loops):
        here.crowded = True
        return
    async with here.turn:
        async with loops.db.begin() as tx:
            ended = tuple(here.ended)  # now: others may have ended while this waited for its turn to write
            await note(tx, ended, loops.on_set_aside)
            noted = {one.claimed.seq for one in ended}
            busy = [one for seq, one in here.claimed.items() if seq not in noted]
            room = _room(loops)
            claimed = await claim(tx, loops.worker, utc_now(), room, busy) if room else []
        here.crowded = len(claimed) == room
        for seq in noted:
            del here.claimed[seq]
        del here.ended[: len(ended)]
        _begin(loops, claimed)


def _room(loops: Loops) -> int:
    """How many updates more may be handled."""
    return 0 if loops.stop.is_set() else len(loops.under_way.slots)


def _begin(loops: Loops, claimed: Sequence[Claimed]) -> None:
    here = loops.under_way
    for one in claimed:
        if one.seq in here.claimed:  # its lease was lost while it is handled, to a move of its chat or to who buried us
            here.claimed[one.seq] = replace(one, attempts=here.claimed[one.seq].attempts)  # perhaps in another chat
            continue
        assert here.handlers is not None  # or there would be no slots
        here.claimed[one.seq] = one
        here.handlers.create_task(_handle(loops, one, here.slots.pop()))


async def _handle(loops: Loops, claimed: Claimed, slot: str) -> None:
    here, news = loops.under_way, loops.wake.updates.next()
    loops.watch.beats.beat(slot, loops.net)  # of a blocked event loop, that is what is told
    how = await handle(
        loops.application, claimed, loops.watch.metrics, seconds=loops.handling, crowded=lambda: here.crowded
    )
    loops.watch.beats.end(slot)
    here.slots.append(slot)
    if how.over:
        del here.claimed[claimed.seq]
    else:
        here.ended.append(replace(how, claimed=here.claimed[claimed.seq]))
    # Nobody need look if nothing can wait: neither in its chat nor for room.
    if not how.over or how.more or here.crowded or news.is_set():
        loops.wake.updates.ring()


async def send(loops: Loops) -> None:
    """Sends what is due, and ends after the calls under way."""
    news = loops.wake.messages
    sender = Sender(
        loops.db,
        loops.application.bot,
        limits=loops.limits,
        ended=news,
        metrics=loops.watch.metrics,
        now=loops.now,
        refused=loops.refused,
        mine=lambda: loops.roles.holds(SEND),
    )

    async def step(calls: asyncio.TaskGroup) -> None:
        told, changed = news.next(), loops.roles.changed.next()
        if not loops.roles.holds(SEND):
            await wait(changed, BEAT)
            return
        again = await sender.start(calls)
        seconds = loops.net if again is None else (again - loops.now()).total_seconds()
        await wait(told, min(seconds, loops.net))

    async with asyncio.TaskGroup() as calls:
        await repeat(loops, "send", lambda: step(calls), rest=loops.net)


async def keep_time(loops: Loops) -> None:
    """Does what is due, each at its time."""

    async def step() -> None:
        news = loops.wake.timers.next()
        if await timers.run_next(loops.db, loops.timers, loops.now()):
            return
        due = await timers.next_due(loops.db, loops.timers.keys())
        seconds = loops.net if due is None else (due - loops.now()).total_seconds()
        await wait(news, min(seconds, loops.net))

    if loops.timers:
        await repeat(loops, "timers", step, rest=loops.net)


async def repeat(loops: Loops, name: str, step: Callable[[], Awaitable[None]], rest: float = 0) -> None:
    """Does `step` until `stop`; errors of network and database are logged and waited out, longer each time.

    Each step is a sign of life; it may rest for `rest` seconds on purpose.
    """
    trouble, beats = Trouble(), loops.watch.beats
    while not loops.stop.is_set():
        beats.beat(name, rest)
        try:
            await step()
            if failures := trouble.over():
                log.info("loop works again", extra={"loop": name, "failures": failures})
        except RetryAfter as error:
            await _rest(loops, name, pause(error).total_seconds())
        except (TelegramError, SQLAlchemyError, OSError) as error:
            if isinstance(error, InvalidToken) or (isinstance(error, TelegramError) and token_refused(error)):
                raise TokenRefusedError from None  # the library's own error quotes the token
            what = reason(error) if isinstance(error, TelegramError) else place(error)
            hint = "another process polls with this token" if isinstance(error, Conflict) else "will try again"
            before = trouble.count
            if trouble.again(what):
                log.error("loop failed", extra={"loop": name, "error": what, "hint": hint})  # noqa: TRY400  a trace may quote texts
            # Telegram is spared more and more; the database is our own, and people wait for it.
            longest = loops.net if isinstance(error, SQLAlchemyError) else float("inf")
            await _rest(loops, name, min(backoff(before).total_seconds(), longest))
    beats.end(name)


async def _rest(loops: Loops, name: str, seconds: float) -> None:
    loops.watch.beats.beat(name, seconds)
    await wait(loops.stop, seconds)
