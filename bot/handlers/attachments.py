"""What candidates send that is no text: carried to the team if they have a ticket; if not, a person is offered."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Update

from bot.delivery import outbox
from bot.desk import edits, endings, relay, removal, tickets
from bot.desk.pieces import Piece, read
from bot.desk.relay import SETTLED
from bot.dialogue.message import Button, Message
from bot.dialogue.render import Reason
from bot.dialogue.rich import plain
from bot.dialogue.texts import texts
from bot.handlers.context import Context, Deps, desk_of
from bot.handlers.escalation import escalate, passed_on, silent, unanswered
from bot.handlers.speaker import hearing, say, tongue
from bot.records.states import TicketState
from bot.records.tables import Candidate, Outgoing


async def on_own_delete(update: Update, context: Context) -> None:
    """A candidate's /delete as a reply to what they sent: it goes from the team's side too."""
    deps, received = context.deps, update.effective_message
    assert received
    key, piece = f"u{update.update_id}", read(received)
    async with hearing(update, deps) as (tx, candidate):
        words = texts(tongue(candidate))
        wish = removal.Wish(candidate.chat_id, received.message_id, words)
        if not (piece.reply_to and await removal.remove(tx, wish, piece.reply_to, own=True, key=key)):
            await say(tx, candidate, Message(words.delete_nothing_own), key)


async def from_candidate(update: Update, context: Context) -> None:
    """A picture, a file, a place …: to the team if they have a ticket; if not, a person is offered."""
    deps, received = context.deps, update.effective_message
    assert received
    key, piece = f"u{update.update_id}", read(received)
    async with hearing(update, deps) as (tx, candidate):
        words, desk, silenced = texts(tongue(candidate)), desk_of(deps), candidate.silenced(deps.now())
        new = not update.edited_message and not silenced
        is_remark = new and await remarked(tx, deps, candidate, piece, key)
        ticket = await tickets.hold_open(tx, candidate.id)
        if silenced or is_remark:
            pass
        elif update.edited_message:
            await edits.edit_added(tx, desk, piece, candidate.chat_id, deps.now(), key=key)
        elif not piece.kind:
            await say(tx, candidate, Message(words.cannot_carry), f"{key}:other")
        elif ticket:
            row = await relay.add(tx, desk, ticket, piece, candidate.chat_id, deps.now(), key=key)
            if ticket.state is TicketState.OPEN:
                await passed_on(tx, deps, candidate, piece, Message(words.follow_up), row, key=key)
            else:
                await silent(tx, deps, candidate, ticket, piece.message_id, row, key=key)
        else:
            await _offer_a_person(tx, deps, candidate, piece, key)


async def remarked(tx: AsyncSession, deps: Deps, candidate: Candidate, piece: Piece, key: str) -> bool:
    """Whether a message was carried as a remark on a rating.

    Who replies to another message of a ticket that is over is not done with it: it opens again.
    """
    found = await endings.replied_to(tx, candidate, piece.reply_to) if piece.reply_to else None
    if found is None:
        return False
    ticket, is_remark = found
    if not is_remark:
        await endings.reopen(tx, desk_of(deps), ticket, deps.now(), key=key)
    elif piece.kind:
        await endings.remark(tx, desk_of(deps), ticket, piece, deps.now(), key=key)
    return is_remark and bool(piece.kind)


async def _offer_a_person(tx: AsyncSession, deps: Deps, candidate: Candidate, piece: Piece, key: str) -> None:
    """Only text is read, but a person may be shown this. An album is asked about once."""
    name = f"offer{candidate.chat_id}:{piece.album}" if piece.album else key
    known = (await tx.execute(select(Outgoing).where(Outgoing.key == name).with_for_update())).scalar_one_or_none()
    row = known if known and relay.in_hand(known, deps.now()) else None
    words, sent = texts(tongue(candidate)), [piece.message_id]
    if row:
        sent = [*offered(offer_in(row)), *sent]
    button = Button(words.button_person, data=offer(sent))
    payload = plain(words.unsupported).message((button,)).payload()
    if row:
        row.payload = payload
    else:
        later = deps.now() + SETTLED if piece.album else None
        await outbox.put(tx, candidate.chat_id, "sendMessage", payload, key=key if known else name, not_before=later)


def offer(message_ids: list[int]) -> str:
    """A button's data for messages of the candidate's own: the first, and how far each is from it."""
    first = min(message_ids)
    return "v:" + ",".join(map(str, [first, *sorted(number - first for number in message_ids if number != first)]))


def offer_in(row: Outgoing) -> str:
    """The data of the button below what offers a person."""
    return str(row.payload["reply_markup"]["inline_keyboard"][0][0]["callback_data"])


def offered(data: str) -> list[int]:
    """The messages that a button is about; none for data that somebody made up.

    >>> offered("v:700,1,2")
    [700, 701, 702]
    """
    numbers = data.removeprefix("v:").split(",")
    if not all(number.isascii() and number.isdecimal() and len(number) < 11 for number in numbers):
        return []
    first, *more = map(int, numbers)
    return [first, *(first + number for number in more)][:10]


async def show_to_a_person(tx: AsyncSession, deps: Deps, candidate: Candidate, rest: str, key: str) -> None:
    """What the assistant could not read becomes the first message of a ticket."""
    sent, words = offered(rest), texts(tongue(candidate))
    if not sent:
        await say(tx, candidate, Message(words.choice_gone), key)
        return
    shown = texts(deps.settings.staff_language).card_not_text
    question = await unanswered(tx, deps, candidate, shown, tongue(candidate), Reason.UNREADABLE, sent[0])
    await escalate(tx, deps, candidate, question, Reason.UNREADABLE, (), key, note="unsupported_handed_over")
    ticket = await tickets.open_ticket(tx, candidate.id)
    assert ticket  # just opened, or there before
    await relay.show(tx, desk_of(deps), ticket, sent, candidate.chat_id, key=key)
