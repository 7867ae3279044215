"""The loops: poll, work, send. All of a bot's life between start and stop."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from telegram import Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.ext import Application, CallbackContext

from bot.delivery import inbox, incoming, timers
from bot.delivery.budgets import Limits
from bot.delivery.calls import call
from bot.delivery.inbox import ATTEMPTS, Claimed
from bot.delivery.outcomes import OnRefusal, nobody_minds
from bot.delivery.retry import backoff, pause, place, reason, token_refused
from bot.delivery.sender import Sender
from bot.delivery.timers import Handler
from bot.delivery.wake import unless, wait
from bot.records.news import News
from bot.records.sessions import Database
from bot.records.tables import utc_now
from bot.watch.watch import Watch

log = logging.getLogger(__name__)

ALLOWED = ("message", "edited_message", "callback_query", "inline_query", "my_chat_member")
_failures: ContextVar[list[Exception]] = ContextVar("failures")


class TokenRefusedError(RuntimeError):
    """Telegram does not know the token."""

    def __init__(self) -> None:
        super().__init__("Telegram refuses the token: set GUICHET_TELEGRAM_TOKEN to a valid one")


@dataclass(frozen=True, slots=True)
class Loops:
    """What the loops work with."""

    db: Database
    application: Application[Any, Any, Any, Any, Any, Any]  # initialized
    watch: Watch = field(default_factory=Watch)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    name: str = "main"  # of this process: what it left claimed in an earlier life is freed at start
    workers: int = 4
    allowed: Sequence[str] = ALLOWED
    limits: Limits = field(default_factory=Limits)
    long_poll: int = 30  # seconds
    handling: float = 60  # seconds that one update may take; less than inbox.LEASE
    grace: float = 9  # seconds between the wish to stop and the end
    net: float = 5  # seconds after which a loop looks for work that nobody told it of
    timers: Mapping[str, Handler] = field(default_factory=dict)  # by kind
    refused: OnRefusal = nobody_minds
    now: Callable[[], datetime] = utc_now

    @property
    def wake(self) -> News:
        """Where the loops hear of work."""
        return self.db.news


Intake = Callable[[Loops], Coroutine[Any, Any, None]]  # sees to it that updates come in, until `loops.stop`


async def run(loops: Loops, intake: Intake | None = None) -> None:
    """Polls (or does `intake` instead), handles and sends until `loops.stop` is set.

    At the end polling stops at once, updates and messages under way are finished, the rest stays in the tables.
    Raises TokenRefusedError if Telegram refuses the token.
    """
    loops.application.add_error_handler(note_failure)
    async with loops.db.begin() as tx:
        await inbox.release_all(tx, loops.name)
    try:
        async with asyncio.TaskGroup() as tasks:
            names = [f"{loops.name}/{number}" for number in range(loops.workers)]
            lives = [(intake or poll)(loops), send(loops), keep_time(loops), *(work(loops, name) for name in names)]
            running = [tasks.create_task(life) for life in lives]
            await loops.stop.wait()
            loops.wake.updates.ring()
            loops.wake.messages.ring()
            loops.wake.timers.ring()
            _, late = await asyncio.wait(running, timeout=loops.grace)
            for task in late:
                task.cancel()
    except ExceptionGroup as errors:
        if (refused := errors.subgroup(TokenRefusedError)) is None:
            raise
        raise refused.exceptions[0] from None


async def poll(loops: Loops) -> None:
    """Asks Telegram for updates and commits them before Telegram may forget them."""
    offset: int | None = None
    alone = False  # whether a webhook is known to be gone: Telegram would refuse to be polled

    async def step() -> None:
        nonlocal offset, alone
        if not alone:
            await call(loops.application.bot, "deleteWebhook", {})
            alone = True
        raw = await _get_updates(loops, offset)
        if raw:
            await take_in(loops, raw)
        # No offset is kept over a restart or a quiet time: what Telegram then repeats, the inbox knows.
        # After a week of silence ids start anew anywhere, and an old offset would confirm new updates unseen.
        numbers = [number for item in raw if (number := incoming.number(item)) is not None]
        offset = max(numbers) + 1 if numbers else None

    await repeat(loops, "poll", step, rest=loops.long_poll + 10)


async def take_in(loops: Loops, raw: Sequence[Any]) -> None:
    """Commits updates, so that Telegram may forget them, and wakes who handles them."""
    async with loops.db.begin() as tx:
        new = await inbox.receive(tx, raw)
    log.debug("updates received", extra={"count": len(raw), "new": new})
    loops.watch.metrics.received(incoming.label(item) for item in raw if isinstance(item, dict))
    loops.wake.updates.ring()


async def _get_updates(loops: Loops, offset: int | None) -> list[Any]:
    parameters: dict[str, Any] = {"timeout": loops.long_poll, "allowed_updates": list(loops.allowed)}
    if offset is not None:
        parameters["offset"] = offset
    asking = call(loops.application.bot, "getUpdates", parameters, read_timeout=loops.long_poll + 10)
    raw = await unless(loops.stop, asking)
    return raw if isinstance(raw, list) else []


async def work(loops: Loops, worker: str) -> None:
    """Handles updates one after the other, each chat's in their order."""

    async def step() -> None:
        news = loops.wake.updates.next()
        claimed = await inbox.claim(loops.db, worker, utc_now())
        if claimed is None:
            await wait(news, loops.net)
        else:
            await handle(loops, claimed)

    await repeat(loops, worker, step, rest=loops.net)


