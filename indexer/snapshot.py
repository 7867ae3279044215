"""An index on disk: an immutable folder with a manifest, written once and mapped into memory."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from indexer import head, lexical, maxsim, nearest, outside
from indexer.courses import COMMON, COURSES, Course
from indexer.encoder import Vectors
from indexer.entries import LANGUAGES, Entry, Language
from indexer.files import digest
from indexer.lexical import Bm25, wording
from indexer.maxsim import TokenVectors
from indexer.nearest import Nearest
from indexer.outside import Outside
from indexer.passages import Kind
from indexer.spelling import Spelling

FORMAT = 8
CALIBRATOR = "calibrator.json"  # beside the vectors
SCHOOL = "courses.json"  # where a school has several
PASSAGES, PLAIN, SPELLING = "passages.json", "plain.json", "spelling.json"  # of these, serving needs the last
CHECKED_AT_START = 16_000_000  # bytes: larger files are compared by size only, so that starting stays fast
AGAIN = "Run 'guichet index' to build it again, or 'guichet index rollback' for the one before, if one is kept"
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError)  # what damaged files lead to
JSON = TypeAdapter(tuple[Entry, ...])
Span = tuple[int, int]  # consecutive groups: the first, and the one after the last


class SnapshotError(Exception):
    """The snapshot cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words and character n-grams of all entries in one language; `rows[g]` is group g's row in both, or -1."""

    rows: npt.NDArray[np.int64]
    words: Bm25
    grams: Bm25


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Entries with their vectors. A group is an entry in all its languages; its passages stand together, by kind.

    `segments[4 * g + k]` is where group g's passages of kind k begin, so that the next value is where they end.
    `tokens` has a text for each passage; only those that are ways of asking have tokens.
    """

    id: str
    folder: Path
    manifest: Mapping[str, Any]
    entries: tuple[Entry, ...]
    versions: Mapping[str, tuple[int, ...]]  # an entry's id → the numbers of its translations; in the groups' order
    groups: tuple[tuple[int, ...], ...]  # the values of `versions`
    drafts: npt.NDArray[np.bool_]  # whether a group has no answer in any language
    courses: Mapping[str, Span]
    asked: Mapping[str, tuple[int, ...]]  # each way of asking, in `wording`'s spelling → the groups that have it
    segments: npt.NDArray[np.int64]
    vectors: Vectors
    tokens: TokenVectors
    head: head.Head  # one row a group
    nearest: Nearest
    lexicons: Mapping[Language, Lexicon]
    spelling: Spelling
    outside: Outside
    school: tuple[Course, ...] = ()  # the courses that people choose from; none where there is one

    def within(self, course: str | None) -> tuple[Span, ...]:
        """Where the entries of a course stand, and those that are common to all courses; without one, all of them."""
        if not course:
            return ((0, len(self.groups)),)
        named = (course, COMMON) if self.school else (course,)
        return tuple(sorted(self.courses[name] for name in named if name in self.courses))


def in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Entries as a snapshot has them: by course, so that a search within a course is a search within a range."""
    return tuple(sorted(entries, key=lambda entry: (entry.course, entry.id, entry.language)))


def content_hash(
    entries: Iterable[Entry],
    model: str,
    calibrator: bytes = b"",
    school: Sequence[Course] = (),
    outside: Sequence[str] = (),
    golden: str = "",
) -> str:
    """Tells whether two snapshots would answer alike: the same entries, courses, model, calibrator, `outside`.

    From which confidence they answer follows from `golden`, the golden questions' text.
    """
    told = hashlib.sha256(json.dumps([model, FORMAT, hashlib.sha256(calibrator).hexdigest()]).encode())
    told.update(JSON.dump_json(in_order(entries)))
    told.update(COURSES.dump_json(tuple(school)))
    told.update(json.dumps(list(outside)).encode())
    told.update(golden.encode())
    return told.hexdigest()


def write_entries(folder: Path, entries: Iterable[Entry]) -> None:
    """Write what `read_entries` reads."""
    (folder / "entries.json").write_bytes(JSON.dump_json(tuple(entries), indent=1))


def read_entries(folder: Path) -> tuple[Entry, ...]:
    """The entries of a snapshot's folder; raises one of UNREADABLE."""
    return JSON.validate_json((folder / "entries.json").read_bytes())


