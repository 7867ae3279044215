"""Erasing what is held of a person, or of what is past its period, with all that refers to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import ColumnElement, CursorResult, UpdateBase, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.records import bans
from bot.records.sessions import erases
from bot.records.states import OutgoingState, ProposalState, UpdateState
from bot.records.tables import (
    Attachment,
    Candidate,
    Chat,
    Outgoing,
    Proposal,
    Question,
    Relay,
    Ticket,
    Topic,
    Update,
    utc_now,
)

TELLING = 8  # characters: a shorter text may be anybody's


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was erased of a person."""

    questions: int
    tickets: int
    messages: int
    updates: int


async def forget(tx: AsyncSession, candidate_id: str, *, keep: int | None = None) -> Forgotten:
    """Erases what is held of a person, except a ban or muting, and the row `keep`: a last message, still to be sent.

    Staff's copies of their tickets lose their text and their link to the person. Updates not handled yet
    stay until they are: they may be newer than the wish to be forgotten. With `keep`, chat and message
    remain until the sender has dealt with that message and calls `remove_forgotten`.
    """
    erases(tx)
    candidate = await tx.get_one(Candidate, candidate_id)
    chat_id = candidate.chat_id
    await bans.keep(tx, candidate)
    tickets = select(Ticket.id).where(Ticket.candidate_id == candidate_id)
    others = Outgoing.id != (keep or 0)
    own = (Outgoing.chat_id == chat_id) & others
    await tx.execute(update(Outgoing).where(Outgoing.id == keep).values(after_id=None, after_state=None))
    # What staff asked for quotes many people's questions; a long text is several rows.
    lists = or_(Outgoing.key.endswith(":list"), Outgoing.key.contains(":list#"))
    await _blank(tx, or_(Outgoing.ticket_id.in_(tickets), own, lists) & others)
    await tx.execute(delete(Attachment).where(Attachment.outgoing_id.in_(select(Outgoing.id).where(lists))))
    await tx.execute(delete(Relay).where(or_(Relay.ticket_id.in_(tickets), Relay.chat_id == chat_id)))
    await tx.execute(update(Outgoing).where(Outgoing.ticket_id.in_(tickets)).values(ticket_id=None))
    topics = select(Topic.outgoing_id).where(Topic.candidate_id == candidate_id)
    await _blank(tx, Outgoing.id.in_(topics))
    await tx.execute(delete(Topic).where(Topic.candidate_id == candidate_id))
    unpublished = Proposal.ticket_id.in_(tickets) & (Proposal.state != ProposalState.PUBLISHED)
    await tx.execute(delete(Proposal).where(unpublished))
    await _remove_proposals_with_questions_of(tx, candidate_id)
    closed = await _count(tx, delete(Ticket).where(Ticket.candidate_id == candidate_id))
    await _forget_quotations(tx, candidate)
    asked = await _count(tx, delete(Question).where(Question.candidate_id == candidate_id))
    sent = await delete_outgoing(tx, own)
    handled = (Update.chat_id == chat_id) & (Update.state != UpdateState.NEW)
    received = await _count(tx, update(Update).where(handled).values(raw=None, chat_id=None))
    await tx.delete(candidate)
    await tx.flush()
    await tx.execute(update(Chat).where(Chat.id == chat_id).values(forgotten_at=utc_now()))
    await remove_forgotten(tx, chat_id)
    return Forgotten(asked, closed, sent, received)


async def _remove_proposals_with_questions_of(tx: AsyncSession, candidate_id: str) -> None:
    """Proposals that quote several people's questions, unless they are published."""
    own = set((await tx.execute(select(Question.id).where(Question.candidate_id == candidate_id))).scalars())
    quoting = Proposal.first_question.is_not(None) & (Proposal.state != ProposalState.PUBLISHED)
    rows = (await tx.execute(select(Proposal.id, Proposal.questions).where(quoting))).all()
    gone = [number for number, questions in rows if own & set(questions)]
    await tx.execute(delete(Proposal).where(Proposal.id.in_(gone)))


