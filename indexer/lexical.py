"""Words in common: BM25 over stemmed words and over character n-grams, one index a language."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import bm25s
import numpy as np
import numpy.typing as npt
import Stemmer

from indexer.entries import Language

Scores = npt.NDArray[np.float32]
WORD = re.compile(r"\w+")
STOPWORDS: dict[Language, frozenset[str]]  # set below, once folding is defined


def fold(text: str) -> str:
    """Small letters without accents, so that "diplôme" and "DIPLOME" are one word.

    >>> fold("Diplôme À l'École")
    "diplome a l'ecole"
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


STOPWORDS = {
    "fr": frozenset(fold(word) for word in bm25s.stopwords.STOPWORDS_FRENCH)
    | frozenset("c d j l m n qu s t y".split()),
    "en": frozenset(fold(word) for word in bm25s.stopwords.STOPWORDS_EN) | frozenset("s t i".split()),
}


@cache
def _stemmer(language: Language) -> Stemmer.Stemmer:
    return Stemmer.Stemmer({"fr": "french", "en": "english"}[language])


def words(text: str, language: Language) -> list[str]:
    """Stemmed words without accents; stop words are left out unless nothing else remains."""
    every = WORD.findall(fold(text))
    telling = [word for word in every if word not in STOPWORDS[language]] or every
    return list(_stemmer(language).stemWords(telling))


def grams(text: str) -> list[str]:
    """Character 3- to 5-grams within words, with the words' borders: these survive a typo."""
    found = []
    for word in WORD.findall(fold(text)):
        framed = f" {word} "
        found += [framed[at : at + size] for size in (3, 4, 5) for at in range(len(framed) - size + 1)]
    return found


@dataclass(frozen=True, slots=True)
class Matched:
    """How well each document matches some tokens; one value a document.

    `held` is the weight of the tokens that it has, `share` its BM25 score, both as shares of the best possible (all
    tokens, endlessly repeated). A token's weight is its inverse document frequency; one that none has counts most.
    `known` is the weight of the tokens that any of the documents has, as a share.
    """

    bm25: Scores
    share: Scores
    held: Scores
    known: float


class Bm25:
    """BM25 (Robertson and Zaragoza 2009, Lucene's variant) over lists of tokens."""

    def __init__(self, index: bm25s.BM25 | None, size: int) -> None:
        self._index, self._size = index, size
        if index is not None:
            # Plain arrays: indexing through numpy's memmap class costs more than the work itself.
            columns = {name: np.asarray(index.scores[name]) for name in ("data", "indices", "indptr")}
            self._data, self._rows, self._starts = columns["data"], columns["indices"], columns["indptr"]
            self._vocabulary: dict[str, int] = index.vocab_dict
            found_in = np.diff(self._starts)
            self._weights = np.log1p((size - found_in + 0.5) / (found_in + 0.5)).astype(np.float32)

    @classmethod
    def of(cls, documents: Sequence[Sequence[str]]) -> "Bm25":
        """Index the documents, given as tokens."""
        if not any(documents):
            return cls(None, len(documents))
        index = bm25s.BM25(k1=1.2, b=0.75)
        index.index([list(tokens) for tokens in documents], show_progress=False)
        return cls(index, len(documents))

    def match(self, tokens: Sequence[str], among: Sequence[slice] = (slice(None),)) -> Matched:
        """Match all documents against the tokens; `known` looks at those `among` them only.

        The library adds one token after the other; with a hundred n-grams, all at once is ten times faster.
        """
        nothing = np.zeros(self._size, np.float32)
        if self._index is None or not tokens:
            return Matched(nothing, nothing, nothing, 0.0)
        columns = [self._vocabulary.get(token, -1) for token in tokens]
        known = np.array([column for column in columns if column >= 0], np.int64)
        unknown = len(tokens) - len(known)
        best = float(self._weights[known].sum()) + unknown * float(np.log1p((self._size + 0.5) / 0.5))
        starts, lengths = self._starts[known], self._starts[known + 1] - self._starts[known]
        # Positions of all the columns' values: each column's start, counted on by one.
        before = np.cumsum(lengths) - lengths
        at = np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))
        rows = self._rows[at]
        score = np.bincount(rows, self._data[at], self._size).astype(np.float32)
        held = np.bincount(rows, np.repeat(self._weights[known], lengths), self._size).astype(np.float32)
        inside = np.zeros(len(rows), bool)
        for start, stop, _ in (part.indices(self._size) for part in among):
            inside |= (rows >= start) & (rows < stop)
        found = np.unique(np.repeat(np.arange(len(known)), lengths)[inside])
        best = max(best, 1e-6)
        return Matched(score, score / best, held / best, float(self._weights[known[found]].sum()) / best)

    def save(self, folder: Path) -> None:
        """Write the index; nothing for an empty one."""
        if self._index is not None:
            self._index.save(str(folder), show_progress=False)

    @classmethod
    def load(cls, folder: Path, size: int) -> "Bm25":
        """Read what `save` wrote."""
        return cls(bm25s.BM25.load(str(folder), mmap=True, load_corpus=False) if folder.is_dir() else None, size)