def load(folder: Path) -> Snapshot:
    """Open a snapshot; raises SnapshotError when it is damaged or made by another version."""
    manifest = read_manifest(folder)
    try:
        if faults := damage(folder, manifest, largest=CHECKED_AT_START):
            raise SnapshotError(f"{folder}: {'; '.join(faults)}. {AGAIN}")
        entries = read_entries(folder)
        versions = _versions(entries)
        groups = tuple(versions.values())
        # A plain array over the mapped file: numpy's memmap class is slow to index.
        vectors = np.asarray(np.load(folder / "vectors.npy", mmap_mode="r"))
        return Snapshot(
            id=manifest["id"],
            folder=folder,
            manifest=manifest,
            entries=entries,
            versions=versions,
            groups=groups,
            drafts=np.array([all(entries[number].draft for number in group) for group in groups]),
            courses=_courses(entries, groups),
            asked=_asked(entries, groups),
            segments=_segments(np.load(folder / "layout.npy"), entries, len(groups)),
            vectors=vectors,
            tokens=maxsim.load(folder),
            head=np.asarray(np.load(folder / "head.npy", mmap_mode="r")),
            nearest=nearest.load(folder, manifest["index"], vectors),
            lexicons={language: _lexicon(folder, entries, groups, language) for language in LANGUAGES},
            spelling=json.loads((folder / SPELLING).read_text(encoding="utf-8")),
            outside=outside.load(folder),
            school=COURSES.validate_json((folder / SCHOOL).read_bytes()) if SCHOOL in manifest["files"] else (),
        )
    except UNREADABLE as error:
        raise SnapshotError(f"{folder} cannot be read ({error}). {AGAIN}") from error


def _versions(entries: Sequence[Entry]) -> dict[str, tuple[int, ...]]:
    versions: dict[str, tuple[int, ...]] = {}
    for number, entry in enumerate(entries):
        versions[entry.id] = (*versions.get(entry.id, ()), number)
    return versions


def _courses(entries: Sequence[Entry], groups: Sequence[tuple[int, ...]]) -> dict[str, Span]:
    courses: dict[str, Span] = {}
    for number, group in enumerate(groups):
        course = entries[group[0]].course
        courses[course] = (courses.get(course, (number, 0))[0], number + 1)
    return courses


def _asked(entries: Sequence[Entry], groups: Sequence[tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    asked: dict[str, tuple[int, ...]] = {}
    for number, group in enumerate(groups):
        ways = {wording(way) for unit in group for way in (entries[unit].question, *entries[unit].also)}
        for way in ways - {""}:
            asked[way] = (*asked.get(way, ()), number)
    return asked


def group_numbers(entries: Iterable[Entry]) -> npt.NDArray[np.int64]:
    """The number of each entry's group."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(entry.id, len(numbers)) for entry in entries], np.int64)


def _segments(layout: npt.NDArray[np.int32], entries: Iterable[Entry], groups: int) -> npt.NDArray[np.int64]:
    kinds = group_numbers(entries)[layout[:, 0]] * len(Kind) + layout[:, 1]
    return np.searchsorted(kinds, np.arange(groups * len(Kind) + 1))


def _lexicon(folder: Path, entries: Sequence[Entry], groups: Sequence[tuple[int, ...]], language: Language) -> Lexicon:
    rows, size = np.full(len(groups), -1, np.int64), 0
    for number, group in enumerate(groups):
        if any(entries[unit].language == language for unit in group):
            rows[number], size = size, size + 1
    kinds = (lexical.load(folder / f"{kind}-{language}", size) for kind in ("words", "grams"))
    return Lexicon(rows, *kinds)


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a snapshot's folder says of itself; raises SnapshotError."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SnapshotError(f"{folder}: no readable manifest ({error}). {AGAIN}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise SnapshotError(f"{folder} was made by another version of Guichet. Run 'guichet index' to build it again")
    return manifest


def damage(folder: Path, manifest: Mapping[str, Any], largest: float = float("inf")) -> list[str]:
    """What is missing or changed in a snapshot; files over `largest` bytes are compared by size only."""
    faults = []
    for name, facts in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            faults.append(f"{name} is missing")
        elif path.stat().st_size != facts["bytes"]:
            faults.append(f"{name} has another size than when it was written")
        elif facts["bytes"] <= largest and digest(path) != facts["sha256"]:
            faults.append(f"{name} was changed after it was written")
    return faults
