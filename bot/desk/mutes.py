"""People whom the team does not hear for a time: the same as a ban, but that it ends by itself."""

import re
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.desk import relay
from bot.desk.desk import Desk
from bot.dialogue import times
from bot.dialogue.message import Message
from bot.dialogue.texts import spoken, texts
from bot.records.tables import Ban, Candidate, Ticket
from indexer.entries import Language

USUAL = timedelta(days=1)
LONGEST = timedelta(days=30)  # beyond that it would be a ban
OFFERED = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))


def span(written: str) -> timedelta | None:
    """How long "1h", "2d" or, in French, "2j" is; a day if nothing is written; None for what is no such time.

    >>> span("7d")
    datetime.timedelta(days=7)
    """
    if not written:
        return USUAL
    found = re.fullmatch(r"([1-9]\d{0,2}) ?([hdj])", written.lower(), re.ASCII)
    if found is None:
        return None
    number = int(found[1])
    return min(timedelta(hours=number) if found[2] == "h" else timedelta(days=number), LONGEST)


def notice(candidate: Candidate, desk: Desk, language: Language) -> str:
    """What is told to somebody who is muted."""
    return texts(language).muted.format(until=_until(candidate, desk, language))


def farewell(candidate: Candidate, desk: Desk, language: Language, now: datetime) -> str:
    """What outlasts /forget of somebody whom the team does not hear; empty where nothing does."""
    if candidate.banned_at:
        return texts(language).forget_ban
    if candidate.silenced(now):
        return texts(language).forget_mute.format(until=_until(candidate, desk, language))
    return ""


async def mute(tx: AsyncSession, desk: Desk, ticket: Ticket, until: datetime, *, key: str) -> bool:
    """Mute a ticket's candidate, and tell them until when; False if they are banned. The ticket stays as it is."""
    free = (Candidate.id == ticket.candidate_id) & Candidate.banned_at.is_(None)
    muted = update(Candidate).where(free).values(muted_until=until).returning(Candidate.id)
    if (await tx.execute(muted)).scalar_one_or_none() is None:
        return False
    candidate = await tx.get_one(Candidate, ticket.candidate_id, populate_existing=True)
    said = Message(notice(candidate, desk, spoken(candidate.chosen_language or candidate.language))).payload()
    await outbox.put(tx, candidate.chat_id, "sendMessage", said, key=f"{key}:muted", ticket_id=ticket.id)
    told = texts(desk.language).staff_muted
    until_when = _until(candidate, desk, desk.language)
    await relay.tell(tx, desk, ticket, told.format(candidate=candidate.known_as, until=until_when), key=key)
    return True


async def unmute(tx: AsyncSession, name: str, now: datetime) -> str | None:
    """Let that pseudonym, in capitals or not, be heard again, and say whose it is; None if nobody of it is muted."""
    muted = (func.lower(Candidate.id) == name.lower()) & (Candidate.muted_until > now)
    candidate = (await tx.execute(select(Candidate).where(muted).with_for_update())).scalar_one_or_none()
    if candidate:
        candidate.muted_until = None
        said = Message(texts(spoken(candidate.chosen_language or candidate.language)).unmuted).payload()
        key = f"unmuted{candidate.chat_id}:{now.timestamp():.0f}"
        await outbox.put(tx, candidate.chat_id, "sendMessage", said, key=key)
        return candidate.known_as
    forgotten = delete(Ban).where(func.lower(Ban.pseudonym) == name.lower(), Ban.until.is_not(None))
    return (await tx.execute(forgotten.returning(Ban.pseudonym))).scalar_one_or_none()


def _until(candidate: Candidate, desk: Desk, language: Language) -> str:
    """The day and the time, in the school's zone."""
    assert candidate.muted_until
    here = candidate.muted_until.astimezone(desk.hours.zone)
    return texts(language).moment.format(day=times.day(here, language), time=times.clock(here, language))
