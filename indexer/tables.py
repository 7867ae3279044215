"""Rows of questions and answers, as spreadsheets hold them: the first row names the columns, in French or English."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from indexer.entries import Language
from indexer.naming import slug

# Column → what people call it, in small letters without accents.
NAMES = {
    "question": "question questions q",
    "answer": "answer answers reponse reponses r a",
    "also": "also alternatives variantes formulations autres-formulations also-asked",
    "language": "language langue lang",
    "topic": "topic theme sujet category categorie",
    "course": "course formation cours",
    "id": "id identifiant identifier cle key",
}
COLUMNS = {name: column for column, names in NAMES.items() for name in names.split()}
LANGUAGES: Mapping[str, Language] = {
    "fr": "fr",
    "francais": "fr",
    "french": "fr",
    "en": "en",
    "anglais": "en",
    "english": "en",
}
LIST = re.compile(r"\s*([-*+]|\d+[.)])\s")


@dataclass(frozen=True, slots=True)
class Found:
    """A question with its answer as a file has it, from this line or row on; what is empty the file does not say."""

    question: str
    answer: str
    line: int
    id: str = ""
    language: Language | None = None
    topic: str = ""
    course: str = ""
    also: tuple[str, ...] = ()


def columns(row: Sequence[str]) -> dict[str, int]:
    """Which column stands where, if the row names those of questions and answers; empty if not.

    >>> columns(["Thème", "Question", "Réponse"])
    {'topic': 0, 'question': 1, 'answer': 2}
    """
    named = {COLUMNS[name]: place for place, cell in enumerate(row) if (name := slug(cell)) in COLUMNS}
    return named if {"question", "answer"} <= named.keys() else {}


def rows(table: Sequence[Sequence[str]]) -> Iterator[Found]:
    """The questions below the row that names the columns; a half of one, or an empty cell, stays empty."""
    head = next((number for number, row in enumerate(table) if columns(row)), len(table))
    for number, row in enumerate(table[head + 1 :], head + 2):
        cells = {name: row[place].strip() for name, place in columns(table[head]).items() if place < len(row)}
        if any(cells.values()):
            yield Found(
                question=" ".join(cells.get("question", "").split()),
                answer=_paragraphs(cells.get("answer", "")),
                line=number,
                id=slug(cells.get("id", "")),
                language=LANGUAGES.get(slug(cells.get("language", ""))),
                topic=slug(cells.get("topic", "")),
                course=slug(cells.get("course", "")),
                also=tuple(way.strip() for way in re.split(r"[\n|]", cells.get("also", "")) if way.strip()),
            )


def _paragraphs(cell: str) -> str:
    """A cell's text as Markdown: each of its lines is seen as one, lists stay lists."""
    lines = [line.strip() for line in cell.splitlines() if line.strip()]
    text = ""
    for before, line in zip(["", *lines], lines, strict=False):
        between = "\n" if LIST.match(before) and LIST.match(line) else "\n\n"
        text += f"{between}{line}" if text else line
    return within_answer(text)


def within_answer(text: str) -> str:
    """Markdown whose headings do not look like the beginning of an entry."""
    return re.sub(r"^#{1,2} ", "### ", text, flags=re.MULTILINE)
