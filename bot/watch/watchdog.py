"""The watchdog: a thread that ends a process whose loops no longer give signs of life, so that it is started anew."""

import asyncio
import faulthandler
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any

from bot.watch.beats import Beat, Beats

log = logging.getLogger(__name__)

EXIT_CODE = 70  # "internal software error" of sysexits.h; no other end of ours has it
EVENT_LOOP = "event loop"
PULSE = 1.0  # seconds between two signs of life of the event loop itself


@asynccontextmanager
async def watchdog(beats: Beats, seconds: float, end: Callable[[int], object] = os._exit) -> AsyncIterator[None]:
    """Until the block ends, `end(EXIT_CODE)` as soon as a loop is later than `seconds`; its stack is logged before.

    What holds the interpreter itself, so that no thread can run, is ended after twice that time (exit code 1).
    """
    over, thread_id = threading.Event(), threading.get_ident()
    _last_resort(2 * seconds)
    pulse = asyncio.create_task(_pulse(beats))
    guard = threading.Thread(target=_guard, args=(beats, seconds, end, over, thread_id), daemon=True)
    guard.start()
    try:
        yield
    finally:
        over.set()
        pulse.cancel()
        await asyncio.to_thread(guard.join)
        faulthandler.cancel_dump_traceback_later()


def _last_resort(seconds: float) -> None:
    """A timer that needs no interpreter; each call begins it anew."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__ or sys.stderr)


async def _pulse(beats: Beats) -> None:
    try:
        while True:
            beats.beat(EVENT_LOOP, PULSE)
            await asyncio.sleep(PULSE)
    finally:
        beats.end(EVENT_LOOP)


def _guard(beats: Beats, seconds: float, end: Callable[[int], object], over: threading.Event, thread_id: int) -> None:
    pause, looked = min(seconds / 4, 5.0), time.monotonic()
    while not over.wait(pause):
        _last_resort(2 * seconds)
        before, looked = looked, time.monotonic()
        # If this thread did not run for long, the whole process stood still: the loops get time to show themselves.
        if looked - before < 2 * pause + 1 and (hanging := beats.hanging(seconds)):
            _report(hanging, thread_id)
            end(EXIT_CODE)
            break


def _report(hanging: dict[str, Beat], thread_id: int) -> None:
    """Who hangs, and where: of an event loop that is blocked all others follow."""
    if EVENT_LOOP in hanging:
        frame = sys._current_frames().get(thread_id)
        _say(EVENT_LOOP, [each for each, _ in traceback.walk_stack(frame)][::-1])
        return
    for name, beat in hanging.items():
        _say(name, _awaited(beat.task.get_coro() if beat.task else None))


def _awaited(coroutine: Any) -> list[FrameType]:
    """Where a coroutine waits: its frame, that of the one it awaits, and so on."""
    frames = []
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        frames.append(frame)
        coroutine = coroutine.cr_await
    return frames


def _say(name: str, frames: list[FrameType]) -> None:
    places = [f"{frame.f_globals.get('__name__')}:{frame.f_lineno} {frame.f_code.co_name}" for frame in frames]
    log.critical("loop hangs, the process ends", extra={"loop": name, "stack": " > ".join(places)})
