"""The staff's group: replies to candidates, and commands."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

from telegram import ChatMember, Message, Update

from bot.delivery import inbox
from bot.desk import copies, quoting, refusals
from bot.dialogue.texts import texts
from bot.handlers import canned, carrying, desk, gaps, insight, learning, notices, publishing, themes, topics, uploading
from bot.handlers.context import Context, Deps, desk_of
from bot.handlers.rights import Role, as_channel, group, role
from bot.records.people import chat_of

PRESENT = (ChatMember.MEMBER, ChatMember.ADMINISTRATOR, ChatMember.RESTRICTED)
ANY_BOT = re.compile(r"/[^\W_]\w*@\w+(?!\S)", re.ASCII)  # a command that names the bot it is for
NOTING_TRIES, NOTING_PAUSE = 50, 0.1  # seconds


async def on_group(update: Update, context: Context) -> None:
    """Whatever is said in a group: a command, a reply, or talk among people, which is none of the bot's business."""
    chat, received = update.effective_chat, update.effective_message
    assert chat
    assert received
    own = await group(context, chat)
    deps = context.deps
    command = _command(received, context.bot.username)
    if own != deps.staff_chat:
        if command:
            said = texts(deps.settings.staff_language).staff_group_id.format(id=chat.id)
            hourly = f"group{own}:{deps.now():%Y%m%d%H}"  # anybody may have a group, and write there without end
            await notices.say(update, replace(deps, staff_chat=own), said, hourly)
        return
    if not (command or update.edited_message) and ANY_BOT.match(received.text or ""):
        return
    answered = received.reply_to_message
    if answered and answered.from_user and answered.from_user.id == context.bot.id:
        await _noted(deps, received, answered)
    if (command or answered or received.is_topic_message) and await role(update, context) < Role.STAFF:
        if as_channel(received) and not update.edited_message:
            await _refuse(update, context, received, command)
        return
    if received.forum_topic_closed or received.forum_topic_reopened:
        await topics.on_topic(update, context)
    elif command and command != "note" and not update.edited_message:
        await COMMANDS.get(command, on_unknown)(update, context)
    else:
        for edit in (publishing.on_reason, learning.on_edit, canned.on_edit) if answered else ():
            if await edit(update, context):
                return
        if not await uploading.on_file(update, context):
            await carrying.from_staff(update, context)


async def on_membership(update: Update, context: Context) -> None:
    """The bot was added to the staff's group, or its rights there changed: what staff have missed is sent again."""
    deps, change = context.deps, update.my_chat_member
    assert change
    async with deps.db.begin() as tx:
        chat = await chat_of(tx, change.chat.id, change.chat.type)
        if chat.id in deps.groups.every and change.new_chat_member.status in PRESENT:
            await refusals.send_again(tx, desk_of(deps), deps.now())
        await inbox.done(tx, update.update_id)


def _command(received: Message, username: str) -> str | None:
    """The command that a message begins with, unless it is meant for another bot."""
    first = next(iter((received.text or "").split()), "")
    name, _, bot = first.removeprefix("/").partition("@")
    return (
        name.lower() if first.startswith("/") and name[:1].isalnum() and bot.lower() in ("", username.lower()) else None
    )


async def _noted(deps: Deps, received: Message, answered: Message) -> None:
    """Wait, within reason, for our note which ticket a message is of: a reply may be faster than that note.

    Where there will be none, since Telegram's answer never reached us, the message is known by its words.
    """
    for _ in range(NOTING_TRIES):
        async with deps.db.read() as tx:
            if await carrying.ticket_of(tx, desk_of(deps), received):
                return
            if not await copies.under_way(tx, deps.staff_chat):
                break
        await asyncio.sleep(NOTING_PAUSE)
    async with deps.db.begin() as tx:
        await quoting.recognise(tx, deps.staff_chat, answered.message_id, answered.text or "")


async def _refuse(update: Update, context: Context, received: Message, command: str | None) -> None:
    """What is written as a channel goes nowhere, since nobody knows who wrote it; if it was meant to, that is said."""
    deps = context.deps
    said = texts(deps.settings.staff_language).staff_as_channel
    async with deps.db.begin() as tx:
        if command or await carrying.ticket_of(tx, desk_of(deps), received):
            await notices.put(tx, deps, update, said, below=True)
        await inbox.done(tx, update.update_id)


async def on_help(update: Update, context: Context) -> None:
    """/help and /start in the staff's group."""
    await notices.say(update, context.deps, texts(context.deps.settings.staff_language).staff_help)


async def on_unknown(update: Update, context: Context) -> None:
    """A command that does not exist in the staff's group."""
    await notices.say(update, context.deps, texts(context.deps.settings.staff_language).staff_unknown_command)


COMMANDS: dict[str, Callable[[Update, Context], Awaitable[None]]] = {
    "start": on_help,
    "help": on_help,
    "tickets": desk.on_tickets,
    "mine": desk.on_mine,
    "find": desk.on_find,
    "ask": desk.on_ask,
    "assign": desk.on_assign,
    "release": desk.on_release,
    "close": desk.on_close,
    "move": desk.on_move,
    "delete": carrying.on_delete,
    "mute": desk.on_mute,
    "unmute": desk.on_unmute,
    "unban": desk.on_unban,
    "canned": canned.on_canned,
    "notify": themes.on_notify,
    "stats": insight.on_stats,
    "gaps": gaps.on_gaps,
    "export": insight.on_export,
    "reindex": publishing.on_reindex,
    "rollback": publishing.on_rollback,
}
