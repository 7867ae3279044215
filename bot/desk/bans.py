"""People whom the team no longer hears; what they write reaches nobody, and the bot keeps silent."""

from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.desk import cards, endings, relay, tickets
from bot.desk.desk import Desk
from bot.dialogue.message import Message
from bot.dialogue.texts import texts
from bot.records.tables import Ban, Candidate, Ticket


async def ban(tx: AsyncSession, desk: Desk, ticket: Ticket, now: datetime, *, key: str) -> None:
    """Ban a ticket's candidate, tell them once, and close the ticket, or a newer one. A muting is over with that."""
    candidate = await tx.get_one(Candidate, ticket.candidate_id)
    if await _changed(tx, candidate, banned_at=now):
        said = Message(texts(endings.tongue(ticket)).banned).payload()
        await outbox.put(tx, candidate.chat_id, "sendMessage", said, key=f"{key}:banned", ticket_id=ticket.id)
    await tickets.close(tx, ticket.id, now)
    if newer := await tickets.hold_open(tx, candidate.id):  # asked since the button was shown
        await tickets.close(tx, newer.id, now)
        await cards.refresh(tx, desk, newer, key=f"{key}:newer")
    await cards.refresh(tx, desk, ticket, key=key)
    told = texts(desk.language).staff_banned.format(candidate=candidate.known_as)
    await relay.tell(tx, desk, ticket, told, key=key)


async def unban(tx: AsyncSession, name: str) -> str | None:
    """Lift the ban of that pseudonym, in capitals or not, and say whose it was; None if nobody of it is banned."""
    candidate = (
        await tx.execute(select(Candidate).where(func.lower(Candidate.id) == name.lower()))
    ).scalar_one_or_none()
    if candidate and await _changed(tx, candidate, banned_at=None):
        return candidate.known_as
    forgotten = delete(Ban).where(func.lower(Ban.pseudonym) == name.lower(), Ban.until.is_(None))
    return (await tx.execute(forgotten.returning(Ban.pseudonym))).scalar_one_or_none()


async def _changed(tx: AsyncSession, candidate: Candidate, banned_at: datetime | None) -> bool:
    """Of two who ban, or lift a ban, at the same moment, one does."""
    other = Candidate.banned_at.is_not(None) if banned_at is None else Candidate.banned_at.is_(None)
    change = update(Candidate).where(Candidate.id == candidate.id, other).values(banned_at=banned_at, muted_until=None)
    return (await tx.execute(change.returning(Candidate.id))).scalar_one_or_none() is not None
