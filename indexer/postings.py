"""Which document has which token how often; kept with an index, so that only changed documents are counted again."""

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
VOCABULARY = "vocabulary.json"
MOST_TIMES = np.iinfo(np.uint16).max


@dataclass(frozen=True, slots=True)
class Postings:
    """Column by column, as in a compressed sparse matrix: token t stands in documents `rows[starts[t]:starts[t + 1]]`.

    `times` says how often, beside `rows`. Each column's rows ascend.
    """

    vocabulary: tuple[str, ...]
    starts: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int32]
    times: npt.NDArray[np.uint16]


def count(
    documents: Iterable[tuple[int, Sequence[str]]], old: Postings | None = None, moved: Numbers | None = None
) -> Postings:
    """Postings of new documents, given as row and tokens, and of those of `old`: row r of these becomes `moved[r]`.

    What becomes -1 is left out.
    """
    numbers = {token: number for number, token in enumerate(old.vocabulary if old else ())}
    columns, rows, times = array("i"), array("i"), array("H")
    for row, tokens in documents:
        counted = Counter(tokens)
        columns.extend([numbers.setdefault(token, len(numbers)) for token in counted])
        rows.extend([row] * len(counted))
        times.extend([min(often, MOST_TIMES) for often in counted.values()])
    parts = [(np.array(columns, np.int32), np.array(rows, np.int32), np.array(times, np.uint16))]
    if old is not None and moved is not None:
        parts.insert(0, _moved(old, moved))
    return _columns(tuple(numbers), *(np.concatenate(part) for part in zip(*parts, strict=True)))


def _moved(
    old: Postings, moved: Numbers
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint16]]:
    rows = moved[old.rows].astype(np.int32)
    kept = rows >= 0
    columns = np.repeat(np.arange(len(old.vocabulary), dtype=np.int32), np.diff(old.starts))
    return columns[kept], rows[kept], old.times[kept]


def _columns(
    tokens: Sequence[str],
    columns: npt.NDArray[np.int32],
    rows: npt.NDArray[np.int32],
    times: npt.NDArray[np.uint16],
) -> Postings:
    """Sort by column, then row; tokens that no document has any more are dropped."""
    order = np.argsort(columns.astype(np.int64) << 32 | rows, kind="stable")
    lengths = np.bincount(columns, minlength=len(tokens))
    vocabulary = tuple(token for token, length in zip(tokens, lengths.tolist(), strict=True) if length)
    starts = np.concatenate([[0], np.cumsum(lengths[lengths > 0])]).astype(np.int32)
    return Postings(vocabulary, starts, rows[order], times[order])


def save(postings: Postings, folder: Path) -> None:
    """Write the folder that `load` reads."""
    folder.mkdir()
    text = json.dumps(postings.vocabulary, ensure_ascii=False, separators=(",", ":"))
    (folder / VOCABULARY).write_text(text, encoding="utf-8")
    for name in ("starts", "rows", "times"):
        np.save(folder / f"{name}.npy", getattr(postings, name))


def load(folder: Path) -> Postings:
    """Read what `save` wrote; the large parts are mapped."""
    vocabulary = tuple(json.loads((folder / VOCABULARY).read_text(encoding="utf-8")))
    # Plain arrays: indexing through numpy's memmap class costs more than the work itself.
    starts, rows, times = (
        np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in ("starts", "rows", "times")
    )
    return Postings(vocabulary, starts, rows, times)
