"""What changed, in order: tests wait on it and a page can follow it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One change; `seq` counts from 1."""

    seq: int
    kind: str
    payload: Any


class Feed:
    """The last changes, and a way to wait for the next one. For one event loop."""

    def __init__(self, keep: int = 10_000) -> None:
        self.latest = 0
        self._recent: deque[Event] = deque(maxlen=keep)
        self._waiting: set[asyncio.Future[None]] = set()

    def publish(self, kind: str, payload: Any = None) -> None:
        """Record a change and wake everyone who waits."""
        self.latest += 1
        self._recent.append(Event(self.latest, kind, payload))
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def changed(self) -> None:
        """Wait for the next change."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    async def since(self, seq: int = 0) -> AsyncIterator[Event]:
        """Every change after `seq`, those to come included; never ends."""
        while True:
            new = islice(reversed(self._recent), self.latest - seq)
            for event in reversed(list(new)):
                seq = event.seq
                yield event
            if self.latest == seq:
                await self.changed()
