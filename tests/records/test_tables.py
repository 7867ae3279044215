from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, StatementError

from bot.records.people import candidate_of, chat_of
from bot.records.sessions import Database
from bot.records.states import TicketState
from bot.records.tables import Chat, Ticket


async def test_times_come_back_in_utc(db: Database) -> None:
    in_paris = datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=1)))
    async with db.begin() as tx:
        (await chat_of(tx, 11, "private")).paused_until = in_paris
    async with db.read() as tx:
        found = (await tx.execute(select(Chat.paused_until))).scalar_one()
    assert found == in_paris
    assert found is not None
    assert found.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(db: Database) -> None:
    with pytest.raises(StatementError, match="without a zone"):
        async with db.begin() as tx:
            (await chat_of(tx, 11, "private")).paused_until = datetime(2026, 3, 1)  # noqa: DTZ001  the mistake


async def test_states_are_stored_by_value(db: Database) -> None:
    async with db.begin() as tx:
        await chat_of(tx, 11, "supergroup")
        assert (await tx.execute(text("SELECT kind FROM chat"))).scalar_one() == "supergroup"


async def test_a_candidate_has_one_ticket_that_is_not_closed(db: Database) -> None:
    async def open_ticket(state: TicketState) -> None:
        async with db.begin() as tx:
            chat = await chat_of(tx, 11, "private")
            candidate = await candidate_of(tx, chat.id, "fr")
            tx.add(Ticket(candidate_id=candidate.id, course="ai", language="fr", reason="unsure", state=state))

    await open_ticket(TicketState.CLOSED)
    await open_ticket(TicketState.CLAIMED)
    await open_ticket(TicketState.CLOSED)
    with pytest.raises(IntegrityError):
        await open_ticket(TicketState.OPEN)
