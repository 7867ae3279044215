"""Telegram's flood limits, as windows over the last calls."""

import math
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.refusal import too_many_requests


@dataclass(frozen=True, slots=True)
class Window:
    """At most `calls` within `seconds`."""

    calls: int
    seconds: float


@dataclass(slots=True, eq=False)
class Flood:
    """Budgets over all, a chat (one a second, three at once) and a group."""

    now: Callable[[], float]
    overall: Window = Window(30, 1.0)
    chat: Window = Window(3, 3.0)
    group: Window = Window(20, 60.0)
    _spent: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def spend(self, chat_id: int, messages: int = 1) -> None:
        """Count messages to a chat; raises Refusal 429 when a budget is exhausted."""
        budgets = {"all": self.overall, f"chat {chat_id}": self.chat}
        if chat_id < 0:
            budgets[f"group {chat_id}"] = self.group
        waits = [self._wait(name, window, messages) for name, window in budgets.items()]
        if (wait := max(waits)) > 0:
            raise too_many_requests(math.ceil(wait))
        for name in budgets:
            self._spent[name].extend([self.now()] * messages)

    def _wait(self, name: str, window: Window, messages: int) -> float:
        """Seconds until `messages` fit; an album larger than the window waits for it to be empty."""
        spent = self._spent[name]
        while spent and spent[0] <= self.now() - window.seconds:
            spent.popleft()
        excess = min(len(spent) + messages - window.calls, len(spent))
        return spent[excess - 1] + window.seconds - self.now() if excess > 0 else 0.0
