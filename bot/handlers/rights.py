"""Who may do what: the only place that decides it, asked before every command and button of staff."""

from enum import IntEnum

from telegram import Chat, ChatMember, ChatMemberRestricted, Message, Update
from telegram.constants import ChatType
from telegram.error import TelegramError

from bot.handlers.context import Context
from bot.records.people import chat_id_of

GROUPS = (ChatType.GROUP, ChatType.SUPERGROUP)


class Role(IntEnum):
    """What somebody is where they speak; each may do what those below may."""

    NOBODY = 0
    STAFF = 1
    ADMIN = 2


async def group(context: Context, chat: Chat) -> int:
    """Our own id of the group that an update comes from, looked up once; if it is staff's, work for it."""
    if context.group is None:
        async with context.deps.db.begin() as tx:
            context.group = await chat_id_of(tx, chat.id, chat.type)
        if context.group in context.deps.groups.every:
            context.stand_in(context.group)
    return context.group


async def role(update: Update, context: Context, wanted: Role = Role.STAFF) -> Role:
    """The role of who wrote or pressed; admins are looked up only if `wanted`.

    What a button's data says counts for nothing here: only in which chat it stands, which Telegram vouches for. In a
    private group only members write and press; in a public one everybody can press, so Telegram is asked.
    """
    chat, user = update.effective_chat, update.effective_user
    if chat is None or chat.type not in GROUPS or await group(context, chat) != context.deps.staff_chat:
        return Role.NOBODY
    anonymous = _speaks_as(update.message or update.edited_message, chat)
    if anonymous is False or (user is None and not anonymous):
        return Role.NOBODY
    admins = context.deps.settings.admin_ids
    if wanted is Role.ADMIN and user and admins:
        return Role.ADMIN if user.id in admins else Role.STAFF
    if anonymous:
        return Role.ADMIN
    assert user
    if wanted is Role.ADMIN or chat.username:
        return await _in_group(context, chat, user.id)
    return Role.STAFF


def _speaks_as(message: Message | None, chat: Chat) -> bool | None:
    """True for the group itself, as its anonymous administrators do; False for another channel; None for a person."""
    sender = message.sender_chat if message else None
    return None if sender is None else sender.id == chat.id


def as_channel(message: Message) -> bool:
    """Whether somebody wrote this under a channel's name; not what Telegram itself brings from the group's channel."""
    return _speaks_as(message, message.chat) is False and not message.is_automatic_forward


async def _in_group(context: Context, chat: Chat, user_id: int) -> Role:
    try:
        member = await context.bot.get_chat_member(chat.id, user_id)
    except TelegramError:
        return Role.NOBODY if chat.username else Role.STAFF
    if member.status in (ChatMember.ADMINISTRATOR, ChatMember.OWNER):
        return Role.ADMIN
    inside = member.is_member if isinstance(member, ChatMemberRestricted) else member.status == ChatMember.MEMBER
    return Role.STAFF if inside or not chat.username else Role.NOBODY
