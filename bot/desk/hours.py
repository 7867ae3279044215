"""When the team works: hours of each weekday, without public holidays, in the school's time zone. Pure."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import cast
from zoneinfo import ZoneInfo

Span = tuple[time, time]  # from, until (not included); midnight as an end is the day's end
Moments = tuple[datetime, datetime]  # the same on a day, in UTC
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALL_DAY: Span = (time(0), time(0))
FAR = 370  # days after which nothing more is looked for: a team that never works
_PART = re.compile(r"(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))?\s+(?P<times>[\d:,\s-]+)")
_SPAN = re.compile(r"(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """A week of office hours, Monday first. Not `stated`: nobody has set them, and nothing is said of them."""

    week: tuple[tuple[Span, ...], ...] = ((ALL_DAY,),) * 7
    zone: ZoneInfo = ZoneInfo("Europe/Paris")  # noqa: RUF009  immutable
    holidays: Collection[date] = ()
    stated: bool = False


def parse(text: str) -> tuple[tuple[Span, ...], ...]:
    """Read "Mon-Thu 09:00-12:30,13:30-17:30; Fri 09:00-12:00"; ValueError says what is wrong."""
    week: list[tuple[Span, ...]] = [()] * 7
    for part in filter(None, map(str.strip, text.lower().split(";"))):
        found = _PART.fullmatch(part)
        names = (found["first"], found["last"] or found["first"]) if found else ("", "")
        if found is None or not set(names) <= set(DAYS):
            raise ValueError(f"{part!r}: write days and hours such as Mon-Fri 09:00-12:30,13:30-17:30; Sat 09:00-12:00")
        first, last = (DAYS.index(name) for name in names)
        for day in range(first, last + 1 if last >= first else last + 8):
            week[day % 7] = tuple(sorted({*week[day % 7], *map(_span, found["times"].split(","))}))
    for of_day in week:
        for (_, end), (start, _) in pairwise(of_day):
            if end == time(0) or start < end:
                raise ValueError(f"hours overlap at {start:%H:%M}: write each time once")
    return tuple(week)


@cache
def public_holidays(place: str) -> Collection[date]:
    """The free days of a country or, as in FR-57, of a region; ValueError for one that is not known."""
    country, _, region = place.upper().partition("-")
    if country == "NONE":
        return ()
    from holidays import country_holidays  # noqa: PLC0415  # a tenth of a second, and most never need it

    try:
        return cast(Collection[date], country_holidays(country, region or None))
    except NotImplementedError:
        raise ValueError(
            f"{place!r}: write a country such as FR, with its region if need be (FR-57), or none"
        ) from None


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(re.sub(r"\s", "", text))
    if found is None:
        raise ValueError(f"{text.strip()!r}: write hours such as 09:00-12:30")
    a, b, c, d = map(int, found.groups())
    if b > 59 or d > 59 or not 0 <= a * 60 + b < c * 60 + d <= 24 * 60:
        raise ValueError(f"{text.strip()!r}: write a time of day and a later one, 24:00 at most")
    return time(a, b), time(c % 24, d)


def spans(hours: Hours, day: date) -> list[Moments]:
    """A day's hours in UTC; what a change of the clocks skips is left out."""
    found: list[Moments] = []
    for start, end in () if day in hours.holidays else hours.week[day.weekday()]:
        last = day + timedelta(days=end == time(0))
        begun = datetime.combine(day, start, hours.zone).astimezone(UTC)
        begun = max(begun, found[-1][1]) if found else begun
        ended = datetime.combine(last, end, hours.zone).astimezone(UTC)
        if begun < ended:
            found.append((begun, ended))
    return found


def is_open(hours: Hours, now: datetime) -> bool:
    """Whether the team works at this moment."""
    return any(start <= now < end for start, end in spans(hours, _local(hours, now)))


def closing(hours: Hours, now: datetime) -> datetime | None:
    """When the present office hours end; None outside of them."""
    return next((end for start, end in spans(hours, _local(hours, now)) if start <= now < end), None)


def opening(hours: Hours, now: datetime) -> datetime | None:
    """When the team is there next, which may be now; None if never."""
    return next((start for start, _ in _from(hours, now)), None)


def worked(hours: Hours, start: datetime, end: datetime) -> timedelta:
    """How much office time lies between two moments."""
    total = timedelta()
    for begun, ended in _from(hours, start):
        if begun >= end:
            break
        total += min(ended, end) - begun
    return total


def after(hours: Hours, start: datetime, office_time: timedelta) -> datetime | None:
    """The moment at which that much office time has gone by; None if it never will."""
    left = office_time
    for begun, ended in _from(hours, start):
        if left <= ended - begun:
            return begun + left
        left -= ended - begun
    return None


def grouped(hours: Hours) -> list[tuple[int, int, tuple[Span, ...]]]:
    """Runs of days with the same hours, as (first day, last day, hours); days off are left out."""
    runs: list[tuple[int, int, tuple[Span, ...]]] = []
    for day, of_day in enumerate(hours.week):
        if runs and runs[-1][1] == day - 1 and runs[-1][2] == of_day:
            runs[-1] = (runs[-1][0], day, of_day)
        elif of_day:
            runs.append((day, day, of_day))
    return runs


def _local(hours: Hours, now: datetime) -> date:
    return now.astimezone(hours.zone).date()


def _from(hours: Hours, now: datetime) -> Iterator[Moments]:
    """Office hours from a moment on, in order and in UTC: sums on one zone's clock would miss its changes."""
    first, now = _local(hours, now), now.astimezone(UTC)
    for number in range(FAR):
        for start, end in spans(hours, first + timedelta(days=number)):
            if end > now:
                yield max(start, now), end
