"""How it goes: what was asked in a period, and how much of it needed no staff."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from statistics import fmean, median

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk.grouping import View, groups, typical
from bot.desk.masking import MASK, mask
from bot.dialogue.decide import BESIDE
from bot.records.states import Feedback
from bot.records.tables import Question, Ticket
from indexer.encoder import Vectors

Encode = Callable[[Sequence[str]], Vectors]

COMES_BACK = timedelta(days=7)
SAME = 0.93  # cosine from which two questions of one person are the same
THEMES = 5
MOST = 300  # questions that are grouped: the newest
DAYS = re.compile(r"(\d{1,4})[dj]", re.IGNORECASE)
NOT_SOLVED = (Feedback.NOT_MINE, Feedback.PERSON)


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment up to another, which is no longer in it; `since` is None for all there is."""

    since: datetime | None
    until: datetime


def period(asked: str, now: datetime) -> Period | None:
    """What `7d`, `30d`, `all` or `2026-09-01..2026-09-30` means, in the zone of `now`; None for what means nothing.

    Days are whole: `7d` is today and the six days before it.
    """
    asked = asked.strip().lower() or "7d"
    midnight = datetime.combine(now.date(), time(), now.tzinfo)
    if asked in {"all", "tout"}:
        return Period(None, now)
    try:
        if days := DAYS.fullmatch(asked):
            return Period(midnight - timedelta(days=int(days[1]) - 1), now) if int(days[1]) else None
        first, _, last = (part.strip() for part in asked.partition(".."))
        begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
        until = datetime.combine(end + timedelta(days=1), time(), now.tzinfo)
        return Period(datetime.combine(begin, time(), now.tzinfo), min(until, now)) if begin <= end else None
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Theme:
    """Questions alike in meaning, whatever their language; `question` is the most typical, masked."""

    question: str
    count: int


@dataclass(frozen=True, slots=True)
class Figures:
    """A period in numbers; means are None without data. `days` has (answered alone, clarified, handed over) by day."""

    questions: int = 0
    alone: int = 0
    clarified: int = 0
    handed_over: int = 0
    first_reply: timedelta | None = None
    rating: float | None = None
    ratings: int = 0
    themes: tuple[Theme, ...] = ()
    days: dict[date, tuple[int, int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """The questions of a period and of the days after it in which people may come back, and the period's tickets."""

    questions: Sequence[Question]
    after: Sequence[Question]
    tickets: Sequence[Ticket]


async def asked(tx: AsyncSession, period: Period) -> Asked:
    """What the figures of a period are made of."""
    asked_of_the_course = Question.decision != BESIDE
    rows = (
        select(Question).where(Question.asked_at < period.until + COMES_BACK, asked_of_the_course).order_by(Question.id)
    )
    opened = select(Ticket).where(Ticket.opened_at < period.until)
    if period.since:
        rows = rows.where(Question.asked_at >= period.since)
        opened = opened.where(Ticket.opened_at >= period.since)
    found = (await tx.scalars(rows)).all()
    return Asked(
        [one for one in found if one.asked_at < period.until],
        [one for one in found if one.asked_at >= period.until],
        (await tx.scalars(opened)).all(),
    )


def figures(about: Asked, encode: Encode, seen: View, zone: tzinfo) -> Figures:
    """The period in numbers. Takes seconds where many were not answered: call it outside the event loop."""
    handed = {ticket.question_id for ticket in about.tickets}
    back = _came_back(about, encode)
    alone = [one for one in about.questions if _answered(one) and one.id not in handed | back]
    clarified = [one for one in about.questions if one.decision == "clarify"]
    waits = [(one.replied_at - one.opened_at).total_seconds() for one in about.tickets if one.replied_at]
    rated = [one.rating for one in about.tickets if one.rating]
    unknown = [one for one in about.questions if one.decision == "escalate" and not one.entry_id]
    counts = [
        Counter(moment.astimezone(zone).date() for moment in moments)
        for moments in (
            [one.asked_at for one in alone],
            [one.asked_at for one in clarified if one not in alone],
            [one.opened_at for one in about.tickets],
        )
    ]
    return Figures(
        questions=len(about.questions),
        alone=len(alone),
        clarified=len(clarified),
        handed_over=len(about.tickets),
        first_reply=timedelta(seconds=median(waits)) if waits else None,
        rating=fmean(rated) if rated else None,
        ratings=len(rated),
        themes=themes(unknown, encode, seen),
        days={day: (counts[0][day], counts[1][day], counts[2][day]) for day in sorted(set().union(*counts))},
    )


def of_course(about: Asked, course: str) -> Asked:
    """What is about one course alone."""
    return Asked(
        [one for one in about.questions if one.course == course],
        [one for one in about.after if one.course == course],
        [one for one in about.tickets if one.course == course],
    )


def _answered(question: Question) -> bool:
    """Whether the assistant gave an answer that nobody complained of."""
    given = question.decision in {"answer", "clarify"} and question.entry_id is not None
    return given and question.feedback not in NOT_SOLVED


def _came_back(about: Asked, encode: Encode) -> set[int]:
    """Questions whose author asked the same again within the days that count: same entry, or nearly the same words."""
    by_person: dict[str, list[Question]] = {}
    for one in (*about.questions, *about.after):
        by_person.setdefault(one.candidate_id, []).append(one)
    back: set[int] = set()
    for own in by_person.values():
        if len(own) == 1:
            continue
        vectors = encode([one.text for one in own])
        near = vectors @ vectors.T >= SAME
        for place, one in enumerate(own):
            for later in range(place + 1, len(own)):
                other = own[later]
                soon = other.asked_at - one.asked_at <= COMES_BACK and not _together(one, other)
                if soon and (near[place, later] or (one.entry_id and one.entry_id == other.entry_id)):
                    back.add(one.id)
    return back


def _together(one: Question, other: Question) -> bool:
    """Whether two questions stood in one message."""
    return one.message_id is not None and one.message_id == other.message_id


def themes(questions: Sequence[Question], encode: Encode, seen: View) -> tuple[Theme, ...]:
    """The most frequent themes of questions."""
    asked_ = [one for one in questions if not one.text.startswith("/")][-MOST:]
    if not asked_:
        return ()
    texts = [mask(one.text) for one in asked_]
    vectors = encode([text.replace(MASK, "") for text in texts])
    largest = groups(seen.of(vectors), seen.alike)[:THEMES]
    return tuple(Theme(texts[typical(vectors, group)], len(group)) for group in largest)
