"""The snapshot before, as far as a new one can use its work."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer import maxsim, outside, postings
from indexer.encoder import Vectors
from indexer.entries import Entry
from indexer.maxsim import TokenVectors
from indexer.outside import Outside
from indexer.passages import Kind, Passage
from indexer.postings import Postings
from indexer.snapshot import PASSAGES, PLAIN, UNREADABLE, SnapshotError, damage, read_entries, read_manifest

Key = tuple[object, ...]
Text = tuple[bool, str]  # whether it was encoded as a question, and what


@dataclass(frozen=True)
class Former:
    """Entries, their plain answers and their passages with vectors; empty if there is none of use."""

    folder: Path | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)  # of the index, by the manifest
    entries: Sequence[Entry] = ()
    answers: Sequence[Sequence[str]] = ()
    texts: Sequence[str] = ()
    layout: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    vectors: Vectors = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    tokens: TokenVectors = field(default_factory=lambda: maxsim.join(()))
    outside: Outside | None = None

    def number(self, entry: Entry) -> int:
        """The number of an entry of which everything is the same that is searched; -1 if there is none."""
        return self._numbers.get(_searched(entry), -1)

    def passages(self, number: int, new: int) -> list[Passage]:
        """What was cut from an entry, which has a new number now."""
        first, last = self._firsts[number : number + 2]
        rows = self._order[first:last]
        return [Passage(new, Kind(self.layout[row, 1]), self.texts[row]) for row in rows.tolist()]

    def postings(self, name: str) -> Postings | None:
        """The words or n-grams that were counted."""
        return postings.load(self.folder / name) if self.folder else None

    @cached_property
    def rows(self) -> Mapping[Text, int]:
        """Where the vector of a text stands."""
        asked = (self.layout[:, 1] == Kind.ASKED).tolist()
        return {key: row for row, key in enumerate(zip(asked, self.texts, strict=True))}

    @cached_property
    def _numbers(self) -> Mapping[Key, int]:
        return {_searched(entry): number for number, entry in enumerate(self.entries)}

    @cached_property
    def _order(self) -> npt.NDArray[np.int64]:
        return np.argsort(self.layout[:, 0], kind="stable")  # a snapshot's passages stand by group and kind

    @cached_property
    def _firsts(self) -> npt.NDArray[np.int64]:
        return np.searchsorted(self.layout[self._order, 0], np.arange(len(self.entries) + 1))


def _searched(entry: Entry) -> Key:
    return entry.id, entry.language, entry.topic_name, entry.question, entry.also, entry.answer, entry.draft


def former(folder: Path, model: str) -> Former:
    """Open a snapshot to build on; an empty one if it is damaged or of another model."""
    try:
        manifest = read_manifest(folder)
        if manifest["model"]["identity"] != model or damage(folder, manifest):
            return Former()
        return Former(
            folder,
            manifest["index"],
            read_entries(folder),
            json.loads((folder / PLAIN).read_text(encoding="utf-8")),
            json.loads((folder / PASSAGES).read_text(encoding="utf-8")),
            np.load(folder / "layout.npy"),
            np.load(folder / "vectors.npy", mmap_mode="r"),
            maxsim.load(folder),
            outside.load(folder),
        )
    except (SnapshotError, *UNREADABLE):
        return Former()
