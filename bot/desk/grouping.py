"""Texts that mean the same, found together by their vectors, whatever their language."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexer.encoder import Vectors
from indexer.passages import Kind
from indexer.snapshot import Snapshot

# Mean cosine, in a view, from which groups of questions are one theme; the fewer ways of asking a view was made of, the
# more of what all have in common is taken for likeness. Of pairs joined so four in five belong together:
# `benchmarks/grouping.py`.
ALIKE, UNSURE = 0.15, 0.8


@dataclass(frozen=True, slots=True)
class View:
    """How questions are looked at to see which are alike: from the middle of known ones, and with each direction in
    which these differ anyway drawn in as far as they differ (whitening, shrunk towards all directions alike).

    A model such as E5 puts all sentences into a narrow cone, where what a question is made of (its language, whether it
    begins with "is there") counts for more than what it is about. `alike` is the mean cosine that makes a theme.
    """

    middle: Vectors
    shape: Vectors
    alike: float

    def of(self, vectors: Vectors) -> Vectors:
        """Vectors of length 1 as they look from here."""
        seen = (vectors - self.middle) @ self.shape
        unit: Vectors = seen / np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-9)
        return unit


def view(known: Vectors) -> View:
    """The view from vectors of known questions."""
    middle = known.mean(axis=0)
    aside = (known - middle).astype(np.float64)
    spread, directions = np.linalg.eigh(aside.T @ aside / len(known))
    shrunk = np.maximum(spread, 0) + max(float(spread.mean()), 1e-9)
    return View(middle, (directions / np.sqrt(shrunk)).astype(np.float32), ALIKE + UNSURE / len(known) ** 0.5)


def view_of(snapshot: Snapshot) -> View:
    """The view from all ways of asking that the knowledge has."""
    first, last = snapshot.segments[Kind.ASKED :: len(Kind)], snapshot.segments[Kind.ASKED + 1 :: len(Kind)]
    rows = np.concatenate([np.arange(*ends) for ends in zip(first, last, strict=False)])
    return view(snapshot.vectors[rows])


def groups(vectors: Vectors, least: float) -> list[list[int]]:
    """Rows in groups: the two nearest are joined for as long as their mean cosine is `least` (average linkage)."""
    if len(vectors) < 2:
        return [[place] for place in range(len(vectors))]
    from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415  # for a bot that is seldom asked

    found: dict[int, list[int]] = {}
    for place, number in enumerate(fcluster(linkage(vectors, "average", "cosine"), 1 - least, "distance")):
        found.setdefault(int(number), []).append(place)
    return sorted(found.values(), key=lambda group: (-len(group), group[0]))


def typical(vectors: Vectors, group: Sequence[int]) -> int:
    """The row nearest to the middle of its group."""
    inside = vectors[list(group)]
    return group[int((inside @ inside.sum(axis=0)).argmax())]
