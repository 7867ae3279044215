"""What editors should look at: nothing here keeps an index from being built."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby

import numpy as np
import numpy.typing as npt

from indexer.ageing import ageing
from indexer.checks import missing_translations
from indexer.encoder import Vectors
from indexer.entries import MARKDOWN, Entry, Problem, plain
from indexer.lexical import WORD, fold, wording
from indexer.passages import LONG_ANSWER, Kind
from indexer.snapshot import Snapshot
from indexer.writer import LABEL

SAME = 0.97  # cosine of two questions from which they are one in other words
RIVALS, SHARE = 3, 0.2  # ways of asking nearer to another entry than to all others of their own: at least, and share
SHOWN = 3
LABEL_WORDS = 4  # a line with more is a sentence that introduces a list
WAYS = re.compile(
    r"^\W*(other (ways( (of asking|to ask)( it)?)?|wordings?|phrasings?)|reformulations?"
    r"|autres (facons|manieres)( de (la )?(demander|poser|formuler)( la question)?)?)\W*$"
)
MONTHS = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    )
    for number, name in enumerate(names.split(), 1)
}
NOTE = re.compile(r"^(?:to[ -]?do|a faire)\s*:\s*\S")  # with nothing behind it, it introduces a list
DAY = re.compile(r"\b(?P<day>\d{1,2})(?:er|st|nd|rd|th)? (?P<month>[a-z]+) (?P<year>\d{4})\b")
NUMBERS = re.compile(r"\b(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})\b")


def advice(
    entries: Sequence[Entry], golden: Collection[str] | None, today: date, outside: Collection[str] = ()
) -> list[Problem]:
    """Everything that can be told without a model.

    `golden` are ids that golden questions name, None without any; `outside` are questions that no entry answers.
    """
    found = (
        *missing_translations(entries),
        *half_answered(entries),
        *topics(entries),
        *long_answers(entries),
        *unlabelled(entries),
        *notes(entries),
        *dates(entries, today),
        *same_words(entries),
        *answered_and_not(entries, outside),
        *(unreached(entries, golden) if golden is not None else ()),
    )
    return sorted(found, key=lambda problem: (problem.path, problem.line))


def half_answered(entries: Iterable[Entry]) -> Iterator[Problem]:
    """Drafts whose translation is answered."""
    listed = list(entries)
    answered = {entry.id: entry for entry in listed if not entry.draft}
    for entry in listed:
        if entry.draft and (other := answered.get(entry.id)):
            yield _at(entry, f"'{entry.id}' is a draft here and answered at {other.path}:{other.line}: translate it")


def topics(entries: Iterable[Entry]) -> Iterator[Problem]:
    """Files with another topic than their translations: topics are those of menus, figures and staff groups."""
    first: dict[tuple[str, bool], Entry] = {}
    seen = set()
    for entry in entries:
        other = first.setdefault((entry.id, entry.draft), entry)
        if other.topic != entry.topic and (entry.path, other.path) not in seen:
            seen.add((entry.path, other.path))
            where = f"'{other.topic}' at {other.path}:{other.line}"
            yield _at(entry, f"the topic of '{entry.id}' is '{entry.topic}' here and {where}: write the same in both")


def long_answers(entries: Iterable[Entry]) -> Iterator[Problem]:
    """Answers of which candidates see only some sentences at first."""
    for entry in entries:
        if len(entry.answer) > LONG_ANSWER:
            text = f"the answer of '{entry.id}' has {len(entry.answer)} characters, a phone shows {LONG_ANSWER} at once"
            yield _at(entry, f"{text}: shorten it, or make two entries")


def unlabelled(entries: Iterable[Entry]) -> Iterator[Problem]:
    """Answers that begin as ways of asking do, but below another label: a short line, a list, and the answer itself."""
    for entry in entries:
        tokens = MARKDOWN.parse(entry.answer)
        blocks = [number for number, token in enumerate(tokens) if token.level == 0 and token.nesting >= 0]
        if [tokens[number].type for number in blocks[:2]] != ["paragraph_open", "bullet_list_open"] or len(blocks) == 2:
            continue
        label = tokens[1].content
        items = [token.content for token in tokens[blocks[1] : blocks[2]] if token.type == "inline"]
        asks = len(label.split()) <= LABEL_WORDS and all(item.endswith("?") for item in items)
        if asks or WAYS.match(fold(label)):
            text = f"the answer of '{entry.id}' begins with {label!r} and a list: if these are other ways of asking"
            yield _at(entry, f"{text}, write {LABEL[entry.language]!r} instead")


def notes(entries: Iterable[Entry]) -> Iterator[Problem]:
    """Answers with what may be a note among editors, and does not make them drafts."""
    for entry in entries:
        for block in plain(entry.answer):
            if NOTE.match(fold(block)):
                text = f"the answer of '{entry.id}' has a line {block[:40]!r}: if that is a note, begin the line with"
                yield _at(entry, f"{text} 'TODO:', and the answer is a draft, never shown")


def dates(entries: Iterable[Entry], today: date) -> Iterator[Problem]:
    """Entries whose time is over or nearly so, days named in answers that have passed, reviews still to come."""
    listed = list(entries)
    for one in ageing(listed, today):
        said = "ends" if one.days >= 0 else "ended"
        whose = f" ({one.entry.owner})" if one.entry.owner else ""
        text = f"'{one.entry.id}'{whose} {said} on {one.ends}, then people answer: review it, change its date"
        yield _at(one.entry, text)
    for entry in {entry.path: entry for entry in reversed(listed)}.values():  # the first of each file
        if entry.reviewed and entry.reviewed > today:
            text = f"'reviewed' is {entry.reviewed}, which is still to come: write the day when you last read"
            yield _at(entry, f"{text} the whole file")
    for entry in listed:
        for day in sorted(day for day in days_in(entry.answer) if day < today):
            yield _at(entry, f"the answer of '{entry.id}' names {day}, which has passed: is it still right?")


def days_in(text: str) -> set[date]:
    """The days that a text names in full, in French or English, by month or as day/month/year.

    >>> sorted(map(str, days_in("Du 3 août 2024 au 05/09/2024; on 31 March 2025")))
    ['2024-08-03', '2024-09-05', '2025-03-31']
    """
    days = set()
    for match in (*DAY.finditer(fold(text)), *NUMBERS.finditer(text)):
        month = int(match["month"]) if match["month"].isdigit() else MONTHS.get(match["month"], 0)
        try:
            days.add(date(int(match["year"]), month, int(match["day"])))
        except ValueError:
            continue  # 31/02/2024, or a word that is no month
    return days


def same_words(entries: Iterable[Entry]) -> Iterator[Problem]:
    """Ways of asking that have the words of another entry's in another order, and answers given twice."""
    asked: dict[tuple[str, str, frozenset[str]], Entry] = {}
    answered: dict[tuple[str, str, str], Entry] = {}
    for entry in entries:
        for way in (entry.question, *entry.also):
            words = frozenset(WORD.findall(fold(way)))
            first = asked.setdefault((entry.course, entry.language, words), entry)
            if first.id != entry.id:
                yield _at(entry, f"{way!r} has the same words as a question of {_named(first)}: keep one")
        if entry.answer:
            first = answered.setdefault((entry.course, entry.language, " ".join(plain(entry.answer))), entry)
            if first.id != entry.id:
                yield _at(entry, f"'{entry.id}' has the answer of {_named(first)}: make one entry of both")


