"""What a running bot opens to others: the webhook for Telegram, pages for those who run it."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from telegram.error import NetworkError, TelegramError, TimedOut

from bot.delivery import webhook
from bot.delivery.calls import call
from bot.delivery.loops import Intake, Loops, poll
from bot.delivery.processes import DEAD
from bot.delivery.retry import reason
from bot.delivery.webhook import Webhook
from bot.handlers.context import Deps
from bot.listening import listening
from bot.settings import Settings
from bot.watch.pages import Check, NotReadyError, alive, figures, ready
from bot.watch.stock import Stock

log = logging.getLogger(__name__)


@asynccontextmanager
async def doors(loops: Loops, deps: Deps) -> AsyncIterator[Intake]:
    """Opens what the settings ask for, until the block ends; yields how updates come in. Raises AddressRefusedError."""
    settings, watch = deps.settings, loops.watch
    health: list[BaseRoute] = [
        alive(watch, settings.watchdog_seconds),
        ready(_checks(loops, deps), loops.stop),
    ]
    async with AsyncExitStack() as opened:
        if settings.health_port is not None:
            inside = [*health, figures(watch, _looking(loops, deps))]
            await opened.enter_async_context(_listening("health", inside, settings, settings.health_port))
        if settings.webhook_url is None:
            yield poll
            return
        hook = webhook_of(settings)
        # Figures are for the inside: on this port there are none.
        outside = [webhook.route(urlsplit(hook.url).path, loops, hook.secret), *health]
        await opened.enter_async_context(_listening("webhook", outside, settings, settings.webhook_port))
        yield partial(webhook.keep, webhook=hook)


@asynccontextmanager
async def _listening(what: str, routes: Sequence[BaseRoute], settings: Settings, port: int) -> AsyncIterator[None]:
    async with listening(Starlette(routes=routes), settings.listen_address, port) as taken:
        log.info("listening", extra={"for": what, "port": taken})
        yield


def webhook_of(settings: Settings) -> Webhook:
    """The webhook that the settings ask for."""
    assert settings.webhook_url
    assert settings.telegram_token
    if settings.webhook_secret:
        return Webhook(settings.webhook_url, settings.webhook_secret.get_secret_value())
    return Webhook(settings.webhook_url, webhook.secret_from(settings.telegram_token.get_secret_value()))


def _checks(loops: Loops, deps: Deps) -> dict[str, Check]:
    """What must be well for candidates to be answered."""

    async def database() -> bool:
        async with deps.db.read() as tx:
            await tx.execute(text("SELECT 1"))
        if not _writes(loops):
            raise NotReadyError("the database answers, but has taken no writes for a while: full, or read-only?")
        return True

    async def index() -> bool:
        return bool(deps.live.engine.snapshot.entries)

    async def telegram() -> object:
        try:
            return await call(loops.application.bot, "getMe", {})
        except TelegramError as error:
            why = "Telegram does not answer" if type(error) in (NetworkError, TimedOut) else "Telegram refuses"
            raise NotReadyError(f"{why} ({reason(error)})") from None

    return {"database": database, "index": index, "telegram": telegram}


def _writes(loops: Loops) -> bool:
    """Whether the database took what this process wrote last: each heartbeat is written for good."""
    return not loops.roles.silent(DEAD.total_seconds())


def _looking(loops: Loops, deps: Deps) -> Callable[[], Awaitable[None]]:
    metrics = loops.watch.metrics
    stock = Stock(metrics, deps.db, writes=partial(_writes, loops))
    info = metrics.gauge("snapshot_info", "The live index, always 1", "snapshot", "model")
    entries = metrics.gauge("snapshot_entries", "Entries in the live index")
    searcher = deps.searcher
    if searcher.outset:
        up = metrics.gauge("search_process_up", "Whether the process that searches for this one answers")
        up.set_function(lambda: searcher.answers)
        lost = metrics.gauge("search_processes_lost", "How many processes that searched for this one were lost")
        lost.set_function(lambda: searcher.lost)

    async def look() -> None:
        await stock.look()
        snapshot = deps.live.engine.snapshot
        info.clear()
        info.labels(snapshot.id, snapshot.manifest["model"]["identity"]).set(1)
        entries.set(snapshot.manifest["entries"])

    return look
