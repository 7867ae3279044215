"""What handlers are given: the parts of the bot that they work with."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from telegram.ext import Application, CallbackContext, ExtBot

from bot.desk.desk import Desk
from bot.desk.groups import Groups
from bot.dialogue.decide import Limits
from bot.handlers.frequency import Frequency
from bot.publishing.live import Live
from bot.publishing.searcher import Searcher
from bot.records.sessions import Database
from bot.settings import Settings
from bot.watch.metrics import Metrics


@dataclass(slots=True)
class Deps:
    """Put together in `bot.app`. `staff_chat` is our own id of the staff's group: the one where an update is from, or
    else the main one of all `groups`.
    """

    settings: Settings
    db: Database
    live: Live
    now: Callable[[], datetime]
    staff_chat: int
    groups: Groups
    searcher: Searcher
    metrics: Metrics = field(default_factory=Metrics)
    typed: Frequency = field(default_factory=Frequency)  # inline queries
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def limits(self) -> Limits:
        """The thresholds that go with the live engine."""
        return self.live.limits

    @property
    def local_now(self) -> datetime:
        """The present moment in the school's time zone."""
        return self.now().astimezone(self.settings.zone)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let work go on after its update is done; it is kept from being collected half-way."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class Context(CallbackContext[ExtBot[None], dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """The library's context, with our parts; made anew for each update."""

    group: int | None = None  # that the update comes from, by our own id, once it is known

    _here: Deps | None = None

    @property
    def deps(self) -> Deps:
        """The parts of the bot."""
        deps: Deps = self._here or self.bot_data["deps"]
        return deps

    def stand_in(self, group: int) -> None:
        """Work for this staff group until the update is done."""
        self._here = replace(self.deps, staff_chat=group)


App = Application[ExtBot[None], Context, dict[Any, Any], dict[Any, Any], dict[Any, Any], Any]


def desk_of(deps: Deps) -> Desk:
    """Where staff are."""
    settings = deps.settings
    school, quiet = deps.live.engine.school, timedelta(days=settings.close_after)
    language, reminders = settings.staff_language, settings.reminders
    return Desk(deps.staff_chat, language, settings.hours, reminders, school, deps.groups, quiet)
