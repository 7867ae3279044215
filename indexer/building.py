"""Entries to a snapshot on disk. What the snapshot before has of an unchanged entry is not made again."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer import head, lexical, maxsim, nearest
from indexer import outside as outside_of
from indexer.courses import COURSES, Course
from indexer.encoder import Encoder, Vectors
from indexer.entries import LANGUAGES, Entry, Language, plain
from indexer.files import digest
from indexer.former import Former, Text, former
from indexer.lexical import grams, words
from indexer.maxsim import NO_TOKENS, Codes, coded
from indexer.nearest import Before
from indexer.passages import Kind, Passage, cut, lexical_text
from indexer.postings import count
from indexer.snapshot import (
    CALIBRATOR,
    FORMAT,
    PASSAGES,
    PLAIN,
    SCHOOL,
    SPELLING,
    SnapshotError,
    content_hash,
    group_numbers,
    in_order,
    write_entries,
)
from indexer.spelling import spelled

STEP = 32  # texts encoded between two signs of progress
Progress = Callable[[str, int, int], None]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Built:
    """What building gave: the new folder, and how much work it was."""

    folder: Path
    snapshot_id: str
    entries: int
    drafts: int
    passages: int
    encoded: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Entries in a snapshot's order, each one's answer as plain text, and all their passages.

    `before[number]` is the entry's number in the snapshot before if nothing of it has changed that is searched, or -1.
    """

    entries: Sequence[Entry]
    answers: Sequence[Sequence[str]]
    passages: Sequence[Passage]
    before: Numbers


def build(  # noqa: PLR0913  what answers follow from
    entries: Sequence[Entry],
    encoder: Encoder,
    folder: Path,
    *,
    old: Path | None = None,
    calibrator: bytes = b"",
    school: Sequence[Course] = (),
    outside: Sequence[str] = (),
    golden: str = "",
    progress: Progress = lambda *_: None,
) -> Built:
    """Write a snapshot of the entries below `folder`; only what `old` does not have yet is made.

    The calibrator's file goes with it, so that whoever has the snapshot answers alike. Leaves nothing where it fails.

    `outside` are questions that no entry answers. Of `golden`, the text of those that measure, nothing is written: an
    index that is measured with others is another one.

    Entries of one course stand together, so that a search within a course is a search within a range.
    """
    if not entries:
        raise SnapshotError("there is nothing to index: add at least one question with its answer")
    content = content_hash(entries, encoder.identity, calibrator, school, outside, golden)
    now = datetime.now(UTC)
    name = f"{now:%Y%m%d-%H%M%S}{now.microsecond // 1000:03}-{content[:8]}"
    draft = folder / f".{name}"
    draft.mkdir(parents=True)
    try:
        before = former(old, encoder.identity) if old else Former()
        pieces = _cut(in_order(entries), before, progress)
        facts, encoded = _write(draft, pieces, before, encoder, progress)
        progress("Encoding what no entry answers", 0, 0)
        outside_of.write(outside, encoder, draft, before.outside)
        if calibrator:
            (draft / CALIBRATOR).write_bytes(calibrator)
        if school:
            (draft / SCHOOL).write_bytes(COURSES.dump_json(tuple(school), indent=1))
        counts = {
            "entries": len({e.id for e in entries if not e.draft}),
            "drafts": len({e.id for e in entries if e.draft}),
            "passages": len(pieces.passages),
        }
        manifest = {
            "format": FORMAT,
            "id": name,
            "created": now.isoformat(timespec="seconds"),
            "model": {"identity": encoder.identity, "dims": encoder.dims},
            "content": content,
            "index": facts,
            **counts,
        }
        _vouch(draft, manifest)
        draft.rename(folder / name)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Built(folder / name, name, counts["entries"], counts["drafts"], counts["passages"], encoded)


