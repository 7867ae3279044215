"""The life of a ticket: open, claimed, waiting for the candidate, closed; and back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.delivery import timers
from bot.desk import cards, copies, relay, reminders, topics
from bot.desk.desk import Desk
from bot.desk.pieces import Piece
from bot.dialogue.render import Reason
from bot.dialogue.rich import Rich
from bot.dialogue.signs import clean
from bot.records.states import Direction, TicketState
from bot.records.tables import Candidate, Collision, Question, Relay, Ticket
from bot.records.upsert import insert_new
from indexer.passages import Hit

SHOWN_HITS = 3
_OPEN = select(Ticket).where(Ticket.candidate_id == bindparam("candidate"), Ticket.state != TicketState.CLOSED)
_HELD = _OPEN.with_for_update(key_share=True).execution_options(populate_existing=True)


async def open_ticket(tx: AsyncSession, candidate_id: str) -> Ticket | None:
    """The candidate's ticket that is not closed, if there is one."""
    return (await tx.execute(_OPEN, {"candidate": candidate_id})).scalar_one_or_none()


async def hold_open(tx: AsyncSession, candidate_id: str) -> Ticket | None:
    """As `open_ticket`, for who adds to it: nobody closes it before this transaction ends."""
    return (await tx.execute(_HELD, {"candidate": candidate_id})).scalar_one_or_none()


async def hand_over(
    tx: AsyncSession,
    desk: Desk,
    candidate: Candidate,
    question: Question,
    reason: Reason,
    hits: Sequence[Hit],
    now: datetime,
    *,
    key: str,
) -> int | None:
    """Open a ticket with its card; None if the candidate already has one: the question is then added to it.

    Two messages that arrive at the same moment are settled by the database, which allows one open ticket a candidate.
    """
    group = desk.route(question.course, question.topic)
    values: dict[str, Any] = {
        "candidate_id": candidate.id,
        "course": question.course,
        "language": question.language,
        "group_chat_id": None if group == desk.known.main else group,
        "reason": reason.value,
        "question_id": question.id,
        "found": found(hits),
        "opened_at": now,
        "asked_at": now,
    }
    while (ticket_id := await insert_new(tx, Ticket, Ticket.id, state=TicketState.OPEN, **values)) is None:
        if ticket := await hold_open(tx, candidate.id):  # else somebody has closed it in between
            said = Piece(question.message_id or 0, "text", Rich(clean(question.text)))
            await relay.add(tx, desk, ticket, said, candidate.chat_id, now, key=key)
            await written(tx, desk, ticket, now)
            return None
    ticket = await tx.get_one(Ticket, ticket_id)
    await topics.enter(tx, desk, ticket)
    card = await cards.post(tx, desk, ticket, key=f"card{ticket_id}")
    if question.message_id is not None:
        await copies.remember(tx, ticket_id, Direction.TO_STAFF, candidate.chat_id, question.message_id, card)
    await reminders.start(tx, desk, ticket_id, now)
    return ticket_id


