"""Questions that no entry answers, as the school lists them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from indexer.encoder import Encoder, Vectors
from indexer.lexical import wording

# Of our own ways of asking, one in 160 is nearer than this to a question from outside and further from its entry.
ALIKE = 0.95
TEXTS, VECTORS = "outside.json", "outside.npy"  # in a snapshot's folder


@dataclass(frozen=True)
class Outside:
    """The questions, and the unit vector of each, shape (len(texts), dims)."""

    texts: tuple[str, ...]
    vectors: Vectors

    def holds(self, question: str, vector: Vectors, cosine: float) -> bool:
        """Whether the question is listed, but for capitals, accents and punctuation, or nearly so.

        `vector` is its own, and `cosine` that to the nearest way of asking what may answer: it has to be further away.
        """
        if not self.texts:
            return False
        nearest = float((self.vectors @ vector).max())
        return wording(question) in self._wordings or (nearest >= ALIKE and nearest > cosine)

    @cached_property
    def _wordings(self) -> frozenset[str]:
        return frozenset(map(wording, self.texts)) - {""}


def write(texts: Sequence[str], encoder: Encoder, folder: Path, old: Outside | None) -> None:
    """Write what `load` reads; only questions that `old` does not have are encoded."""
    known = dict(zip(old.texts, old.vectors, strict=True)) if old else {}
    new = [text for text in texts if text not in known]
    known |= dict(zip(new, encoder.queries(new), strict=True))
    vectors = [known[text] for text in texts]
    np.save(folder / VECTORS, np.array(vectors, np.float32).reshape(-1, encoder.dims))
    (folder / TEXTS).write_text(json.dumps(list(texts), ensure_ascii=False, indent=0), encoding="utf-8")


def load(folder: Path) -> Outside:
    """Those of a snapshot's folder; raises what damaged files lead to."""
    texts = json.loads((folder / TEXTS).read_text(encoding="utf-8"))
    return Outside(tuple(texts), np.asarray(np.load(folder / VECTORS, mmap_mode="r")))
