"""Tickets and what they put into the outbox, on a database of their own."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import select

from bot.desk import relay, tickets
from bot.dialogue.render import Reason
from bot.dialogue.texts import texts
from bot.records.sessions import Database
from bot.records.states import TicketState
from bot.records.tables import Ticket

from .examples import NOW, asked, handed_over, outbox, written


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
            return (
                await tickets.hand_over(tx, desk, candidate, question, Reason.UNSURE, (), NOW, key=f"k{number}")
                is not None
            )

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
        await relay.reply(tx, desk, ticket, written(), NOW, key="u1")
        await tickets.answered(tx, desk, ticket, None, NOW)
        await tx.refresh(ticket)
        texts_sent = [row.payload.get("text", "") for row in await outbox(tx)]
    assert (ticket.state, ticket.closed_at) == (state, closed_at)
    assert any("Mille euros." in sent for sent in texts_sent)
