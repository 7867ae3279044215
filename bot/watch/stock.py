"""What is in stock: queues, tickets and the live index, looked up when somebody asks for the figures."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.records.sessions import Database
from bot.records.states import OutgoingState, TicketState, UpdateState
from bot.records.tables import Outgoing, Ticket, Update, utc_now
from bot.watch.metrics import Metrics

log = logging.getLogger(__name__)

PATIENCE = 5.0  # seconds that the database has


class Stock:
    """Gauges of what all processes share; each process shows the same."""

    def __init__(
        self,
        metrics: Metrics,
        db: Database,
        now: Callable[[], datetime] = utc_now,
        writes: Callable[[], bool] = lambda: True,
    ) -> None:
        self._db, self._now, self._writes = db, now, writes
        self._rows = metrics.gauge("queue_rows", "Rows of a queue: inbox, outbox (due), set_aside", "queue")
        self._oldest = metrics.gauge("queue_oldest_seconds", "Age of a queue's oldest row, 0 if it is empty", "queue")
        self._tickets = metrics.gauge("tickets", "Tickets that are not closed", "state")
        self._answers = metrics.gauge("database_up", "Whether the database answered just now, and takes writes")

    async def look(self) -> None:
        """Sets the gauges; without an answer of the database they are absent rather than old."""
        try:
            async with asyncio.timeout(PATIENCE), self._db.read() as tx:
                await self._count(tx)
            self._answers.set(self._writes())
        except (SQLAlchemyError, OSError) as error:
            log.warning("no figures from the database", extra={"error": type(error).__name__})
            for gauge in (self._rows, self._oldest, self._tickets):
                gauge.clear()
            self._answers.set(0)

    async def _count(self, tx: AsyncSession) -> None:
        now, due = self._now(), func.coalesce(Outgoing.not_before, Outgoing.created_at)
        waiting = (Outgoing.state == OutgoingState.WAITING) & or_(Outgoing.not_before.is_(None), due <= now)
        queues = {
            "inbox": (Update.received_at, Update.state == UpdateState.NEW),
            "outbox": (due, waiting),
            "set_aside": (Update.received_at, Update.state == UpdateState.SET_ASIDE),
        }
        for name, (since, which) in queues.items():
            count, oldest = (await tx.execute(select(func.count(), func.min(since)).where(which))).one()
            self._rows.labels(name).set(count)
            self._oldest.labels(name).set((now - oldest).total_seconds() if oldest else 0)
        open_ones = select(Ticket.state, func.count()).where(Ticket.state != TicketState.CLOSED).group_by(Ticket.state)
        counted = {row[0]: row[1] for row in await tx.execute(open_ones)}
        for state in TicketState:
            if state is not TicketState.CLOSED:
                self._tickets.labels(state.value).set(counted.get(state, 0))
