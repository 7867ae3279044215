"""The composition root: the only place where the parts are put together, and the table of routes."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from telegram import Update
from telegram.error import InvalidToken, NetworkError, RetryAfter
from telegram.ext import (
    Application,
    BaseHandler,
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    ContextTypes,
    InlineQueryHandler,
    MessageHandler,
    filters,
)

from bot.backup import bring_up_to_date
from bot.clock import clock
from bot.delivery.budgets import Limits as Budgets
from bot.delivery.loops import Intake, Loops, TokenRefusedError, run
from bot.delivery.processes import unique_name
from bot.delivery.requests import AiohttpRequest
from bot.delivery.retry import backoff, reason
from bot.delivery.timers import hurry
from bot.delivery.wake import unless, wait
from bot.desk import ageing, refusals, reminders, retention, setbacks
from bot.desk import learning as proposing
from bot.desk.desk import Desk
from bot.doors import doors
from bot.handlers import (
    attachments,
    buttons,
    candidate,
    canned,
    commands,
    gaps,
    inline,
    learning,
    menu,
    mydata,
    publishing,
    staff,
    themes,
    uploading,
)
from bot.handlers.busy import shown_as_typing
from bot.handlers.context import App, Context, Deps, desk_of
from bot.handlers.pace import paced
from bot.handlers.rights import GROUPS, group
from bot.menus import announce
from bot.publishing.live import Live
from bot.publishing.replica import replica_of
from bot.publishing.searcher import Searcher
from bot.records.sessions import open_database
from bot.records.tables import utc_now
from bot.settings import Settings
from bot.staffgroups import notice_topics, staff_groups
from bot.watch.memory import give_back
from bot.watch.stopping import on_signals
from bot.watch.watch import Watch
from bot.watch.watchdog import watchdog
from indexer.engine import Engine

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Guichet:
    """A bot put together: its loops, and what its handlers work with."""

    loops: Loops
    deps: Deps


@asynccontextmanager
async def guichet(
    settings: Settings, engine: Engine, budgets: Budgets | None = None, now: Callable[[], datetime] = utc_now
) -> AsyncIterator[Guichet]:
    """Everything that a running bot needs, migrated and known to Telegram; closed at the end."""
    async with assembled(settings, engine, Searcher(), budgets, now) as bot, in_touch(bot):
        yield bot


@asynccontextmanager
async def assembled(
    settings: Settings,
    engine: Engine,
    searcher: Searcher,
    budgets: Budgets | None = None,
    now: Callable[[], datetime] = utc_now,
) -> AsyncIterator[Guichet]:
    """All parts, on tables that are up to date, before the first word with Telegram."""
    settings.make_data_dir()
    db = open_database(settings.database)
    try:
        await bring_up_to_date(db, settings)
        application = build_application(settings)
        groups = await staff_groups(db, settings)
        replica = replica_of(db, settings.index_root, settings.kept_indexes)
        live = Live(engine, settings.knowledge_dir, settings.index_root, settings.max_wrong, replica)
        deps = Deps(settings, db, live, now, groups.main, groups, searcher)
        application.bot_data["deps"] = deps
        desk = desk_of(deps)
        await _take_up(deps, desk)
        loops = Loops(
            db,
            application,
            watch=Watch(metrics=deps.metrics),
            name=settings.process_name or unique_name(),
            limits=budgets or Budgets(),
            refused=partial(refusals.heard, desk=desk, contact=settings.privacy_contact),
            now=now,
            timers=clock(deps),
            on_set_aside=lambda tx, row, error: setbacks.heard(tx, row, error, desk=desk, now=now()),
        )
        yield Guichet(loops, deps)
        for task in deps.tasks:
            task.cancel()
    finally:
        await db.close()


async def _take_up(deps: Deps, desk: Desk) -> None:
    """What an earlier life left undone goes on, and what is done at its time is planned."""
    now = deps.now()
    async with deps.db.begin() as tx:
        await refusals.send_again(tx, desk, now)
        if not deps.db.postgresql:  # there is no other process that may be at it
            await hurry(tx, (proposing.PUBLISHING, uploading.READING), now)
        for group in deps.groups.every:
            await reminders.plan_digest(tx, replace(desk, chat=group), now, keep=True)
        await ageing.plan(tx, desk, now)
        await retention.plan(tx, desk, now)


@asynccontextmanager
async def in_touch(bot: Guichet) -> AsyncIterator[bool]:
    """From the first word with Telegram, however long that takes, to the last; False if the wish to stop came first."""
    application = bot.loops.application
    if not await initialize(application, bot.loops.stop):
        await application.bot.shutdown()
        yield False
        return
    await notice_topics(application, bot.deps)
    async with application:
        yield True


async def serve(
    settings: Settings,
    engine: Engine,
    started: asyncio.Event | None = None,
    budgets: Budgets | None = None,
    searcher: Searcher | None = None,
) -> None:
    """Run until SIGINT or SIGTERM, with the searcher's process if it has one; it ends with this.

    Raises TokenRefusedError, AddressRefusedError, NameTakenError or FileGoneError.
    """
    async with (
        searcher or Searcher() as found,
        assembled(settings, engine, found, budgets) as bot,
        surroundings(bot) as intake,
        in_touch(bot) as reached,
    ):
        if reached:
            await work(bot, intake, started)
    log.info("stopped")


async def work(bot: Guichet, intake: Intake | None = None, started: asyncio.Event | None = None) -> None:
    """All that a bot does between start and stop."""
    beside = asyncio.gather(
        bot.deps.live.follow(bot.loops.stop),
        announce(bot.loops.application.bot, bot.deps),
        give_back(bot.loops.stop),
    )
    log.info("started", extra={"snapshot": bot.deps.live.engine.snapshot.id})
    if started:
        started.set()
    try:
        await run(bot.loops, intake)
    finally:
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)


@asynccontextmanager
async def surroundings(bot: Guichet) -> AsyncIterator[Intake]:
    """Signals, figures, watchdog and doors around the loops; yields how updates come in."""
    loops, watch = bot.loops, bot.loops.watch
    with on_signals(loops.stop), watch.metrics.counting_errors():
        async with watchdog(watch.beats, bot.deps.settings.watchdog_seconds), doors(loops, bot.deps) as intake:
            yield intake


async def initialize(application: App, stop: asyncio.Event) -> bool:
    """Learn from Telegram who the bot is, however long Telegram is out of reach; raises TokenRefusedError.

    False if `stop` is set before.
    """
    failures = 0
    while not stop.is_set():
        try:
            await unless(stop, application.initialize())
        except InvalidToken:
            await application.bot.shutdown()
            raise TokenRefusedError from None  # the library's own error quotes the token
        except (NetworkError, RetryAfter) as error:
            log.warning("Telegram out of reach, will try again", extra={"error": reason(error)})
            await wait(stop, backoff(failures).total_seconds())
            failures += 1
        else:
            return not stop.is_set()
    return False


def build_application(settings: Settings) -> App:
    """The library's application with our routes: no updater, no job queue, no rate limiter of its own."""
    assert settings.telegram_token  # `run` requires it
    way = AiohttpRequest()
    application = (
        Application.builder()
        .token(settings.telegram_token.get_secret_value())
        .base_url(settings.telegram_base_url)
        .base_file_url(settings.file_base_url)
        .request(way)
        .get_updates_request(way)
        .updater(None)
        .job_queue(None)
        .context_types(ContextTypes(context=Context))
        .build()
    )
    for handler in routes():
        application.add_handler(handler)
    return application


