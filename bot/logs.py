"""Logging: events with our own ids. No texts of people, no Telegram ids, no secrets."""

import logging
from typing import Any

from bot.settings import Settings

STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
# These log addresses, and so the token, or what people wrote.
QUIET = ("httpx", "httpcore", "telegram", "aiosqlite", "alembic", "sqlalchemy")


class Events(logging.Formatter):
    """`time level logger event key=value …`, with the token masked wherever it may appear."""

    def __init__(self, secret: str | None) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._secret = secret

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a trace if there is one."""
        extra = {name: value for name, value in record.__dict__.items() if name not in STANDARD}
        text = super().format(record)
        first, newline, trace = text.partition("\n")
        line = " ".join([first, *(f"{name}={_shown(value)}" for name, value in extra.items())]) + newline + trace
        return line.replace(self._secret, "<token>") if self._secret else line


def _shown(value: Any) -> str:
    text = str(value)
    return repr(text) if " " in text else text


def set_up(settings: Settings) -> None:
    """Log to standard error, as much as GUICHET_LOG_LEVEL says."""
    token = settings.telegram_token.get_secret_value() if settings.telegram_token else None
    handler = logging.StreamHandler()
    handler.setFormatter(Events(token))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
