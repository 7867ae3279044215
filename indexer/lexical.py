"""Words in common: BM25 over stemmed words and over character n-grams, one index a language."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import filterfalse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import Stemmer

from indexer import postings
from indexer.entries import Language
from indexer.postings import Postings
from indexer.stopwords import STOPWORDS

K1, B = 1.2, 0.75  # how soon a repeated word stops counting; how much a long document is held back
Numbers = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]
WORD = re.compile(r"[^\W_]+")  # "read_csv" are two words
_PUNCTUATION = re.compile(r"[?!.,;:…'’‘`\"“”«»‹›()\[\]–—‑‐-]+")  # not what changes a meaning: C++, C#, 5 %, A/B
_SIGN = re.compile(r"\s*([+%/&])\s*")  # French has a blank before some of them


def fold(text: str) -> str:
    """Small letters without accents, so that "diplôme" and "DIPLOME" are one word.

    >>> fold("Diplôme À l'École")
    "diplome a l'ecole"
    """
    small = text.casefold()
    if small.isascii():
        return small
    decomposed = unicodedata.normalize("NFKD", small.replace("œ", "oe"))
    return "".join(filterfalse(unicodedata.combining, decomposed))


def wording(text: str) -> str:
    """What two ways of writing the same question share: no capitals, accents, punctuation, or blanks beside a sign.

    >>> wording("À qui s'adresse la formation ?") == wording("a qui s’adresse la formation")
    True
    """
    return " ".join(_SIGN.sub(r"\1", _PUNCTUATION.sub(" ", fold(text))).split())


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
    return [gram for word in WORD.findall(fold(text)) for gram in _grams(word)]


@lru_cache(maxsize=4096)  # the same few thousand words make up most of any text
def _grams(word: str) -> tuple[str, ...]:
    framed = f" {word} "
    return tuple(framed[at : at + size] for size in (3, 4, 5) for at in range(len(framed) - size + 1))


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

    def __init__(self, counted: Postings, scores: Scores, size: int) -> None:
        self._starts, self._rows, self._scores, self._size = counted.starts, counted.rows, scores, size
        self._columns = {token: column for column, token in enumerate(counted.vocabulary)}
        self._weights = _weights(counted, size)

    def match(self, tokens: Sequence[str], among: Sequence[slice] = (slice(None),)) -> Matched:
        """Match all documents against the tokens; `known` looks at those `among` them only."""
        nothing = np.zeros(self._size, np.float32)
        if not self._columns or not tokens:
            return Matched(nothing, nothing, nothing, 0.0)
        columns, best = self._asked(tokens)
        at, before, lengths = self._positions(columns)
        rows = self._rows[at]
        score = np.bincount(rows, self._scores[at], self._size).astype(np.float32)
        held = np.bincount(rows, np.repeat(self._weights[columns], lengths), self._size).astype(np.float32)
        return Matched(score, score / best, held / best, self._known(columns, before, rows, among) / best)

    def held(
        self, tokens: Sequence[str], documents: Numbers, among: Sequence[slice] = (slice(None),)
    ) -> tuple[Scores, float]:
        """`held` of these documents alone, whose numbers rise, and `known`: as `match` has them, for less work."""
        if not self._columns or not tokens:
            return np.zeros(len(documents), np.float32), 0.0
        columns, best = self._asked(tokens)
        at, before, _ = self._positions(columns)
        rows, wanted = self._rows[at], np.zeros(self._size, bool)
        wanted[documents] = True
        few = np.flatnonzero(wanted[rows])
        weights = self._weights[columns][np.searchsorted(before, few, side="right") - 1]
        held = np.bincount(np.searchsorted(documents, rows[few]), weights, len(documents)).astype(np.float32)
        return held / best, self._known(columns, before, rows, among) / best

    def _positions(self, columns: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Where the values of these columns stand, one column after the other; where each begins in that; how many."""
        starts, lengths = self._starts[columns], self._starts[columns + 1] - self._starts[columns]
        before = np.cumsum(lengths) - lengths
        # Each column's start, counted on by one.
        return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum())), before, lengths

    def _asked(self, tokens: Sequence[str]) -> tuple[Numbers, float]:
        """The columns of those tokens that a document has, and the best possible score of all of them."""
        numbers = [self._columns.get(token, -1) for token in tokens]
        columns = np.array([number for number in numbers if number >= 0], np.int64)
        unknown = (len(tokens) - len(columns)) * float(np.log1p((self._size + 0.5) / 0.5))
        return columns, max(float(self._weights[columns].sum()) + unknown, 1e-6)

    def _known(
        self,
        columns: Numbers,
        before: Numbers,
        rows: npt.NDArray[np.int32],
        among: Sequence[slice],
    ) -> float:
        """The weight of those columns that have a row `among` some; column i's rows begin at `before[i]`."""
        parts = [part.indices(self._size)[:2] for part in among]
        if (0, self._size) in parts or not len(columns):
            return float(self._weights[columns].sum())
        inside = np.zeros(len(rows), bool)
        for start, stop in parts:
            inside |= (rows >= start) & (rows < stop)
        return float(self._weights[columns[np.logical_or.reduceat(inside, before)]].sum())  # no column is empty


def scored(counted: Postings, size: int) -> Scores:
    """Each posting's BM25 score, of `size` documents; beside `rows`."""
    lengths = np.bincount(counted.rows, counted.times, size)
    mean = lengths.mean() if size else 0.0
    damping = (K1 * (1 - B + B * lengths / max(mean, 1e-9)))[counted.rows]
    weights = np.repeat(_weights(counted, size).astype(np.float64), np.diff(counted.starts))
    return np.asarray(weights * counted.times / (counted.times + damping), np.float32)


def _weights(counted: Postings, size: int) -> Scores:
    """Each token's inverse document frequency."""
    found_in = np.diff(counted.starts)
    return np.log1p((size - found_in + 0.5) / (found_in + 0.5)).astype(np.float32)


def save(counted: Postings, size: int, folder: Path) -> None:
    """Write the folder that `load` reads; `size` is the number of documents."""
    postings.save(counted, folder)
    np.save(folder / "scores.npy", scored(counted, size))


def load(folder: Path, size: int) -> Bm25:
    """Read what `save` wrote; the large parts are mapped."""
    return Bm25(postings.load(folder), np.asarray(np.load(folder / "scores.npy", mmap_mode="r")), size)
