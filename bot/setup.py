"""`guichet setup`: from a token to a bot that is ready, by questions; what it learns goes into `.env`."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
from dotenv import dotenv_values
from pydantic import SecretStr
from telegram import Bot
from telegram.error import ChatMigrated, Conflict, InvalidToken, TelegramError

from bot import envfile
from bot.checkup import report, show
from bot.console import out
from bot.delivery.calls import call
from bot.delivery.loops import ALLOWED
from bot.doctor import staff_group
from bot.indexing import build_for
from bot.settings import ENV_FILE, TELEGRAM, Settings, SettingsError, env_lines, load_settings, unreadable, variable
from indexer import store

LONG_POLL = 20  # seconds
PAUSE = 1.0  # seconds between looks while updates wait that must not be confirmed
PATIENCE = 900  # seconds to write a message in the group
MOST = 100  # updates that Telegram shows at once: newer ones are not seen behind them


class SetupError(Exception):
    """Setting up cannot go on; the message says why and what to do."""


@dataclass(slots=True)
class Answers:
    """What is known by name of the setting: what was answered, and what `.env` or the environment said before."""

    known: dict[str, str]
    given: dict[str, str] = field(default_factory=dict)

    def before(self, setting: str) -> str:
        """The value so far; empty for none."""
        return self.given.get(setting) or self.known.get(variable(setting), "")


async def set_up() -> bool:
    """Ask for everything, write `.env`, and show what the doctor finds; True without a fault.

    Raises SetupError, or SettingsError.
    """
    if problems := unreadable(env_lines()):
        raise SettingsError(problems)
    written = {name: value for name, value in dotenv_values(ENV_FILE, encoding="utf-8").items() if value}
    answers = Answers(written | {name: value for name, value in os.environ.items() if value})
    base_url = answers.before("telegram_base_url") or TELEGRAM
    token = await _token(answers, base_url)
    answers.given["telegram_token"] = token
    asked = typer.prompt("Language of cards and notices for staff, fr or en", answers.before("staff_language") or "en")
    answers.given["staff_language"] = "fr" if str(asked).strip().lower().startswith("fr") else "en"
    try:
        async with Bot(token, base_url=base_url) as bot:
            answers.given["staff_chat_id"] = str(await _group(bot, answers))
    except Conflict:
        raise SetupError("Another process asks Telegram with this token: stop it, then run this again.") from None
    except TelegramError as error:
        raise _out_of_reach(error) from None
    _responsible(answers)
    _save(answers, written)
    _index(load_settings())
    out.print("\nguichet doctor")
    return await report()


def _out_of_reach(error: TelegramError) -> SetupError:
    remedy = "check the network and GUICHET_TELEGRAM_BASE_URL"
    return SetupError(f"Telegram cannot be reached ({type(error).__name__}): {remedy}. Nothing was written.")


async def _token(answers: Answers, base_url: str) -> str:
    """A token that Telegram knows."""
    known = answers.before("telegram_token")
    while True:
        hint = " (Enter keeps the one that is set)" if known else ""
        asked = typer.prompt(
            f"Token of the bot, from /newbot at @BotFather{hint}",
            known,
            hide_input=sys.stdin.isatty(),
            show_default=False,
        )
        known = ""
        try:
            token = Settings.token_shape(SecretStr(str(asked)))
            assert token
            async with Bot(token.get_secret_value(), base_url=base_url) as bot:
                out.print(f"This is @{bot.username}.", markup=False)
            return token.get_secret_value()
        except ValueError as error:
            out.print(f"No: {error}.", markup=False)
        except InvalidToken:
            out.print("Telegram does not know this token: copy it again from @BotFather.")
        except TelegramError as error:
            raise _out_of_reach(error) from None


async def _group(bot: Bot, answers: Answers) -> int:
    """The staff's group: the one that is set, or one in which somebody writes now; its rights are looked at."""
    group = await _kept(bot, answers.before("staff_chat_id")) or await _detected(bot)
    try:
        group = (await bot.get_chat(group)).id
    except ChatMigrated as error:
        group = error.new_chat_id
    while True:
        found = [finding async for finding in staff_group(bot, group, "GUICHET_STAFF_CHAT_ID")]
        for finding in found:
            show(finding)
        if all(one.grade == "ok" for one in found) or not typer.confirm("Mend it and look again?", default=False):
            return group


