"""Hours, days and waits in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.dialogue.texts import texts
from indexer.entries import Language

Run = tuple[int, int, tuple[tuple[time, time], ...]]  # first and last day (Monday is 0), hours


@dataclass(frozen=True, slots=True)
class Wait:
    """What can honestly be said of a wait; moments are in the school's time zone, None where nothing is known."""

    usual: timedelta | None = None
    closes: datetime | None = None  # the team is there until then
    opens: datetime | None = None  # the team is away until then
    week: tuple[Run, ...] = ()


def wait(about: Wait, language: Language) -> str:
    """Return what a candidate may expect, nothing where nothing is known."""
    words, lines = texts(language), []
    if about.opens:
        lines.append(words.human_outside.format(hours=week(about.week, language)))
        lines.append(words.wait_back.format(day=day(about.opens, language), time=clock(about.opens, language)))
    if about.usual:
        text = words.wait_usual_away if about.opens else words.wait_usual
        lines.append(text.format(wait=length(about.usual, language)))
    if about.closes:
        lines.append(words.wait_open.format(time=clock(about.closes, language)))
    return "\n".join(lines)


def week(runs: Sequence[Run], language: Language) -> str:
    """Return office hours: "Monday to Thursday 9:00–12:30, 13:30–17:30; Friday 9:00–12:00"."""
    words = texts(language)
    names, parts = words.weekdays.split(), []
    for first, last, spans in runs:
        days = names[first]
        if last != first:
            days = words.days_range.format(first=names[first], last=names[last])
        hours = ", ".join(f"{_clock(start, language)}–{_clock(end, language, last=True)}" for start, end in spans)
        parts.append(f"{days} {hours}")
    return "; ".join(parts) if language == "en" else "\u00a0; ".join(parts)


def day(moment: datetime, language: Language) -> str:
    """Return a day with its date: "Monday 9 March"."""
    return f"{texts(language).weekdays.split()[moment.weekday()]} {_day_of_month(moment, language)}"


def written(on: date, language: Language) -> str:
    """Return a date: "3 November 2026"; in figures, every second reader of English takes it for the 11th of March."""
    return f"{_day_of_month(on, language)} {on.year}"


def month(on: date, language: Language) -> str:
    """Return a month: "November 2026"."""
    return f"{texts(language).months.split()[on.month - 1]} {on.year}"


def _day_of_month(on: date, language: Language) -> str:
    number = "1er" if language == "fr" and on.day == 1 else str(on.day)
    return f"{number} {texts(language).months.split()[on.month - 1]}"


def clock(moment: datetime, language: Language) -> str:
    """Return a time of day: "9:00", in French "9 h"."""
    return _clock(moment.time(), language)


def _clock(moment: time, language: Language, *, last: bool = False) -> str:
    hour = 24 if last and moment == time(0) else moment.hour
    if language == "en":
        return f"{hour}:{moment:%M}"
    return f"{hour}\u00a0h" + (f"\u00a0{moment:%M}" if moment.minute else "")


def length(span: timedelta, language: Language) -> str:
    """Return a span in its largest plain unit, rounded down but for a wait of less than an hour."""
    words, minutes = texts(language), round(span.total_seconds() / 60)
    if minutes < 60:
        return words.minutes_many.format(number=minutes)
    if minutes < 120:
        return words.hours_one
    if minutes < 48 * 60:
        return words.hours_many.format(number=minutes // 60)
    return words.days_many.format(number=minutes // (24 * 60))