def found(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """What a ticket keeps of the best hits: entry, its question, confidence."""
    best = hits[:SHOWN_HITS]
    return [{"entry": hit.entry.id, "question": hit.entry.question, "confidence": hit.confidence} for hit in best]


async def claim(tx: AsyncSession, ticket_id: int, member: int) -> bool:
    """Somebody takes a ticket that nobody has; False if another was faster, or it is closed."""
    free = (Ticket.id == ticket_id) & (Ticket.state == TicketState.OPEN)
    return await _changed(tx, free, state=TicketState.CLAIMED, owner_chat_id=member)


async def assign(tx: AsyncSession, ticket_id: int, member: int) -> bool:
    """Give a ticket to somebody, whoever has it now; False if it is closed."""
    alive = (Ticket.id == ticket_id) & (Ticket.state != TicketState.CLOSED)
    taken = case((Ticket.state == TicketState.OPEN, TicketState.CLAIMED), else_=Ticket.state)
    return await _changed(tx, alive, state=taken, owner_chat_id=member)


async def release(tx: AsyncSession, ticket_id: int) -> bool:
    """Give a ticket back to the team; False if nobody has it."""
    taken = (Ticket.id == ticket_id) & Ticket.state.in_((TicketState.CLAIMED, TicketState.WAITING))
    return await _changed(tx, taken, state=TicketState.OPEN, owner_chat_id=None, hushed_at=None)


async def answered(tx: AsyncSession, desk: Desk, ticket: Ticket, member: int | None, now: datetime) -> bool:
    """A reply went out: its author has the ticket unless a colleague does, and it is the candidate's turn.

    A closed ticket opens again, unless the candidate is banned or has a newer one open: nothing changes, and False.
    """
    await _only_one_opens(tx, ticket)
    banned = exists().where(Candidate.id == ticket.candidate_id, Candidate.banned_at.is_not(None))
    mine = (Ticket.id == ticket.id) & ~_another_open(ticket) & ~banned
    await reminders.start_quiet(tx, desk, ticket.id, now)
    return await _changed(
        tx,
        mine,
        state=TicketState.WAITING,
        owner_chat_id=func.coalesce(Ticket.owner_chat_id, member),
        asked_at=None,
        replied_at=func.coalesce(Ticket.replied_at, now),
        answered_at=now,
        closed_at=None,
    )


async def unanswered(tx: AsyncSession, desk: Desk, ticket: Ticket, now: datetime) -> bool:
    """The last reply was taken back before it went: it is the team's turn, unless they had answered before."""
    carried = select(Relay.direction).where(Relay.ticket_id == ticket.id).order_by(Relay.id.desc())
    ways = (await tx.scalars(carried)).all()
    if Direction.TO_CANDIDATE not in ways:
        await _changed(tx, Ticket.id == ticket.id, replied_at=None, answered_at=None)
    return ways[:1] != [Direction.TO_CANDIDATE] and await written(tx, desk, ticket, now)


async def written(tx: AsyncSession, desk: Desk, ticket: Ticket, now: datetime) -> bool:
    """The candidate wrote: it is the team's turn; False if it was already."""
    theirs = (Ticket.id == ticket.id) & (Ticket.state == TicketState.WAITING)
    taken = case((Ticket.owner_chat_id.is_(None), TicketState.OPEN), else_=TicketState.CLAIMED)
    turned = await _changed(tx, theirs, state=taken, asked_at=now)
    if turned:
        await reminders.start(tx, desk, ticket.id, now)
    return turned


async def hushed(tx: AsyncSession, ticket_id: int, now: datetime) -> bool:
    """Note that the candidate knows that a person has the ticket; False if that was said before."""
    return await _changed(tx, (Ticket.id == ticket_id) & Ticket.hushed_at.is_(None), hushed_at=now)


async def close(tx: AsyncSession, ticket_id: int, now: datetime) -> bool:
    """Close a ticket; False if it was closed before."""
    alive = (Ticket.id == ticket_id) & (Ticket.state != TicketState.CLOSED)
    await timers.cancel(tx, reminders.key(ticket_id))
    return await _changed(tx, alive, state=TicketState.CLOSED, closed_at=now, asked_at=None)


async def reopen(tx: AsyncSession, desk: Desk, ticket: Ticket, now: datetime) -> bool:
    """Open a closed ticket again, with whoever had it; False if it is open, or the candidate has a newer one."""
    await _only_one_opens(tx, ticket)
    over = (Ticket.id == ticket.id) & (Ticket.state == TicketState.CLOSED) & ~_another_open(ticket)
    taken = case((Ticket.owner_chat_id.is_(None), TicketState.OPEN), else_=TicketState.CLAIMED)
    again = await _changed(tx, over, state=taken, asked_at=now, closed_at=None, hushed_at=None)
    if again:
        await reminders.start(tx, desk, ticket.id, now)
    return again


async def collides(tx: AsyncSession, ticket: Ticket, member: int) -> bool:
    """Whether somebody writes in a colleague's ticket and has not been told so before."""
    if ticket.owner_chat_id in {None, member} or ticket.state is TicketState.CLOSED:
        return False
    told = await insert_new(tx, Collision, Collision.ticket_id, ticket_id=ticket.id, chat_id=member)
    return told is not None


async def _only_one_opens(tx: AsyncSession, ticket: Ticket) -> None:
    """Whoever opens a ticket of a candidate holds that candidate's row: the next one sees what the first has done."""
    await tx.execute(select(Candidate.id).where(Candidate.id == ticket.candidate_id).with_for_update(key_share=True))


def _another_open(ticket: Ticket) -> ColumnElement[bool]:
    other = aliased(Ticket)
    same = (other.candidate_id == ticket.candidate_id) & (other.id != ticket.id)
    return exists().where(same, other.state != TicketState.CLOSED)


async def _changed(tx: AsyncSession, which: ColumnElement[bool], **values: Any) -> bool:
    """One conditional UPDATE: of several at the same moment, one succeeds."""
    await tx.flush()
    done = update(Ticket).where(which).values(values).returning(Ticket.id)
    changed = (await tx.execute(done, execution_options={"synchronize_session": False})).scalar_one_or_none()
    if changed is not None and (known := await tx.get(Ticket, changed)) is not None:
        await tx.refresh(known)
    return changed is not None
