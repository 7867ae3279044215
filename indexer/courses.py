"""The courses of a school: a folder each, with a small `course.yaml`; what stands outside of them is common to all."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from indexer.entries import LANGUAGES, Entry, KnowledgeError, Language, Problem, read_text
from indexer.frontmatter import why

FILE = "course.yaml"
COMMON = "common"  # the course of entries that stand outside of the courses' folders
NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
LONGEST_NAME = 32  # characters: it goes into links and buttons, which are short
FRONT_COURSE = re.compile(r"^course\s*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Course:
    """A course: its folder's name, its title by language, what else people call it, and who answers for it.

    `staff` is a name that GUICHET_ROUTES may use for several courses together. The origin, by language, tells where its
    answers come from while no school stands behind them.
    """

    name: str
    fr: str
    en: str
    names: tuple[str, ...] = ()
    staff: str = ""
    origin_fr: str = ""
    origin_en: str = ""

    def title(self, language: Language) -> str:
        """What it is called in a language."""
        return self.fr if language == "fr" else self.en

    def origin(self, language: Language) -> str:
        """Where its answers come from, in a language; empty if that is told nowhere."""
        return self.origin_fr if language == "fr" else self.origin_en


COURSES = TypeAdapter(tuple[Course, ...])


class _Title(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    fr: str = Field(min_length=1, max_length=60)
    en: str = Field(min_length=1, max_length=60)


class _Origin(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    fr: str = Field(min_length=1, max_length=300)
    en: str = Field(min_length=1, max_length=300)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    title: _Title
    names: tuple[str, ...] = ()
    staff: str = Field("", pattern=NAME, max_length=LONGEST_NAME)
    origin: _Origin | None = None


KNOWN: dict[tuple[str, ...], list[str]] = {
    (): list(_File.model_fields),
    ("title",): list(LANGUAGES),
    ("origin",): list(LANGUAGES),
}


def read_courses(folder: Path) -> tuple[Course, ...]:
    """The courses of a knowledge folder by name, none if no folder has a `course.yaml`; raises KnowledgeError."""
    courses: list[Course] = []
    problems: list[Problem] = []
    for path in sorted(folder.rglob(FILE)):
        name = path.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in Path(name).parts):
            continue
        found = _course(path, name)
        if isinstance(found, Course):
            courses.append(found)
        else:
            problems += found
    problems += _same_names(folder, courses)
    if problems:
        raise KnowledgeError(problems)
    return tuple(courses)


def _course(path: Path, name: str) -> Course | list[Problem]:
    if name.count("/") != 1:
        text = f"{FILE} makes a course of a folder at the top of the knowledge folder: move it to <course>/{FILE}"
        return [Problem(name, 1, text)]
    folder = path.parent.name
    if not re.match(NAME, folder) or len(folder) > LONGEST_NAME or folder == COMMON:
        text = f"a course's folder is named in small letters, digits and hyphens, at most 32, and not '{COMMON}'"
        return [Problem(name, 1, f"{text}: rename '{folder}'")]
    try:
        node = yaml.compose(read_text(path), Loader=yaml.SafeLoader)
        data = yaml.safe_load(read_text(path))
    except KnowledgeError as error:
        return [Problem(name, problem.line, problem.text) for problem in error.problems]
    except yaml.MarkedYAMLError as error:
        line, text = why(error, read_text(path))
        return [Problem(name, line, f"cannot be read: {text}")]
    except yaml.YAMLError:
        return [Problem(name, 1, "cannot be read: there is an unusual character in it")]
    try:
        read = _File.model_validate(data)
    except ValidationError as error:
        return [Problem(name, _line(node, fault["loc"]), _fault(fault)) for fault in error.errors()]
    names = tuple(dict.fromkeys(one.strip() for one in read.names if one.strip()))
    origin = (read.origin.fr, read.origin.en) if read.origin else ()
    return Course(folder, read.title.fr, read.title.en, names, read.staff, *origin)


def _line(node: Any, place: Sequence[int | str]) -> int:
    """The line of the deepest part of a place that is there."""
    line = node.start_mark.line + 1 if node else 1
    for step in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == step), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _fault(fault: Any) -> str:
    place = ".".join(map(str, fault["loc"])) or FILE
    match fault["type"]:
        case "missing":
            part = fault["loc"][0]
            return f"lacks '{place}': write {part} with fr and en, such as '{part}: {{fr: Droit, en: Law}}'"
        case "extra_forbidden":
            known = KNOWN[tuple(fault["loc"][:-1])]
            near = get_close_matches(str(fault["loc"][-1]), known, 1)
            return f"unknown name '{place}': " + (
                f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"
            )
        case "tuple_type":
            return f"'{place}' is no list: write [one name, another name]"
        case "string_pattern_mismatch" | "string_too_long" if place == "staff":
            return f"'{place}' is {fault['input']!r}: use at most 32 small letters, digits and hyphens"
        case kind if kind.startswith("model"):
            return f"'{place}' has no parts: write title with fr and en, names, staff and origin, one a line"
        case "string_type":
            return f"'{place}' is {fault['input']!r}: write text, in quotes if need be"
        case _:
            return f"'{place}': {fault['msg']}"


def _same_names(folder: Path, courses: Sequence[Course]) -> Iterator[Problem]:
    """Two courses that people call alike could not be told apart."""
    first: dict[str, Course] = {}
    for course in courses:
        for name in (course.name, course.fr, course.en, *course.names):
            other = first.setdefault(" ".join(name.casefold().split()), course)
            if other is not course:
                path = f"{course.name}/{FILE}"
                lines = read_text(folder / path).splitlines()
                line = next((number for number, text in enumerate(lines, 1) if name in text), 1)
                yield Problem(path, line, f"{name!r} also names the course '{other.name}': keep it in one of them")


def assigned(
    entries: Sequence[Entry], courses: Sequence[Course], folder: Path
) -> tuple[tuple[Entry, ...], tuple[Problem, ...]]:
    """The entries with the course whose folder they stand in, and files whose front matter names another one.

    Without courses nothing changes.
    """
    if not courses:
        return tuple(entries), ()
    known = {course.name for course in courses}
    placed: list[Entry] = []
    strays: dict[str, tuple[str, str]] = {}
    for entry in entries:
        top = entry.path.split("/")[0]
        own = top if top in known else COMMON
        if entry.course != own and entry.path.lower().endswith(".md") and (own in known or entry.course in known):
            strays.setdefault(entry.path, (own, entry.course))
        placed.append(replace(entry, course=own))
    return tuple(placed), tuple(_stray(folder, path, *pair) for path, pair in strays.items())


def undescribed(entries: Iterable[Entry], courses: Sequence[Course]) -> Iterator[Problem]:
    """Folders that say of themselves that they are a course, where others have a `course.yaml` and they have none."""
    seen = {course.name for course in courses} | {COMMON}
    for entry in entries:
        folder, _, inside = entry.path.partition("/")
        if courses and inside and entry.course == folder not in seen:
            seen.add(folder)
            text = f"there is no {folder}/{FILE}: what stands in this folder holds for all courses"
            yield Problem(entry.path, 1, text)


def _stray(folder: Path, path: str, own: str, written: str) -> Problem:
    text = read_text(folder / path)
    found = FRONT_COURSE.search(text)
    line = text.count("\n", 0, found.start()) + 1 if found else 1
    if own == COMMON:
        remedy = f"move the file there, or write 'course: {COMMON}' for what is common to all courses"
        return Problem(path, line, f"'course: {written}' outside of the folder '{written}': {remedy}")
    return Problem(path, line, f"'course: {written}' in the folder of the course '{own}': write 'course: {own}'")
