"""Questions and answers in a text that nobody wrote for the assistant: by its headings, or by lines that ask."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import dedent

from markdown_it.token import Token

from indexer.asking import HEADING
from indexer.entries import LINE_END, MARKDOWN
from indexer.tables import Found, within_answer

LONGEST_QUESTION = 300  # characters
ASKS = re.compile(r"^(?:q(?:uestion)?\s*\d*\s*[:.)]|\d+\s*[.)])\s*(?=\S)", re.IGNORECASE)
ANSWERS = re.compile(r"^(?:r|a|réponse|answer)\s*[:.]\s+", re.IGNORECASE)
NO_LEVEL = 7  # deeper than any heading


@dataclass(frozen=True, slots=True)
class Mark:
    """A line (from 0) that a question stands on, or a heading that ends the answer before it.

    `after` is the first line of what follows; `level` is the heading's.
    """

    line: int
    after: int
    level: int
    text: str


def questions(markdown: str) -> list[Found]:
    """Each question with its answer in Markdown, empty if it has none; no question if nothing looks like one.

    Headings that ask are taken or, where they are more, other lines that ask; where nothing asks, headings with a text.
    """
    lines, tokens = LINE_END.split(markdown), MARKDOWN.parse(markdown)
    headings, asked = list(_headings(tokens)), list(_asked(tokens))
    asking = [mark for mark in headings if mark.text.endswith("?") or HEADING.match(mark.text)]
    return list(_cut(max(asking, asked, key=len) or _titles(headings), headings, lines))


def _titles(headings: Sequence[Mark]) -> list[Mark]:
    """The headings of the first level that has several: above it stands the document's own title."""
    uses = Counter(mark.level for mark in headings)
    level = min((one for one in uses if uses[one] > 1), default=max(uses, default=0))
    return [mark for mark in headings if mark.level == level]


def _headings(tokens: Sequence[Token]) -> Iterator[Mark]:
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            yield Mark(token.map[0], token.map[1], int(token.tag[1]), _visible(tokens[index + 1]))


def _asked(tokens: Sequence[Token]) -> Iterator[Mark]:
    """Paragraphs, also in numbered lists, whose first line asks."""
    for before, token, inline in zip([None, *tokens], tokens, tokens[1:], strict=False):
        numbered = (
            before is not None and before.type == "list_item_open" and before.level == 1 and before.markup in ".)"
        )
        if token.type == "paragraph_open" and token.map and (token.level == 0 or numbered):
            first = ASKS.sub("", _visible(inline).split("\n")[0].strip())
            if first.endswith("?") and len(first) <= LONGEST_QUESTION:
                yield Mark(token.map[0], token.map[0] + 1, NO_LEVEL, first)


def _cut(chosen: Sequence[Mark], headings: Sequence[Mark], lines: Sequence[str]) -> Iterator[Found]:
    """From each question to the next, or to a heading that is no deeper."""
    starts = {mark.line for mark in chosen}
    for mark in chosen:
        ends = [*starts, *(one.line for one in headings if one.level <= mark.level), len(lines)]
        end = min(line for line in ends if line > mark.line)
        answer = ANSWERS.sub("", dedent("\n".join(lines[mark.after : end])).strip())
        named = HEADING.match(mark.text)
        question = named["question"] if named else mark.text
        yield Found(" ".join(question.split()), within_answer(answer), mark.line + 1, id=named["id"] if named else "")


def _visible(inline: Token) -> str:
    """The text that people see, a line for each of the source."""
    parts = ("\n" if one.type in {"softbreak", "hardbreak"} else one.content for one in inline.children or ())
    return "".join(parts).strip()