async def _kept(bot: Bot, known: str) -> int | None:
    """The group that is set already, if the bot sees it and it is to stay."""
    if known in ("", "0"):
        return None
    try:
        title = (await bot.get_chat(known)).effective_name
    except TelegramError:
        out.print("The staff group that is set is not one that the bot sees.")
        return None
    return int(known) if typer.confirm(f"Keep {title!r} as the staff group?", default=True) else None


async def _detected(bot: Bot) -> int:
    await _without_webhook(bot)
    out.print(
        f"Add @{bot.username} to your staff group, make it an administrator there, and write\n"
        f"    /start@{bot.username}\nin the group. Waiting for it (Ctrl-C ends this) …",
        markup=False,
    )
    async for chat in _groups(bot):
        shown = f"{chat.get('title')!r} ({chat['type']}, {chat['id']})"
        if typer.confirm(f"Is {shown} your staff group?", default=True):
            return int(chat["id"])
        out.print("Then write in the right one. Waiting …")
    raise SetupError("No group was heard of: check that the bot is in it, then run this again. Nothing was written.")


async def _without_webhook(bot: Bot) -> None:
    """Telegram does not tell what is written while it posts updates elsewhere."""
    if not (await bot.get_webhook_info()).url:
        return
    if not typer.confirm("A webhook is set, so that nothing is heard here. Remove it?", default=False):
        raise SetupError("With a webhook the group cannot be detected: set GUICHET_STAFF_CHAT_ID yourself.")
    await bot.delete_webhook()


async def _groups(bot: Bot) -> AsyncIterator[dict[str, Any]]:
    """The groups that updates come from. None is confirmed: what candidates write meanwhile waits for the bot."""
    seen: set[int] = set()
    end = asyncio.get_running_loop().time() + PATIENCE
    wanted = {"timeout": LONG_POLL, "allowed_updates": list(ALLOWED)}
    while asyncio.get_running_loop().time() < end:
        updates = await call(bot, "getUpdates", wanted, read_timeout=LONG_POLL + 10)
        for chat in filter(None, map(_chat, updates)):
            if chat["id"] not in seen:
                seen.add(chat["id"])
                yield chat
        if len(updates) >= MOST:
            raise SetupError(
                "So many messages wait for the bot that newer ones are not seen. Run 'guichet run' with "
                "GUICHET_STAFF_CHAT_ID=0 and write /start in the group: the bot tells its id."
            )
        await asyncio.sleep(PAUSE if updates else 0)


def _chat(update: dict[str, Any]) -> dict[str, Any] | None:
    """The group in which something was written, or which the bot was added to."""
    content = update.get("message") or update.get("my_chat_member") or {}
    chat: dict[str, Any] = content.get("chat") or {}
    gone = content.get("new_chat_member", {}).get("status") in ("left", "kicked")
    return chat if chat.get("type") in ("group", "supergroup") and not gone else None


def _responsible(answers: Answers) -> None:
    """Who answers for what the bot says; nobody as long as it is a demonstration."""
    out.print("Who is responsible? As long as either is empty, the bot says that it is a demonstration.")
    for setting, asked in (
        ("operator", "School or organisation, as candidates know it"),
        ("privacy_contact", "Whom to ask about personal data, such as an e-mail address"),
    ):
        known = answers.before(setting)
        answers.given[setting] = str(typer.prompt(asked, known, show_default=bool(known))).strip()


def _save(answers: Answers, written: dict[str, str]) -> None:
    """Write what is new into `.env`, after asking if there is one."""
    path = Path(ENV_FILE)
    given = {variable(name): value for name, value in answers.given.items() if value}
    new = {name: value for name, value in given.items() if written.get(name) != value}
    if not new:
        path.chmod(0o600)
        out.print(f"{path.absolute()} stays as it is.", markup=False)
        return
    if path.exists():
        asked = f"Set {', '.join(new)} in {path.absolute()}? Its other lines stay."
        if not typer.confirm(asked, default=True):
            raise SetupError("Nothing was written.")
    envfile.write(path, new)
    out.print(f"Written to {path.absolute()}, which you alone can read.", markup=False)
    for name, value in new.items():
        if os.environ.get(name) not in (None, "", value):
            out.print(f"{name} is also set in the environment, which goes before the file: unset it there.")


def _index(settings: Settings) -> None:
    """The first index, if there is none."""
    missing = store.live(settings.index_root) is None and not settings.shared
    if missing and typer.confirm(f"There is no index yet. Build it from {settings.knowledge_dir} now?", default=True):
        build_for(settings)
