"""Entries near an entry: what one may want to know next."""

from collections.abc import Iterator

import numpy as np

from indexer.encoder import Vectors
from indexer.entries import Entry
from indexer.passages import Kind
from indexer.snapshot import Snapshot


def related(snapshot: Snapshot, entry: Entry) -> Iterator[str]:
    """The ids of the answered entries of the same course, nearest first.

    Near is the cosine between question and answer of the one, taken together, and those of the other.
    """
    names = list(snapshot.versions)
    own = names.index(entry.id)
    groups = [group for span in snapshot.within(entry.course) for group in range(*span)]
    others = [group for group in groups if group != own and not snapshot.drafts[group]]
    if others:
        near = np.stack([_whole(snapshot, group) for group in others]) @ _whole(snapshot, own)
        yield from (names[others[place]] for place in np.argsort(-near, kind="stable"))


def _whole(snapshot: Snapshot, group: int) -> Vectors:
    """The mean of an entry's passages of question and answer together, over its languages, as a unit vector."""
    first, last = (int(snapshot.segments[group * len(Kind) + Kind.WHOLE + end]) for end in (0, 1))
    mean: Vectors = np.asarray(snapshot.vectors[first:last], np.float32).mean(axis=0)
    return mean / np.linalg.norm(mean)
