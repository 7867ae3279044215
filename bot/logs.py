"""Logging: events with our own ids. No texts of people, no Telegram ids, no secrets."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from bot.settings import Settings

STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
OURS = ("bot", "indexer")


class Facts(logging.Formatter):
    """What a record says that may be kept, with the token masked wherever it may appear.

    Libraries log addresses, parameters and bodies, and quote them in their errors: of what they say only what their
    authors wrote beforehand is kept, and of their errors the class and the place. What we log and raise is ours.
    """

    def __init__(self, secret: str | None) -> None:
        super().__init__()
        self._secret = secret

    def facts(self, record: logging.LogRecord) -> dict[str, Any]:
        """The event and its values, in their order; values are plain JSON."""
        found = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": _event(record),
        }
        if _is_ours(record.name):
            found |= {name: value for name, value in record.__dict__.items() if name not in STANDARD}
        if record.exc_info and record.exc_info[1]:
            found |= {"raised": _chain(record.exc_info[1]), "trace": _places(record.exc_info[1])}
        return found

    def masked(self, line: str) -> str:
        """The line without the token."""
        return line.replace(self._secret, "<token>") if self._secret else line


class Events(Facts):
    """For people: `time level logger event key=value …`, one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        facts = self.facts(record)
        first = [str(facts.pop(name)) for name in ("time", "level", "logger", "event")]
        return self.masked(" ".join([*first, *(f"{name}={_shown(value)}" for name, value in facts.items())]))


class JsonEvents(Facts):
    """For machines: one JSON object, one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return self.masked(json.dumps(self.facts(record), ensure_ascii=False, default=str))


def _event(record: logging.LogRecord) -> str:
    if _is_ours(record.name):
        return record.getMessage()
    # With values beside it, the message is a pattern. Without, the values may be in it already.
    return str(record.msg) if record.args else f"said at {record.module}:{record.lineno}"


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in OURS


def _chain(error: BaseException) -> str:
    """The error and what it came from: our own words, else the class alone."""
    named: list[str] = []
    following: BaseException | None = error
    while following is not None and len(named) < 5:
        name = type(following).__name__
        named.append(f"{name}: {following}" if _is_ours(type(following).__module__) else name)
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)
    return " from ".join(named)


def _places(error: BaseException) -> str:
    frames = [(frame.f_globals.get("__name__"), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return " > ".join(f"{module}:{line}" for module, line in frames)


def _shown(value: Any) -> str:
    text = str(value)
    return repr(text) if " " in text or "\n" in text else text


def set_up(settings: Settings) -> None:
    """Log to standard error, as much as GUICHET_LOG_LEVEL says: lines for people in a terminal, else JSON."""
    token = settings.telegram_token.get_secret_value() if settings.telegram_token else None
    handler = logging.StreamHandler()
    handler.setFormatter(Events(token) if sys.stderr.isatty() else JsonEvents(token))
    # Of libraries, warnings: what they say below is about their own work, line after line.
    quiet = max(logging.WARNING, logging.getLevelNamesMapping()[settings.log_level])
    logging.basicConfig(level=quiet, handlers=[handler], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(settings.log_level)
