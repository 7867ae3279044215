"""The nearest vectors: FAISS, exact where there are few, in clusters where there are many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import isqrt
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from indexer.encoder import Vectors

FILE, CELLS = "vectors.faiss", "cells.npy"
FLAT, CLUSTERS = "flat", "clusters"
MOST_EXACT = 20_000  # vectors that are compared one by one
FEW = 5_000  # vectors of a part of a large index: comparing them is as fast as looking into clusters, and exact
EXAMPLES = 64  # a cluster, to find its centre
STEP = 10_000  # vectors in memory at a time
GROWN = 1.5  # times as many vectors, or as few: new centres are worth their time
# How well clusters have to find what comparing everything finds: this share of the ten nearest of 300 questions,
# among as many as a search asks for. A search looks into as few clusters as that takes.
RECALL, COUNTED, SAMPLE, FOUND = 0.98, 10, 300, 300
BESIDE = 0.3  # how far from a known way of asking such a question is put
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Nearest:
    """An opened index over `vectors`; `probes` is how many clusters a search looks into, 0 without clusters."""

    index: Any
    vectors: Vectors
    probes: int

    def cosines(self, vector: Vectors, parts: Sequence[tuple[int, int]]) -> Vectors | None:
        """One value a row: of those within these ranges the cosine, of others -1. None where there are too many.

        All of them in one go take less time than FAISS's search and then those of the groups that it finds.
        """
        if self.probes:
            return None
        found = np.full(len(self.vectors), -1, np.float32)
        question, dims = np.ascontiguousarray(vector, np.float32), self.vectors.shape[1]
        for start, end in parts:
            pointers = (faiss.swig_ptr(values) for values in (found[start:end], question, self.vectors[start:end]))
            faiss.fvec_inner_products_ny(*pointers, dims, end - start)  # type: ignore[attr-defined]  # not in its stubs
        return found

    def search(
        self, vector: Vectors, count: int, parts: Sequence[tuple[int, int]], known: Vectors | None = None
    ) -> Numbers:
        """Up to `count` rows within these ranges of rows, which rise, nearest first; `known` is what `cosines` gave."""
        size = sum(end - start for start, end in parts)
        if self.probes and size > FEW:
            # The nearest of a part are spread over more clusters, of which fewer vectors have to be compared.
            probes = min(self.index.nlist, self.probes * len(self.vectors) // size)
            within = _selector(parts) if size < len(self.vectors) else None
            _, rows = self.index.search(
                np.asarray(vector, np.float32)[None, :], min(count, size), params=_parameters(probes, within)
            )
            found: Numbers = rows[0][rows[0] >= 0]
            return found
        inside = np.concatenate([np.arange(start, end) for start, end in parts])
        if known is None:
            known = self.cosines(vector, parts)
        if known is None:
            cosines = np.concatenate([self.vectors[start:end] @ vector for start, end in parts])
        else:
            cosines = known[inside]
        best = np.argpartition(-cosines, count)[:count] if count < size else np.arange(size)
        return inside[best[np.argsort(-cosines[best], kind="stable")]]


@dataclass(frozen=True, slots=True)
class Before:
    """An older index, what its manifest says of it, and each new row's number in it, -1 for a new vector."""

    folder: Path
    facts: Mapping[str, Any]
    rows: Numbers


def load(folder: Path, facts: Mapping[str, Any], vectors: Vectors) -> Nearest:
    """Open what `write` wrote, mapped; `facts` are what it gave."""
    if facts["kind"] == FLAT:
        flat: Any = faiss.read_index(str(folder / FILE), faiss.IO_FLAG_MMAP_IFC)
        stored = faiss.rev_swig_ptr(flat.get_xb(), vectors.size).reshape(vectors.shape)
        return Nearest(flat, stored, 0)  # they stand in both files: one of these is enough in memory
    index: Any = faiss.read_index(str(folder / FILE), faiss.IO_FLAG_MMAP)
    # Or else every search starts thirty-two threads to read ahead.
    lists: Any = faiss.downcast_InvertedLists(index.invlists)
    lists.prefetch_nthread = 0
    return Nearest(index, vectors, facts["probes"])


