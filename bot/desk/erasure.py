"""A person who is forgotten leaves the staff's group too, as far as Telegram lets a bot delete."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox, timers
from bot.delivery.outbox import Priority
from bot.delivery.references import Payload
from bot.desk import reminders
from bot.desk.desk import Desk
from bot.dialogue.texts import texts
from bot.records.states import OutgoingState
from bot.records.tables import Outgoing, Relay, Ticket, Topic

DELETABLE = timedelta(hours=47, minutes=50)  # Telegram says 48 hours; the call takes its time too
AT_ONCE = 100  # messages that one call deletes
Messages = list[tuple[int, datetime]]  # number, and when it was sent
Call = tuple[str, Payload]


async def clear_group(
    tx: AsyncSession, desk: Desk, candidate_id: str, now: datetime, *, key: str, silent: bool = False
) -> bool:
    """Have what a person's tickets left in the staff's groups deleted; True if messages too old for that stay there.

    Staff are told, unless `silent`; and in any case what they have to delete by hand.
    """
    mine = select(Ticket).where(Ticket.candidate_id == candidate_id).order_by(Ticket.id)
    by_group: dict[int, list[int]] = {}
    for ticket in await tx.scalars(mine):
        await timers.cancel(tx, reminders.key(ticket.id))
        by_group.setdefault(desk.group(ticket), []).append(ticket.id)
    words, stays = texts(desk.language), False
    by_hand = words.staff_forgotten_rest.format(candidate=candidate_id)
    for group, tickets in by_group.items():
        name = f"{key}:{group}"
        if not silent:
            await _tell(tx, group, words.staff_forgotten.format(candidate=candidate_id), key=f"{name}:gone")
        topics = await _topics(tx, candidate_id, group)
        found = [await _written(tx, group, tickets), await _by_staff(tx, group, tickets)]
        calls: list[Call] = [("deleteForumTopic", {"message_thread_id": {"message_of": row}}) for row in topics]
        calls += [call for messages in found for call in _deletions(messages, now)]
        for number, (method, payload) in enumerate(calls):
            one = f"{name}:clear{number}"
            row = await outbox.put(tx, group, method, payload, key=one, priority=Priority.NOTICE)
            await _tell(tx, group, by_hand, key=f"{one}:refused", after=row)
        if not topics and any(at <= now - DELETABLE for messages in found for _, at in messages):
            await _tell(tx, group, by_hand, key=f"{name}:stays")
            stays = True
    return stays


def _deletions(messages: Messages, now: datetime) -> list[Call]:
    ids = [number for number, at in messages if at > now - DELETABLE]
    parts = [ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)]
    return [("deleteMessages", {"message_ids": part}) for part in parts]


async def _topics(tx: AsyncSession, candidate_id: str, chat: int) -> Sequence[int]:
    """The rows that made the person's topics there."""
    made = select(Outgoing.id).join(Topic, Topic.outgoing_id == Outgoing.id)
    there = (Topic.candidate_id == candidate_id) & (Topic.chat_id == chat)
    return (await tx.scalars(made.where(there, Outgoing.state == OutgoingState.SENT))).all()


async def _written(tx: AsyncSession, chat: int, tickets: Sequence[int]) -> Messages:
    """The bot's own messages about tickets, and when they were sent."""
    ours = (Outgoing.chat_id == chat) & Outgoing.ticket_id.in_(tickets) & Outgoing.method.regexp_match("^(send|copy)")
    columns = select(Outgoing.message_id, Outgoing.message_ids, Outgoing.sent_at, Outgoing.created_at)
    rows = await tx.execute(columns.where(ours, Outgoing.message_id.is_not(None)).order_by(Outgoing.id))
    found = {number: row.sent_at or row.created_at for row in rows for number in row.message_ids or [row.message_id]}
    return list(found.items())


async def _by_staff(tx: AsyncSession, chat: int, tickets: Sequence[int]) -> Messages:
    """What staff wrote to the person; only a bot that is an administrator may delete that."""
    theirs = select(Relay.message_id, Relay.created_at).where(Relay.chat_id == chat, Relay.ticket_id.in_(tickets))
    ours = select(Outgoing.message_id).where(Outgoing.chat_id == chat, Outgoing.message_id.is_not(None))
    rows = await tx.execute(theirs.where(Relay.message_id.not_in(ours)).order_by(Relay.id))
    return [(row.message_id, row.created_at) for row in rows]


async def _tell(tx: AsyncSession, chat: int, said: str, *, key: str, after: int | None = None) -> None:
    """To staff, outside of any topic; with `after`, only if that call was refused."""
    when = OutgoingState.SENT if after is None else OutgoingState.FAILED
    await outbox.put(tx, chat, "sendMessage", {"text": said}, key=key, priority=Priority.NOTICE, after=after, when=when)
