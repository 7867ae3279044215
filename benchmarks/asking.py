"""A thousand candidates who ask, and the time until each has the answer."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from time import perf_counter

from bot.sandbox.botapi import BotApi
from bot.sandbox.people import User

FORGET_AFTER = 2000  # calls that the server keeps, so that its own memory does not grow


@dataclass(slots=True)
class Askers:
    """Candidates, each of whom waits for an answer before the next question."""

    api: BotApi
    people: Sequence[User]
    questions: Sequence[str]
    chance: Random
    asked: int = 0
    taken: list[float] = field(default_factory=list)  # seconds from each question to its answer
    _since: dict[int, float] = field(default_factory=dict)
    _next: int = 0

    @property
    def waiting(self) -> int:
        """How many have asked and have no answer."""
        return len(self._since)

    def ask(self) -> None:
        """Who has not asked for longest asks a question; nobody if all are waiting."""
        for _ in self.people:
            person = self.people[self._next % len(self.people)]
            self._next += 1
            if person.id not in self._since:
                self._since[person.id] = perf_counter()
                self.asked += 1
                self.api.say(person, self.chance.choice(self.questions))
                return

    async def listen(self) -> None:
        """Hear answers until cancelled: an answer is there once Telegram has accepted it."""
        async for event in self.api.events.since(self.api.events.latest):
            if event.kind != "message" or event.payload["from"]["id"] != self.api.bot.id:
                continue
            chat = event.payload["chat"]["id"]
            if (since := self._since.pop(chat, None)) is not None:
                self.taken.append(perf_counter() - since)
                self.api.world.chats[chat].messages.clear()
            if len(self.api.exchange.calls) > FORGET_AFTER:
                self.api.exchange.calls.clear()

    async def keep_waiting(self, at_once: int, seconds: float) -> None:
        """As many as given wait at any moment: who has an answer makes room for the next."""
        end = perf_counter() + seconds
        while perf_counter() < end:
            while self.waiting < at_once:
                self.ask()
            await self.api.events.changed()

    async def keep_asking(self, a_second: float, seconds: float) -> None:
        """Questions at random moments, so many a second on average, whether or not answers come."""
        now = perf_counter()
        end = now + seconds
        while (now := now + self.chance.expovariate(a_second)) < end:
            await asyncio.sleep(max(0.0, now - perf_counter()))
            self.ask()

    async def answered(self, seconds: float) -> None:
        """Until nobody waits, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.waiting:
                    await self.api.events.changed()

    def fresh(self) -> list[float]:
        """The times since this was asked last."""
        taken, self.taken = self.taken, []
        return taken
