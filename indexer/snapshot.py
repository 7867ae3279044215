"""An index on disk: an immutable folder with a manifest, written once and mapped into memory."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from indexer import head
from indexer.courses import COMMON, COURSES, Course
from indexer.encoder import Encoder, Vectors
from indexer.entries import LANGUAGES, Entry, Language
from indexer.lexical import Bm25, grams, words
from indexer.passages import Kind, Passage, cut, lexical_text

FORMAT = 3
CALIBRATOR = "calibrator.json"  # beside the vectors
SCHOOL = "courses.json"  # where a school has several
STEP = 32  # texts encoded between two signs of progress
CHECKED_AT_START = 64_000_000  # bytes: larger files are compared by size only, so that starting stays fast
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError)  # what damaged files lead to
ENTRIES = TypeAdapter(tuple[Entry, ...])
Progress = Callable[[int, int], None]
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
    """

    id: str
    folder: Path
    manifest: Mapping[str, Any]
    entries: tuple[Entry, ...]
    versions: Mapping[str, tuple[int, ...]]  # an entry's id → the numbers of its translations; in the groups' order
    groups: tuple[tuple[int, ...], ...]  # the values of `versions`
    drafts: npt.NDArray[np.bool_]  # whether a group has no answer in any language
    courses: Mapping[str, Span]
    segments: npt.NDArray[np.int64]
    vectors: Vectors
    head: head.Head  # one row a group
    index: Any
    lexicons: Mapping[Language, Lexicon]
    school: tuple[Course, ...] = ()  # the courses that people choose from; none where there is one

    def within(self, course: str | None) -> tuple[Span, ...]:
        """Where the entries of a course stand, and those that are common to all courses; without one, all of them."""
        if course is None:
            return ((0, len(self.groups)),)
        named = (course, COMMON) if self.school else (course,)
        return tuple(sorted(self.courses[name] for name in named if name in self.courses))


@dataclass(frozen=True, slots=True)
class Built:
    """What building gave: the new folder, and how much work it was."""

    folder: Path
    snapshot_id: str
    entries: int
    drafts: int
    passages: int
    encoded: int


