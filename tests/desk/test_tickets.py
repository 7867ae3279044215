"""Tickets and what they put into the outbox, on a database of their own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk import tickets
from bot.desk.tickets import Desk
from bot.dialogue.render import Reason
from bot.dialogue.texts import texts
from bot.records.migrations import migrate
from bot.records.people import candidate_of, chat_of
from bot.records.sessions import Database, open_database
from bot.records.states import OutgoingState, TicketState
from bot.records.tables import Candidate, Outgoing, Question, Ticket

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALICE, STAFF = 700001, -100700003


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite+aiosqlite:///{tmp_path / 'guichet.db'}")
    await migrate(database)
    yield database
    await database.close()


async def asked(tx: AsyncSession, text: str, message_id: int | None) -> tuple[Desk, Candidate, Question]:
    """A candidate's question, and the desk that it goes to."""
    staff = await chat_of(tx, STAFF, "supergroup")
    chat = await chat_of(tx, ALICE, "private")
    candidate = await candidate_of(tx, chat.id, "fr")
    question = Question(
        candidate_id=candidate.id, course="ai", language="fr", text=text, decision="escalate", message_id=message_id
    )
    tx.add(question)
    await tx.flush()
    return Desk(staff.id, "en"), candidate, question


async def handed_over(tx: AsyncSession, text: str = "Combien ?", message_id: int = 11) -> tuple[Desk, Ticket]:
    desk, candidate, question = await asked(tx, text, message_id)
    assert await tickets.hand_over(tx, desk, candidate, question, Reason.OUTSIDE, (), key=f"k{message_id}")
    ticket = await tickets.open_ticket(tx, candidate.id)
    assert ticket
    return desk, ticket


async def outbox(tx: AsyncSession) -> list[Outgoing]:
    return list((await tx.execute(select(Outgoing).order_by(Outgoing.id))).scalars())


async def test_a_ticket_has_a_card_in_the_language_of_staff(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        (card,) = await outbox(tx)
    assert (card.id, card.ticket_id, card.chat_id) == (ticket.card_id, ticket.id, desk.chat)
    for part in ("Combien ?", ticket.candidate_id, texts("en").language_fr, texts("en").card_nothing_found):
        assert part in card.payload["text"]


async def test_hand_overs_at_the_same_moment_make_one_ticket_and_lose_no_question(db: Database) -> None:
    async def hand_over(number: int) -> bool:
        async with db.begin() as tx:
            desk, candidate, question = await asked(tx, f"question {number}", number)
            return await tickets.hand_over(tx, desk, candidate, question, Reason.UNSURE, (), key=f"k{number}")

    first = await asyncio.gather(*(hand_over(number) for number in range(1, 6)))
    async with db.read() as tx:
        rows = await outbox(tx)
        assert len((await tx.execute(select(Ticket))).all()) == 1
    assert sorted(first) == [False] * 4 + [True]
    assert len(rows) == 5
    shown = " ".join(row.payload["text"] for row in rows)
    assert all(f"question {number}" in shown for number in range(1, 6))
    card = rows[0].id
    assert {row.payload["reply_parameters"]["message_id"]["message_of"] for row in rows[1:]} == {card}


async def test_the_ticket_of_a_reply(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        (card,) = await outbox(tx)
        card.message_id, card.state = 501, OutgoingState.SENT
        await tickets.reply(tx, desk, ticket, "Mille euros.", 777, NOW, key="u1")
        await tx.flush()
        found = [await tickets.ticket_of_reply(tx, desk.chat, number) for number in (501, 777, 502)]
        elsewhere = await tickets.ticket_of_reply(tx, desk.chat + 1, 501)
    assert [one and one.id for one in found] == [ticket.id, ticket.id, None]
    assert elsewhere is None


async def test_a_reply_is_followed_by_what_became_of_it(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        await tickets.reply(tx, desk, ticket, "Mille euros.", 777, NOW, key="u1")
        _, letter, seen, said, lost = await outbox(tx)
        await tx.refresh(ticket)
    assert letter.payload["reply_parameters"]["message_id"] == 11
    assert letter.payload["text"] == f"{texts('fr').reply_header}\n\nMille euros."
    assert (seen.method, seen.after_id, seen.after_state) == ("setMessageReaction", letter.id, OutgoingState.SENT)
    assert (said.after_id, said.after_state) == (seen.id, OutgoingState.FAILED)
    assert (lost.after_id, lost.after_state) == (letter.id, OutgoingState.FAILED)
    assert (ticket.state, ticket.answered_at) == (TicketState.WAITING, NOW)


async def test_the_same_reply_twice_is_sent_once(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        for _ in range(2):
            await tickets.reply(tx, desk, ticket, "Mille euros.", 777, NOW, key="u1")
        assert len(await outbox(tx)) == 5


async def test_closing_is_done_once(db: Database) -> None:
    async with db.begin() as tx:
        _, ticket = await handed_over(tx)
        assert [await tickets.close(tx, ticket.id, NOW) for _ in range(2)] == [True, False]
        assert await tickets.open_ticket(tx, ticket.candidate_id) is None
        await tx.refresh(ticket)
    assert (ticket.state, ticket.closed_at) == (TicketState.CLOSED, NOW)


@pytest.mark.parametrize(
    ("newer", "state", "closed_at"), [(False, TicketState.WAITING, None), (True, TicketState.CLOSED, NOW)]
)
async def test_a_reply_to_a_closed_ticket(
    db: Database, newer: bool, state: TicketState, closed_at: datetime | None
) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        await tickets.close(tx, ticket.id, NOW)
        if newer:
            await handed_over(tx, "Et quand ?", 12)
        await tickets.reply(tx, desk, ticket, "Mille euros.", 777, NOW, key="u1")
        await tx.refresh(ticket)
        texts_sent = [row.payload.get("text", "") for row in await outbox(tx)]
    assert (ticket.state, ticket.closed_at) == (state, closed_at)
    assert any("Mille euros." in sent for sent in texts_sent)
