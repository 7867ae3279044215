from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from bot.records.sessions import Database
from bot.records.states import ChatKind, OutgoingState, TicketState, UpdateState
from bot.records.tables import Candidate, Chat, Outgoing, Ticket, Update
from bot.watch.metrics import Metrics
from bot.watch.stock import Stock

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def outgoing(key: str, **values: Any) -> Outgoing:
    return Outgoing(chat_id=1, key=key, method="sendMessage", payload={}, priority=0, **values)


async def fill(db: Database) -> None:
    async with db.begin() as tx:
        tx.add(Chat(id=1, telegram_id=5, kind=ChatKind.PRIVATE))
        await tx.flush()
        for number, (age, state) in enumerate(
            [(90, UpdateState.NEW), (20, UpdateState.NEW), (500, UpdateState.DONE), (3600, UpdateState.SET_ASIDE)]
        ):
            tx.add(Update(update_id=number, kind="message", state=state, received_at=ago(age)))
        tx.add(outgoing("due", created_at=ago(7)))
        tx.add(outgoing("reminder", created_at=ago(9000), not_before=ago(-60)))
        tx.add(outgoing("came due", created_at=ago(9000), not_before=ago(40)))
        tx.add(outgoing("gone", created_at=ago(9000), state=OutgoingState.SENT))
        states = [TicketState.OPEN, TicketState.OPEN, TicketState.CLAIMED, TicketState.CLOSED]
        for number, ticket in enumerate(states):
            tx.add(Chat(id=10 + number, telegram_id=100 + number, kind=ChatKind.PRIVATE))
            await tx.flush()
            tx.add(Candidate(id=str(number), chat_id=10 + number))
            await tx.flush()
            tx.add(Ticket(candidate_id=str(number), course="c", language="en", reason="r", state=ticket))


async def test_queues_and_tickets(sqlite_db: Database) -> None:
    metrics = Metrics()
    stock, value = Stock(metrics, sqlite_db, lambda: NOW), metrics.registry.get_sample_value
    await stock.look()
    assert value("guichet_queue_rows", {"queue": "inbox"}) == 0
    assert value("guichet_queue_oldest_seconds", {"queue": "outbox"}) == 0
    await fill(sqlite_db)
    await stock.look()
    rows = {name: value("guichet_queue_rows", {"queue": name}) for name in ("inbox", "outbox", "set_aside")}
    ages = {name: value("guichet_queue_oldest_seconds", {"queue": name}) for name in rows}
    assert rows == {"inbox": 2, "outbox": 2, "set_aside": 1}
    assert ages == {"inbox": 90, "outbox": 40, "set_aside": 3600}
    tickets = {name: value("guichet_tickets", {"state": name}) for name in ("open", "claimed", "waiting", "closed")}
    assert tickets == {"open": 2, "claimed": 1, "waiting": 0, "closed": None}
    assert value("guichet_database_up") == 1


async def test_without_a_database_figures_are_absent_rather_than_old(sqlite_db: Database) -> None:
    metrics = Metrics()
    stock, value = Stock(metrics, sqlite_db), metrics.registry.get_sample_value
    await stock.look()
    async with sqlite_db.begin() as tx:
        await tx.execute(text("ALTER TABLE ticket RENAME TO away"))
    await stock.look()
    assert value("guichet_database_up") == 0
    assert value("guichet_queue_rows", {"queue": "inbox"}) is None
    async with sqlite_db.begin() as tx:
        await tx.execute(text("ALTER TABLE away RENAME TO ticket"))
    await stock.look()
    assert value("guichet_database_up") == 1