def routes() -> list[BaseHandler[Update, Context, None]]:
    """Who is speaking, and about what: the first that fits handles the update; one that fits none is done with."""
    private, group = filters.ChatType.PRIVATE, filters.ChatType.GROUPS
    words = (filters.TEXT | filters.CAPTION) & ~filters.COMMAND
    return [
        CommandHandler("start", paced(menu.on_start), private),
        CommandHandler("menu", paced(menu.on_menu), private),
        CommandHandler("language", paced(menu.on_language), private),
        CommandHandler("help", paced(commands.on_help), private),
        CommandHandler("course", paced(commands.on_course), private),
        CommandHandler("human", paced(shown_as_typing(commands.on_human)), private),
        CommandHandler("status", paced(commands.on_status), private),
        CommandHandler("cancel", commands.on_cancel, private),
        CommandHandler("privacy", commands.on_privacy, private),
        CommandHandler("mydata", mydata.on_mydata, private),
        CommandHandler("forget", commands.on_forget, private),
        CommandHandler("delete", attachments.on_own_delete, private),
        MessageHandler(private & filters.COMMAND, paced(commands.on_unknown)),
        MessageHandler(private & words, paced(shown_as_typing(candidate.on_text))),
        MessageHandler(private & ~filters.StatusUpdate.ALL, paced(attachments.from_candidate)),
        CallbackQueryHandler(shown_as_typing(on_press)),
        InlineQueryHandler(inline.on_query),
        MessageHandler(group, staff.on_group),
        ChatMemberHandler(staff.on_membership, ChatMemberHandler.MY_CHAT_MEMBER),
    ]


PRESSED = (
    (publishing.PRESSED, publishing.on_press),
    (learning.PRESSED, learning.on_press),
    (canned.PRESSED, canned.on_press),
    (gaps.PRESSED, gaps.on_press),
    (themes.PRESSED, themes.on_press),
)


async def on_press(update: Update, context: Context) -> None:
    """Whose button it is. The library would hand a press without data to the first handler that has a pattern."""
    if update.effective_chat and update.effective_chat.type in GROUPS:
        await group(context, update.effective_chat)
    data = (update.callback_query.data if update.callback_query else None) or ""
    handler = next((handler for pattern, handler in PRESSED if re.match(pattern, data)), buttons.on_press)
    await handler(update, context)
