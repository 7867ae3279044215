"""What is carried between candidates and staff: texts in the group, anything but a text from candidates."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Message, Update
from telegram.ext import filters

from bot.delivery import inbox, outbox
from bot.desk import cards, copies, edits, endings, relay, removal, tickets, topics
from bot.desk.desk import Desk
from bot.desk.pieces import Piece, read
from bot.desk.relay import SETTLED
from bot.dialogue.message import Button
from bot.dialogue.message import Message as Said
from bot.dialogue.render import Reason
from bot.dialogue.rich import plain
from bot.dialogue.texts import texts
from bot.handlers import notices
from bot.handlers.context import Context, Deps, desk_of
from bot.handlers.escalation import added_key, escalate, silent, unanswered
from bot.handlers.people import member_of
from bot.handlers.speaker import say, tongue, who
from bot.records.states import Direction, TicketState
from bot.records.tables import Candidate, Chat, Note, Outgoing, Ticket
from bot.records.upsert import insert_new

ASIDE = ("//", "/note")  # a message that begins so stays among staff


async def from_staff(update: Update, context: Context) -> None:
    """What staff write in a candidate's topic, or as a reply to their messages, goes to that candidate."""
    deps, received = context.deps, update.effective_message
    assert received
    key = f"u{update.update_id}"
    async with deps.db.begin() as tx:
        await _notice_topics(tx, deps, received)
        piece = read(received)
        said: str | None = None
        if filters.StatusUpdate.ALL.check_update(update) or received.is_automatic_forward:
            pass
        elif update.edited_message:
            said = await _change(tx, deps, received, piece, key)
        elif not await _stays_among_staff(tx, deps, piece, key):
            said = await _pass_on(tx, deps, update, piece, key)
        if said:
            await notices.put(tx, deps, update, said, below=True)
        await inbox.done(tx, update.update_id)


async def _notice_topics(tx: AsyncSession, deps: Deps, received: Message) -> None:
    """A group may become a forum at any time, and a group without topics again."""
    staff = await tx.get_one(Chat, deps.staff_chat)
    staff.forum = bool(received.chat.is_forum)


async def _stays_among_staff(tx: AsyncSession, deps: Deps, piece: Piece, key: str) -> bool:
    """A note, a reply to one, or a part of an album with a note as its caption, which stands at one part alone."""
    if not (piece.said.text.startswith(ASIDE) or await _is_note(tx, deps, piece.reply_to, piece.album)):
        return False
    before = await _withdrawn(tx, deps, piece.album, key) if piece.album else ()
    for message_id in (*before, piece.message_id):
        await insert_new(tx, Note, Note.id, chat_id=deps.staff_chat, message_id=message_id, album=piece.album)
    return True


async def _withdrawn(tx: AsyncSession, deps: Deps, album: str, key: str) -> list[int]:
    """The parts of an album that waited to be carried when one came that makes a note of it: they stay as well."""
    desk = desk_of(deps)
    parts = await relay.withdraw(tx, desk.chat, album, deps.now())
    ticket = await tx.get_one(Ticket, parts[0].ticket_id) if parts else None
    if ticket and await tickets.unanswered(tx, desk, ticket, deps.now()):
        await cards.refresh(tx, desk, ticket, key=key)
    return [part.message_id for part in parts]


async def _is_note(tx: AsyncSession, deps: Deps, message_id: int | None, album: str | None = None) -> bool:
    same = Note.message_id == message_id
    if album:
        same |= Note.album == album
    return bool(await tx.scalar(select(exists().where(Note.chat_id == deps.staff_chat, same))))


async def _change(tx: AsyncSession, deps: Deps, received: Message, piece: Piece, key: str) -> str | None:
    """Carry staff's edit over to the candidate; what to say to staff if the candidate does not get it.

    A note stays one, whatever it is changed to: what was said among staff must not go out by a slip.
    """
    words, desk = texts(deps.settings.staff_language), desk_of(deps)
    if copy := await copies.copy_of(tx, desk.chat, piece.message_id, Direction.TO_CANDIDATE):
        if piece.said.text.startswith(ASIDE):
            return words.staff_edit_aside
        return None if await edits.edit_reply(tx, desk, copy, piece, key=key) else words.staff_edited
    aside = piece.said.text.startswith(ASIDE) or await _is_note(tx, deps, piece.reply_to)
    if not aside and await _is_note(tx, deps, piece.message_id) and await ticket_of(tx, desk, received):
        return words.staff_note_edited
    return None


async def _pass_on(tx: AsyncSession, deps: Deps, update: Update, piece: Piece, key: str) -> str | None:
    """Carry it to the candidate whom it concerns; what to say to staff instead, if anything."""
    received = update.effective_message
    assert received
    words, desk = texts(deps.settings.staff_language), desk_of(deps)
    ticket = await ticket_of(tx, desk, received)
    if ticket and piece.kind:
        await relay.reply(tx, desk, ticket, piece, deps.now(), key=key)
        return await replied(tx, update, deps, ticket)
    if ticket:
        return words.staff_unsupported
    return words.staff_no_match if await _meant_for_somebody(tx, desk, received, piece) else None