def answered_and_not(entries: Iterable[Entry], outside: Collection[str]) -> Iterator[Problem]:
    """Ways of asking that stand among the questions that no entry answers."""
    listed = set(map(wording, outside))
    for entry in entries:
        for way in (entry.question, *entry.also):
            if not entry.draft and wording(way) in listed:
                yield _at(entry, f"{way!r} stands in outside.txt too, among what no entry answers: keep one")


def unreached(entries: Iterable[Entry], golden: Collection[str]) -> Iterator[Problem]:
    """Answered entries that no golden question expects: nothing would notice if they were not found any more."""
    seen = set(golden)
    for entry in entries:
        if entry.id not in seen and not entry.draft:
            seen.add(entry.id)
            yield _at(entry, f"no golden question expects '{entry.id}': add one to golden.yaml, worded as people ask")


def rivals(snapshot: Snapshot) -> Iterator[Problem]:
    """Entries that compete for the same questions, by meaning, over both languages; within a course."""
    for _, numbers in groupby(range(len(snapshot.groups)), key=lambda group: _first(snapshot, group).course):
        yield from _rivals(snapshot, list(numbers))


def _rivals(snapshot: Snapshot, groups: Sequence[int]) -> Iterator[Problem]:
    vectors, owner, asked = _asked(snapshot, groups)
    seen = set()
    strays: dict[tuple[int, int], list[int]] = {}
    for row, group in enumerate(owner.tolist()):
        cosines = vectors @ vectors[row]
        cosines[row] = -1
        mine = owner == group
        other = int(np.argmax(np.where(mine, -1, cosines)))
        pair = frozenset((group, int(owner[other])))
        (entry, way), (there, theirs) = asked[row], asked[other]
        if cosines[other] >= SAME and pair not in seen:
            seen.add(pair)
            text = f"{way!r} says almost the same as {theirs!r} of {_named(there)}: keep it in one of them"
            yield _at(entry, text)
        elif mine.sum() > 1 and cosines[other] > cosines[mine].max():
            strays.setdefault((group, int(owner[other])), []).append(row)
    for (group, other), rows in strays.items():
        if len(rows) >= max(RIVALS, SHARE * int((owner == group).sum())) and {group, other} not in seen:
            named = ", ".join(repr(asked[row][1]) for row in rows[:SHOWN])
            there = asked[int(np.argmax(owner == other))][0]
            text = f"{len(rows)} ways of asking '{asked[rows[0]][0].id}' are nearer to {_named(there)}"
            yield _at(asked[rows[0]][0], f"{text} ({named}): reword or move them")


def _asked(snapshot: Snapshot, groups: Sequence[int]) -> tuple[Vectors, npt.NDArray[np.int64], list[tuple[Entry, str]]]:
    """The vectors of all ways of asking, the group of each, and its entry and text."""
    rows: list[int] = []
    owner: list[int] = []
    asked: list[tuple[Entry, str]] = []
    for group in groups:
        first, last = (int(snapshot.segments[group * len(Kind) + Kind.ASKED + end]) for end in (0, 1))
        rows += range(first, last)
        owner += [group] * (last - first)
        versions = (snapshot.entries[number] for number in snapshot.groups[group])
        asked += [(entry, way) for entry in versions for way in (entry.question, *entry.also)]
    return snapshot.vectors[rows], np.array(owner, np.int64), asked


def _first(snapshot: Snapshot, group: int) -> Entry:
    return snapshot.entries[snapshot.groups[group][0]]


def _named(entry: Entry) -> str:
    return f"'{entry.id}' at {entry.path}:{entry.line}"


def _at(entry: Entry, text: str) -> Problem:
    return Problem(entry.path, entry.line, text)
