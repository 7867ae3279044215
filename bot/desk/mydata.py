"""Everything that is held of a person, gathered for that person."""

import json
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk import reminders, themes
from bot.dialogue.mydata import Record, Word
from bot.dialogue.texts import spoken, texts
from bot.records.states import OutgoingState, ProposalState
from bot.records.tables import (
    Candidate,
    Chat,
    Outgoing,
    Proposal,
    Question,
    Relay,
    Subscription,
    Theme,
    Ticket,
    Timer,
    Update,
    UtcTime,
    Wish,
    Wording,
)


async def gather(tx: AsyncSession, candidate: Candidate, zone: tzinfo) -> Record:
    """All rows that concern a candidate, oldest first; times in that zone."""
    mine = select(Ticket).where(Ticket.candidate_id == candidate.id).order_by(Ticket.id)
    tickets = (await tx.scalars(mine)).all()
    ids = [ticket.id for ticket in tickets]
    shown = Outgoing.ticket_id.in_(ids) & (Outgoing.chat_id != candidate.chat_id)
    both = Relay.ticket_id.in_(ids) | (Relay.chat_id == candidate.chat_id)
    found: dict[str, Any] = {
        "about": await _about(tx, candidate),
        "questions": await _questions(tx, candidate),
        "subscriptions": await _subscriptions(tx, candidate),
        "requests": [_request(ticket, candidate) for ticket in tickets],
        "sent": await _messages(tx, Outgoing.chat_id == candidate.chat_id),
        "shown": await _messages(tx, shown),
        "proposals": await _proposals(tx, ids),
        "received": await _received(tx, candidate.chat_id),
        "copies": list(await tx.scalars(select(Relay.message_id).where(both).order_by(Relay.id))),
        "reminders": await _reminders(tx, ids),
    }
    return {name: _local(value, zone) for name, value in found.items()}


def _local(value: Any, zone: tzinfo) -> Any:
    if isinstance(value, dict):
        return {name: _local(item, zone) for name, item in value.items()}
    if isinstance(value, list):
        return [_local(item, zone) for item in value]
    return value.astimezone(zone) if hasattr(value, "astimezone") else value


async def _about(tx: AsyncSession, candidate: Candidate) -> Record:
    chat = await tx.get_one(Chat, candidate.chat_id)
    return {
        "known_as": candidate.id,
        "shown_name": candidate.shown_name,
        "chat": chat.telegram_id,
        "language": candidate.language,
        "chosen_language": candidate.chosen_language,
        "course": candidate.course,
        "first_seen": candidate.created_at,
        "last_seen": candidate.last_seen_at,
        "banned": candidate.banned_at,
        "muted": candidate.muted_until,
        "out_of_reach": chat.unreachable_since,
    }


async def _questions(tx: AsyncSession, candidate: Candidate) -> list[Record]:
    asked = select(Question, Wish).outerjoin(Wish, Wish.question_id == Question.id)
    rows = await tx.execute(asked.where(Question.candidate_id == candidate.id).order_by(Question.id))
    return [
        {
            "asked": question.asked_at,
            "text": question.text,
            "language": question.language,
            "course": question.course,
            "topic": question.topic,
            "changed": question.edited_at,
            "outcome": Word(question.decision),
            "reason": _reason(question.reason, candidate),
            "entry": question.entry_id,
            "near": question.alternatives or None,
            "likelihood": question.confidence,
            "feedback": Word(question.feedback) if question.feedback else None,
            "wish": wish and wish.wished_at,
            "told": wish and wish.told_at,
        }
        for question, wish in rows
    ]


async def _subscriptions(tx: AsyncSession, candidate: Candidate) -> list[Record]:
    language = spoken(candidate.chosen_language or candidate.language)
    asked = select(Theme, Subscription.since).join(Subscription)
    rows = await tx.execute(asked.where(Subscription.candidate_id == candidate.id).order_by(Theme.id))
    return [{"text": themes.title(theme, language), "asked_for": since} for theme, since in rows]


def _reason(reason: str | None, candidate: Candidate) -> str | None:
    """Why a question went to the team, in words."""
    return reason and getattr(texts(spoken(candidate.language)), f"reason_{reason}", reason)


def _request(ticket: Ticket, candidate: Candidate) -> Record:
    return {
        "opened": ticket.opened_at,
        "state": Word(ticket.state),
        "course": ticket.course,
        "reason": _reason(ticket.reason, candidate),
        "near": [one["question"] for one in ticket.found] or None,
        "replied": ticket.replied_at,
        "ended": ticket.closed_at,
        "rating": ticket.rating,
        "remark": ticket.remark,
    }


async def _messages(tx: AsyncSession, which: ColumnElement[bool]) -> list[Record]:
    """What was or is to be sent, without mere changes of buttons and signs."""
    there = Outgoing.state.in_((OutgoingState.SENT, OutgoingState.WAITING))
    sent = which & there & Outgoing.method.regexp_match("^(send|copy)")
    rows = await tx.scalars(select(Outgoing).where(sent).order_by(Outgoing.id))
    return [
        {
            "at": row.sent_at or row.created_at,
            "what": Word(row.method),
            "text": _said(row.payload),
        }
        for row in rows
    ]


def _said(payload: dict[str, Any]) -> str | None:
    """The words of a message; none of one whose text depends on how another ends."""
    said = payload.get("text") or payload.get("caption")
    return said if isinstance(said, str) else None


async def _proposals(tx: AsyncSession, tickets: Sequence[int]) -> list[Record]:
    """Not those that were published: they are masked, approved, and everybody's."""
    made = select(Wording).join(Proposal, Proposal.id == Wording.proposal_id)
    unpublished = Proposal.ticket_id.in_(tickets) & (Proposal.state != ProposalState.PUBLISHED)
    rows = await tx.scalars(made.where(unpublished).order_by(Proposal.id))
    return [{"language": row.language, "question": row.question, "reply": row.answer} for row in rows]


async def _received(tx: AsyncSession, chat_id: int) -> list[Record]:
    columns = select(Update.received_at, Update.kind, Update.raw).where(Update.chat_id == chat_id)
    rows = await tx.execute(columns.order_by(Update.seq))
    return [
        {"at": row.received_at, "what": Word(row.kind), "content": row.raw and json.dumps(row.raw, ensure_ascii=False)}
        for row in rows
    ]


async def _reminders(tx: AsyncSession, tickets: Sequence[int]) -> list[Record]:
    due = select(func.min(Timer.due_at, type_=UtcTime)).where(Timer.key.in_([reminders.key(one) for one in tickets]))
    first = await tx.scalar(due)
    return [{"at": first}] if first else []
