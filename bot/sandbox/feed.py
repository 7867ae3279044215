"""What changed, in order: tests wait on it and a page can follow it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

KEPT = 10_000  # changes


@dataclass(frozen=True, slots=True)
class Event:
    """One change; `seq` counts from 1."""

    seq: int
    kind: str
    payload: Any


class Feed:
    """The last changes, and a way to wait for the next one. For one event loop."""

    def __init__(self) -> None:
        self.latest = 0
        self._recent: deque[Event] = deque(maxlen=KEPT)
        self._next = asyncio.Event()

    def publish(self, kind: str, payload: Any = None) -> None:
        """Record a change and wake everyone who waits."""
        self.latest += 1
        self._recent.append(Event(self.latest, kind, payload))
        self._next.set()
        self._next = asyncio.Event()

    async def changed(self) -> None:
        """Wait for the next change."""
        await self._next.wait()

    async def since(self, seq: int = 0) -> AsyncIterator[Event]:
        """Every change after `seq`, those to come included; never ends."""
        while True:
            new = islice(reversed(self._recent), self.latest - seq)
            for event in reversed(list(new)):
                seq = event.seq
                yield event
            if self.latest == seq:
                await self.changed()
