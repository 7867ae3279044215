"""For how long Telegram has not let itself be polled: kept in the database, so that `guichet status` knows it too."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete
from telegram.error import TelegramError

from bot.delivery.retry import reason
from bot.records.sessions import Database
from bot.records.tables import TELEGRAM_SILENT, Setting
from bot.watch.metrics import Metrics

LONG = timedelta(minutes=1)  # a shorter one needs nobody


class Silence:
    """How polling goes, of the process that polls."""

    def __init__(self, db: Database, metrics: Metrics, now: Callable[[], datetime]) -> None:
        self._db, self._metrics, self._now = db, metrics, now
        self._since: float | None = None
        self._noted = True  # perhaps by an earlier life

    async def heard(self) -> None:
        """Telegram has answered."""
        self._start()
        if self._noted:
            async with self._db.begin() as tx:
                await tx.execute(delete(Setting).where(Setting.key == TELEGRAM_SILENT))
            self._noted = False

    async def failed(self, error: TelegramError) -> None:
        """Telegram has not answered, or will not be polled by this process."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        seconds = now - self._since
        self._metrics.silent.set(seconds)
        if seconds >= LONG.total_seconds():
            since = self._now() - timedelta(seconds=seconds)
            async with self._db.begin() as tx:
                said = f"{since.isoformat(timespec='seconds')} {reason(error)}"
                await tx.merge(Setting(key=TELEGRAM_SILENT, value=said))
            self._noted = True

    def forget(self) -> None:
        """This process does not poll: what another one may note meanwhile goes when it polls again."""
        self._noted = True
        self._start()

    def _start(self) -> None:
        self._since = None
        self._metrics.silent.set(0)
