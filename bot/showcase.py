"""`guichet demo` as a page: the real bot, a Bot API server and the page, all on loopback, until somebody stops it."""

import asyncio
import os
import secrets
import shutil
import sys
import webbrowser
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

from pydantic import SecretStr
from rich.console import Console

from bot.app import Guichet, guichet, work
from bot.delivery.budgets import LIFTED
from bot.dialogue.guide import guide
from bot.listening import listening
from bot.menus import announce
from bot.sandbox.botapi import BotApi, serve
from bot.sandbox.page import Page, application
from bot.sandbox.view import Cast
from bot.settings import Settings
from bot.understanding import understood
from bot.watch.stopping import on_signals
from indexer.engine import Engine
from indexer.entries import LANGUAGES


def has_display() -> bool:
    """Whether a browser could be opened before somebody's eyes."""
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def aside(settings: Settings, folder: Path) -> Settings:
    """The same settings, with all that is written in a folder of its own; an index that exists is copied there."""
    own = {"data_dir": folder, "database_url": None, "webhook_url": None, "process_name": None, "admin_ids": ()}
    if settings.index_root.is_dir():
        shutil.copytree(settings.index_root, folder / "index")
    return settings.model_copy(update=own)


async def show(settings: Settings, engine: Engine, console: Console, *, browser: bool) -> None:
    """Serve the page until SIGINT or SIGTERM. What staff publish goes into a copy of the knowledge files."""
    token = secrets.token_urlsafe(24)
    api = BotApi(token=f"123456:{secrets.token_urlsafe(24)}", username="guichet_demo_bot")
    cast = people(api)
    async with AsyncExitStack() as ending:
        own = _own(settings, api, cast, await ending.enter_async_context(serve(api)))
        bot = await ending.enter_async_context(guichet(own, engine, LIFTED))
        page = application(await asyncio.to_thread(_page, api, cast, bot), token)
        ending.enter_context(on_signals(bot.loops.stop))
        port = await ending.enter_async_context(listening(page, "127.0.0.1", 0))
        ending.callback(api.events.publish, "closing")  # those who follow the events are let go first
        address = f"http://127.0.0.1:{port}/{token}/"
        console.print(f"\nThe demonstration is here: [bold]{address}[/bold]")
        console.print("It runs on this computer alone and forgets everything at its end. Ctrl-C ends it.")
        if browser:  # in a thread of its own, since some browsers let us wait until they are closed
            Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        await work(bot)
    console.print("The demonstration has ended; nothing of it is kept.")


def _own(settings: Settings, api: BotApi, cast: Cast, base_url: str) -> Settings:
    knowledge = shutil.copytree(settings.knowledge_dir, settings.data_dir / "knowledge")
    own: dict[str, Any] = {
        "telegram_token": SecretStr(api.token),
        "telegram_base_url": base_url,
        "staff_chat_id": cast.group.id,
        "knowledge_dir": Path(knowledge),
    }
    return settings.model_copy(update=own)


def people(api: BotApi) -> Cast:
    """Two candidates of each language, an administrator and a colleague, and their forum."""
    candidates = tuple(
        api.user(name, language_code=language)
        for name, language in (("Sara", "en"), ("Karim", "fr"), ("Tom", "en"), ("Inès", "fr"))
    )
    marie, paul = api.user("Marie", language_code="fr"), api.user("Paul", language_code="en")
    group = api.group("Admissions", forum=True, members=[paul], admins=[marie])
    return Cast(candidates, (marie, paul), group)


def _page(api: BotApi, cast: Cast, bot: Guichet) -> Page:
    deps = bot.deps
    engine, today = deps.live.engine, deps.local_now.date()
    asked = partial(understood, engine, limits=deps.limits, today=today)
    told: dict[str, Any] = {language: guide(asked, engine.snapshot.entries, language) for language in LANGUAGES}

    def speak(language: str) -> None:
        """Staff are written to in the language that the visitor reads."""
        if language not in LANGUAGES:
            raise ValueError(f"no such language: {language}")
        deps.settings = deps.settings.model_copy(update={"staff_language": language})
        deps.start(announce(bot.loops.application.bot, deps))

    return Page(api, cast, told, speak)
