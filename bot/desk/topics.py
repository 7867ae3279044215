"""A candidate's topic in a group that is a forum: made once, named with state and subject, open with the ticket."""

from uuid import uuid4

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.delivery.references import Payload
from bot.desk.desk import Desk
from bot.dialogue.cards import short
from bot.dialogue.signs import visible
from bot.dialogue.texts import texts
from bot.records.states import OutgoingState, TicketState
from bot.records.tables import Chat, Outgoing, Question, Ticket, Topic
from bot.records.upsert import insert_new
from indexer.entries import Language

SUBJECT = 60  # characters of a question in a topic's name


async def enter(tx: AsyncSession, desk: Desk, ticket: Ticket) -> None:
    """See that the ticket's candidate has a topic if the group is a forum; the database lets one be made."""
    group = desk.group(ticket)
    if not (await tx.get_one(Chat, group)).forum:
        return
    name = await _name(tx, ticket, desk.language)
    await insert_new(tx, Topic, Topic.id, chat_id=group, candidate_id=ticket.candidate_id, name=name, closed=False)
    topic = await _topic(tx, desk, ticket)
    assert topic is not None  # now there is one
    made = await tx.get(Outgoing, topic.outgoing_id) if topic.outgoing_id else None
    if made is None or made.state is OutgoingState.FAILED:
        topic.name, topic.closed = name, False
        topic.outgoing_id = await outbox.put(
            tx,
            group,
            "createForumTopic",
            {"name": name},
            key=f"topic{ticket.id}" if group == desk.known.main else f"topic{ticket.id}:{group}",
            priority=Priority.CARD,
        )
        if made:
            made.payload = {}  # its name quotes a question
        await tx.flush()
    else:
        await follow(tx, desk, ticket)


async def follow(tx: AsyncSession, desk: Desk, ticket: Ticket) -> None:
    """Bring name and state of the topic, if there is one, in line with its ticket, unless a newer one has it now."""
    topic = await _topic(tx, desk, ticket)
    if topic is None or await _succeeded(tx, desk, ticket):
        return
    name, closed = await _name(tx, ticket, desk.language), ticket.state is TicketState.CLOSED
    if name != topic.name:
        await _change(tx, topic, "editForumTopic", {"name": name}, ticket)
    if closed != topic.closed:
        await _change(tx, topic, "closeForumTopic" if closed else "reopenForumTopic", {}, ticket)
    topic.name, topic.closed = name, closed
    await tx.flush()


async def noticed(tx: AsyncSession, desk: Desk, ticket: Ticket, *, closed: bool) -> None:
    """Somebody closed or reopened the topic by hand: the bot need not do it once more."""
    if topic := await _topic(tx, desk, ticket):
        topic.closed = closed
        await tx.flush()


async def _succeeded(tx: AsyncSession, desk: Desk, ticket: Ticket) -> bool:
    """Whether the candidate has another ticket there that the topic is about: the open one, or else the last."""
    others = (Ticket.candidate_id == ticket.candidate_id) & (Ticket.id != ticket.id)
    later = Ticket.state != TicketState.CLOSED
    if ticket.state is TicketState.CLOSED:
        later |= Ticket.id > ticket.id
    there = desk.known.holds(desk.group(ticket))
    return bool(await tx.scalar(select(exists().where(others, later, there))))


async def leave(tx: AsyncSession, desk: Desk, ticket: Ticket) -> None:
    """Close the topic of a ticket that goes to another group."""
    topic = await _topic(tx, desk, ticket)
    if topic and not topic.closed:
        await _change(tx, topic, "closeForumTopic", {}, ticket)
        topic.closed = True


async def place(tx: AsyncSession, desk: Desk, ticket: Ticket) -> Payload:
    """Where in the staff's group a ticket's messages go: into its topic, or below its card."""
    if topic := await thread(tx, desk, ticket):
        return topic
    if ticket.card_id is None:
        return {}
    return {"reply_parameters": outbox.below({"message_of": ticket.card_id})}


async def thread(tx: AsyncSession, desk: Desk, ticket: Ticket) -> Payload:
    """The topic that a ticket's messages go into; empty if it has none."""
    topic = await _topic(tx, desk, ticket)
    return {"message_thread_id": {"message_of": topic.outgoing_id}} if topic else {}


async def ticket_of_thread(tx: AsyncSession, desk: Desk, thread_id: int) -> Ticket | None:
    """The ticket in this group of the candidate whose topic this is: the open one, or else the last."""
    made = select(Outgoing.id).where(Outgoing.chat_id == desk.chat, Outgoing.message_id == thread_id)
    whose = select(Topic.candidate_id).where(Topic.outgoing_id.in_(made))
    there = select(Ticket).where(Ticket.candidate_id.in_(whose), desk.holds())
    first = there.order_by(Ticket.state == TicketState.CLOSED, Ticket.id.desc()).limit(1)
    return (await tx.execute(first)).scalar_one_or_none()


async def made(tx: AsyncSession, desk: Desk, thread_id: int) -> bool:
    """Whether the bot made a topic, which may have been somebody's whose data is erased."""
    call = (Outgoing.chat_id == desk.chat) & (Outgoing.message_id == thread_id)
    return bool(await tx.scalar(select(exists().where(call, Outgoing.method == "createForumTopic"))))


async def _topic(tx: AsyncSession, desk: Desk, ticket: Ticket) -> Topic | None:
    """The topic, unless it could not be made: its messages then stand among the others."""
    # Held, so that it is not made anew by the sender while something is put into it.
    mine = select(Topic).where(Topic.chat_id == desk.group(ticket), Topic.candidate_id == ticket.candidate_id)
    held = mine.with_for_update(key_share=True).execution_options(populate_existing=True)
    topic = (await tx.execute(held)).scalar_one_or_none()
    if topic is None or ticket.card_id is None:
        return topic
    state = await tx.scalar(select(Outgoing.state).where(Outgoing.id == topic.outgoing_id))
    return None if state is OutgoingState.FAILED else topic


async def _change(tx: AsyncSession, topic: Topic, method: str, payload: Payload, ticket: Ticket) -> None:
    payload = {**payload, "message_thread_id": {"message_of": topic.outgoing_id}}
    key = f"topic{topic.id}:{uuid4().hex}"
    await outbox.put(tx, topic.chat_id, method, payload, key=key, priority=Priority.NOTICE, ticket_id=ticket.id)


async def _name(tx: AsyncSession, ticket: Ticket, language: Language) -> str:
    question = await tx.get(Question, ticket.question_id) if ticket.question_id else None
    subject = short(visible(question.text), SUBJECT) if question else ""
    state = getattr(texts(language), f"topic_{ticket.state.value}")
    return " · ".join(part for part in (ticket.candidate_id, subject, state) if part)
