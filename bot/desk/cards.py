"""A ticket's card: what it shows, gathered from the tables, and kept up to date in its place."""

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.delivery.references import Payload
from bot.desk import topics
from bot.desk.desk import Desk
from bot.dialogue import cards
from bot.dialogue.cards import Card, Exchange, Found
from bot.dialogue.message import Message
from bot.dialogue.render import Reason
from bot.dialogue.texts import spoken, texts
from bot.records.tables import Candidate, Member, Outgoing, Question, Ticket
from indexer.entries import Language

BEFORE = 3  # messages before the question


async def card(tx: AsyncSession, ticket: Ticket, desk: Desk) -> Message:
    """The card as it is to be shown now."""
    staff = desk.language
    question = await tx.get(Question, ticket.question_id) if ticket.question_id else None
    candidate = await tx.get_one(Candidate, ticket.candidate_id, populate_existing=True)
    unsaid = question and question.text.startswith("/")  # a command alone
    older = (Ticket.candidate_id == ticket.candidate_id) & (Ticket.id < ticket.id)
    count, last = (await tx.execute(select(func.count(), func.max(Ticket.opened_at)).where(older))).one()
    about = Card(
        question=texts(staff).card_unsaid if unsaid else question.text if question else "",
        language=spoken(ticket.language),
        reason=Reason(ticket.reason),
        candidate=candidate.known_as,
        found=tuple(Found(one["question"], one["confidence"]) for one in ticket.found),
        state=ticket.state.value,
        owner=await owner(tx, ticket),
        earlier=count,
        earlier_on=last and last.date(),
        before=await _before(tx, question, staff) if question else (),
        rating=ticket.rating,
        edited=bool(question and question.edited_at),
        course=desk.title(ticket.course),
    )
    movable = len(desk.known.every) > 1
    return cards.card(about, staff).message(*cards.card_buttons(ticket.id, ticket.state.value, staff, movable=movable))


async def post(tx: AsyncSession, desk: Desk, ticket: Ticket, *, key: str) -> int:
    """Have the ticket's group see the card, in the topic if there is one; the row that sends it, the ticket's card."""
    shown = (await card(tx, ticket, desk)).payload() | await topics.place(tx, desk, ticket)
    ticket.card_id = await outbox.put(
        tx, desk.group(ticket), "sendMessage", shown, key=key, priority=Priority.CARD, ticket_id=ticket.id
    )
    return ticket.card_id


async def refresh(tx: AsyncSession, desk: Desk, ticket: Ticket, *, key: str) -> None:
    """Show on the card, and in the name of the topic, how the ticket stands now."""
    await tx.flush()
    # Who changes a ticket at the same moment shows it after us, and with our change.
    await tx.refresh(ticket, with_for_update={"key_share": True})
    await topics.follow(tx, desk, ticket)
    if ticket.card_id is None:
        return
    payload, group = instead(await card(tx, ticket, desk), ticket.card_id), desk.group(ticket)
    edit, name = "editMessageText", f"{key}:card"
    await outbox.put(tx, group, edit, payload, key=name, priority=Priority.NOTICE, ticket_id=ticket.id)


def instead(message: Message, row: int) -> Payload:
    """What editMessageText takes to show this in place of the message that a row has sent."""
    return {"reply_markup": {"inline_keyboard": []}, **message.payload(), "message_id": {"message_of": row}}


async def outlived(tx: AsyncSession, desk: Desk, message_id: int) -> bool:
    """Whether a message in the group was the card of a ticket that is no more, since its person's data is erased."""
    card = (Outgoing.chat_id == desk.chat) & (Outgoing.message_id == message_id) & Outgoing.key.startswith("card")
    return bool(await tx.scalar(select(exists().where(card, Outgoing.ticket_id.is_(None)))))


async def owner(tx: AsyncSession, ticket: Ticket) -> str:
    """The name of who has a ticket; empty if nobody, or somebody unknown."""
    member = await tx.get(Member, ticket.owner_chat_id) if ticket.owner_chat_id else None
    return member.name if member else ""


async def _before(tx: AsyncSession, question: Question, staff: Language) -> tuple[Exchange, ...]:
    """The candidate's last messages before a question, oldest first."""
    earlier = (Question.candidate_id == question.candidate_id) & (Question.id < question.id)
    if question.message_id is not None:  # several questions in one message: the others are not of before
        earlier &= Question.message_id.is_distinct_from(question.message_id)
    last = select(Question).where(earlier).order_by(Question.id.desc()).limit(BEFORE)
    found = []
    for one in await tx.scalars(last):
        answer = await tx.get(Outgoing, one.answer_id) if one.answer_id else None
        decided = getattr(texts(staff), f"before_{one.decision}", one.decision)
        found.append(Exchange(one.text, str(answer.payload.get("text", "")) if answer else decided))
    return tuple(reversed(found))
