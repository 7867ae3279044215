"""What is held of a person, told to that person: in plain words, to be read by people or by programs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache

from bot.dialogue import lists
from bot.dialogue.signs import visible
from indexer.entries import Language

# By the names in mydata.yaml: texts, numbers, times, `Word`s, further records and lists of them.
Record = Mapping[str, object]


class Word(str):
    """A value that mydata.yaml has words for."""

    __slots__ = ()


def as_json(data: Record, language: Language) -> bytes:
    """Return it as JSON with plain words for names."""
    return json.dumps(_plain(data, language), ensure_ascii=False, indent=2).encode()


def as_text(data: Record, language: Language) -> bytes:
    """Return it as lines to be read."""
    return "\n".join(_lines(_plain(data, language), _words(language)["nothing"])).encode() + b"\n"


def _plain(value: object, language: Language) -> object:
    """The same with words for names, times as ISO, and without what is empty in a record."""
    words = _words(language)
    match value:
        case Word():
            return words.get(value, str(value))
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case Mapping():
            kept = {name: item for name, item in value.items() if item is not None and item != ""}
            return {words[name]: _plain(item, language) for name, item in kept.items()}
        case str():
            return visible(value)
        case Sequence():
            return [_plain(item, language) for item in value]
        case _:
            return value


def _lines(value: object, nothing: str, indent: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, dict | list) and item:
                yield f"{indent}{name}:"
                yield from _lines(item, nothing, f"{indent}  ")
            else:
                shown = nothing if item in ({}, []) else str(item).replace("\n", f"\n{indent}  ")
                yield f"{indent}{name}: {shown}"
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield f"{indent}{number}."
            yield from _lines(item, nothing, f"{indent}  ")
    else:
        yield f"{indent}{value}"


@cache
def _words(language: Language) -> dict[str, str]:
    known = lists.read("mydata.yaml")
    return {name: in_both[language] for name, in_both in known.items()}
