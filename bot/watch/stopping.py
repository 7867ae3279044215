"""The wish to stop: SIGTERM, or Ctrl-C."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger(__name__)

WITHIN = 10.0  # seconds from the wish to the end, whatever is still under way


@contextmanager
def on_signals(stop: asyncio.Event) -> Iterator[None]:
    """Until the block ends, SIGINT and SIGTERM set `stop`, and a second signal ends the process at once.

    Whatever is still under way WITHIN seconds after the first ends with the process: what counts is in the tables.
    """
    loop, asked = asyncio.get_running_loop(), threading.Event()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            os._exit(128 + number)
        asked.set()
        deadline = threading.Timer(WITHIN, _end)
        deadline.daemon = True
        deadline.start()
        loop.call_soon_threadsafe(stop.set)

    # Not the loop's own handlers: they would wait for a loop that is blocked, and do not exist on Windows.
    with _heard((signal.SIGINT, signal.SIGTERM), on_signal):
        yield


@contextmanager
def unwinding() -> Iterator[None]:
    """Until the block ends, SIGTERM and a closed terminal end the process by SystemExit: what is open is closed."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]  # Windows has one
    with _heard(numbers, on_signal):
        yield


@contextmanager
def _heard(numbers: Iterable[int], handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """These signals go to the handler until the block ends."""
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _end() -> None:
    log.warning("stopped with something under way; it is done again at the next start")
    os._exit(0)