async def _meant_for_somebody(tx: AsyncSession, desk: Desk, received: Message, piece: Piece) -> bool:
    """Whether a message of no ticket here looks like one: below the bot's own or what was carried, in its topic, or
    among the replies to its card.
    """
    answered, thread = received.reply_to_message, received.message_thread_id
    if answered and answered.from_user and answered.from_user.id == received.get_bot().id:
        return True  # in a topic that the bot made, also what replies to nothing
    if piece.reply_to and await copies.copy_of(tx, desk.chat, piece.reply_to):
        return True
    if thread is None:
        return False
    return await (topics.made if received.is_topic_message else cards.outlived)(tx, desk, thread)


async def replied(tx: AsyncSession, update: Update, deps: Deps, ticket: Ticket) -> str | None:
    """Note that a member of staff wrote to a candidate; what to say if a colleague has the ticket, or of a ban."""
    member = await member_of(tx, update, deps.now())
    collision = await tickets.collides(tx, ticket, member.chat_id)
    name = await cards.owner(tx, ticket)
    if await tickets.answered(tx, ticket, member.chat_id, deps.now()):
        await cards.refresh(tx, desk_of(deps), ticket, key=f"u{update.update_id}")
    words, candidate = texts(deps.settings.staff_language), await tx.get_one(Candidate, ticket.candidate_id)
    if candidate.banned_at:
        return words.staff_replied_banned.format(candidate=candidate.known_as)
    return words.staff_collision.format(owner=name or words.staff_somebody) if collision else None


async def ticket_of(tx: AsyncSession, desk: Desk, received: Message) -> Ticket | None:
    """The ticket of this group that a message there is about: by what it replies to, or by its topic.

    In a topic stand all tickets of a candidate: a reply to one that is closed is about the one that is open, if any.
    """
    answered, thread = received.reply_to_message, received.message_thread_id if received.is_topic_message else None
    by_reply = await copies.ticket_of_reply(tx, desk.chat, answered.message_id) if answered else None
    found = by_reply if by_reply and desk.here(by_reply) else None
    if thread and (by_reply is None or (found and found.state is TicketState.CLOSED)):
        of_topic = await topics.ticket_of_thread(tx, desk, thread)
        if found is None or (of_topic and of_topic.state is not TicketState.CLOSED):
            return of_topic
    return found


async def on_delete(update: Update, context: Context) -> None:
    """/delete as a reply: the message and its copy are deleted."""
    deps, received = context.deps, update.effective_message
    assert received
    words, key, piece = texts(deps.settings.staff_language), f"u{update.update_id}", read(received)
    wish = removal.Wish(deps.staff_chat, received.message_id, words)
    async with deps.db.begin() as tx:
        if not (piece.reply_to and await removal.remove(tx, wish, piece.reply_to, own=False, key=key)):
            await notices.put(tx, deps, update, words.delete_nothing, below=True)
        await inbox.done(tx, update.update_id)


async def on_own_delete(update: Update, context: Context) -> None:
    """A candidate's /delete as a reply to what they sent: it goes from the team's side too."""
    deps, received = context.deps, update.effective_message
    assert received
    key, piece = f"u{update.update_id}", read(received)
    async with deps.db.begin() as tx:
        candidate = await who(tx, update)
        words = texts(tongue(candidate))
        wish = removal.Wish(candidate.chat_id, received.message_id, words)
        if not (piece.reply_to and await removal.remove(tx, wish, piece.reply_to, own=True, key=key)):
            await say(tx, candidate, Said(words.delete_nothing_own), key)
        await inbox.done(tx, update.update_id)


async def from_candidate(update: Update, context: Context) -> None:
    """A picture, a file, a place …: to the team if they have a ticket; if not, a person is offered."""
    deps, received = context.deps, update.effective_message
    assert received
    key, piece = f"u{update.update_id}", read(received)
    async with deps.db.begin() as tx:
        candidate = await who(tx, update)
        words, desk, silenced = texts(tongue(candidate)), desk_of(deps), candidate.silenced(deps.now())
        new = not update.edited_message and not silenced
        is_remark = new and await remarked(tx, deps, candidate, piece, key)
        ticket = await tickets.hold_open(tx, candidate.id)
        if silenced or is_remark:
            pass
        elif update.edited_message:
            await edits.edit_added(tx, desk, piece, candidate.chat_id, deps.now(), key=key)
        elif not piece.kind:
            await say(tx, candidate, Said(words.cannot_carry), f"{key}:other")
        elif ticket:
            row = await relay.add(tx, desk, ticket, piece, candidate.chat_id, deps.now(), key=key)
            if ticket.state is TicketState.OPEN:
                await say(tx, candidate, Said(words.follow_up), added_key(candidate, piece, key))
            else:
                await silent(tx, deps, candidate, ticket, piece.message_id, row, key=key)
        else:
            await _offer_a_person(tx, deps, candidate, piece, key)
        await inbox.done(tx, update.update_id)


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
        sent = [*offered(row.payload["reply_markup"]["inline_keyboard"][0][0]["callback_data"]), *sent]
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
        await say(tx, candidate, Said(words.choice_gone), key)
        return
    shown = texts(deps.settings.staff_language).card_not_text
    question = await unanswered(tx, deps, candidate, shown, tongue(candidate), Reason.UNREADABLE, sent[0])
    await escalate(tx, deps, candidate, question, Reason.UNREADABLE, (), key, note="unsupported_handed_over")
    ticket = await tickets.open_ticket(tx, candidate.id)
    assert ticket  # just opened, or there before
    await relay.show(tx, desk_of(deps), ticket, sent, candidate.chat_id, key=key)
