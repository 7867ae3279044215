"""Slips of the keyboard: words that nobody knows, read as the knowledge's own words next to them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import process
from rapidfuzz.distance import OSA

from indexer.entries import LANGUAGES, Entry, Language
from indexer.lexical import fold
from indexer.stopwords import STOPWORDS

WORD = re.compile(r"[^\W\d_]+")
SHORTEST = 5  # letters: shorter words have too many neighbours
LONG = 9  # letters: from here on two slips are allowed
ENDINGS = ("s", "e", "es", "x")  # a word that differs by these alone is another form, not a slip
Spelling = Mapping[Language, Mapping[str, str]]  # the words of a knowledge folder, folded, each as it is written


@dataclass(frozen=True)
class Speller:
    """Knows words by language."""

    words: Spelling

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset().union(*self.words.values(), *STOPWORDS.values())

    @cached_property
    def _neighbours(self) -> dict[Language, list[str]]:
        return {
            language: [word for word in {**words, **dict.fromkeys(STOPWORDS[language])} if len(word) >= SHORTEST - 1]
            for language, words in self.words.items()
        }

    def corrected(self, text: str, language: Language) -> str:
        """The text with unknown words read as their nearest known ones: one slip away, two for long words.

        A slip is a letter too many, too few, wrong, or two of them swapped (Damerau 1964). Unknown words without such
        a neighbour stay, and so does the whole text if all its words are known.
        """
        return WORD.sub(lambda found: self._nearest(found[0], language), text)

    def _nearest(self, word: str, language: Language) -> str:
        folded = fold(word)
        if len(folded) < SHORTEST or folded in self._known:
            return word
        slips = 1 if len(folded) < LONG else 2
        best = process.extractOne(folded, self._neighbours[language], scorer=OSA.distance, score_cutoff=slips)
        if best is None or _forms_of_one(folded, best[0]):
            return word
        return self.words[language].get(best[0], best[0])


def _forms_of_one(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and long[len(short) :] in ENDINGS


def spelled(entries: Iterable[tuple[Entry, Iterable[str]]]) -> Spelling:
    """The words of questions, other ways of asking, and answers, each entry given with its answer's plain text."""
    written: dict[Language, dict[str, None]] = {language: {} for language in LANGUAGES}  # in the order of reading
    for entry, answer in entries:
        for text in (entry.question, *entry.also, *answer):
            written[entry.language].update(dict.fromkeys(WORD.findall(text)))
    words: dict[Language, dict[str, str]] = {language: {} for language in LANGUAGES}
    for language, found in written.items():
        for word in found:  # each once: to fold one takes longest
            words[language].setdefault(fold(word), word.lower())
    return words
