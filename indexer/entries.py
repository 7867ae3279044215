"""From a knowledge file to entries: one question, other ways of asking it, one answer, and where it comes from."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from indexer import frontmatter
from indexer.asking import HEADING, misplaced_headings, mistaken_labels, unspaced_headings, ways_of_asking
from indexer.frontmatter import FrontMatter

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")

DRAFT = re.compile(r"^\s*(?:TODO\b|(?i:todo)\s*(?::|$|[-–—]\s))", re.MULTILINE)  # 'todo list' is none
LINE_END = re.compile(r"\r\n?|\n")  # as Markdown counts lines: fewer than str.splitlines knows
MARKDOWN = MarkdownIt("commonmark", {"html": False}).use(front_matter_plugin)


@dataclass(frozen=True, slots=True)
class Entry:
    """A question with its approved answer (Markdown), in one language; `id` is shared by its translations."""

    id: str
    language: Language
    course: str
    topic: str
    topic_name: str
    question: str
    also: tuple[str, ...]
    answer: str
    source: str
    address: str | None = None
    source_date: str | None = None
    reviewed: date | None = None
    valid_until: date | None = None
    path: str = ""
    line: int = 0
    draft: bool = False
    review_every: int | None = None  # days
    owner: str | None = None  # who looks after it

    @property
    def ends(self) -> date | None:
        """The last day on which the answer is given: its own date, or the day when it has to be reviewed."""
        due = None
        if self.reviewed and self.review_every:
            due = date.fromordinal(min(self.reviewed.toordinal() + self.review_every, date.max.toordinal()))
        return min((day for day in (self.valid_until, due) if day), default=None)

    def past(self, today: date) -> bool:
        """Whether the answer is out of date, so that people have to give it."""
        return self.ends is not None and self.ends < today


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do about it."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


class KnowledgeError(Exception):
    """Everything that is wrong with the knowledge files, all at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file gave: its entries, and the problems that keep others from being read."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_text(path: Path) -> str:
    """The file's text, with plain line ends; a file that is not UTF-8 raises KnowledgeError with the remedy."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        remedy = "this is not UTF-8 text: save the file with the encoding UTF-8"
        raise KnowledgeError([Problem(str(path), line, remedy)]) from error
    except OSError as error:
        remedy = f"cannot be read ({error.strerror}): check its name and rights"
        raise KnowledgeError([Problem(str(path), 1, remedy)]) from error


def parse(text: str, path: str) -> Parsed:
    """Read one Markdown knowledge file.

    >>> parse("", "a.md").problems[0].text.split(":")[0]
    'the file is empty'
    """
    if not text.strip():
        return Parsed(problems=(Problem(path, 1, "the file is empty: write a question or delete the file"),))
    tokens = MARKDOWN.parse(text)
    matter, faults = frontmatter.read(tokens)
    if matter is None:
        return Parsed(problems=tuple(Problem(path, line, text) for line, text in faults))
    entries, more = _sections(tokens, LINE_END.split(text), matter, path)
    if not entries and not more:
        more = [Problem(path, 1, "no question found: write one as a line '## Question? {#short-id}'")]
    return Parsed(tuple(entries), tuple(more))


def _sections(
    tokens: Sequence[Token], lines: list[str], matter: FrontMatter, path: str
) -> tuple[list[Entry], list[Problem]]:
    """Cut the file at its level-2 headings; what stands before the first is the topic's name, or a mistake."""
    entries: list[Entry] = []
    topic_name = matter.topic.replace("-", " ").capitalize()
    heads: list[int] = []
    lost: list[Problem] = []
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h1" and not heads:
            topic_name = tokens[index + 1].content
        elif token.type == "heading_open" and token.tag == "h2" and token.map and token.level == 0:
            heads.append(index)
        elif not heads and token.type in {"paragraph_open", "fence", "code_block"} and token.map:
            text = "this text stands before the first question and nobody would see it: move it under a '## …' line"
            lost.append(Problem(path, token.map[0] + 1, text))
    unspaced = [Problem(path, *fault) for fault in unspaced_headings(tokens[: heads[0]] if heads else tokens)]
    # What follows such a line is not lost once the line is mended.
    problems = [*(one for one in lost if not unspaced or one.line < unspaced[0].line), *unspaced]
    for head, after in pairwise([*heads, len(tokens)]):
        end = (tokens[after].map or [0])[0] if after < len(tokens) else len(lines)
        found, faults = _section(tokens[head:after], lines, end, matter, topic_name, path)
        entries += [found] if found else []
        problems += faults
    return entries, problems


def _section(
    tokens: Sequence[Token], lines: list[str], end: int, matter: FrontMatter, topic_name: str, path: str
) -> tuple[Entry | None, list[Problem]]:
    assert tokens[0].map  # headings have one
    start, body = tokens[0].map[0] + 1, tokens[0].map[1]
    heading = HEADING.match(tokens[1].content)
    if not heading:
        text = f"expected '## Question? {{#short-id}}' (small letters, digits, hyphens), got {tokens[1].content!r}"
        return None, [Problem(path, start, text)]
    also = ways_of_asking(tokens, lines)
    merged = (*misplaced_headings(tokens), *unspaced_headings(tokens))  # a label below one of them may be right
    faults = (*merged, *also.faults, *(() if merged else mistaken_labels(tokens, also)))
    problems = [Problem(path, line, text) for line, text in faults]
    kept = [line for number, line in enumerate(lines[body:end], body) if number not in also.lines]
    answer = "\n".join(kept).strip()
    draft = bool(DRAFT.search(answer))
    if not answer:
        remedy = "no answer: write it below the question (or 'TODO: …' as long as it is not known)"
        return None, [Problem(path, start, f"{heading['question']!r} has {remedy}"), *problems]
    entry = Entry(
        **{**matter.model_dump(), "address": str(matter.address) if matter.address else None},
        id=heading["id"],
        topic_name=topic_name,
        question=heading["question"],
        also=also.ways,
        answer="" if draft else answer,
        path=path,
        line=start,
        draft=draft,
    )
    return entry, problems


@lru_cache(maxsize=8)  # building an index needs the same one several times in a row
def plain(markdown: str) -> tuple[str, ...]:
    """The visible text of Markdown, one string a block.

    >>> plain("**In 2022**, yes.\\n\\n- a [b](https://c.d)")
    ('In 2022, yes.', 'a b')
    """
    return tuple(
        "".join(" " if t.type in {"softbreak", "hardbreak"} else t.content for t in token.children or ())
        if token.type == "inline"
        else token.content.strip()
        for token in MARKDOWN.parse(markdown)
        if token.type in {"inline", "fence", "code_block"}
    )
