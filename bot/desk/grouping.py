"""Texts that mean the same, found together by their vectors, whatever their language."""

from collections.abc import Sequence

import numpy as np

from indexer.encoder import Vectors


def groups(vectors: Vectors, least: float) -> list[list[int]]:
    """Rows in groups: the two nearest are joined for as long as their mean cosine is `least` (average linkage)."""
    if len(vectors) < 2:
        return [[place] for place in range(len(vectors))]
    from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415  # for a bot that is seldom asked

    found: dict[int, list[int]] = {}
    for place, number in enumerate(fcluster(linkage(vectors, "average", "cosine"), 1 - least, "distance")):
        found.setdefault(int(number), []).append(place)
    return sorted(found.values(), key=lambda group: (-len(group), group[0]))


def centred(vectors: Vectors, middle: Vectors) -> Vectors:
    """Vectors of length 1 as seen from the middle of their kind.

    E5 puts all sentences into a narrow cone, where cosines of what differs and of what agrees lie close together.
    """
    seen = vectors - middle
    lengths = np.linalg.norm(seen, axis=1, keepdims=True)
    unit: Vectors = (seen / np.maximum(lengths, 1e-9)).astype(np.float32)
    return unit


def typical(vectors: Vectors, group: Sequence[int]) -> int:
    """The row nearest to the middle of its group."""
    inside = vectors[list(group)]
    return group[int((inside @ inside.sum(axis=0)).argmax())]