async def handle(loops: Loops, claimed: Claimed) -> None:
    """Handles one update and records how it went: done, to be tried again, or set aside."""
    begun, metrics = time.perf_counter(), loops.watch.metrics
    if claimed.attempts == 1:
        metrics.begun((utc_now() - claimed.received_at).total_seconds())
    error = await _process(loops, claimed)
    async with loops.db.begin() as tx:
        if error is None:
            await inbox.close(tx, claimed)
        elif isinstance(error, _UnreadableError):
            await inbox.set_aside(tx, claimed, place(error.__cause__ or error))
        else:
            await inbox.failed(tx, claimed, place(error), utc_now())
    if error is not None:
        details = {"seq": claimed.seq, "attempt": claimed.attempts, "error": place(error.__cause__ or error)}
        log.error("update not handled", extra=details)
    metrics.handled(_outcome(claimed, error), time.perf_counter() - begun)
    loops.wake.messages.ring()


def _outcome(claimed: Claimed, error: Exception | None) -> str:
    if error is None:
        return "done"
    last = isinstance(error, _UnreadableError) or claimed.attempts >= ATTEMPTS
    return "set_aside" if last else "again"


class _UnreadableError(Exception):
    """The update can never be handled."""


async def _process(loops: Loops, claimed: Claimed) -> Exception | None:
    """Runs the handlers; the error of one that failed."""
    if claimed.attempts > ATTEMPTS:
        return _UnreadableError("each worker that began it died")
    try:
        update = Update.de_json(claimed.raw, loops.application.bot)
    except Exception as error:
        unreadable = _UnreadableError()
        unreadable.__cause__ = error
        return unreadable
    failures: list[Exception] = []
    _failures.set(failures)
    try:
        async with asyncio.timeout(loops.handling):
            await loops.application.process_update(update)
    except Exception as error:
        failures.append(error)
    return failures[0] if failures else None


async def note_failure(_update: object, context: CallbackContext[Any, Any, Any, Any]) -> None:
    """The library's error handler: it swallows what handlers raise, so the row's worker is told here."""
    failures = _failures.get(None)
    if failures is not None and isinstance(context.error, Exception):
        failures.append(context.error)


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
    )

    async def step(calls: asyncio.TaskGroup) -> None:
        told = news.next()
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
            loops.wake.messages.ring()
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
    failures, beats = 0, loops.watch.beats
    while not loops.stop.is_set():
        beats.beat(name, rest)
        try:
            await step()
            failures = 0
        except RetryAfter as error:
            await _rest(loops, name, pause(error).total_seconds())
        except (TelegramError, SQLAlchemyError, OSError) as error:
            if isinstance(error, InvalidToken) or (isinstance(error, TelegramError) and token_refused(error)):
                raise TokenRefusedError from None  # the library's own error quotes the token
            what = reason(error) if isinstance(error, TelegramError) else place(error)
            hint = "another process polls with this token" if isinstance(error, Conflict) else "will try again"
            log.error("loop failed", extra={"loop": name, "error": what, "hint": hint})  # noqa: TRY400  a trace may quote texts
            await _rest(loops, name, backoff(failures).total_seconds())
            failures += 1
    beats.end(name)


async def _rest(loops: Loops, name: str, seconds: float) -> None:
    loops.watch.beats.beat(name, seconds)
    await wait(loops.stop, seconds)
