"""Handling one update, and writing how that went."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Update
from telegram.ext import Application, CallbackContext

from bot.delivery import inbox, shape
from bot.delivery.claims import Claimed
from bot.delivery.inbox import ATTEMPTS, AlreadyDoneError
from bot.delivery.retry import place
from bot.records.sessions import outage
from bot.records.tables import utc_now
from bot.watch.metrics import Metrics

log = logging.getLogger(__name__)

App = Application[Any, Any, Any, Any, Any, Any]
# Of an update that was set aside: its row's number, and the class and place of its error.
OnSetAside = Callable[[AsyncSession, int, str], Awaitable[None]]
_failures: ContextVar[list[Exception]] = ContextVar("failures")


@dataclass(frozen=True, slots=True)
class Ended:
    """How handling an update went."""

    claimed: Claimed
    error: Exception | None = None
    done: bool = False  # and `freed` and `more` as in inbox.Handling
    freed: bool = False
    more: bool = False

    @property
    def over(self) -> bool:
        """Nothing of it is left to be noted."""
        return self.error is None and self.freed


async def handle(
    application: App, claimed: Claimed, metrics: Metrics, *, seconds: float, crowded: Callable[[], bool]
) -> Ended:
    """Handles one update; unless it is over then, what happened to it is for `note` to write.

    `crowded` tells whether others wait for room.
    """
    begun = time.perf_counter()
    if claimed.attempts == 1:
        metrics.begun((utc_now() - claimed.received_at).total_seconds())
    own = inbox.handling(claimed, crowded)
    error = await _process(application, claimed, seconds)
    if error is not None and not isinstance(error, AlreadyDoneError):
        details = {"seq": claimed.seq, "attempt": claimed.attempts, "error": _reason(error)}
        log.error("update not handled", extra=details)
    metrics.handled(_outcome(claimed, error), time.perf_counter() - begun)
    return Ended(claimed, error, own.done, own.freed, own.more)


async def note(tx: AsyncSession, ended: Sequence[Ended], on_set_aside: OnSetAside | None) -> None:
    """Writes how updates ended: done, to be tried again, or set aside, of which people are told."""
    marked = {one.claimed.update_id for one in ended if one.done}
    await inbox.close(tx, [one.claimed for one in ended if one.error is None], marked)
    for one in ended:
        if one.error is not None:
            await _note_error(tx, one.claimed, one.error, on_set_aside, freed=one.freed)


async def _note_error(
    tx: AsyncSession, claimed: Claimed, why: Exception, on_set_aside: OnSetAside | None, *, freed: bool
) -> None:
    aside = False
    match why:
        case AlreadyDoneError():  # a lease on its chat is the other's, or that of the chat's next
            log.info("update handled by another worker", extra={"seq": claimed.seq})
        case _UnreadableError() as error:
            await inbox.set_aside(tx, claimed, _reason(error), freed=freed)
            aside = True
        case error if outage(error):
            await inbox.put_back(tx, claimed, place(error), utc_now(), freed=freed)
        case error:
            aside = await inbox.failed(tx, claimed, place(error), utc_now(), freed=freed)
    if aside and on_set_aside is not None:
        await on_set_aside(tx, claimed.seq, _reason(why))


def _outcome(claimed: Claimed, error: Exception | None) -> str:
    if error is None or isinstance(error, AlreadyDoneError):
        return "done"
    last = isinstance(error, _UnreadableError) or (claimed.attempts >= ATTEMPTS and not outage(error))
    return "set_aside" if last else "again"


class _UnreadableError(Exception):
    """The update can never be handled; says why in words of ours, or has a cause."""


def _reason(error: Exception) -> str:
    """What to remember of it: class and place, or why it is unreadable."""
    if isinstance(error, _UnreadableError) and error.__cause__ is None:
        return f"unreadable: {error}"
    return place(error.__cause__ or error)


async def _process(application: App, claimed: Claimed, seconds: float) -> Exception | None:
    """Runs the handlers; the error of one that failed."""
    if claimed.attempts > ATTEMPTS:
        return _UnreadableError("each worker that began it died")
    if (fault := shape.fault(claimed.raw)) is not None:
        return _UnreadableError(fault)
    try:
        numbered = claimed.raw | {"update_id": claimed.update_id}  # perhaps not the number that it came with
        update = Update.de_json(numbered, application.bot)
    except Exception as error:
        unreadable = _UnreadableError()
        unreadable.__cause__ = error
        return unreadable
    failures: list[Exception] = []
    _failures.set(failures)
    try:
        async with asyncio.timeout(seconds):
            await application.process_update(update)
    except Exception as error:
        failures.append(error)
    return failures[0] if failures else None


async def note_failure(_update: object, context: CallbackContext[Any, Any, Any, Any]) -> None:
    """The library's error handler: it swallows what handlers raise, so the row's worker is told here."""
    failures = _failures.get(None)
    if failures is not None and isinstance(context.error, Exception):
        failures.append(context.error)
