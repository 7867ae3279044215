"""A candidate presses a button about a ticket: back to the assistant, a rating, not solved, the own name."""

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Update

from bot.desk import cards, endings, relay, tickets, wishes
from bot.dialogue.message import Message
from bot.dialogue.signs import clean
from bot.dialogue.texts import texts
from bot.handlers.context import Deps, desk_of
from bot.handlers.speaker import own, say, tongue
from bot.records.states import TicketState
from bot.records.tables import Candidate, Question, Ticket

NAME = 64  # characters


async def _back_to_the_bot(tx: AsyncSession, deps: Deps, candidate: Candidate, update: Update, rest: str) -> None:
    """The candidate goes back to the assistant: the ticket closes, and staff see it."""
    ticket, words, key = await _ticket(tx, candidate, rest), texts(tongue(candidate)), f"u{update.update_id}"
    if ticket and ticket.state is TicketState.CLOSED:
        newer = await tickets.hold_open(tx, candidate.id)
        # While nobody has that one, the assistant has never been away.
        ticket = newer if newer and newer.state is not TicketState.OPEN else None
    if ticket is None:
        await say(tx, candidate, Message(words.greeting), key)
        return
    told = texts(deps.settings.staff_language).staff_handed_back.format(candidate=candidate.known_as)
    await relay.tell(tx, desk_of(deps), ticket, told, key=key)
    await say(tx, candidate, await endings.parting(tx, ticket, words.bot_again), key)
    await endings.close(tx, desk_of(deps), ticket, deps.now(), key=key, by_team=False)


async def _rate(tx: AsyncSession, deps: Deps, candidate: Candidate, update: Update, rest: str) -> None:
    """One to five, for a ticket that staff answered."""
    number, _, rating = rest.partition(":")
    ticket, key = await _ticket(tx, candidate, number), f"u{update.update_id}"
    if ticket is None or not ticket.replied_at or rating not in map(str, endings.RATINGS):
        await say(tx, candidate, Message(texts(tongue(candidate)).choice_gone), key)
        return
    await endings.rate(tx, desk_of(deps), ticket, int(rating), key=key)


async def _not_solved(tx: AsyncSession, deps: Deps, candidate: Candidate, update: Update, rest: str) -> None:
    """The ticket opens again, with whoever had it."""
    ticket, words, key = await _ticket(tx, candidate, rest), texts(tongue(candidate)), f"u{update.update_id}"
    again = ticket is not None and await endings.reopen(tx, desk_of(deps), ticket, deps.now(), key=key)
    await say(tx, candidate, Message(words.reopened if again else words.reopened_not), key)


async def _share_name(tx: AsyncSession, deps: Deps, candidate: Candidate, update: Update, rest: str) -> None:
    """The name in Telegram, shown to staff from now on, by the person's own wish."""
    ticket, key, user = await _ticket(tx, candidate, rest), f"u{update.update_id}", update.effective_user
    assert user
    candidate.shown_name = clean(user.full_name or "", NAME) or candidate.id
    said = texts(tongue(candidate)).name_shared.format(name=candidate.shown_name)
    await say(tx, candidate, Message(said), key)
    if ticket:
        told = texts(deps.settings.staff_language).staff_named
        await relay.tell(
            tx, desk_of(deps), ticket, told.format(candidate=candidate.id, name=candidate.shown_name), key=key
        )
        await cards.refresh(tx, desk_of(deps), ticket, key=key)


async def _wish(tx: AsyncSession, deps: Deps, candidate: Candidate, update: Update, rest: str) -> None:
    """The candidate wants to hear, once, if an answer to their question is published."""
    question, words = await own(tx, Question, candidate, rest), texts(tongue(candidate))
    if question:
        await wishes.wish(tx, question, deps.now())
    await say(tx, candidate, Message(words.wish_kept if question else words.choice_gone), f"u{update.update_id}")


async def _ticket(tx: AsyncSession, candidate: Candidate, number: str) -> Ticket | None:
    return await own(tx, Ticket, candidate, number, with_for_update={"key_share": True})


AFTER: dict[str, Callable[[AsyncSession, Deps, Candidate, Update, str], Awaitable[None]]] = {
    "b": _back_to_the_bot,
    "r": _rate,
    "o": _not_solved,
    "s": _share_name,
    "w": _wish,
}
