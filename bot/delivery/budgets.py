"""How fast Telegram lets a bot speak, as values.

Figures: https://core.telegram.org/bots/faq, "My bot is hitting limits".
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NEVER = datetime.min.replace(tzinfo=UTC)
# Methods that put a message before people; reactions, topics and the like count over all only.
MESSAGES = ("send", "copy", "forward", "edit")


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `calls` within any `seconds`."""

    calls: int
    seconds: float

    def free_at(self, times: Sequence[datetime]) -> datetime:
        """When the next call may go, given the moments of the earlier ones, oldest first."""
        if len(times) < self.calls:
            return NEVER
        return times[-self.calls] + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Limits:
    """The three budgets; a chat's one call a second may come in a burst of three."""

    overall: Budget = Budget(30, 1)
    chat: Budget = Budget(3, 3)
    group: Budget = Budget(20, 60)


LIFTED = Limits(Budget(1, 0), Budget(1, 0), Budget(1, 0))


class Budgets:
    """What has been spent of the limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._overall: deque[datetime] = deque(maxlen=limits.overall.calls)
        self._chats: dict[int, deque[datetime]] = {}
        self._groups: set[int] = set()

    def spend(self, chat_id: int, method: str, now: datetime, *, group: bool) -> None:
        """Notes a call."""
        self._overall.append(now)
        if not method.startswith(MESSAGES):
            return
        if group:
            self._groups.add(chat_id)
        depth = max(self._limits.chat.calls, self._limits.group.calls)
        self._chats.setdefault(chat_id, deque(maxlen=depth)).append(now)

    def free_at(self, now: datetime) -> datetime:
        """When the next call to anybody may go."""
        # Where the clock was set back, nobody may wait for it to be there again; a step of its fine adjustment is none.
        if self._overall and self._overall[-1] - now > timedelta(seconds=1):
            self._overall.clear()
            self._chats.clear()
        return self._limits.overall.free_at(self._overall)

    def resting(self, now: datetime) -> dict[int, datetime]:
        """Chats that have had enough for now, each with the moment when the next call may go."""
        self._forget_before(now - timedelta(seconds=max(self._limits.chat.seconds, self._limits.group.seconds)))
        ready = {chat_id: self._chat_free_at(chat_id) for chat_id in self._chats}
        return {chat_id: moment for chat_id, moment in ready.items() if moment > now}

    def _chat_free_at(self, chat_id: int) -> datetime:
        times = self._chats[chat_id]
        ready = self._limits.chat.free_at(times)
        return max(ready, self._limits.group.free_at(times)) if chat_id in self._groups else ready

    def _forget_before(self, moment: datetime) -> None:
        for chat_id in [chat_id for chat_id, times in self._chats.items() if times[-1] < moment]:
            del self._chats[chat_id]
            self._groups.discard(chat_id)