async def remove_forgotten(tx: AsyncSession, chat_id: int) -> bool:
    """Removes a forgotten chat once nothing waits to be sent there; True if it did."""
    waiting = exists().where(Outgoing.chat_id == chat_id, Outgoing.state == OutgoingState.WAITING)
    gone = select(Chat.id).where(Chat.id == chat_id, Chat.forgotten_at.is_not(None), ~waiting)
    if (await tx.execute(gone)).scalar_one_or_none() is None:
        return False
    erases(tx)
    await delete_outgoing(tx, Outgoing.chat_id == chat_id)
    await tx.execute(delete(Chat).where(Chat.id == chat_id))
    return True


async def _forget_quotations(tx: AsyncSession, candidate: Candidate) -> None:
    """Empties updates of others that were set aside and quote the person: a reply holds what it replies to."""
    mine = select(Question.text).where(Question.candidate_id == candidate.id)
    said = {text for text in (await tx.execute(mine)).scalars() if len(text) > TELLING}
    traces = {candidate.id, *said, *filter(None, [candidate.shown_name])}
    kept = select(Update.seq, Update.raw).where(Update.state == UpdateState.SET_ASIDE, Update.raw.is_not(None))
    rows = (await tx.execute(kept)).all()
    quoting = [row.seq for row in rows if any(trace in one for one in _strings(row.raw) for trace in traces)]
    await tx.execute(update(Update).where(Update.seq.in_(quoting)).values(raw=None))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


async def _blank(tx: AsyncSession, which: ColumnElement[bool]) -> None:
    """Empties rows of the outbox; those not sent yet are dropped."""
    await tx.execute(update(Outgoing).where(which).values(payload={}))
    waiting = update(Outgoing).where(which, Outgoing.state == OutgoingState.WAITING)
    await tx.execute(waiting.values(state=OutgoingState.DROPPED))


async def delete_outgoing(tx: AsyncSession, which: ColumnElement[bool]) -> int:
    """Deletes rows of the outbox; what was to follow them is dropped."""
    ids: Sequence[int] = (await tx.execute(select(Outgoing.id).where(which))).scalars().all()
    followers = update(Outgoing).where(Outgoing.after_id.in_(ids))
    dropped = followers.where(Outgoing.state == OutgoingState.WAITING, Outgoing.id.not_in(ids))
    await tx.execute(dropped.values(state=OutgoingState.DROPPED, payload={}))
    await tx.execute(followers.where(Outgoing.id.not_in(ids)).values(payload={}))  # they tell of what is gone
    await tx.execute(followers.values(after_id=None))
    return await _count(tx, delete(Outgoing).where(Outgoing.id.in_(ids)))


async def delete_tickets(tx: AsyncSession, which: ColumnElement[bool]) -> None:
    """Deletes tickets with all messages about them, and what was proposed of them unless it was published."""
    ids = (await tx.execute(select(Ticket.id).where(which))).scalars().all()
    about = Outgoing.ticket_id.in_(ids)
    await tx.execute(delete(Relay).where(Relay.ticket_id.in_(ids)))
    await tx.execute(update(Ticket).where(Ticket.id.in_(ids)).values(card_id=None))
    answers = select(Outgoing.id).where(about)
    await tx.execute(update(Question).where(Question.answer_id.in_(answers)).values(answer_id=None))
    await delete_outgoing(tx, about)
    await tx.execute(delete(Proposal).where(Proposal.ticket_id.in_(ids), Proposal.state != ProposalState.PUBLISHED))
    await tx.execute(delete(Ticket).where(Ticket.id.in_(ids)))


async def _count(tx: AsyncSession, statement: UpdateBase) -> int:
    return cast(CursorResult[object], await tx.execute(statement)).rowcount