def _vouch(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest, with size and hash of every file that is there."""
    files = {
        path.relative_to(folder).as_posix(): {"sha256": digest(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    text = json.dumps({**manifest, "files": files}, indent=1, ensure_ascii=False)
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def _cut(entries: Sequence[Entry], former: Former, progress: Progress) -> Cut:
    answers: list[Sequence[str]] = []
    passages: list[Passage] = []
    before = np.array([former.number(entry) for entry in entries], np.int64)
    for number, (entry, old) in enumerate(zip(entries, before.tolist(), strict=True)):
        if number % STEP == 0:
            progress("Cutting", number, len(entries))
        passages += former.passages(old, number) if old >= 0 else cut(entry, number)
        answers.append(former.answers[old] if old >= 0 else plain(entry.answer))
    group = group_numbers(entries)
    passages.sort(key=lambda passage: (group[passage.entry], passage.kind))
    return Cut(entries, answers, passages, before)


def _write(
    folder: Path, pieces: Cut, before: Former, encoder: Encoder, progress: Progress
) -> tuple[dict[str, Any], int]:
    """Write all files but the manifest; gives the kind of index, and how many texts were encoded."""
    layout = np.array([[passage.entry, passage.kind] for passage in pieces.passages], np.int32)
    vectors, tokens, rows, encoded = _vectors(pieces.passages, encoder, before, progress)
    write_entries(folder, pieces.entries)
    _write_json(folder / PLAIN, pieces.answers)
    _write_json(folder / PASSAGES, [passage.text for passage in pieces.passages])
    _write_json(folder / SPELLING, spelled(zip(pieces.entries, pieces.answers, strict=True)))
    np.save(folder / "layout.npy", layout)
    np.save(folder / "vectors.npy", vectors)
    maxsim.save(maxsim.join(tokens), folder)
    del tokens
    progress("Weighing ways of asking", 0, 0)
    np.save(folder / "head.npy", _head(pieces.entries, layout, vectors, before))
    progress("Making vectors searchable", 0, 0)
    older = Before(before.folder, before.facts, rows) if before.folder else None
    facts = nearest.write(vectors, np.flatnonzero(layout[:, 1] == Kind.ASKED), folder, older)
    del vectors  # what follows needs memory too
    for language in LANGUAGES:
        _write_words(folder, pieces, before, language, progress)
    return facts, encoded


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=0), encoding="utf-8")


def _vectors(
    passages: Sequence[Passage], encoder: Encoder, before: Former, progress: Progress
) -> tuple[Vectors, list[Codes], Numbers, int]:
    """All vectors, tokens by passage, rows in the snapshot before, -1 if new, and how many texts were encoded."""
    keys = [(passage.kind == Kind.ASKED, passage.text) for passage in passages]
    rows = np.array([before.rows.get(key, -1) for key in keys], np.int64)
    vectors = np.zeros((len(passages), encoder.dims), np.float32)
    known = rows >= 0
    if known.any():
        vectors[known] = before.vectors[rows[known]]
    tokens = [before.tokens.of(row) if row >= 0 else NO_TOKENS for row in rows.tolist()]
    missing: dict[Text, list[int]] = {}
    for row in np.flatnonzero(~known).tolist():
        missing.setdefault(keys[row], []).append(row)
    texts = sorted(missing, key=lambda key: (key[0], len(key[1])))
    progress("Encoding", 0, len(texts))
    for start in range(0, len(texts), STEP):
        step = texts[start : start + STEP]
        asked, others = ([key for key in step if key[0] == kind] for kind in (True, False))
        for key, found in zip(asked, encoder.questions([text for _, text in asked]), strict=True):
            vectors[missing[key]] = found.vector
            for row in missing[key]:
                tokens[row] = coded(found.tokens)
        for key, vector in zip(others, encoder.passages([text for _, text in others]), strict=True):
            vectors[missing[key]] = vector
        progress("Encoding", min(start + STEP, len(texts)), len(texts))
    return vectors, tokens, rows, len(texts)


def _head(entries: Sequence[Entry], layout: npt.NDArray[np.int32], vectors: Vectors, before: Former) -> head.Head:
    """Fitted anew only if a way of asking has changed."""
    rows, belongs = _asked(entries, layout)
    if before.folder:
        old_rows, old_belongs = _asked(before.entries, before.layout)
        if np.array_equal(belongs, old_belongs) and np.array_equal(vectors[rows], before.vectors[old_rows]):
            return np.asarray(np.load(before.folder / "head.npy"), np.float32)
    return head.fit(vectors[rows], belongs, int(belongs.max()) + 1)


def _asked(entries: Sequence[Entry], layout: npt.NDArray[np.int32]) -> tuple[Numbers, Numbers]:
    """The passages that are ways of asking, and the group that each belongs to."""
    rows = np.flatnonzero(layout[:, 1] == Kind.ASKED)
    return rows, group_numbers(entries)[layout[rows, 0]]


def _write_words(folder: Path, pieces: Cut, before: Former, language: Language, progress: Progress) -> None:
    """Count words and n-grams; of entries that are as before they are taken from there."""
    progress("Counting words", LANGUAGES.index(language), len(LANGUAGES))
    here = [number for number, entry in enumerate(pieces.entries) if entry.language == language]
    place = {number: row for row, number in enumerate(pieces.before[here].tolist()) if number >= 0}
    there = [number for number, entry in enumerate(before.entries) if entry.language == language]
    moved = np.array([place.get(number, -1) for number in there], np.int64)
    texts = [
        (row, lexical_text(pieces.entries[number], pieces.answers[number]))
        for row, number in enumerate(here)
        if pieces.before[number] < 0
    ]
    for name, tokens in (("words", partial(words, language=language)), ("grams", grams)):
        old = before.postings(f"{name}-{language}")
        counted = count(((row, tokens(text)) for row, text in texts), old, moved)
        lexical.save(counted, len(here), folder / f"{name}-{language}")
