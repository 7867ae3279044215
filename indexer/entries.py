"""From a knowledge file to entries: one question, other ways of asking it, one answer, and where it comes from."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")

HEADING = re.compile(r"^(?P<question>.+?)\s*\{#(?P<id>[a-z0-9]+(?:-[a-z0-9]+)*)\}$")
ALSO_ASKED = re.compile(r"^(also asked|autres formulations)\s*:$", re.IGNORECASE)
DRAFT = re.compile(r"^\s*TODO\b", re.MULTILINE)
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


class FrontMatter(BaseModel):
    """The lines between `---` at the head of a knowledge file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    course: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    topic: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    language: Language
    source: str = Field(min_length=1)
    source_date: str | None = Field(default=None, pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")
    reviewed: date
    address: HttpUrl | None = None
    valid_until: date | None = None


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
    matter, problems = _front_matter(tokens, path)
    if matter is None:
        return Parsed(problems=tuple(problems))
    entries, more = _sections(tokens, LINE_END.split(text), matter, path)
    if not entries and not more:
        more = [Problem(path, 1, "no question found: write one as a line '## Question? {#short-id}'")]
    return Parsed(tuple(entries), (*problems, *more))


def _front_matter(tokens: Sequence[Token], path: str) -> tuple[FrontMatter | None, list[Problem]]:
    if not tokens or tokens[0].type != "front_matter":
        remedy = "no front matter: the file begins with a line '---', then course, topic, language … and '---'"
        return None, [Problem(path, 1, remedy)]
    content = tokens[0].content
    try:
        node = yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = content.count("\n", 0, error.position) + 2
        return None, [Problem(path, line, "front matter cannot be read: delete the invisible character in this line")]
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark.line if error.problem_mark else 0) + 2
        return None, [Problem(path, line, f"front matter cannot be read: {error.problem}; write 'name: value'")]
    if not isinstance(node, yaml.MappingNode):
        return None, [Problem(path, 2, "front matter cannot be read: write one 'name: value' a line")]
    lines = {str(key.value): key.start_mark.line + 2 for key, _ in node.value}
    try:
        return FrontMatter.model_validate(_values(node, content)), []
    except ValidationError as error:
        return None, [
            Problem(path, lines.get(str(fault["loc"][0]), 1), _front_matter_fault(fault)) for fault in error.errors()
        ]


def _values(node: yaml.MappingNode, content: str) -> dict[str, str]:
    """Names and values as they were written, since YAML would refuse 2026-02-30 itself; blank ones are left out."""
    pairs = {str(key.value): content[value.start_mark.index : value.end_mark.index] for key, value in node.value}
    scalars = {str(key.value): value.value for key, value in node.value if isinstance(value, yaml.ScalarNode)}
    return {name: value for name, value in (pairs | scalars).items() if value}


def _front_matter_fault(fault: Any) -> str:
    name, known = str(fault["loc"][0]), list(FrontMatter.model_fields)
    match fault["type"]:
        case "missing":
            return f"front matter lacks '{name}': add a line '{name}: …'"
        case "extra_forbidden":
            near = get_close_matches(name, known, 1)
            return f"unknown name '{name}' in the front matter: " + (
                f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
            )
        case "string_pattern_mismatch" if name != "source_date":
            return f"'{name}' is {fault['input']!r}: use small letters, digits and hyphens, such as 'project-lead'"
        case "string_pattern_mismatch":
            return f"'{name}' is {fault['input']!r}: write a year or a date, such as 2022 or 2022-05-31"
        case "literal_error":
            return f"'{name}' is {fault['input']!r}: write fr or en"
        case kind if kind.startswith("date"):
            return f"'{name}' is {fault['input']!r}: write a date as year-month-day, such as 2026-09-01"
        case _:
            return f"'{name}' is {fault['input']!r}: {fault['msg']}"


