"""The menus of commands that Telegram shows, by language and by role; what is as it should be is left alone."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeChatAdministrators,
    BotCommandScopeChatMember,
)
from telegram.error import TelegramError

from bot.delivery.retry import reason
from bot.dialogue.texts import texts
from bot.handlers.context import Deps
from bot.records.tables import Chat
from indexer.entries import LANGUAGES

log = logging.getLogger(__name__)

CANDIDATE = ("menu", "human", "status", "cancel", "language", "help", "privacy", "mydata", "forget", "start")
STAFF = tuple(
    "help tickets mine find ask assign release close delete mute unmute unban canned notify stats gaps".split()
)
ADMIN = ("export", "reindex", "rollback")  # refused to others


@dataclass(frozen=True, slots=True)
class Menu:
    """The commands that one kind of people see."""

    scope: BotCommandScope
    commands: tuple[BotCommand, ...]
    language: str | None = None  # of their Telegram; None for every other


async def announce(bot: Bot, deps: Deps) -> None:
    """Tell Telegram each menu that it shows otherwise; a bot without a menu still works."""
    async with deps.db.read() as tx:
        groups = (await tx.execute(select(Chat.telegram_id).where(Chat.id.in_(deps.groups.every)))).scalars().all()
    for menu in menus(deps, groups):
        try:
            if await bot.get_my_commands(menu.scope, menu.language) != menu.commands:
                await bot.set_my_commands(menu.commands, menu.scope, menu.language)
        except TelegramError as error:
            log.warning("menu of commands not set", extra={"error": reason(error), "scope": menu.scope.type})


def menus(deps: Deps, groups: Sequence[int]) -> Iterator[Menu]:
    """For candidates by the language of their Telegram; for staff in theirs, in each group; for admins some more."""
    candidate = ("course", *CANDIDATE) if deps.live.engine.school else CANDIDATE
    for language in LANGUAGES:
        words = texts(language)
        commands = tuple(BotCommand(name, getattr(words, f"menu_{name}")) for name in candidate)
        for code in (language, None) if language == "en" else (language,):
            yield Menu(BotCommandScopeAllPrivateChats(), commands, code)
    words, names = texts(deps.settings.staff_language), (*STAFF, "move") if len(groups) > 1 else STAFF
    for group in groups:
        staff = tuple(BotCommand(name, getattr(words, f"menu_staff_{name}")) for name in names)
        more = tuple(BotCommand(name, getattr(words, f"menu_staff_{name}")) for name in ADMIN)
        yield Menu(BotCommandScopeChat(group), staff)
        for scope in _admins(deps, group):
            yield Menu(scope, (*staff, *more))


def _admins(deps: Deps, group: int) -> list[BotCommandScope]:
    """Who may more than others: the people who are set, or else the group's administrators."""
    people = deps.settings.admin_ids
    if people:
        return [BotCommandScopeChatMember(group, person) for person in people]
    return [BotCommandScopeChatAdministrators(group)]
