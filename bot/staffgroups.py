"""The staff's groups: by our own ids, which outlast Telegram's, and whether they are forums."""

import hashlib
import logging

from telegram.error import TelegramError

from bot.delivery.retry import reason
from bot.desk.groups import Groups
from bot.handlers.context import App, Deps
from bot.records.people import chat_of
from bot.records.sessions import Database
from bot.records.states import ChatKind
from bot.records.tables import Chat, Setting
from bot.settings import Settings

log = logging.getLogger(__name__)


async def notice_topics(application: App, deps: Deps) -> None:
    """Whether the staff's groups are forums; later changes show in what is written there."""
    for own in deps.groups.every:
        async with deps.db.read() as tx:
            group = (await tx.get_one(Chat, own)).telegram_id
        try:
            forum = bool((await application.bot.get_chat(group)).is_forum)
        except TelegramError as error:
            log.warning("staff group not seen", extra={"error": reason(error)})
            continue
        async with deps.db.begin() as tx:
            (await tx.get_one(Chat, own)).forum = forum


async def staff_groups(db: Database, settings: Settings) -> Groups:
    """The staff's groups by our own ids."""
    main = settings.staff_chat_id or 0
    known = {main: await staff_chat(db, main)}
    for telegram_id in settings.routes.values():
        if telegram_id not in known:
            known[telegram_id] = await staff_chat(db, telegram_id, f"staff_chat:{_named(telegram_id)}")
    return Groups(known[main], {key: known[telegram_id] for key, telegram_id in settings.routes.items()})


def _named(telegram_id: int) -> str:
    return hashlib.sha256(str(telegram_id).encode()).hexdigest()[:16]


async def staff_chat(db: Database, telegram_id: int, setting: str = "staff_chat") -> int:
    """Our own id of a staff group; it stays the same when the group becomes a supergroup with another id."""
    asked = _named(telegram_id)
    async with db.begin() as tx:
        known = await tx.get(Setting, setting)
        if known and known.value.startswith(f"{asked}:"):
            return int(known.value.partition(":")[2])
        kind = ChatKind.SUPERGROUP if str(telegram_id).startswith("-100") else ChatKind.GROUP
        chat = await chat_of(tx, telegram_id, kind)
        await tx.merge(Setting(key=setting, value=f"{asked}:{chat.id}"))
        return chat.id