def build(
    entries: Sequence[Entry],
    encoder: Encoder,
    folder: Path,
    *,
    old: Path | None = None,
    calibrator: bytes = b"",
    school: Sequence[Course] = (),
    progress: Progress = lambda *_: None,
) -> Built:
    """Write a snapshot of the entries below `folder`; vectors of texts that `old` already has are not made again.

    The calibrator's file goes with it, so that whoever has the snapshot answers alike.

    Entries of one course stand together, so that a search within a course is a search within a range.
    """
    ordered = _ordered(entries)
    passages = [passage for number, entry in enumerate(ordered) for passage in cut(entry, number)]
    passages.sort(key=lambda passage: (*_group_key(ordered[passage.entry]), passage.kind))
    if not passages:
        raise SnapshotError("there is nothing to index: add at least one question with its answer")
    vectors, encoded = _vectors(passages, encoder, old, progress)
    content = content_hash(ordered, encoder.identity, calibrator, school)
    now = datetime.now(UTC)
    name = f"{now:%Y%m%d-%H%M%S}{now.microsecond // 1000:03}-{content[:8]}"
    draft = folder / f".{name}"
    draft.mkdir(parents=True)
    _write(draft, ordered, passages, vectors)
    if calibrator:
        (draft / CALIBRATOR).write_bytes(calibrator)
    if school:
        (draft / SCHOOL).write_bytes(COURSES.dump_json(tuple(school), indent=1))
    counts = {
        "entries": len({e.id for e in ordered if not e.draft}),
        "drafts": len({e.id for e in ordered if e.draft}),
        "passages": len(passages),
    }
    manifest = {
        "format": FORMAT,
        "id": name,
        "created": now.isoformat(timespec="seconds"),
        "model": {"identity": encoder.identity, "dims": encoder.dims},
        "content": content,
        "index": {"kind": "flat", "recall": 1.0},
        **counts,
        "files": {
            path.relative_to(draft).as_posix(): {"sha256": _digest(path), "bytes": path.stat().st_size}
            for path in sorted(draft.rglob("*"))
            if path.is_file()
        },
    }
    (draft / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
    draft.rename(folder / name)
    return Built(folder / name, name, counts["entries"], counts["drafts"], counts["passages"], encoded)


def _group_key(entry: Entry) -> tuple[str, str]:
    return entry.course, entry.id


def _ordered(entries: Sequence[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (*_group_key(entry), entry.language))


def content_hash(entries: Sequence[Entry], model: str, calibrator: bytes = b"", school: Sequence[Course] = ()) -> str:
    """Tells whether two snapshots would answer alike: the same entries, courses, model and calibrator."""
    told = [
        model,
        FORMAT,
        hashlib.sha256(calibrator).hexdigest(),
        *map(asdict, _ordered(entries)),
        *map(asdict, school),
    ]
    text = json.dumps(told, default=str, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _vectors(
    passages: Sequence[Passage], encoder: Encoder, old: Path | None, progress: Progress
) -> tuple[Vectors, int]:
    known = _known_vectors(old, encoder.identity) if old else {}
    vectors = np.zeros((len(passages), encoder.dims), np.float32)
    missing: dict[tuple[bool, str], list[int]] = {}
    for row, passage in enumerate(passages):
        key = (passage.kind == Kind.ASKED, passage.text)
        if key in known:
            vectors[row] = known[key]
        else:
            missing.setdefault(key, []).append(row)
    keys = sorted(missing, key=lambda key: (key[0], len(key[1])))
    progress(0, len(keys))
    for start in range(0, len(keys), STEP):
        for asked, encode in ((True, encoder.queries), (False, encoder.passages)):
            step = [key for key in keys[start : start + STEP] if key[0] == asked]
            for key, vector in zip(step, encode([text for _, text in step]), strict=True):
                vectors[missing[key]] = vector
        progress(min(start + STEP, len(keys)), len(keys))
    return vectors, len(keys)


def _known_vectors(folder: Path, model: str) -> dict[tuple[bool, str], npt.NDArray[np.float32]]:
    """The vectors of another snapshot by how and what was encoded; none if it is damaged or of another model."""
    try:
        manifest = _manifest(folder)
        if manifest["model"]["identity"] != model or damage(folder, manifest):
            return {}
        texts = json.loads((folder / "passages.json").read_text(encoding="utf-8"))
        kinds = np.load(folder / "layout.npy")[:, 1] == Kind.ASKED
        rows = np.load(folder / "vectors.npy", mmap_mode="r")
        return dict(zip(zip(kinds.tolist(), texts, strict=True), rows, strict=True))
    except (SnapshotError, *UNREADABLE):
        return {}


def _write(folder: Path, entries: Sequence[Entry], passages: Sequence[Passage], vectors: Vectors) -> None:
    (folder / "entries.json").write_bytes(ENTRIES.dump_json(tuple(entries), indent=1))
    texts = json.dumps([passage.text for passage in passages], ensure_ascii=False, indent=0)
    (folder / "passages.json").write_text(texts, encoding="utf-8")
    np.save(folder / "layout.npy", np.array([[p.entry, p.kind] for p in passages], np.int32))
    np.save(folder / "vectors.npy", vectors)
    np.save(folder / "head.npy", _head(entries, passages, vectors))
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    try:
        faiss.write_index(index, str(folder / "vectors.faiss"))
    except RuntimeError as error:  # so FAISS tells that a disk is full
        raise OSError(str(error)) from error
    for language in LANGUAGES:
        texts_here = [lexical_text(entry) for entry in entries if entry.language == language]
        Bm25.of([words(text, language) for text in texts_here]).save(folder / f"words-{language}")
        Bm25.of([grams(text) for text in texts_here]).save(folder / f"grams-{language}")


def _head(entries: Sequence[Entry], passages: Sequence[Passage], vectors: Vectors) -> head.Head:
    group = {id_: number for number, id_ in enumerate(_versions(entries))}
    asked = [row for row, passage in enumerate(passages) if passage.kind == Kind.ASKED]
    belongs = np.array([group[entries[passages[row].entry].id] for row in asked])
    return head.fit(vectors[asked], belongs, len(group))


def load(folder: Path) -> Snapshot:
    """Open a snapshot; raises SnapshotError when it is damaged or made by another version."""
    manifest = _manifest(folder)
    try:
        if faults := damage(folder, manifest, largest=CHECKED_AT_START):
            raise SnapshotError(f"{folder}: {'; '.join(faults)}. Run 'guichet index' to build it again")
        entries = ENTRIES.validate_json((folder / "entries.json").read_bytes())
        versions = _versions(entries)
        groups = tuple(versions.values())
        return Snapshot(
            id=manifest["id"],
            folder=folder,
            manifest=manifest,
            entries=entries,
            versions=versions,
            groups=groups,
            drafts=np.array([all(entries[number].draft for number in group) for group in groups]),
            courses=_courses(entries, groups),
            segments=_segments(np.load(folder / "layout.npy"), groups),
            # A plain array over the mapped file: numpy's memmap class is slow to index.
            vectors=np.asarray(np.load(folder / "vectors.npy", mmap_mode="r")),
            head=np.load(folder / "head.npy"),
            index=faiss.read_index(str(folder / "vectors.faiss"), faiss.IO_FLAG_MMAP),
            lexicons={language: _lexicon(folder, entries, groups, language) for language in LANGUAGES},
            school=COURSES.validate_json((folder / SCHOOL).read_bytes()) if SCHOOL in manifest["files"] else (),
        )
    except UNREADABLE as error:
        raise SnapshotError(f"{folder} cannot be read ({error}). Run 'guichet index' to build it again") from error


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


def _segments(layout: npt.NDArray[np.int32], groups: Sequence[tuple[int, ...]]) -> npt.NDArray[np.int64]:
    group_of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return np.searchsorted(group_of[layout[:, 0]] * len(Kind) + layout[:, 1], np.arange(len(groups) * len(Kind) + 1))


def _lexicon(folder: Path, entries: Sequence[Entry], groups: Sequence[tuple[int, ...]], language: Language) -> Lexicon:
    rows, size = np.full(len(groups), -1, np.int64), 0
    for number, group in enumerate(groups):
        if any(entries[unit].language == language for unit in group):
            rows[number], size = size, size + 1
    return Lexicon(rows, Bm25.load(folder / f"words-{language}", size), Bm25.load(folder / f"grams-{language}", size))


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SnapshotError(
            f"{folder}: no readable manifest ({error}). Run 'guichet index' to build it again"
        ) from error
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
        elif facts["bytes"] <= largest and _digest(path) != facts["sha256"]:
            faults.append(f"{name} was changed after it was written")
    return faults


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
