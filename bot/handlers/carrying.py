"""What staff write in their group: carried to the candidate whom it concerns, or kept among them as a note."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Message, Update
from telegram.ext import filters

from bot.delivery import inbox
from bot.desk import cards, copies, edits, relay, removal, tickets, topics
from bot.desk.desk import Desk
from bot.desk.pieces import Piece, read
from bot.dialogue.texts import texts
from bot.handlers import notices
from bot.handlers.context import Context, Deps, desk_of
from bot.handlers.people import member_of
from bot.records.states import Direction, TicketState
from bot.records.tables import Candidate, Chat, Note, Ticket
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
    if await tickets.answered(tx, desk_of(deps), ticket, member.chat_id, deps.now()):
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
