"""How often each person has asked for something in this minute, where that leaves nothing in the database."""

from collections import Counter
from datetime import datetime


class Frequency:
    """Forgets everybody as the next minute begins."""

    def __init__(self) -> None:
        self._minute, self._times = 0, Counter[int]()

    def again(self, person: int, now: datetime) -> int:
        """Counts once more; so often now."""
        minute = int(now.timestamp() // 60)
        if minute != self._minute:
            self._minute, self._times = minute, Counter()
        self._times[person] += 1
        return self._times[person]
