"""A topic that somebody deleted is made anew, with the messages of its ticket so far and those that wait."""

from typing import Any

from sqlalchemy import exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.delivery.references import named
from bot.records.states import Direction, OutgoingState, TicketState
from bot.records.tables import Outgoing, Relay, Ticket, Topic

GONE = ("message thread not found", "topic_deleted")
SHOWN = ("send", "copy", "edit")


def gone(error: str) -> bool:
    """Whether a refusal means that the topic is no longer there."""
    return any(said in error.lower() for said in GONE)


async def renew(tx: AsyncSession, row_id: int) -> bool:
    """Make the topic of a refused row anew; False if that row belongs to none. Once for all rows that are refused."""
    row = await tx.get_one(Outgoing, row_id, populate_existing=True, with_for_update=True)
    threads = set(named(row.payload.get("message_thread_id")))
    if row.state is not OutgoingState.WAITING or not threads:
        return row.state is OutgoingState.DROPPED
    # Who puts something into the topic holds it: what they put is then seen here, or goes where the new one is.
    mine = select(Topic).where(Topic.outgoing_id.in_(threads)).with_for_update(key_share=True)
    topic = (await tx.execute(mine)).scalar_one_or_none()
    if topic is None or topic.outgoing_id is None:
        return False
    made = await tx.get_one(Outgoing, topic.outgoing_id)
    new = await outbox.put(
        tx,
        topic.chat_id,
        "createForumTopic",
        {"name": topic.name},
        key=f"topic{topic.id}~{made.id}",
        priority=Priority.CARD,
    )
    made.payload = {}  # its name quotes a question
    topic.outgoing_id, topic.closed = new, False
    await _again(tx, row, made.id, new)
    return True


async def _again(tx: AsyncSession, refused: Outgoing, old: int, new: int) -> None:
    """Send once more what stood in the topic, in its order, and let everything point to the new messages."""
    instead = {old: new}
    for row in await _conversation(tx, refused, old):
        if row.chat_id == refused.chat_id:
            method, payload = row.method, _renamed(row.payload, instead)
        else:  # what staff wrote went with the topic; the candidate's copy of it has not
            method, payload = outbox.copy_of(row)
            payload["message_thread_id"] = {"message_of": new}
        again = await outbox.put(
            tx,
            refused.chat_id,
            method,
            payload,
            key=outbox.again(row.key, new),
            priority=Priority.CARD,
            ticket_id=row.ticket_id,
            after=row.after_id if row.state is OutgoingState.WAITING else None,
            when=row.after_state or OutgoingState.SENT,
        )
        if row.chat_id == refused.chat_id:
            instead[row.id] = again
            row.state = OutgoingState.DROPPED if row.state is OutgoingState.WAITING else row.state
    for before, now in instead.items():
        await tx.execute(update(Relay).where(Relay.outgoing_id == before).values(outgoing_id=now))
        await tx.execute(update(Ticket).where(Ticket.card_id == before).values(card_id=now))


async def _conversation(tx: AsyncSession, refused: Outgoing, thread: int) -> list[Outgoing]:
    """Rows of tickets that are still open, in the topic or to the candidate, and whatever waits to go there."""
    still = select(Ticket.id).where(Ticket.state != TicketState.CLOSED)
    ours = aliased(Outgoing)  # what was shown to staff before it went is shown again itself
    previewed = exists().where(ours.chat_id == Relay.chat_id, ours.message_id == Relay.message_id)
    letters = select(Relay.outgoing_id).where(Relay.direction == Direction.TO_CANDIDATE, ~previewed)
    sent = (Outgoing.state == OutgoingState.SENT) & Outgoing.ticket_id.in_(still)
    waiting = Outgoing.state == OutgoingState.WAITING
    whose = (
        select(Outgoing.id)
        .where(Outgoing.ticket_id == refused.ticket_id)
        .where(or_(Outgoing.chat_id == refused.chat_id, Outgoing.id.in_(letters)), or_(sent, waiting))
    )
    held = select(Outgoing).where(Outgoing.id.in_(whose)).order_by(Outgoing.id).with_for_update()
    rows = (await tx.execute(held)).scalars()
    shown: set[int] = set()
    found: list[Outgoing] = []
    for row in rows:
        here = row.chat_id == refused.chat_id
        names = set(named(row.payload))
        if (not here and row.state is OutgoingState.SENT) or (
            here and row.method.startswith(SHOWN) and (thread in names or names & shown)
        ):
            found.append(row)
            shown.add(row.id)
    return found


def _renamed(value: Any, instead: dict[int, int]) -> Any:
    if isinstance(value, dict):
        if "message_of" in value:
            return {**value, "message_of": instead.get(value["message_of"], value["message_of"])}
        return {name: _renamed(item, instead) for name, item in value.items()}
    return [_renamed(item, instead) for item in value] if isinstance(value, list) else value
