"""The lines between `---` at the head of a knowledge file: what holds for all its entries."""

from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any, Literal

import yaml
from markdown_it.token import Token
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError

from indexer.asking import Fault


class FrontMatter(BaseModel):
    """The lines between `---` at the head of a knowledge file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    course: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    topic: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    language: Literal["fr", "en"]
    source: str = Field(min_length=1)
    source_date: str | None = Field(default=None, pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")
    reviewed: date
    address: HttpUrl | None = None
    valid_until: date | None = None
    review_every: int | None = Field(default=None, ge=1, le=3650)
    owner: str | None = Field(default=None, max_length=100)


def why(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str]:
    """The line, from 1, in which YAML cannot go on, and what to do, for people who do not know it."""
    line = error.problem_mark.line if error.problem_mark else 0
    if "\t" in "".join(text.splitlines()[line : line + 1]):
        return line + 1, "there is a tab in this line: write blanks instead"
    remedy = "write 'name: value' with a blank after the colon, and a value that has ':', '#' or '@' in it in quotes"
    return line + 1, f"{remedy} ({error.problem})"


def read(tokens: Sequence[Token]) -> tuple[FrontMatter | None, list[Fault]]:
    """The front matter, or every fault of it: the line, and what is wrong with it."""
    if not tokens or tokens[0].type != "front_matter":
        remedy = "no front matter: the file begins with a line '---', then course, topic, language … and '---'"
        return None, [(1, remedy)]
    content = tokens[0].content
    try:
        node = yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = content.count("\n", 0, error.position) + 2
        return None, [(line, "front matter cannot be read: delete the invisible character in this line")]
    except yaml.MarkedYAMLError as error:
        line, text = why(error, content)
        return None, [(line + 1, f"front matter cannot be read: {text}")]
    if not isinstance(node, yaml.MappingNode):
        return None, [(2, "front matter cannot be read: write one 'name: value' a line")]
    lines = {str(key.value): key.start_mark.line + 2 for key, _ in node.value}
    try:
        return FrontMatter.model_validate(_values(node, content)), []
    except ValidationError as error:
        return None, [(lines.get(str(fault["loc"][0]), 1), _front_matter_fault(fault)) for fault in error.errors()]


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
        case kind if kind.startswith(("int", "greater", "less")):
            return f"'{name}' is {fault['input']!r}: write a number of days, such as 180"
        case kind if kind.startswith("date"):
            return f"'{name}' is {fault['input']!r}: write a date as year-month-day, such as 2026-09-01"
        case _:
            whole = "write all of it, such as https://www.example.org/fees"
            return f"'{name}' is {fault['input']!r}: {whole if name == 'address' else fault['msg']}"
