"""Knowledge of any size that nobody wrote, with a vector for each of its passages."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt

from indexer.encoder import Encoded, Vectors
from indexer.entries import LANGUAGES, Entry
from indexer.lexical import WORD, fold
from indexer.passages import Kind, cut

EACH = 10  # passages an entry
DIMS = 384
WORDS = 20_000
COURSES = 10
ALIKE = 50  # passages around one direction
SPREAD = 0.9  # length of what is added to a direction of length one
STEP = 10_000  # vectors made at a time


def entries(passages: int) -> list[Entry]:
    """Entries with as many passages in all, in pairs of translations; the same ones each time."""
    chance = Random(0)
    syllables = [consonant + vowel for consonant in "bdfglmnprstv" for vowel in "aeiou"]
    words = ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(WORDS)]
    often = list(accumulate(1 / (rank + 10) for rank in range(WORDS)))  # as Zipf found words to be

    def sentence(count: int, end: str) -> str:
        return " ".join(chance.choices(words, cum_weights=often, k=count)).capitalize() + end

    pairs = max(1, passages // EACH // len(LANGUAGES))
    return [
        Entry(
            id=f"entry-{number}",
            language=language,
            course=f"course-{number * COURSES // pairs}",
            topic="topic",
            topic_name="Topic",
            question=sentence(8, "?"),
            also=(sentence(7, "?"),),
            answer=f"{sentence(14, '.')} {sentence(16, '.')}",
            source="made up",
        )
        for number in range(pairs)
        for language in LANGUAGES
    ]


def changed(known: Sequence[Entry]) -> list[Entry]:
    """The same entries, the first of them with another answer."""
    return [replace(known[0], answer="Something else. It was not said before."), *known[1:]]


def lay_out(passages: int, folder: Path) -> int:
    """Write all texts, before and after the change, and their vectors; gives how many there are before."""
    known = entries(passages)
    before, after = (keys_of(some) for some in (known, changed(known)))
    keys = list(dict.fromkeys([*before, *after]))
    chance = np.random.default_rng(0)
    centres = _unit(chance.standard_normal((max(1, len(keys) // ALIKE), DIMS), np.float32))
    vectors = np.empty((len(keys), DIMS), np.float32)
    for start in range(0, len(keys), STEP):
        part = vectors[start : start + STEP]
        near = centres[chance.integers(len(centres), size=len(part))]
        part[:] = _unit(near + chance.standard_normal(part.shape, np.float32) * SPREAD / DIMS**0.5)
    np.save(folder / "vectors.npy", vectors)
    (folder / "texts.json").write_text(json.dumps(keys), encoding="utf-8")
    return len(before)


def keys_of(some: Sequence[Entry]) -> list[tuple[bool, str]]:
    """Whether each passage is encoded as a question, and its text."""
    return [(piece.kind == Kind.ASKED, piece.text) for one in some for piece in cut(one, 0)]


def _unit(rows: Vectors) -> Vectors:
    lengths: npt.NDArray[np.float32] = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / lengths


class StoredEncoder:
    """Gives the vectors that `lay_out` has written, and knows no other text. A word is a token, always the same."""

    identity, dims = "stored", DIMS

    def __init__(self, folder: Path) -> None:
        keys = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
        self.rows = {(asked, text): row for row, (asked, text) in enumerate(keys)}
        self.vectors: Vectors = np.load(folder / "vectors.npy", mmap_mode="r")
        self._words: dict[str, Vectors] = {}
        self._chance = np.random.default_rng(0)

    def queries(self, texts: Sequence[str], /) -> Vectors:
        """Vectors of ways of asking."""
        return self._stored(True, texts)

    def questions(self, texts: Sequence[str], /) -> list[Encoded]:
        """Vectors of ways of asking, with those of their words."""
        return [Encoded(vector, self.tokens(text)) for text, vector in zip(texts, self.queries(texts), strict=True)]

    def tokens(self, text: str) -> Vectors:
        """One vector a word."""
        words = WORD.findall(fold(text))
        new = [word for word in words if word not in self._words]
        self._words.update(zip(new, _unit(self._chance.standard_normal((len(new), DIMS), np.float32)), strict=True))
        return np.array([self._words[word] for word in words], np.float32).reshape(-1, DIMS)

    def passages(self, texts: Sequence[str], /) -> Vectors:
        """Vectors of what is searched."""
        return self._stored(False, texts)

    def _stored(self, asked: bool, texts: Sequence[str]) -> Vectors:
        return np.array([self.vectors[self.rows[asked, text]] for text in texts], np.float32).reshape(-1, DIMS)
