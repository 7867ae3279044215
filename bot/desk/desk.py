"""Where staff are."""

from dataclasses import dataclass
from datetime import timedelta

from bot.desk.hours import Hours
from indexer.entries import Language


@dataclass(frozen=True, slots=True)
class Desk:
    """The staff's group, by our own id, the language that they read, and when they work and want to be reminded."""

    chat: int
    language: Language
    hours: Hours = Hours()  # noqa: RUF009  immutable
    reminders: tuple[timedelta, ...] = ()
