"""Where staff are."""

from dataclasses import dataclass
from datetime import timedelta

from bot.desk.hours import Hours
from indexer.courses import Course
from indexer.entries import Language


@dataclass(frozen=True, slots=True)
class Desk:
    """The staff's group, by our own id, the language that they read, and when they work and want to be reminded."""

    chat: int
    language: Language
    hours: Hours = Hours()  # noqa: RUF009  immutable
    reminders: tuple[timedelta, ...] = ()
    school: tuple[Course, ...] = ()  # where there are several courses

    def title(self, course: str) -> str:
        """What staff call a course; empty where there is only one, and for one that is not known."""
        return next((one.title(self.language) for one in self.school if one.name == course), "")
