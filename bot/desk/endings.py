"""How a ticket ends: closed by either side, rated, opened again."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.timers import Payload
from bot.desk import cards, learning, relay, tickets, wishes
from bot.desk.desk import Desk
from bot.desk.pieces import Piece
from bot.dialogue.message import Button, Message
from bot.dialogue.rich import Rich, join, plain
from bot.dialogue.signs import clean
from bot.dialogue.texts import spoken, texts
from bot.records.states import TicketState
from bot.records.tables import Candidate, Outgoing, Ticket
from indexer.entries import Language

RATINGS = range(1, 6)
REMARK = 500  # characters


async def close(tx: AsyncSession, desk: Desk, ticket: Ticket, now: datetime, *, key: str, by_team: bool) -> bool:
    """Close a ticket and its card, and ask the candidate how it was; False if it was closed before."""
    if not await tickets.close(tx, ticket.id, now):
        return False
    words = texts(tongue(ticket))
    again = Button(words.button_not_solved, data=f"o:{ticket.id}")
    if by_team:
        await _say(tx, ticket, await parting(tx, ticket, words.closed_by_team, again), f"{key}:closed")
    if ticket.replied_at and ticket.rating is None:
        stars = tuple(Button(str(number), data=f"r:{ticket.id}:{number}") for number in RATINGS)
        await _say(tx, ticket, Message(words.rate_ask, buttons=(stars,)), f"{key}:rate")
    await cards.refresh(tx, desk, ticket, key=key)
    await learning.offer(tx, desk, ticket, key=key)
    return True


async def grown_quiet(tx: AsyncSession, payload: Payload, *, desk: Desk, now: datetime) -> None:
    """Close a ticket that staff have answered and nobody has written more to."""
    ticket = await tx.get(Ticket, payload["ticket"], with_for_update={"key_share": True})
    if ticket and ticket.answered_at and ticket.state is TicketState.WAITING:
        key = f"quiet{ticket.id}:{ticket.answered_at.timestamp():.0f}"
        await close(tx, desk, ticket, now, key=key, by_team=True)


async def parting(tx: AsyncSession, ticket: Ticket, said: str, *buttons: Button) -> Message:
    """What to say when a ticket ends; if it had no reply, with the offer to tell of an answer that is published."""
    wish = await wishes.left_by(tx, ticket)
    offer = texts(tongue(ticket)).wish_offer if wish else ""
    return join([plain(said), plain(offer)]).message(*((one,) for one in (*buttons, *wish)))


async def rate(tx: AsyncSession, desk: Desk, ticket: Ticket, rating: int, *, key: str) -> None:
    """Keep a rating from 1 to 5; the last one counts. The candidate may add a line, as a reply to what is said."""
    ticket.rating = rating
    shown = Message(texts(tongue(ticket)).rated).payload() | {"reply_markup": {"force_reply": True}}
    candidate = await tx.get_one(Candidate, ticket.candidate_id)
    await outbox.put(tx, candidate.chat_id, "sendMessage", shown, key=f"remark{ticket.id}:{key}", ticket_id=ticket.id)
    told = texts(desk.language).staff_rated.format(candidate=candidate.known_as, rating=rating)
    await relay.tell(tx, desk, ticket, told, key=key)
    await cards.refresh(tx, desk, ticket, key=key)


async def remark(tx: AsyncSession, desk: Desk, ticket: Ticket, piece: Piece, now: datetime, *, key: str) -> None:
    """Show staff what a candidate sends beside a rating, whatever it is, and keep its words."""
    ticket.remark = remembered(piece.said) or ticket.remark
    candidate = await tx.get_one(Candidate, ticket.candidate_id)
    await relay.add(tx, desk, ticket, piece, candidate.chat_id, now, key=key, remark=True)
    once = f"remark{candidate.chat_id}:{piece.album}" if piece.album else key  # for all parts of an album
    await _say(tx, ticket, Message(texts(tongue(ticket)).remark_thanks), f"{once}:thanks")


def remembered(said: Rich) -> str | None:
    """The beginning of a remark, as it is kept beside the rating."""
    return clean(said.text, REMARK) or None


def unsay(ticket: Ticket, row: Outgoing, part: int | None = None) -> None:
    """Keep the words of a remark no longer, if they are those of this copy, or of this part of an album."""
    if "text" in row.payload:
        said = [row.payload["text"].partition("\n")[2]]  # below the line that says whose it is
    else:
        shown = row.payload.get("media", [row.payload])
        said = [one.get("caption", "") for one in (shown if part is None else shown[part : part + 1])]
    if ticket.remark in [remembered(Rich(words)) for words in said]:
        ticket.remark = None


async def reopen(tx: AsyncSession, desk: Desk, ticket: Ticket, now: datetime, *, key: str) -> bool:
    """The candidate says that it is not solved; False if the ticket is open, or a newer one is."""
    if not await tickets.reopen(tx, desk, ticket, now):
        return False
    candidate = await tx.get_one(Candidate, ticket.candidate_id)
    told = texts(desk.language).staff_reopened.format(candidate=candidate.known_as)
    await relay.tell(tx, desk, ticket, told, key=key)
    await cards.refresh(tx, desk, ticket, key=key)
    return True


async def take_up(tx: AsyncSession, desk: Desk, ticket: Ticket, now: datetime, *, key: str) -> bool:
    """Staff open a closed ticket again, and the candidate hears of it; False if it is open, or they are banned."""
    candidate = await tx.get_one(Candidate, ticket.candidate_id)
    if candidate.banned_at or not await tickets.reopen(tx, desk, ticket, now):
        return False
    await _say(tx, ticket, Message(texts(tongue(ticket)).reopened), f"{key}:reopened")
    await cards.refresh(tx, desk, ticket, key=key)
    return True


async def replied_to(tx: AsyncSession, candidate: Candidate, message_id: int) -> tuple[Ticket, bool] | None:
    """The ticket whose message a candidate replies to, and whether that message asked for a remark."""
    ours = (Outgoing.chat_id == candidate.chat_id) & (Outgoing.message_id == message_id)
    row = (await tx.scalars(select(Outgoing).where(ours, Outgoing.ticket_id.is_not(None)))).first()
    ticket = await tx.get(Ticket, row.ticket_id) if row else None
    if row is None or ticket is None or ticket.candidate_id != candidate.id:
        return None
    return ticket, row.key.startswith("remark")


def tongue(ticket: Ticket) -> Language:
    """The language of a ticket's question."""
    return spoken(ticket.language)


async def _say(tx: AsyncSession, ticket: Ticket, message: Message, key: str) -> None:
    candidate = await tx.get_one(Candidate, ticket.candidate_id)
    await outbox.put(tx, candidate.chat_id, "sendMessage", message.payload(), key=key, ticket_id=ticket.id)
