"""Signs of life: who has not given one for too long, hangs."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Beat:
    """The last sign of life of a loop."""

    due: float  # until then it may rest; seconds of the clock
    task: asyncio.Task[Any] | None  # where it runs, to be shown when it hangs


class Beats:
    """The last sign of life of each loop of this process. Loops give it in the event loop; any thread may look."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[str, Beat] = {}

    def beat(self, name: str, rest: float = 0) -> None:
        """A sign of life; the loop may now rest on purpose for `rest` seconds."""
        self._last[name] = Beat(self._clock() + rest, asyncio.current_task())

    def end(self, name: str) -> None:
        """That loop has ended as it should: nothing is expected of it any more."""
        self._last.pop(name, None)

    def late(self) -> dict[str, float]:
        """By how many seconds each loop's next sign of life is late, zero while it rests."""
        now = self._clock()
        return {name: max(now - beat.due, 0.0) for name, beat in dict(self._last).items()}

    def hanging(self, seconds: float) -> dict[str, Beat]:
        """Loops that are later than that."""
        now = self._clock()
        return {name: beat for name, beat in dict(self._last).items() if now - beat.due > seconds}
