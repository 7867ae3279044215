"""When to try again, and what to remember of an error."""

import time
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta

from telegram.error import (
    BadRequest,
    ChatMigrated,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)

from bot.records.writing import why

LONGEST = timedelta(minutes=1)
GIVE_UP = 1500  # attempts: about a day


def backoff(attempts: int) -> timedelta:
    """1, 2, 4 … seconds, at most a minute."""
    return min(timedelta(seconds=2.0 ** min(attempts, 20)), LONGEST)


def next_try(error: TelegramError, attempts: int, now: datetime) -> datetime | None:
    """When to send again; None means never. `attempts` are those before, pauses that Telegram asked for not counted."""
    match error:
        case RetryAfter():
            return now + pause(error)
        case ChatMigrated():
            return now
        case EndPointNotFound() if not token_refused(error):
            return None
        case BadRequest() | Forbidden():
            return None
        case _ if attempts >= GIVE_UP:
            return None
        case _:
            return now + backoff(attempts)


def pause(error: RetryAfter) -> timedelta:
    """The silence that Telegram asks for."""
    wait = error.retry_after
    return wait if isinstance(wait, timedelta) else timedelta(seconds=wait)


def token_refused(error: TelegramError) -> bool:
    """Whether Telegram no longer knows the token, rather than the method."""
    cause = error.__cause__ if isinstance(error, EndPointNotFound) else error
    return isinstance(cause, InvalidToken) and "unauthorized" in str(cause).lower()


def reason(error: TelegramError) -> str:
    """Class and description without the details, which may quote a text, an address or the token."""
    name = type(error).__name__
    brief = error.message.removeprefix(f"{name}: ").split(":")[0].split(". ")[0].split(" (")[0]
    return f"{name}: {brief}"[:200]


def place(error: BaseException) -> str:
    """Class, the database's name for it, and the innermost line of ours (else of anybody's); never its message."""
    frames = [(frame.f_globals.get("__name__", "?"), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    ours = [frame for frame in frames if str(frame[0]).startswith(("bot.", "indexer."))]
    module, line = (ours or frames or [("nowhere", 0)])[-1]
    return f"{why(error)} at {module}:{line}"[:200]


class Trouble:
    """Failures in a row. The log is told of the first, of each that is another one, and of one a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.count, self._clock = 0, clock
        self._told: dict[str, float] = {}  # until when no more is said of it

    def again(self, what: str) -> bool:
        """Notes a failure; whether it is to be told."""
        self.count += 1
        now = self._clock()
        if now < self._told.get(what, 0):
            return False
        self._told[what] = now + LONGEST.total_seconds()
        return True

    def over(self) -> int:
        """How many failures there were, now that all is well."""
        count, self.count = self.count, 0
        self._told.clear()
        return count
