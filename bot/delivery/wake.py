"""Waking a loop that waits, so that none needs to look again and again."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


class Signal:
    """`ring` wakes everybody who took `next` before it, and nobody is left out by who looked first."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def next(self) -> asyncio.Event:
        """Take it before looking whether there is work; it is set by the next `ring`."""
        return self._event

    def ring(self) -> None:
        """There is news."""
        self._event.set()
        self._event = asyncio.Event()


@dataclass(frozen=True, slots=True)
class Wake:
    """The kinds of news within a process."""

    updates: Signal = field(default_factory=Signal)  # the inbox has some
    messages: Signal = field(default_factory=Signal)  # the outbox has some, or a call has ended
    timers: Signal = field(default_factory=Signal)  # one was set that may be due before the others


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event or the time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(seconds, 0)):
            await event.wait()


async def unless(event: asyncio.Event, coroutine: Coroutine[Any, Any, T]) -> T | None:
    """The coroutine's result; None, and the coroutine cancelled, if the event comes first."""
    tasks = asyncio.create_task(coroutine), asyncio.create_task(event.wait())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].result() if tasks[0].done() else None
    finally:
        for task in tasks:
            task.cancel()
