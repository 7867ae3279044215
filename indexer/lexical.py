"""Words in common: BM25 over stemmed words and over character n-grams, one index a language."""

import re
import unicodedata
from collections.abc import Sequence
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


class Bm25:
    """BM25 (Robertson and Zaragoza 2009, Lucene's variant) over lists of tokens."""

    def __init__(self, index: bm25s.BM25 | None, size: int) -> None:
        self._index, self._size = index, size

    @classmethod
    def of(cls, documents: Sequence[Sequence[str]]) -> "Bm25":
        """Index the documents, given as tokens."""
        if not any(documents):
            return cls(None, len(documents))
        index = bm25s.BM25(k1=1.2, b=0.75)
        index.index([list(tokens) for tokens in documents], show_progress=False)
        return cls(index, len(documents))

    def scores(self, tokens: Sequence[str]) -> Scores:
        """One score a document, 0 where nothing is shared."""
        if self._index is None or not tokens:
            return np.zeros(self._size, np.float32)
        return np.asarray(self._index.get_scores(list(tokens)), np.float32)

    def shares(self, tokens: Sequence[str], documents: Sequence[int]) -> tuple[Scores, Scores]:
        """For each document, its BM25 score and the weight of the words that it has, as shares of the best possible.

        A word's weight is its inverse document frequency; a word that no document has counts most.
        """
        score, held = np.zeros(len(documents), np.float32), np.zeros(len(documents), np.float32)
        if self._index is None or not tokens:
            return score, held
        columns, vocabulary = self._index.scores, self._index.vocab_dict
        places, best = np.asarray(documents), 0.0
        for token in tokens:
            column = vocabulary.get(token)
            if column is None:
                best += np.log(1 + (self._size + 0.5) / 0.5)
                continue
            start, end = columns["indptr"][column], columns["indptr"][column + 1]
            weight = np.log(1 + (self._size - (end - start) + 0.5) / (end - start + 0.5))
            best += weight
            rows = columns["indices"][start:end]
            at = np.minimum(np.searchsorted(rows, places), len(rows) - 1)
            has = rows[at] == places
            held += weight * has
            score += np.where(has, columns["data"][start:end][at], 0)
        return score / max(best, 1e-6), held / max(best, 1e-6)

    def save(self, folder: Path) -> None:
        """Write the index; nothing for an empty one."""
        if self._index is not None:
            self._index.save(str(folder), show_progress=False)

    @classmethod
    def load(cls, folder: Path, size: int) -> "Bm25":
        """Read what `save` wrote."""
        return cls(bm25s.BM25.load(str(folder), mmap=True, load_corpus=False) if folder.is_dir() else None, size)