def _sections(
    tokens: Sequence[Token], lines: list[str], matter: FrontMatter, path: str
) -> tuple[list[Entry], list[Problem]]:
    """Cut the file at its level-2 headings; what stands before the first is the topic's name, or a mistake."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    topic_name = matter.topic.replace("-", " ").capitalize()
    heads: list[int] = []
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h1" and not heads:
            topic_name = tokens[index + 1].content
        elif token.type == "heading_open" and token.tag == "h2" and token.map and token.level == 0:
            heads.append(index)
        elif not heads and token.type in {"paragraph_open", "fence", "code_block"} and token.map:
            text = "this text stands before the first question and nobody would see it: move it under a '## …' line"
            problems.append(Problem(path, token.map[0] + 1, text))
    for head, after in pairwise([*heads, len(tokens)]):
        end = (tokens[after].map or [0])[0] if after < len(tokens) else len(lines)
        found = _section(tokens[head:after], lines, end, matter, topic_name, path)
        (entries if isinstance(found, Entry) else problems).append(found)  # type: ignore[arg-type]  # one list a type
    return entries, problems


def _section(
    tokens: Sequence[Token], lines: list[str], end: int, matter: FrontMatter, topic_name: str, path: str
) -> Entry | Problem:
    assert tokens[0].map  # headings have one
    start, body = tokens[0].map[0] + 1, tokens[0].map[1]
    heading = HEADING.match(tokens[1].content)
    if not heading:
        text = f"expected '## Question? {{#short-id}}' (small letters, digits, hyphens), got {tokens[1].content!r}"
        return Problem(path, start, text)
    also, used = _also_asked(tokens)
    kept = [line for number, line in enumerate(lines[body:end], body) if number not in used]
    answer = "\n".join(kept).strip()
    draft = bool(DRAFT.search(answer))
    if not answer:
        remedy = "no answer: write it below the question (or 'TODO: …' as long as it is not known)"
        return Problem(path, start, f"{heading['question']!r} has {remedy}")
    return Entry(
        id=heading["id"],
        language=matter.language,
        course=matter.course,
        topic=matter.topic,
        topic_name=topic_name,
        question=heading["question"],
        also=also,
        answer="" if draft else answer,
        source=matter.source,
        address=str(matter.address) if matter.address else None,
        source_date=matter.source_date,
        reviewed=matter.reviewed,
        valid_until=matter.valid_until,
        path=path,
        line=start,
        draft=draft,
    )


def _also_asked(tokens: Sequence[Token]) -> tuple[tuple[str, ...], set[int]]:
    """The other ways of asking, and the lines that they and their label stand on."""
    for index, token in enumerate(tokens[:-3]):
        if token.type != "inline" or token.level != 1 or not ALSO_ASKED.match(token.content.strip()):
            continue
        opening = tokens[index + 2]
        if opening.type != "bullet_list_open" or not opening.map or not token.map:
            break
        items: list[str] = []
        for item in tokens[index + 3 :]:
            if item.type == "bullet_list_close" and item.level == 0:
                break
            if item.type == "inline":
                items.append(item.content.replace("\n", " ").strip())
        return tuple(items), set(range(token.map[0], opening.map[1]))
    return (), set()


def check(entries: Sequence[Entry]) -> Iterator[Problem]:
    """What is wrong between entries: an id twice in a language, one question for two ids, a course that changes."""
    seen: dict[tuple[str, str], Entry] = {}
    asked: dict[tuple[str, str, str], Entry] = {}
    course: dict[str, Entry] = {}
    for entry in entries:
        first = seen.setdefault((entry.id, entry.language), entry)
        if first is not entry:
            yield Problem(
                entry.path,
                entry.line,
                f"id '{entry.id}' is already used at {first.path}:{first.line}: choose another",
            )
            continue
        other = course.setdefault(entry.id, entry)
        if other.course != entry.course:
            where = f"{other.path}:{other.line}"
            text = f"id '{entry.id}' already belongs to course '{other.course}' at {where}: choose another"
            yield Problem(entry.path, entry.line, text)
        for question in (entry.question, *entry.also):
            twin = asked.setdefault((entry.course, entry.language, " ".join(question.casefold().split())), entry)
            if twin.id != entry.id:
                text = f"{question!r} is also asked by '{twin.id}' at {twin.path}:{twin.line}: keep it in one of them"
                yield Problem(entry.path, entry.line, text)


def missing_translations(entries: Iterable[Entry]) -> list[Problem]:
    """Entries that exist in one language only: shown as a warning, since the other language still finds them."""
    by_id: dict[str, list[Entry]] = {}
    for entry in entries:
        by_id.setdefault(entry.id, []).append(entry)
    return [
        Problem(e.path, e.line, f"'{e.id}' has no {'English' if e.language == 'fr' else 'French'} version yet")
        for (e, *more) in by_id.values()
        if not more
    ]


def plain(markdown: str) -> list[str]:
    """The visible text of Markdown, one string a block.

    >>> plain("**In 2022**, yes.\\n\\n- a [b](https://c.d)")
    ['In 2022, yes.', 'a b']
    """
    return [
        "".join(" " if t.type in {"softbreak", "hardbreak"} else t.content for t in token.children or ())
        if token.type == "inline"
        else token.content.strip()
        for token in MARKDOWN.parse(markdown)
        if token.type in {"inline", "fence", "code_block"}
    ]
