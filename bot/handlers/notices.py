"""What staff are told in their group, where they wrote or pressed."""

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Update

from bot.delivery import inbox, outbox
from bot.delivery.files import put_file
from bot.delivery.outbox import Priority
from bot.delivery.references import Payload
from bot.dialogue.message import Message
from bot.dialogue.texts import texts
from bot.handlers.alerts import alert
from bot.handlers.context import Context, Deps
from bot.handlers.rights import Role, role


def topic_of(update: Update) -> Payload:
    """Where to answer what was said in a topic: there."""
    received = update.effective_message
    in_topic = received.message_thread_id if received and received.is_topic_message else None
    return {"message_thread_id": in_topic} if in_topic else {}


async def put(
    tx: AsyncSession, deps: Deps, update: Update, said: str | Message, key: str = "", *, below: bool = False
) -> int:
    """Say something in the topic that an update is from, perhaps `below` its message; the row that says it."""
    payload = (Message(said) if isinstance(said, str) else said).payload() | topic_of(update)
    if below:
        assert update.effective_message
        payload["reply_parameters"] = outbox.below(update.effective_message.message_id)
    key = key or f"u{update.update_id}"
    return await outbox.put(tx, deps.staff_chat, "sendMessage", payload, key=key, priority=Priority.NOTICE)


async def end(
    tx: AsyncSession, deps: Deps, update: Update, said: str | Message, key: str = "", *, below: bool = False
) -> int:
    """The same as the last that an update leads to."""
    row = await put(tx, deps, update, said, key, below=below)
    await inbox.done(tx, update.update_id)
    return row


async def say(update: Update, deps: Deps, said: str | Message, key: str = "") -> int:
    """The same as all that it leads to."""
    async with deps.db.begin() as tx:
        return await end(tx, deps, update, said, key)


async def send_file(
    update: Update, deps: Deps, kind: Literal["photo", "document"], name: str, content: bytes, said: str
) -> None:
    """The same with a file that quotes people's questions: rows whose key ends like this are emptied by /forget."""
    shown = {"caption": said, **topic_of(update)}
    async with deps.db.begin() as tx:
        await put_file(tx, deps.staff_chat, kind, name, content, key=f"u{update.update_id}:file:list", **shown)
        await inbox.done(tx, update.update_id)


async def over(update: Update, deps: Deps) -> None:
    """Nothing is said there."""
    async with deps.db.begin() as tx:
        await inbox.done(tx, update.update_id)


async def by_admin(update: Update, context: Context) -> bool:
    """Whether an admin wrote it; to others that is said, and no more."""
    if await role(update, context, Role.ADMIN) is Role.ADMIN:
        return True
    await say(update, context.deps, texts(context.deps.settings.staff_language).admins_only)
    return False


async def pressed_by(wanted: Role, update: Update, context: Context) -> bool:
    """Whether somebody of that role pressed it; to others that is said above the button, and no more."""
    assert update.callback_query
    if await role(update, context, wanted) >= wanted:
        return True
    words = texts(context.deps.settings.staff_language)
    await over(update, context.deps)
    await alert(update.callback_query, words.admins_only if wanted is Role.ADMIN else words.staff_members_only)
    return False
