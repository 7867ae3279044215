"""What a message shows: answers with their source, replies, the first words."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache

from bot.dialogue import times
from bot.dialogue.language import words as words_of
from bot.dialogue.rich import Rich, italic, join, link, markdown, plain
from bot.dialogue.texts import texts
from indexer.courses import Course
from indexer.entries import Entry, Language


class Reason(StrEnum):
    """Why a question goes to the team."""

    UNSURE = "unsure"
    PERSON = "person"
    NOT_MINE = "not_mine"
    OUTSIDE = "outside"
    UNWRITTEN = "unwritten"
    UNREADABLE = "unreadable"
    OUT_OF_DATE = "out_of_date"


def start(language: Language, notice: str, courses: Sequence[Course] = (), topics: str = "") -> Rich:
    """Return the first words: what speaks, and of what, with the `notice` that it is a demonstration, if it is one.

    `topics` is what is known of the only course.
    """
    words = texts(language)
    if len(courses) > 1:
        first = words.start_school.format(courses="\n".join(f"– {one.title(language)}" for one in courses))
    else:
        course = words.start_named.format(course=courses[0].title(language)) if courses else words.start_course
        about = words.start_about.format(course=course, topics=topics) if topics else course
        first = words.start.format(course=about).replace("….", "…")
    return join([plain(first), italic(notice)])


def notice(language: Language, operator: str | None, contact: str | None, courses: Sequence[Course] = ()) -> str:
    """Return that this is a demonstration, and where its answers come from, as long as nobody is responsible."""
    if operator and contact:
        return ""
    origins = dict.fromkeys(one.origin(language) for one in courses)
    return texts(language).demonstration.format(origin="".join(f" {origin}" for origin in origins if origin))


def privacy(language: Language, operator: str | None, contact: str | None, days: int) -> Rich:
    """Return what is kept, why, for how many days after the last message, and who is responsible for it."""
    words = texts(language)
    who = words.privacy_nobody
    if operator and contact:
        who = words.privacy_operator.format(operator=operator, contact=contact)
    return join([plain(words.privacy.format(days=days)), plain(who)])


def answer(entry: Entry, language: Language, gist: str = "", course: str = "") -> Rich:
    """Return the entry's answer, or its `gist`, and source for a question in `language`, with the course's title."""
    words = texts(language)
    notice = italic(words.other_language) if entry.language != language else Rich()
    below = (plain(f"{course} · ") if course else Rich()) + source(entry, language)
    return join([notice, plain(f"{gist} …") if gist else _answer(entry.answer), below])


def heading(entry: Entry, asked: str = "") -> str:
    """Return the entry's own question, to stand above its answer; nothing where it was `asked` in these very words.

    An answer to other words hangs in the air without it ("In 2022, half were academics"), and a near miss shows.
    """
    return "" if words_of(asked) == words_of(entry.question) else entry.question


def put(asked: str, language: Language) -> str:
    """Return a question that was cut out of a message as one would write it alone: "combien ça coûte" has its mark."""
    text = asked.strip()
    mark = "" if text[-1:] in "?!.…" else "?" if language == "en" else "\u00a0?"
    return text[:1].upper() + text[1:] + mark


def left(asked: Sequence[str], language: Language) -> str:
    """Return that these questions, of several in a message, went to the team."""
    listed = "\n".join(f"– {put(question, language)}" for question in asked)
    return texts(language).left_to_team.format(questions=listed)


@lru_cache(1024)
def _answer(written: str) -> Rich:
    """Return an entry's answer as people see it: to render it takes longer than to find it."""
    return markdown(written)


def source(entry: Entry, language: Language) -> Rich:
    """Return where the answer comes from, and when somebody last reviewed it."""
    words = texts(language)
    before, after = words.source.split("{source}")
    name = f"{entry.source}, {_date(entry.source_date, language)}" if entry.source_date else entry.source
    line = plain(before) + link(name, entry.address) + plain(after)
    if entry.reviewed:
        line += plain(" · " + words.reviewed.format(date=times.written(entry.reviewed, language)))
    return line


def clarify(questions: Sequence[str], language: Language) -> Rich:
    """Return the question back, with the entries' questions numbered: buttons cut long ones short."""
    words = texts(language)
    return _listed(words.clarify if len(questions) > 1 else words.clarify_one, questions)


def related(questions: Sequence[str], language: Language) -> Rich:
    """Return what one may want to know next, in the same way."""
    return _listed(texts(language).related, questions)


def _listed(said: str, questions: Sequence[str]) -> Rich:
    lines = [f"{number}. {question}" for number, question in enumerate(questions, 1)]
    return join([plain(said), plain("\n".join(lines if len(lines) > 1 else questions))])


def _date(written: str, language: Language) -> str:
    """Return 2022 as it is, 2022-05 and 2022-05-31 as people write them; what is no date as it is."""
    year, *rest = map(int, written.split("-"))
    try:
        match rest:
            case [month]:
                return times.month(date(year, month, 1), language)
            case [month, day]:
                return times.written(date(year, month, day), language)
            case _:
                return written
    except ValueError:
        return written
