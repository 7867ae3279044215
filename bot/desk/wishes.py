"""Candidates whose question had no answer and who asked to hear of one: told once, and only if they asked."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.dialogue.message import Button, Message
from bot.dialogue.render import Reason
from bot.dialogue.texts import spoken, texts
from bot.records.states import Feedback
from bot.records.tables import Candidate, Question, Ticket, Wish
from bot.records.upsert import insert_new


async def wish(tx: AsyncSession, question: Question, now: datetime) -> None:
    """Note that a question's author wants to hear of an answer."""
    await insert_new(tx, Wish, Wish.question_id, question_id=question.id, wished_at=now)


def button(question: Question) -> tuple[Button, ...]:
    """What one presses to hear of an answer; nothing where there is no question in words to be answered."""
    if question.reason == Reason.UNREADABLE or question.text.startswith("/"):
        return ()
    return (Button(texts(spoken(question.language)).button_wish, data=f"w:{question.id}"),)


async def left_by(tx: AsyncSession, ticket: Ticket) -> tuple[Button, ...]:
    """The same for a ticket that ends; nothing if staff replied, or if the candidate has that wish already."""
    question = await tx.get(Question, ticket.question_id) if ticket.question_id and not ticket.replied_at else None
    return button(question) if question and await tx.get(Wish, question.id) is None else ()


async def open_ones(tx: AsyncSession, course: str) -> Sequence[Question]:
    """Questions of a course whose authors want to hear of an answer and have had none, neither here nor from staff."""
    replied = exists().where(Ticket.question_id == Question.id, Ticket.replied_at.is_not(None))
    wanted = select(Question).join(Wish, Wish.question_id == Question.id).where(Wish.told_at.is_(None), ~replied)
    free = exists().where(Candidate.id == Question.candidate_id, Candidate.banned_at.is_(None))
    unanswered = or_(Question.entry_id.is_(None), Question.feedback == Feedback.NOT_MINE)
    found = wanted.where(Question.course == course, unanswered, free).order_by(Question.id)
    return (await tx.scalars(found)).all()


async def tell(tx: AsyncSession, question: Question, entry_id: str, message: Message, now: datetime) -> bool:
    """Offer an answer to who asked; False if that was done before."""
    first = (Wish.question_id == question.id) & Wish.told_at.is_(None)
    told = update(Wish).where(first).values(told_at=now).returning(Wish.question_id)
    if (await tx.execute(told)).scalar_one_or_none() is None:
        return False
    asked = await tx.get_one(Question, question.id)
    candidate = await tx.get_one(Candidate, asked.candidate_id)
    asked.entry_id = entry_id
    asked.answer_id = await outbox.put(
        tx,
        candidate.chat_id,
        "sendMessage",
        message.payload(),
        key=f"wish{question.id}",
        priority=Priority.NOTICE,
    )
    return True
