"""Waking a loop that waits, so that none needs to look again and again."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


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
