"""What belongs to a question in a knowledge file: its heading, and the list of other ways of asking it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markdown_it.token import Token

HEADING = re.compile(r"^(?P<question>.*\S)\s*\{#(?P<id>[a-z0-9]+(?:-[a-z0-9]+)*)\}$")
LABEL = re.compile(r"^(also asked|autres formulations)\s*:$", re.IGNORECASE)
MISTAKEN = re.compile(
    r"^[*_]*((also asked|autres? formulations?)[\W_]*$|(also asked|autres formulations)\s*:)", re.IGNORECASE
)
UNSPACED = re.compile(r"^#+[^# \t].*\{#[^{}]*\}$")  # to Markdown no heading, also with a no-break space
Fault = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Asking:
    """The other ways of asking, the lines that they and their label stand on (from 0), and what is wrong with them."""

    ways: tuple[str, ...] = ()
    lines: frozenset[int] = frozenset()
    faults: tuple[Fault, ...] = ()


def misplaced_headings(tokens: Sequence[Token]) -> Iterator[Fault]:
    """Headings within an answer that look like a question: people mean a new entry and mistake the level."""
    for index, token in enumerate(tokens[:-1]):
        if index and token.type == "heading_open" and token.map and HEADING.match(tokens[index + 1].content):
            yield token.map[0] + 1, f"a question of its own begins with '## ', not '{token.markup} ': correct this line"


def unspaced_headings(tokens: Sequence[Token]) -> Iterator[Fault]:
    """Lines that begin a question for people, and for Markdown are part of the text above them."""
    for before, token in pairwise(tokens):
        if before.type == "paragraph_open" and token.map:
            for number, line in enumerate(token.content.split("\n"), token.map[0] + 1):
                if UNSPACED.match(line.strip()):
                    yield number, "a question of its own begins with '##' and an ordinary blank: correct this line"


def mistaken_labels(tokens: Sequence[Token], asking: Asking) -> Iterator[Fault]:
    """Lines that are meant as the label of ways of asking, and are not read as such."""
    told = {line - 1 for line, _ in asking.faults} | asking.lines
    text = "candidates would see this label: write 'Also asked:' or 'Autres formulations :' once, below a blank line"
    for token in tokens:
        if token.type == "inline" and token.level == 1 and token.map:
            first, *others = token.content.split("\n")  # of a wrapped sentence a line may be 'also asked.'
            labels = [bool(MISTAKEN.match(first)), *(bool(LABEL.match(line.strip())) for line in others)]
            for line, found in enumerate(labels, token.map[0]):
                if found and line not in told:
                    yield line + 1, f"{text}, then one way of asking a line, each after a hyphen and a blank"


def ways_of_asking(tokens: Sequence[Token], lines: Sequence[str]) -> Asking:
    """The list below its label, up to the first blank line: what follows is the answer, even if it is a list."""
    for index, token in enumerate(tokens[:-1]):
        if token.type == "inline" and token.level == 1 and token.map and LABEL.match(token.content.strip()):
            opening = tokens[index + 2] if index + 2 < len(tokens) else None
            if opening is None or opening.type != "bullet_list_open" or not opening.map:
                text = "no list follows: write one way of asking a line, each after a hyphen and a blank"
                return Asking(faults=((token.map[0] + 1, text),))
            first, last = opening.map
            end = next((line for line in range(first, last) if not lines[line].strip()), last)
            return _listed(tokens[index + 3 :], lines, token.map[0], (end, last))
    return Asking()


def _listed(tokens: Sequence[Token], lines: Sequence[str], start: int, ends: tuple[int, int]) -> Asking:
    """The items between the label's line and the list's end; `ends` are its first blank line, and where it stops."""
    ways: list[str] = []
    faults: list[Fault] = []
    for token in tokens:
        if token.type != "inline" or not token.map or token.map[0] >= ends[1]:
            continue
        if token.map[0] >= ends[0]:
            if token.content.rstrip().endswith("?"):
                text = "a way of asking below a blank line would be shown as the answer: remove the blank line above"
                faults.append((token.map[0] + 1, text))
            continue
        ways.append(token.content.replace("\n", " ").strip())
        faults += [
            (line + 1, "this line would be part of the way of asking above it: leave a blank line above an answer")
            for line in range(token.map[0] + 1, token.map[1])
            if not lines[line][:1].isspace()
        ]
    return Asking(tuple(ways), frozenset(range(start, ends[0])), tuple(faults))
