"""What is carried between candidates and staff, and which message is a copy of which."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.desk.hours import Hours
from bot.dialogue import render
from bot.dialogue.message import Button, Message
from bot.dialogue.texts import texts
from bot.records.states import Direction, OutgoingState
from bot.records.tables import Candidate, Outgoing, Question, Relay, Ticket
from bot.records.upsert import insert_new
from indexer.entries import Language

DELIVERED = "👌"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where staff are, the language that they read, and when they work and want to be reminded."""

    chat: int
    language: Language
    hours: Hours = Hours()  # noqa: RUF009  immutable
    reminders: tuple[timedelta, ...] = ()


async def add(
    tx: AsyncSession, desk: Desk, ticket: Ticket, text: str, chat_id: int, message_id: int | None, *, key: str
) -> int:
    """Pass on what a candidate adds, below the ticket's card; the row that carries it."""
    shown = render.follow_up(text, ticket.candidate_id, desk.language).message().payload()
    shown["reply_parameters"] = _below(ticket.card_id)
    row = await outbox.put(
        tx, desk.chat, "sendMessage", shown, key=f"{key}:add", priority=Priority.CARD, ticket_id=ticket.id
    )
    if message_id is not None:
        await remember(tx, ticket.id, Direction.TO_STAFF, chat_id, message_id, row)
    return row


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


async def reply(tx: AsyncSession, desk: Desk, ticket: Ticket, text: str, message_id: int, *, key: str) -> None:
    """Send what staff wrote to the candidate; staff see below their message whether it arrived."""
    candidate = await tx.get_one(Candidate, ticket.candidate_id)
    tongue: Language = "fr" if ticket.language == "fr" else "en"
    back = Button(texts(tongue).button_bot_again, data=f"b:{ticket.id}")
    letter = render.reply(text, tongue).message((back,)).payload()
    question = await tx.get(Question, ticket.question_id) if ticket.question_id else None
    if question and question.message_id:
        letter["reply_parameters"] = {"message_id": question.message_id, "allow_sending_without_reply": True}
    row = await outbox.put(tx, candidate.chat_id, "sendMessage", letter, key=f"{key}:reply", ticket_id=ticket.id)
    await remember(tx, ticket.id, Direction.TO_CANDIDATE, desk.chat, message_id, row)
    await _tell_staff(tx, desk, row, message_id, ticket.id, key)


async def tell(tx: AsyncSession, desk: Desk, ticket: Ticket, said: str | Message, *, key: str) -> None:
    """Something for staff below the ticket's card."""
    message = Message(said) if isinstance(said, str) else said
    payload = {**message.payload(), "reply_parameters": _below(ticket.card_id)}
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


async def remember(
    tx: AsyncSession, ticket_id: int, direction: Direction, chat_id: int, message_id: int, outgoing_id: int
) -> None:
    """Note that an outgoing row is the copy of a message."""
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
