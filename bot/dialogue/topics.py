"""The menu: topics of the knowledge, down to questions to tap. Pure; data is `g:` what `:` which `:` page."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import TypeVar

from bot.dialogue.cards import short
from bot.dialogue.message import Button, Message
from bot.dialogue.rich import bold, italic, join, plain
from bot.dialogue.texts import Texts, texts
from indexer.courses import COMMON
from indexer.entries import Entry, Language

PAGE = 8  # questions of a page: a phone shows no more at once
TOPICS = 12  # topics of a page: many stand in pairs
SHORT = 18  # characters of titles that stand side by side
ON_BUTTON = 56  # characters of a question that a phone shows on a button
NAMED = 6  # topics that the first words name

Row = tuple[Button, ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and its answered questions."""

    name: str
    title: str
    entries: tuple[Entry, ...]


def code(name: str) -> str:
    """A short name for button data, the same in every index: ids of entries may be longer than 64 bytes."""
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def topics_of(
    entries: Iterable[Entry], language: Language, today: date, course: str | None = None
) -> tuple[Topic, ...]:
    """The topics in the order of the files, with each question that has an answer today, in this language or the other.

    With `course`: of that course, and what is common to all.
    """
    chosen: dict[str, Entry] = {}
    for entry in entries:
        foreign = course is not None and entry.course not in (course, COMMON)
        if entry.draft or entry.past(today) or foreign:
            continue
        known = chosen.get(entry.id)
        if known is None or known.language != language == entry.language:
            chosen[entry.id] = entry
    found: dict[str, list[Entry]] = {}
    for entry in sorted(chosen.values(), key=attrgetter("path", "line")):
        found.setdefault(entry.topic, []).append(entry)
    return tuple(Topic(name, _title(own, language), tuple(own)) for name, own in found.items())


def _title(entries: Sequence[Entry], language: Language) -> str:
    return next((one.topic_name for one in entries if one.language == language), entries[0].topic_name)


def named(topics: Sequence[Topic]) -> str:
    """The topics in a sentence: the first ones, and that there are more."""
    told = ", ".join(topic.title[:1].lower() + topic.title[1:] for topic in topics[:NAMED])
    return f"{told}…" if len(topics) > NAMED else told


def find_topic(topics: Sequence[Topic], key: str) -> Topic | None:
    """The topic with that name or code."""
    return next((topic for topic in topics if key in (topic.name, code(topic.name))), None)


def find_entry(topics: Sequence[Topic], key: str) -> tuple[Topic, Entry] | None:
    """The question with that code, and its topic."""
    return next(((topic, one) for topic in topics for one in topic.entries if code(one.id) == key), None)


def menu(topics: Sequence[Topic], language: Language, *, page: int = 0, notice: str = "", said: str = "") -> Message:
    """The topics to choose from, below what is `said`, with a `notice` last."""
    words = texts(language)
    said = said or (words.menu_topics if topics else words.menu_nothing)
    shown = join([plain(said), italic(notice)])
    return shown.message(*topic_rows(topics, language, page))


def topic_rows(topics: Sequence[Topic], language: Language, page: int = 0) -> list[Row]:
    """A button for each topic of a page, short titles in pairs."""
    page = _within(page, len(topics), TOPICS)
    buttons = [
        Button(short(topic.title, ON_BUTTON), data=f"g:t:{code(topic.name)}:0") for topic in _part(topics, page, TOPICS)
    ]
    rows: list[Row] = []
    for button in buttons:
        fits = bool(rows) and len(rows[-1]) == 1 and max(len(rows[-1][0].text), len(button.text)) <= SHORT
        rows = [*rows[:-1], (*rows[-1], button)] if fits else [*rows, (button,)]
    return [*rows, _turning("g:m:-", page, len(topics), TOPICS, texts(language))]


def questions(topic: Topic, language: Language, *, page: int = 0, said: str = "") -> Message:
    """A topic's questions, numbered, since buttons cut long ones short; each with a button."""
    words, page = texts(language), _within(page, len(topic.entries), PAGE)
    shown = list(enumerate(_part(topic.entries, page, PAGE), page * PAGE + 1))
    listed = "\n".join(f"{number}. {entry.question}" for number, entry in shown)
    rows = [
        (Button(short(f"{number}. {entry.question}", ON_BUTTON), data=f"g:e:{code(entry.id)}"),)
        for number, entry in shown
    ]
    turning = _turning(f"g:t:{code(topic.name)}", page, len(topic.entries), PAGE, words)
    back = (Button(words.button_topics, data="g:m:-:0"),)
    return join([plain(said), bold(topic.title), plain(listed)]).message(*rows, turning, back)


def way_back(topic: Topic, entry: Entry, language: Language) -> Row:
    """From an answer to its topic's questions, or to all topics."""
    words, page = texts(language), topic.entries.index(entry) // PAGE
    return (
        Button(words.button_questions, data=f"g:t:{code(topic.name)}:{page}"),
        Button(words.button_topics, data="g:m:-:0"),
    )


def beside(said: str, language: Language) -> Message:
    """Something said to who has asked nothing yet, with a way to the topics."""
    return Message(said, buttons=((Button(texts(language).button_topics, data="g:m:-:0"),),))


def _part(whole: Sequence[T], page: int, size: int) -> Sequence[T]:
    return whole[page * size : (page + 1) * size]


def _within(page: int, count: int, size: int) -> int:
    """A page that there is: the knowledge may have shrunk since the button was made."""
    return max(0, min(page, (count - 1) // size))


def _turning(data: str, page: int, count: int, size: int, words: Texts) -> Row:
    """The buttons that turn the page, where there is one before or after."""
    before = (Button(words.button_previous, data=f"{data}:{page - 1}"),) if page else ()
    after = (Button(words.button_next, data=f"{data}:{page + 1}"),) if (page + 1) * size < count else ()
    return (*before, *after)