def write(vectors: Vectors, asked: Numbers, folder: Path, before: Before | None) -> dict[str, Any]:
    """Write the index into the folder; gives its kind and settings, and its recall against comparing with everything.

    `asked` are the rows of ways of asking, to measure that with. Clusters and what is in them are taken from the index
    before, unless the number of vectors is far from what they were made for.
    """
    if len(vectors) <= MOST_EXACT:
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        _write(index, folder)
        return {"kind": FLAT, "recall": 1.0}
    kept = before if before and _fits(before.facts, len(vectors)) else None
    index = _emptied(kept.folder) if kept else _trained(vectors)
    _fill(index, vectors, kept, folder)
    _write(index, folder)
    probes, recall = _measured(index, vectors, asked)
    return {
        "kind": CLUSTERS,
        "recall": recall,
        "of": COUNTED,
        "cells": index.nlist,
        "probes": probes,
        "trained_on": kept.facts["trained_on"] if kept else len(vectors),
    }


def _write(index: Any, folder: Path) -> None:
    try:
        faiss.write_index(index, str(folder / FILE))
    except RuntimeError as error:  # so FAISS tells that a disk is full
        raise OSError(str(error)) from error


def _fits(facts: Mapping[str, Any], size: int) -> bool:
    trained_on = facts.get("trained_on", 0)
    return bool(facts["kind"] == CLUSTERS and size / GROWN <= trained_on <= size * GROWN)


def _emptied(folder: Path) -> Any:
    index = faiss.read_index(str(folder / FILE))
    index.reset()
    return index


def _trained(vectors: Vectors) -> Any:
    """Centres, and the range of each dimension: vectors are kept in a byte each, a quarter of the memory."""
    dims, cells = vectors.shape[1], isqrt(len(vectors))
    centres, metric = faiss.IndexFlatIP(dims), faiss.METRIC_INNER_PRODUCT
    index = faiss.IndexIVFScalarQuantizer(centres, dims, cells, faiss.ScalarQuantizer.QT_8bit, metric, False)
    some = np.random.default_rng(0).choice(len(vectors), min(len(vectors), cells * EXAMPLES), replace=False)
    index.cp.max_points_per_centroid = EXAMPLES
    index.train(vectors[np.sort(some)])
    return index


def _fill(index: Any, vectors: Vectors, kept: Before | None, folder: Path) -> None:
    """Add all vectors, each to its cluster; only those are looked for that the index before does not know."""
    cells = np.full(len(vectors), -1, np.int64)
    if kept:
        known = kept.rows >= 0
        cells[known] = np.load(kept.folder / CELLS, mmap_mode="r")[kept.rows[known]]
    for start in range(0, len(vectors), STEP):
        part, here = np.ascontiguousarray(vectors[start : start + STEP]), cells[start : start + STEP]
        new = here < 0
        if new.any():
            here[new] = index.quantizer.search(part[new], 1)[1][:, 0]
        rows = np.arange(start, start + len(part))
        index.add_core(len(part), *(faiss.swig_ptr(values) for values in (part, rows, here)))
    np.save(folder / CELLS, cells.astype(np.int32))


def _selector(parts: Sequence[tuple[int, int]]) -> Any:
    ranges: list[Any] = [faiss.IDSelectorRange(*part) for part in parts]
    return reduce(faiss.IDSelectorOr, ranges)


def _parameters(probes: int, within: faiss.IDSelector | None = None) -> Any:
    return faiss.SearchParametersIVF(nprobe=probes, sel=within)  # type: ignore[call-arg]  # SWIG


def _measured(index: Any, vectors: Vectors, asked: Numbers) -> tuple[int, float]:
    """How many clusters to look into, and the recall that this gives."""
    questions = _beside(vectors[asked[np.linspace(0, len(asked) - 1, min(SAMPLE, len(asked))).astype(int)]])
    truth = faiss.knn(questions, vectors, COUNTED, faiss.METRIC_INNER_PRODUCT)[1]
    probes = 1
    while True:
        found = index.search(questions, FOUND, params=_parameters(probes))[1]
        recall = float(np.mean([np.isin(true, some).mean() for true, some in zip(truth, found, strict=True)]))
        if recall >= RECALL or probes >= index.nlist:
            return probes, round(recall, 4)
        probes *= 2


def _beside(vectors: Vectors) -> Vectors:
    """What people ask stands beside the ways of asking that are known, and so further from their cluster's centre."""
    aside = np.random.default_rng(0).standard_normal(vectors.shape, np.float32) * BESIDE / vectors.shape[1] ** 0.5
    moved = vectors + aside
    unit: Vectors = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return unit
