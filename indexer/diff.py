"""What changes from one set of entries to another. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from typing import Literal

from indexer.entries import Entry

PLACE = ("path", "line")  # where an entry stands: moving it changes nothing that people read
FIELDS = tuple(field.name for field in fields(Entry) if field.name not in PLACE)


@dataclass(frozen=True, slots=True)
class Changed:
    """An entry before and after, and the names of the fields that differ."""

    old: Entry
    new: Entry
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """Entries by what became of them; `moved` ones stand in another file and are the same otherwise."""

    added: tuple[Entry, ...] = ()
    removed: tuple[Entry, ...] = ()
    changed: tuple[Changed, ...] = ()
    moved: tuple[Changed, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.moved)

    def __str__(self) -> str:
        counts = {"added": self.added, "changed": self.changed, "removed": self.removed, "moved": self.moved}
        return ", ".join(f"{len(found)} {name}" for name, found in counts.items() if found) or "no entry changed"


def diff(old: Iterable[Entry], new: Iterable[Entry]) -> Diff:
    """Compare by id and language, of which each set has every pair once; lines do not count."""
    before, after = ({(entry.id, entry.language): entry for entry in entries} for entries in (old, new))
    both = [Changed(before[key], after[key], _differing(before[key], after[key])) for key in after if key in before]
    return Diff(
        added=tuple(entry for key, entry in after.items() if key not in before),
        removed=tuple(entry for key, entry in before.items() if key not in after),
        changed=tuple(change for change in both if change.fields),
        moved=tuple(change for change in both if not change.fields and change.old.path != change.new.path),
    )


def _differing(old: Entry, new: Entry) -> tuple[str, ...]:
    return tuple(name for name in FIELDS if getattr(old, name) != getattr(new, name))


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of two texts: in both, only in the old one, or only in the new one."""

    kind: Literal["same", "gone", "new"]
    text: str


def marked(old: str, new: str) -> tuple[Piece, ...]:
    """Two texts as one, word by word.

    >>> [f"{piece.kind}:{piece.text}" for piece in marked("It costs 50 euros.", "It costs 60 euros.")]
    ['same:It costs ', 'gone:50', 'new:60', 'same: euros.']
    """
    before, after = _words(old), _words(new)
    pieces: list[Piece] = []
    for kind, start, end, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(before[start:end])))
            continue
        pieces += [Piece("gone", "".join(before[start:end]))] if end > start else []
        pieces += [Piece("new", "".join(after[first:last]))] if last > first else []
    return tuple(pieces)


def _words(text: str) -> Sequence[str]:
    return re.findall(r"\s+|\w+|[^\w\s]", text)
