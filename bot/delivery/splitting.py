"""Texts as Telegram takes them: clean, and cut into parts of at most 4,096 UTF-16 units."""

import re
from collections.abc import Iterator
from typing import Any

from bot.delivery.references import Payload
from bot.dialogue.rich import utf16

LIMIT = 4096

# Where to cut, best first; each only in the second half of what fits, so that parts are not tiny.
SEPARATORS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"[.!?…]\s+"), re.compile(r"\s+"))


def clean(value: Any) -> Any:
    """The same JSON with what Telegram refuses (halves of surrogate pairs, NUL) replaced, lengths kept."""
    if isinstance(value, dict):
        return {key: clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    if isinstance(value, str):
        whole = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return whole.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return value


def split(payload: Payload) -> list[Payload]:
    """The payload of a text as one or more: a reply belongs to the first, buttons to the last."""
    text = str(payload.get("text", ""))
    if utf16(text) <= LIMIT:
        return [payload]
    parts = [_part(payload, text, start, end) for start, end in _spans(text)]
    for part in parts[1:]:
        part.pop("reply_parameters", None)
    for part in parts[:-1]:
        part.pop("reply_markup", None)
    return parts


def _part(payload: Payload, text: str, start: int, end: int) -> Payload:
    part = payload | {"text": text[start:end]}
    if entities := payload.get("entities"):
        first, last = utf16(text[:start]), utf16(text[:end])
        part["entities"] = list(_cut(entities, first, last))
    return part


def _cut(entities: list[Payload], first: int, last: int) -> Iterator[Payload]:
    """What of each entity lies between two offsets, counted from the first."""
    for entity in entities:
        start = max(entity["offset"], first)
        end = min(entity["offset"] + entity["length"], last)
        if end > start:
            yield entity | {"offset": start - first, "length": end - start}


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each part, in characters, without the blanks around them."""
    start = _skip_blanks(text, 0)
    while start < len(text):
        end = _end(text, start)
        yield start, start + len(text[start:end].rstrip())
        start = _skip_blanks(text, end)


def _skip_blanks(text: str, start: int) -> int:
    return len(text) - len(text[start:].lstrip())


def _end(text: str, start: int) -> int:
    """Where the part that begins at `start` ends."""
    fitting = _fitting(text, start)
    if fitting == len(text):
        return fitting
    for separator in SEPARATORS:
        cuts = [found.end() for found in separator.finditer(text, (start + fitting) // 2, fitting)]
        if cuts:
            return cuts[-1]
    return fitting


def _fitting(text: str, start: int) -> int:
    """The furthest end with at most LIMIT units."""
    end = start + LIMIT  # of characters, so at least of units
    while utf16(text[start:end]) > LIMIT:
        end -= max(1, (utf16(text[start:end]) - LIMIT) // 2)
    return min(end, len(text))
