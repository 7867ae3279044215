"""The life of a ticket: opened with a card for staff, taken up, closed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.desk import relay
from bot.desk.relay import Desk
from bot.dialogue import render
from bot.dialogue.render import Card, Found, Reason
from bot.records.states import Direction, TicketState
from bot.records.tables import Candidate, Question, Ticket
from bot.records.upsert import insert_new
from indexer.entries import Language
from indexer.passages import Hit


async def open_ticket(tx: AsyncSession, candidate_id: str) -> Ticket | None:
    """The candidate's ticket that is not closed, if there is one."""
    mine = select(Ticket).where(Ticket.candidate_id == candidate_id, Ticket.state != TicketState.CLOSED)
    return (await tx.execute(mine)).scalar_one_or_none()


async def hand_over(
    tx: AsyncSession,
    desk: Desk,
    candidate: Candidate,
    question: Question,
    reason: Reason,
    hits: Sequence[Hit],
    *,
    key: str,
) -> bool:
    """Open a ticket with its card; False if the candidate already has one: the question is then added to it.

    Two messages that arrive at the same moment are settled by the database, which allows one open ticket a candidate.
    """
    ticket_id = await insert_new(
        tx,
        Ticket,
        Ticket.id,
        candidate_id=candidate.id,
        course=question.course,
        language=question.language,
        reason=reason.value,
        state=TicketState.OPEN,
        question_id=question.id,
    )
    if ticket_id is None:
        ticket = await open_ticket(tx, candidate.id)
        assert ticket is not None  # the insertion failed because of it
        await relay.add(tx, desk, ticket, question.text, candidate.chat_id, question.message_id, key=key)
        return False
    found = tuple(Found(hit.entry.question, hit.confidence) for hit in hits[:3])
    tongue: Language = "fr" if question.language == "fr" else "en"
    card = render.card(Card(question.text, tongue, reason, candidate.id, found), desk.language).message()
    card_id = await outbox.put(
        tx,
        desk.chat,
        "sendMessage",
        card.payload(),
        key=f"card{ticket_id}",
        priority=Priority.CARD,
        ticket_id=ticket_id,
    )
    await tx.execute(update(Ticket).where(Ticket.id == ticket_id).values(card_id=card_id))
    if question.message_id is not None:
        await relay.remember(tx, ticket_id, Direction.TO_STAFF, candidate.chat_id, question.message_id, card_id)
    return True


async def take_up(tx: AsyncSession, ticket: Ticket, now: datetime) -> None:
    """It is the candidate's turn; a closed ticket opens again unless the candidate has a newer one open."""
    other = aliased(Ticket)
    newer = exists().where(
        other.candidate_id == ticket.candidate_id, other.id != ticket.id, other.state != TicketState.CLOSED
    )
    answered = {"state": TicketState.WAITING, "answered_at": now, "closed_at": None}
    await tx.execute(update(Ticket).where(Ticket.id == ticket.id, ~newer).values(answered))


async def close(tx: AsyncSession, ticket_id: int, now: datetime) -> bool:
    """Close a ticket; False if it was closed before."""
    open_one = (Ticket.id == ticket_id) & (Ticket.state != TicketState.CLOSED)
    closed = update(Ticket).where(open_one).values(state=TicketState.CLOSED, closed_at=now).returning(Ticket.id)
    return (await tx.execute(closed)).scalar_one_or_none() is not None
