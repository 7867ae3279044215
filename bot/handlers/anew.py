"""An answer that takes the place of an earlier one: edited where it stands, or sent if that is gone."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.dialogue.decide import BESIDE
from bot.dialogue.message import Message
from bot.records.states import OutgoingState
from bot.records.tables import Candidate, Outgoing, Question, Ticket, Wish

SECONDS = timedelta(seconds=15)  # after an answer, in which a message may go on with the one that it answered


async def last_of(tx: AsyncSession, candidate: Candidate) -> Question | None:
    """What somebody asked last of the course."""
    asked = Question.decision != BESIDE
    mine = select(Question).where(Question.candidate_id == candidate.id, asked).order_by(Question.id.desc()).limit(1)
    return (await tx.execute(mine)).scalar_one_or_none()


async def last_said(tx: AsyncSession, candidate: Candidate) -> Outgoing | None:
    """The row of the last message to somebody; what is only sent if another one fails is none before it is sent."""
    said = (Outgoing.chat_id == candidate.chat_id) & (Outgoing.method == "sendMessage")
    not_dropped = Outgoing.state != OutgoingState.DROPPED
    real = Outgoing.after_state.is_distinct_from(OutgoingState.FAILED) | (Outgoing.state == OutgoingState.SENT)
    its = select(Outgoing).where(said, not_dropped, real).order_by(Outgoing.id.desc()).limit(1)
    return (await tx.scalars(its)).first()


def is_fresh(question: Question | Row[*tuple[Any, ...]], now: datetime) -> bool:
    """Whether a question was answered only just, and nobody has said anything of that answer."""
    chosen = question.decision == "clarify" and question.entry_id is not None
    judged = chosen or question.feedback is not None
    return bool(question.answer_id) and not judged and now - question.asked_at <= SECONDS


async def of_last(tx: AsyncSession, candidate: Candidate) -> tuple[int, ...]:
    """Where the last question was answered; it gives way to what is asked now."""
    question = await last_of(tx, candidate)
    return await _give_way(tx, [question] if question else [])


async def of_message(tx: AsyncSession, candidate: Candidate, message_id: int) -> tuple[int, ...]:
    """Where the questions of a message were answered, in their order; they give way to what it asks now."""
    its = select(Question).where(Question.candidate_id == candidate.id, Question.message_id == message_id)
    return await _give_way(tx, (await tx.execute(its.order_by(Question.id))).scalars().all())


def word_key(candidate: Candidate, message_id: int) -> str:
    """The key of the kind word that answers a message which asks nothing."""
    return f"word{candidate.chat_id}:{message_id}"


async def of_word(tx: AsyncSession, candidate: Candidate, message_id: int) -> tuple[int, ...]:
    """Where a message that asked nothing was answered with a kind word; nothing where there was none."""
    row = select(Outgoing.id).where(Outgoing.key == word_key(candidate, message_id))
    return tuple((await tx.execute(row)).scalars())


async def show(
    tx: AsyncSession,
    candidate: Candidate,
    message: Message,
    key: str,
    place: int | None = None,
    *,
    below: object | None = None,
) -> int:
    """Say something to a candidate, in the `place` of what that row said if there is one; the row that says it.

    What stands nowhere yet may be a reply to a message, or to what another row said, `below` which it belongs.
    """
    chat, payload = candidate.chat_id, message.payload()
    if place is None:
        if below is not None:
            payload["reply_parameters"] = outbox.below(below)
        return await outbox.put(tx, chat, "sendMessage", payload, key=key)
    there = payload | {"message_id": {"message_of": place}}
    edit = await outbox.put(tx, chat, "editMessageText", there, key=f"{key}:anew")
    await outbox.put(tx, chat, "sendMessage", payload, key=key, after=edit, when=OutgoingState.FAILED)
    return place


async def take_away(tx: AsyncSession, candidate: Candidate, places: Iterable[int], key: str) -> None:
    """Delete answers to what is asked no more."""
    for place in places:
        gone = {"message_id": {"message_of": place}}
        await outbox.put(tx, candidate.chat_id, "deleteMessage", gone, key=f"{key}:gone{place}")


async def _give_way(tx: AsyncSession, questions: Iterable[Question]) -> tuple[int, ...]:
    """The rows of their answers; a question that nothing refers to and nobody has judged is no longer kept."""
    asked = list(questions)
    its = await places(tx, asked)
    for question in asked:
        needed = exists().where(Ticket.question_id == question.id) | exists().where(Wish.question_id == question.id)
        if question.feedback is None and not await tx.scalar(select(needed)):
            await tx.delete(question)
    await tx.flush()
    return its


async def places(tx: AsyncSession, questions: Iterable[Question]) -> tuple[int, ...]:
    """The rows that answered, of those whose answer is one message."""
    found = []
    for question in questions:
        row = await tx.get(Outgoing, question.answer_id) if question.answer_id else None
        if row and not await tx.scalar(select(exists().where(Outgoing.key == f"{row.key}#1"))):
            found.append(row.id)
    return tuple(found)
