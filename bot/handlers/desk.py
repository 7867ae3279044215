"""Staff's commands about tickets: who has one, lists, and what the assistant would answer."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import assert_never

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import ChatMemberAdministrator, ChatMemberOwner, MessageEntity, Update, User
from telegram import Message as Received
from telegram.error import TelegramError

from bot.delivery import inbox
from bot.delivery.retry import reason
from bot.desk import bans, cards, endings, listing, members, mutes, sending, tickets
from bot.dialogue import render
from bot.dialogue.cards import Found, found
from bot.dialogue.conversation import Part
from bot.dialogue.decide import Answer, Beside, Clarify, Escalate
from bot.dialogue.language import language as language_of
from bot.dialogue.message import Message
from bot.dialogue.rich import Rich, bold, join, plain
from bot.dialogue.signs import visible
from bot.dialogue.texts import texts
from bot.handlers import carrying, notices
from bot.handlers.asked import understand
from bot.handlers.context import Context, Deps, desk_of
from bot.handlers.lists import list_message, show_list
from bot.handlers.people import member_of
from bot.records.tables import Member, Ticket

log = logging.getLogger(__name__)


async def on_close(update: Update, context: Context) -> None:
    """/close as a reply to a card: the ticket ends, and the assistant answers first again."""
    deps, key = context.deps, f"u{update.update_id}"
    words = texts(deps.settings.staff_language)
    async with deps.db.begin() as tx:
        ticket = await _ticket(tx, update, deps)
        closed = ticket and await endings.close(tx, desk_of(deps), ticket, deps.now(), key=key, by_team=True)
        await notices.end(tx, deps, update, words.staff_closed if closed else words.staff_nothing_to_close)


async def on_release(update: Update, context: Context) -> None:
    """/release as a reply to a card: nobody has the ticket any more."""
    deps, words = context.deps, texts(context.deps.settings.staff_language)
    async with deps.db.begin() as tx:
        ticket = await _ticket(tx, update, deps)
        said = words.staff_nothing_to_release if ticket else words.staff_which_card
        if ticket and await tickets.release(tx, ticket.id):
            await cards.refresh(tx, desk_of(deps), ticket, key=f"u{update.update_id}")
            said = words.staff_released
        await notices.end(tx, deps, update, Message(said))


async def on_assign(update: Update, context: Context) -> None:
    """/assign @name as a reply to a card; without a name the bot offers administrators and those whom it has seen."""
    deps, received, key = context.deps, update.effective_message, f"u{update.update_id}"
    assert received
    words, administrators = texts(deps.settings.staff_language), await _administrators(received)
    async with deps.db.begin() as tx:
        await members.introduce(tx, administrators, deps.now(), deps.staff_chat)
        ticket = await _ticket(tx, update, deps)
        if ticket is None:
            await notices.end(tx, deps, update, words.staff_which_card)
        elif not argument(received) and not received.parse_entities([MessageEntity.TEXT_MENTION]):
            options = [
                (f"t:w:{ticket.id}:{one.chat_id}", one.name) for one in await members.latest(tx, deps.staff_chat)
            ]
            await sending.choose(tx, desk_of(deps), ticket, words.staff_assign_whom, options, key=key)
            await inbox.done(tx, update.update_id)
        else:
            chosen = await _named(tx, received, deps)
            said = words.staff_assign_unknown if chosen is None else words.staff_nothing_to_close
            if chosen and await tickets.assign(tx, ticket.id, chosen.chat_id):
                await cards.refresh(tx, desk_of(deps), ticket, key=key)
                said = words.staff_assigned.format(owner=chosen.name)
            await notices.end(tx, deps, update, Message(said))


async def _administrators(received: Received) -> list[User]:
    """People of whom Telegram tells even if they have never written; of other members it tells nothing."""
    try:
        found = await received.chat.get_administrators()
    except TelegramError as error:
        log.warning("administrators not seen", extra={"error": reason(error)})
        return []
    people = [
        one for one in found if isinstance(one, ChatMemberOwner | ChatMemberAdministrator) and not one.user.is_bot
    ]
    return [one.user for one in people if not one.is_anonymous]


async def on_move(update: Update, context: Context) -> None:
    """/move as a reply to a card: the bot offers the other groups."""
    deps, key = context.deps, f"u{update.update_id}"
    words, desk = texts(deps.settings.staff_language), desk_of(deps)
    async with deps.db.begin() as tx:
        ticket = await _ticket(tx, update, deps)
        if ticket is None or not sending.moves(desk, ticket):
            await notices.end(tx, deps, update, words.staff_move_nowhere if ticket else words.staff_which_card)
        else:
            await sending.choose(tx, desk, ticket, words.staff_move_where, sending.moves(desk, ticket), key=key)
            await inbox.done(tx, update.update_id)


async def on_unban(update: Update, context: Context) -> None:
    """/unban as a reply to a card, or with a pseudonym."""
    words = texts(context.deps.settings.staff_language)
    await _free(update, context.deps, bans.unban, words.staff_unbanned, words.staff_unban_whom)


async def on_mute(update: Update, context: Context) -> None:
    """/mute 2h, or 1d, or 7d, as a reply to a card: what the candidate writes until then reaches nobody."""
    deps, received, key = context.deps, update.effective_message, f"u{update.update_id}"
    assert received
    words, span = texts(deps.settings.staff_language), mutes.span(argument(received))
    async with deps.db.begin() as tx:
        ticket = await _ticket(tx, update, deps)
        if ticket is None or span is None:
            await notices.end(tx, deps, update, words.staff_mute_how if span is None else words.staff_which_card)
        elif await mutes.mute(tx, desk_of(deps), ticket, deps.now() + span, key=key):
            await inbox.done(tx, update.update_id)
        else:
            await notices.end(tx, deps, update, words.staff_mute_banned)


async def on_unmute(update: Update, context: Context) -> None:
    """/unmute as a reply to a card, or with a pseudonym."""
    words = texts(context.deps.settings.staff_language)
    unmute = partial(mutes.unmute, now=context.deps.now())
    await _free(update, context.deps, unmute, words.staff_unmuted, words.staff_unmute_whom)


async def _free(
    update: Update, deps: Deps, free: Callable[[AsyncSession, str], Awaitable[str | None]], freed: str, whom: str
) -> None:
    """Let somebody be heard again; `freed` says that they are, `whom` that nobody of that name is held back."""
    assert update.effective_message
    async with deps.db.begin() as tx:
        ticket = await _ticket(tx, update, deps)
        name = await free(tx, argument(update.effective_message) or (ticket.candidate_id if ticket else ""))
        await notices.end(tx, deps, update, Message(freed.format(candidate=name) if name else whom))


async def on_tickets(update: Update, context: Context) -> None:
    """/tickets: all that are open, oldest first."""
    await _list(update, context, "all")


async def on_mine(update: Update, context: Context) -> None:
    """/mine: those of the person who asks."""
    await _list(update, context, "mine")


async def _list(update: Update, context: Context, whose: str) -> None:
    deps = context.deps
    async with deps.db.begin() as tx:
        member = await member_of(tx, update, deps.now())
        key, place = f"u{update.update_id}", notices.topic_of(update)
        await show_list(tx, desk_of(deps), member, whose, 0, deps.now(), key=key, place=place)
        await inbox.done(tx, update.update_id)


async def on_find(update: Update, context: Context) -> None:
    """/find words: tickets whose question holds them all."""
    deps, received = context.deps, update.effective_message
    assert received
    words, wanted = texts(deps.settings.staff_language), argument(received)
    async with deps.db.begin() as tx:
        found = await listing.find(tx, wanted, here=desk_of(deps).holds())
        said = Message(words.staff_found_nothing if wanted else words.staff_find_what)
        if found:
            said = list_message(words.staff_found.format(count=len(found)), found, desk_of(deps), deps.now())
        await notices.end(tx, deps, update, said, f"u{update.update_id}:list")


async def on_ask(update: Update, context: Context) -> None:
    """/ask question: what the assistant would do with it, and how sure it is; nothing is recorded."""
    deps, received = context.deps, update.effective_message
    assert received
    staff, asked = deps.settings.staff_language, argument(received)
    message = Message(texts(staff).staff_ask_what)
    if asked:
        turn = await understand(deps, deps.live.engine, asked, language_of(asked, staff))
        parts = [_would(part, deps) for part in turn.parts]
        if turn.chat:
            parts = [join([bold(texts(staff).ask_chat), plain(getattr(texts(turn.language), turn.chat))])]
        if turn.courses or not (parts or turn.chat):
            parts = [plain(texts(staff).ask_course)]
        message = join(parts).message()
    await notices.say(update, deps, message)


def _would(part: Part, deps: Deps) -> Rich:
    """What would be done with one question, in the staff's language, with the entries that came near."""
    staff = deps.settings.staff_language
    words = texts(staff)
    listed = found([Found(hit.entry.question, hit.confidence) for hit in part.answers[:3]], staff)
    match part.decision:
        case Answer(entry, gist):
            title = bold(render.heading(entry, part.question))
            return join([bold(words.ask_answer), title, render.answer(entry, entry.language, gist), listed])
        case Clarify():
            return join([bold(words.ask_clarify), listed])
        case Escalate(reason):
            why = getattr(words, f"reason_{reason}")
            return join([bold(words.ask_escalate) + plain(f" ({why})"), listed])
        case Beside():
            return join([bold(words.ask_chat), plain(words.beside)])
        case _:
            assert_never(part.decision)


def argument(received: Received) -> str:
    """What follows a command, without what is not seen."""
    return visible(received.text or "").partition(" ")[2].strip()


async def _ticket(tx: AsyncSession, update: Update, deps: Deps) -> Ticket | None:
    """The ticket that a command is about."""
    received = update.effective_message
    return await carrying.ticket_of(tx, desk_of(deps), received) if received else None


async def _named(tx: AsyncSession, received: Received, deps: Deps) -> Member | None:
    """Whom a command names: somebody mentioned, or a name."""
    for entity in received.parse_entities([MessageEntity.TEXT_MENTION]):
        if entity.user:
            return await members.seen(tx, entity.user.id, entity.user.full_name, entity.user.username, deps.now())
    return await members.named(tx, argument(received), deps.staff_chat)
