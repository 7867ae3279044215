"""Who of the staff wrote or pressed."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Update

from bot.desk import members
from bot.records.people import chat_id_of
from bot.records.tables import Member


async def member_of(tx: AsyncSession, update: Update, now: datetime) -> Member:
    """The member of staff, seen now; anonymous administrators are known by their title, or else by the group's name."""
    group = await _group(tx, update)
    message, user = update.message or update.edited_message, update.effective_user
    if message and message.sender_chat:
        name = message.author_signature or message.sender_chat.effective_name or ""
        return await members.seen(tx, message.sender_chat.id, name, None, now, message.sender_chat.type, group=group)
    assert user  # the routes let no other updates through
    return await members.seen(tx, user.id, user.full_name, user.username, now, group=group)


async def _group(tx: AsyncSession, update: Update) -> int:
    assert update.effective_chat  # staff write and press in a group
    return await chat_id_of(tx, update.effective_chat.id, update.effective_chat.type)
