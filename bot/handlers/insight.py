"""/stats: a period in a picture and in numbers, for staff; /export: its questions as a table, for admins."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from telegram import Update

from bot.desk import insight
from bot.desk.export import table
from bot.desk.grouping import View, view_of
from bot.desk.insight import Figures, Period, period
from bot.desk.picture import Legend, draw
from bot.dialogue import times
from bot.dialogue.texts import Texts, texts
from bot.handlers import notices
from bot.handlers.context import Context, Deps
from bot.handlers.desk import argument
from indexer.courses import Course
from indexer.entries import Language

CAPTION = 1024  # UTF-16 units that Telegram allows below a picture


async def on_stats(update: Update, context: Context) -> None:
    """/stats [course] [period] in a staff group: all, split by course where there are several, or one course."""
    deps, received = context.deps, update.effective_message
    assert received
    words = texts(deps.settings.staff_language)
    courses, rest = _courses(argument(received), deps.live.engine.school)
    chosen = period(rest, deps.local_now)
    if chosen is None:
        await notices.say(update, deps, words.stats_which)
        return
    about = await _asked(deps, courses, chosen)
    zone = deps.settings.zone
    engine = deps.live.engine
    seen = await asyncio.to_thread(view_of, engine.snapshot)
    found = await asyncio.to_thread(insight.figures, about, engine.encoder.queries, seen, zone)
    title = when(chosen, deps.settings.staff_language, zone)
    split = await asyncio.to_thread(_split, about, courses, deps, seen, zone)
    picture = await asyncio.to_thread(draw, found, _legend(found, words, title))
    said = "\n".join([f"{words.stats_title} · {title}", *split, _lines(found, words)])
    await notices.send_file(update, deps, "photo", "stats.png", picture, said[:CAPTION])


def _courses(asked: str, school: Sequence[Course]) -> tuple[Sequence[Course], str]:
    """The courses that are asked about, and the period."""
    first, _, rest = asked.strip().partition(" ")
    one = [course for course in school if course.name == first.lower()]
    return (one, rest) if one else (school, asked)


async def _asked(deps: Deps, courses: Sequence[Course], chosen: Period) -> insight.Asked:
    """What the figures are made of: of one course, or of all."""
    async with deps.db.read() as tx:
        about = await insight.asked(tx, chosen)
    return insight.of_course(about, courses[0].name) if len(courses) == 1 else about


def _split(about: insight.Asked, courses: Sequence[Course], deps: Deps, seen: View, zone: ZoneInfo) -> list[str]:
    """A line a course: how many questions, answered without staff, handed over."""
    staff, encode = deps.settings.staff_language, deps.live.engine.encoder.queries
    words, lines = texts(staff), []
    for course in courses:
        own = insight.figures(insight.of_course(about, course.name), encode, seen, zone)
        alone = f"{words.stats_alone} {_share(own.alone, own.questions)}"
        handed = f"{words.stats_handed_over} {own.handed_over}"
        told = f"{own.questions} {words.stats_questions}, {alone}, {handed}"
        lines.append(words.fact.format(label=course.title(staff), value=told))
    return lines


def when(chosen: Period, language: Language, zone: ZoneInfo) -> str:
    """A period as people write it."""
    if chosen.since is None:
        return texts(language).stats_all
    last = (chosen.until - timedelta(microseconds=1)).astimezone(zone)
    return f"{times.written(chosen.since, language)} – {times.written(last, language)}"


def _share(part: int, whole: int) -> str:
    return f"{part} ({round(100 * part / whole)} %)" if whole else str(part)


def _wait(found: Figures) -> str:
    """A first reply's usual time, such as "2 h 05" or "14 min"; a dash without one."""
    if found.first_reply is None:
        return "–"
    minutes = round(found.first_reply.total_seconds() / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02}"


def _rating(found: Figures) -> str:
    return "–" if found.rating is None else f"{found.rating:.1f}/5"


def _lines(found: Figures, words: Texts) -> str:
    """The numbers as text."""
    facts = {
        words.stats_questions: found.questions,
        words.stats_alone: _share(found.alone, found.questions),
        words.stats_clarified: found.clarified,
        words.stats_handed_over: _share(found.handed_over, found.questions),
        words.stats_first_reply: _wait(found),
        words.stats_rating: f"{_rating(found)} ({found.ratings})",
    }
    lines = [words.fact.format(label=label, value=value) for label, value in facts.items()]
    unanswered = [f"{theme.count} × {theme.question[:80]}" for theme in found.themes]
    return "\n".join([*lines, *(["", words.stats_themes, *unanswered] if unanswered else []), "", words.stats_note])


def _legend(found: Figures, words: Texts, when: str) -> Legend:
    share = f"{round(100 * found.alone / found.questions)} %" if found.questions else "–"
    return Legend(
        title=when,
        alone=words.stats_bar_alone,
        clarified=words.stats_bar_clarified,
        handed_over=words.stats_bar_handed_over,
        by_day=words.stats_by_day,
        themes=words.stats_themes,
        nothing=words.stats_nothing,
        numbers=(
            (str(found.questions), words.stats_questions),
            (share, words.stats_alone),
            (str(found.clarified), words.stats_clarified),
            (str(found.handed_over), words.stats_handed_over),
            (_wait(found), words.stats_first_reply),
            (_rating(found), words.stats_rating),
        ),
    )


async def on_export(update: Update, context: Context) -> None:
    """/export [course] [period]: admins get the questions as CSV."""
    deps, received = context.deps, update.effective_message
    assert received
    words = texts(deps.settings.staff_language)
    courses, rest = _courses(argument(received), deps.live.engine.school)
    chosen = period(rest or "all", deps.local_now)
    if not await notices.by_admin(update, context):
        return
    if chosen is None:
        await notices.say(update, deps, words.stats_which)
        return
    about = await _asked(deps, courses, chosen)
    content = await asyncio.to_thread(table, about, deps.settings.zone)
    name = f"guichet-{deps.local_now:%Y-%m-%d}.csv"
    await notices.send_file(update, deps, "document", name, content, words.export_done)
