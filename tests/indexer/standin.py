"""A deterministic encoder without a model: hashed bags of words. Similar words, similar vectors; a word is a token."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from indexer.encoder import Encoded, Vectors
from indexer.lexical import WORD, fold


class WordEncoder:
    """Counts what it is asked to encode in `encoded`."""

    def __init__(self, identity: str = "words@1", dims: int = 64) -> None:
        self.identity, self.dims = identity, dims
        self.encoded: list[str] = []

    def queries(self, texts: Sequence[str], /) -> Vectors:
        return self._encode("query", texts)

    def questions(self, texts: Sequence[str], /) -> list[Encoded]:
        tokens = [[_hot(word, self.dims) for word in WORD.findall(fold(text))] for text in texts]
        rows = [np.array(some, np.float32).reshape(-1, self.dims) for some in tokens]
        return [Encoded(vector, own) for vector, own in zip(self.queries(texts), rows, strict=True)]

    def passages(self, texts: Sequence[str], /) -> Vectors:
        return self._encode("passage", texts)

    def _encode(self, prefix: str, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        vectors = np.zeros((len(texts), self.dims), np.float32)
        for row, text in enumerate(texts):
            for word in [prefix, *WORD.findall(fold(text))]:
                vectors[row] += _hot(word, self.dims)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _hot(word: str, dims: int) -> Vectors:
    hot = np.zeros(dims, np.float32)
    hot[crc32(word.encode()) % dims] = 1
    return hot
