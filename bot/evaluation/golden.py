"""Golden questions: what people ask, each with what the assistant should do. YAML, or JSON Lines of the same."""

import hashlib
import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.dialogue.lists import LOADER
from indexer.entries import KnowledgeError, Language, Problem, read_text
from indexer.frontmatter import why
from indexer.readers import GOLDEN, Knowledge

Kind = Literal["plain", "typos", "sms", "mix", "letter", "several", "follow-up", "chat", "gibberish"]
ESCALATE, CHAT = "escalate", "chat"
EXAMPLE = """- {ask: "Is there a fee?", language: en, expect: fees}, with the question in quotes"""


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class Before(BaseModel):
    """The exchange that a follow-up follows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ask: str
    entry: str | None = None


class Golden(BaseModel):
    """A question with its expectation: entries' ids, `escalate` or `chat`, one for each part of the message.

    `also` names entries that would be right too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ask: str = Field(min_length=1)
    language: Language
    expect: Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]
    also: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    kind: Kind = "plain"
    course: str | None = None  # chosen before it was asked, where a school has several
    before: Before | None = None
    line: int = Field(default=0, exclude=True)

    @property
    def key(self) -> str:
        """Names the question without showing it; the same wherever it is asked."""
        asked = f"{self.before.ask if self.before else ''}\n{self.ask}" + (f"\n{self.course}" if self.course else "")
        return hashlib.sha256(asked.encode()).hexdigest()[:12]

    @property
    def answerable(self) -> bool:
        """Whether an entry answers all of it."""
        return not {ESCALATE, CHAT} & set(self.expect)

    @property
    def single(self) -> bool:
        """Whether it is one question, answerable or not: what ranking and confidence are measured on."""
        return len(self.expect) == 1 and self.expect != (CHAT,)


def golden_file(knowledge: Path) -> Path | None:
    """The golden questions of a knowledge folder, if it has some."""
    path = knowledge / GOLDEN
    return path if path.is_file() else None


def golden_beside(folder: Path, knowledge: Knowledge) -> tuple[Golden, ...] | None:
    """The golden questions of a folder about what was read there, None if it has none; raises KnowledgeError."""
    path = golden_file(folder)
    ids = {entry.id for entry in (*knowledge.entries, *knowledge.drafts)}
    return read_golden(path, ids, [course.name for course in knowledge.courses]) if path else None


def read_golden(path: Path, known: Collection[str] = (), courses: Collection[str] = ()) -> tuple[Golden, ...]:
    """Read golden questions; raises KnowledgeError with every problem, ids that no entry has among them.

    `known` are the ids that may be expected, empty: not checked; `courses` those of a school with several.
    """
    if not path.exists():
        raise KnowledgeError(
            [Problem(str(path), 1, f"there is no such file: write questions into it, a line each: {EXAMPLE}")]
        )
    items = _json_lines(path) if path.suffix == ".jsonl" else _yaml_items(path)
    questions, problems = [], []
    for line, item in items:
        try:
            question = Golden.model_validate({**item, "line": line} if isinstance(item, dict) else item)
        except ValidationError as error:
            problems.append(Problem(path.name, line, f"{_fault(error.errors()[0])}; write {EXAMPLE}"))
            continue
        named = {*question.expect, *question.also} - {ESCALATE, CHAT}
        if known and (strange := sorted(named - set(known))):
            text = f"expects {', '.join(strange)}, which no entry has: correct the id or remove the question"
            problems.append(Problem(path.name, line, text))
        if question.course and known and question.course not in courses:
            text = (
                f"course '{question.course}' has no folder with a course.yaml: known are {', '.join(courses) or 'none'}"
            )
            problems.append(Problem(path.name, line, text))
        questions.append(question)
    problems += _twice(path, questions)
    if problems:
        raise KnowledgeError(problems)
    return tuple(questions)


def _fault(fault: Any) -> str:
    name = ".".join(map(str, fault["loc"]))
    match fault["type"]:
        case "missing":
            return f"lacks '{name}'"
        case "extra_forbidden":
            return f"unknown name '{name}'"
        case "literal_error":
            return f"'{name}' is {fault['input']!r}, not {fault['ctx']['expected']}"
        case _:
            return f"{name or 'question'}: {fault['msg']}"


def _twice(path: Path, questions: Iterable[Golden]) -> list[Problem]:
    first: dict[str, Golden] = {}
    repeated = [(q, first.setdefault(q.key, q)) for q in questions]
    return [
        Problem(path.name, question.line, f"asked before in line {other.line}: remove one")
        for question, other in repeated
        if question is not other
    ]


def _yaml_items(path: Path) -> list[tuple[int, Any]]:
    text = read_text(path)
    try:
        node = yaml.compose(text, Loader=LOADER)
        values = yaml.load(text, Loader=LOADER)  # noqa: S506  # safe
    except yaml.MarkedYAMLError as error:
        line, fault = why(error, text)
        raise KnowledgeError([Problem(path.name, line, f"cannot be read: {fault}")]) from error
    if not isinstance(node, yaml.SequenceNode):
        raise KnowledgeError([Problem(path.name, 1, f"expected a list, one line a question: write {EXAMPLE}")])
    return [(item.start_mark.line + 1, value) for item, value in zip(node.value, values, strict=True)]


def _json_lines(path: Path) -> list[tuple[int, Any]]:
    items = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip():
            try:
                items.append((number, json.loads(line)))
            except ValueError as error:
                raise KnowledgeError([Problem(path.name, number, f"this is not JSON ({error})")]) from error
    return items
