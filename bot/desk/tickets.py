"""A question in the hands of people: opened with a card for staff, added to, answered, closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.dialogue import render
from bot.dialogue.message import Button
from bot.dialogue.render import Card, Found, Reason
from bot.dialogue.texts import texts
from bot.records.states import Direction, OutgoingState, TicketState
from bot.records.tables import Candidate, Outgoing, Question, Relay, Ticket
from bot.records.upsert import insert_new
from indexer.entries import Language
from indexer.passages import Hit

DELIVERED = "👌"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where staff are, and the language that they read."""

    chat: int
    language: Language


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
        await add(tx, desk, ticket, question.text, candidate.chat_id, question.message_id, key=key)
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
        await _map(tx, ticket_id, Direction.TO_STAFF, candidate.chat_id, question.message_id, card_id)
    return True


async def add(
    tx: AsyncSession, desk: Desk, ticket: Ticket, text: str, chat_id: int, message_id: int | None, *, key: str
) -> None:
    """Pass on what a candidate adds, below the ticket's card."""
    shown = render.follow_up(text, ticket.candidate_id, desk.language).message().payload()
    shown["reply_parameters"] = _below(ticket.card_id)
    row = await outbox.put(
        tx, desk.chat, "sendMessage", shown, key=f"{key}:add", priority=Priority.CARD, ticket_id=ticket.id
    )
    if message_id is not None:
        await _map(tx, ticket.id, Direction.TO_STAFF, chat_id, message_id, row)


async def ticket_of_reply(tx: AsyncSession, staff_chat: int, message_id: int) -> Ticket | None:
    """The ticket that a message in the staff's group belongs to: the bot's own, or one that staff wrote before."""
    ours = select(Outgoing.ticket_id).where(Outgoing.chat_id == staff_chat, Outgoing.message_id == message_id)
    theirs = select(Relay.ticket_id).where(Relay.chat_id == staff_chat, Relay.message_id == message_id)
    found = select(Ticket).where(Ticket.id.in_(ours.union(theirs)))
    return (await tx.execute(found)).scalars().first()


async def under_way(tx: AsyncSession, staff_chat: int) -> bool:
    """Whether a ticket's message to staff waits to be sent, or to be noted as sent."""
    waiting = (Outgoing.state == OutgoingState.WAITING) & Outgoing.ticket_id.is_not(None)
    return bool((await tx.execute(select(exists().where(Outgoing.chat_id == staff_chat, waiting)))).scalar())


async def reply(
    tx: AsyncSession, desk: Desk, ticket: Ticket, text: str, message_id: int, now: datetime, *, key: str
) -> None:
    """Send what staff wrote to the candidate; staff see below their message whether it arrived."""
    candidate = await tx.get_one(Candidate, ticket.candidate_id)
    tongue: Language = "fr" if ticket.language == "fr" else "en"
    back = Button(texts(tongue).button_bot_again, data=f"b:{ticket.id}")
    letter = render.reply(text, tongue).message((back,)).payload()
    question = await tx.get(Question, ticket.question_id) if ticket.question_id else None
    if question and question.message_id:
        letter["reply_parameters"] = {"message_id": question.message_id, "allow_sending_without_reply": True}
    row = await outbox.put(tx, candidate.chat_id, "sendMessage", letter, key=f"{key}:reply", ticket_id=ticket.id)
    await _map(tx, ticket.id, Direction.TO_CANDIDATE, desk.chat, message_id, row)
    await _tell_staff(tx, desk, row, message_id, ticket.id, key)
    await _take_up(tx, ticket, now)


async def _take_up(tx: AsyncSession, ticket: Ticket, now: datetime) -> None:
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


async def tell(tx: AsyncSession, desk: Desk, ticket: Ticket, text: str, *, key: str) -> None:
    """A line for staff below the ticket's card."""
    payload = {"text": text, "reply_parameters": _below(ticket.card_id)}
    await outbox.put(
        tx, desk.chat, "sendMessage", payload, key=f"{key}:tell", priority=Priority.NOTICE, ticket_id=ticket.id
    )


async def _tell_staff(tx: AsyncSession, desk: Desk, row: int, message_id: int, ticket_id: int, key: str) -> None:
    """A reaction once the reply has arrived (words where the group allows no reactions), a reason if it has not."""
    words = texts(desk.language)
    reaction = {"message_id": message_id, "reaction": [{"type": "emoji", "emoji": DELIVERED}]}
    seen = await outbox.put(
        tx, desk.chat, "setMessageReaction", reaction, key=f"{key}:seen", priority=Priority.NOTICE, after=row
    )
    for after, name, text in ((seen, "said", words.delivery_sent), (row, "lost", words.delivery_failed)):
        below = {"message_id": message_id, "allow_sending_without_reply": True}
        await outbox.put(
            tx,
            desk.chat,
            "sendMessage",
            {"text": text, "reply_parameters": below},
            key=f"{key}:{name}",
            priority=Priority.NOTICE,
            after=after,
            when=OutgoingState.FAILED,
            ticket_id=ticket_id,
        )


async def _map(
    tx: AsyncSession, ticket_id: int, direction: Direction, chat_id: int, message_id: int, outgoing_id: int
) -> None:
    await insert_new(
        tx,
        Relay,
        Relay.id,
        ticket_id=ticket_id,
        direction=direction,
        chat_id=chat_id,
        message_id=message_id,
        outgoing_id=outgoing_id,
    )


def _below(card_id: int | None) -> dict[str, object]:
    return {"message_id": {"message_of": card_id}, "allow_sending_without_reply": True} if card_id else {}
