"""What could not be delivered: staff hear of candidates out of reach, candidates hear of a team out of reach."""

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.calls import Letter, Refused
from bot.delivery.outbox import Priority
from bot.delivery.references import DISPENSABLE, Payload, named
from bot.desk import copies, edits
from bot.desk.desk import Desk
from bot.desk.relay import tell
from bot.desk.tickets import open_ticket
from bot.dialogue.texts import spoken, texts
from bot.records import news
from bot.records.states import ChatKind, OutgoingState, TicketState
from bot.records.tables import Candidate, Chat, Outgoing, Ticket

log = logging.getLogger(__name__)
AGAIN = 200  # messages for staff that are tried again at a time, the oldest first


async def heard(tx: AsyncSession, letter: Letter, refused: Refused, *, desk: Desk, contact: str | None) -> None:
    """Tells the other side of a refusal. One that concerns a forum topic alone says nothing about the group."""
    if letter.chat_id not in desk.known.every and refused.unreachable:
        await _candidate_out_of_reach(tx, desk, letter)
    elif letter.chat_id in desk.known.every and letter.ticket_id is not None and not refused.topic:
        if letter.method != "sendMessage" and not refused.unreachable:
            # A copy that cannot be made says nothing about the group; its sender hears of it.
            if row := await tx.get(Outgoing, letter.row_id):  # unless its person was forgotten meanwhile
                await edits.show_anew(tx, desk, row)
            return
        await _staff_out_of_reach(tx, letter, contact)


# What staff would not want to miss: all of an open ticket, and what its candidate said of one that is over.
_MISSED = or_(Ticket.state != TicketState.CLOSED, Outgoing.key.contains(copies.REMARK))


async def send_again(tx: AsyncSession, desk: Desk, now: datetime) -> int:
    """Puts what staff have missed of open tickets, and remarks on others, back into the outbox; how many messages.

    For the start and for when the bot is (again) in the group, which may be another one than before.
    """
    missed = (
        select(Outgoing, Ticket)
        .join(Ticket, Ticket.id == Outgoing.ticket_id)
        .join(Chat, Chat.id == Outgoing.chat_id)
        .where(
            Outgoing.state == OutgoingState.FAILED,
            Outgoing.priority == Priority.CARD,
            _MISSED,
            Chat.kind != ChatKind.PRIVATE,
        )
        .order_by(Outgoing.id)
        .limit(AGAIN)
        .with_for_update(of=Outgoing)  # another worker may do the same, and what it put back be on its way
    )
    found = (await tx.execute(missed)).all()
    ids = {row.id for row, _ in found}
    for row, ticket in found:
        if row.chat_id != (group := desk.group(ticket)):
            row.chat_id, row.payload = group, _without_others(row.payload, ids)
        row.state, row.attempts, row.not_before, row.error = OutgoingState.WAITING, 0, None, None
        if row.id == ticket.card_id:
            await _promise_word(tx, ticket, row.id, now)
    await tx.execute(update(Outgoing).where(_says_lost(ids)).values(state=OutgoingState.WAITING))
    if found:
        news.tell(tx, "messages")
    return len(found)


def _says_lost(rows: Collection[int]) -> ColumnElement[bool]:
    """The rows that tell of these, should they fail, and have not yet."""
    unsaid = Outgoing.state.in_((OutgoingState.WAITING, OutgoingState.DROPPED))
    return Outgoing.after_id.in_(rows) & (Outgoing.after_state == OutgoingState.FAILED) & unsaid


async def _candidate_out_of_reach(tx: AsyncSession, desk: Desk, letter: Letter) -> None:
    """A line on the open ticket, once until the candidate writes again; below staff's own message it stands already."""
    if await _told_below(tx, letter.row_id):
        return
    candidates = select(Candidate.id, Chat.unreachable_since).join(Chat, Chat.id == Candidate.chat_id)
    row = (await tx.execute(candidates.where(Chat.id == letter.chat_id))).one_or_none()
    ticket = await open_ticket(tx, row.id) if row else None
    if row and ticket:
        text = texts(desk.language).staff_candidate_unreachable.format(candidate=row.id)
        key = f"ticket{ticket.id}:unreachable{row.unreachable_since.timestamp():.0f}"
        await tell(tx, desk, ticket, text, key=key)


async def _told_below(tx: AsyncSession, row_id: int) -> bool:
    """Whether a row waits for this one, or for the last part of its text, to fail."""
    key = (await tx.execute(select(Outgoing.key).where(Outgoing.id == row_id))).scalar_one()
    last = select(Outgoing.id).where(Outgoing.key == outbox.whole(key)).scalar_subquery()
    follower = exists().where(Outgoing.after_id == last, Outgoing.after_state == OutgoingState.FAILED)
    return bool(await tx.scalar(select(follower)))


async def _staff_out_of_reach(tx: AsyncSession, letter: Letter, contact: str | None) -> None:
    """The candidate must not go on waiting for a team that has not been asked."""
    cards = (Outgoing.id == letter.row_id) & (Outgoing.priority == Priority.CARD)
    of_row = select(Ticket).join(Outgoing, Outgoing.ticket_id == Ticket.id).where(cards)
    ticket = (await tx.execute(of_row.where(_MISSED))).scalar_one_or_none()
    if ticket is None:
        return
    # It is kept, and sent again: what waits to say that it could not be copied would not be so.
    await tx.execute(update(Outgoing).where(_says_lost([letter.row_id])).values(state=OutgoingState.DROPPED))
    log.error(
        "staff have not received a question",
        extra={
            "row": letter.row_id,
            "ticket": ticket.id,
            "hint": "run 'guichet doctor'; it is sent again at the start",
        },
    )
    if ticket.state is TicketState.CLOSED:  # they wait for nothing, and have been thanked
        return
    words = texts(spoken(ticket.language))
    text = words.team_unreachable
    if contact:
        text += "\n" + words.team_unreachable_contact.format(contact=contact)
    await _tell_candidate(tx, ticket, text, key=f"ticket{ticket.id}:unreached")


async def _promise_word(tx: AsyncSession, ticket: Ticket, card_id: int, now: datetime) -> None:
    """Once the card has arrived, the candidate hears that too, if they have heard of the trouble."""
    told = exists().where(Outgoing.key == f"ticket{ticket.id}:unreached")
    if await tx.scalar(select(told)):
        key = f"ticket{ticket.id}:reached{now.timestamp():.0f}"
        await _tell_candidate(tx, ticket, texts(spoken(ticket.language)).team_reached, key=key, after=card_id)


async def _tell_candidate(tx: AsyncSession, ticket: Ticket, text: str, *, key: str, after: int | None = None) -> None:
    candidate = await tx.get_one(Candidate, ticket.candidate_id)
    payload = {"text": text}
    await outbox.put(tx, candidate.chat_id, "sendMessage", payload, key=key, priority=Priority.NOTICE, after=after)


def _without_others(payload: Payload, ids: set[int]) -> Payload:
    """The payload for another group: what it names of messages and topics stays only if they go there as well."""

    def stays(value: Any) -> bool:
        rows = set(named(value))
        return bool(rows) and rows <= ids

    return {name: value for name, value in payload.items() if name not in DISPENSABLE or stays(value)}
