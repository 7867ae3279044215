"""Entries whose time is over, or will be soon: owners are told, and candidates are not shown them any more."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from indexer.entries import Entry

AHEAD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Ageing:
    """An entry, the last day on which it is given, and the days left until then: negative once it is withheld."""

    entry: Entry
    ends: date
    days: int


def ageing(entries: Iterable[Entry], today: date) -> list[Ageing]:
    """Answered entries that are out of date or will be within a month, the most urgent first."""
    found = [
        Ageing(entry, entry.ends, (entry.ends - today).days)
        for entry in entries
        if not entry.draft and entry.ends and (entry.ends - today) <= AHEAD
    ]
    return sorted(found, key=lambda one: (one.days, one.entry.path, one.entry.line))
