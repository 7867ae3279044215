"""French or English? Function words decide, content words and letters help, lingua settles the rest."""

import re
import unicodedata
from functools import cache

from lingua import Language as Tongue
from lingua import LanguageDetector, LanguageDetectorBuilder

from bot.dialogue import lists
from indexer.entries import LANGUAGES, Language

_LISTS = lists.read("words.yaml")
_GRAMMAR: dict[Language, frozenset[str]] = {
    tongue: frozenset(_LISTS["grammar"][tongue].split()) for tongue in LANGUAGES
}
_CONTENT: dict[Language, frozenset[str]] = {
    tongue: frozenset(_LISTS["content"][tongue].split()) for tongue in LANGUAGES
}
_OURS = frozenset[str]().union(*_GRAMMAR.values(), *_CONTENT.values())
_ELISION = re.compile(r"\b(?:[ldjnsctm]|qu|jusqu|lorsqu|puisqu|quelqu)['’](?=\w{2})", re.IGNORECASE)
_SHORTENED = re.compile(r"\b\w+(?:n['’]t|['’](?:s|m|re|ve|ll|d))\b", re.IGNORECASE)
_INVERSION = re.compile(r"\w-(?:t-(?:il|elle|on)|ce|il|elle|je|tu|vous|nous|ils|elles)\b", re.IGNORECASE)
# Capitals tell the English AI from the French "j'ai"; small letters tell nothing.
_AI = re.compile(r"(?<!['’])\bAI\b")
_ACCENT = re.compile("[éèêëàâçùûîïôœ]", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def fold(text: str) -> str:
    """Return the text in small letters, without accents, with straight apostrophes."""
    text = text.replace("’", "'").replace("œ", "oe").replace("Œ", "oe")
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return decomposed if decomposed.isascii() else "".join(c for c in decomposed if not unicodedata.combining(c))


def words(text: str) -> list[str]:
    """Return the words as `fold` makes them, what is elided apart: "J'ai" gives "j" and "ai"."""
    return _WORD.findall(_ELISION.sub(lambda found: found[0][:-1] + " ", fold(text)))


def is_ours(word: str) -> bool:
    """Say whether a word, as `words` gives it, is known to be French or English."""
    return word in _OURS


def language(text: str, before: Language | None = None) -> Language:
    """Return the language to answer in; `before` is that of the conversation and decides what could be both."""
    french, english = _evidence(text)
    if abs(french - english) >= (1.0 if before else 0.5):
        return "fr" if french > english else "en"
    # Lingua is sure of itself on single words too, and often wrong there.
    trust = 1.5 if before is None or len(words(text)) > 2 else 0.7
    lean = french - english + trust * _lingua(text) + {"fr": 0.8, "en": -0.8, None: 0.0}[before]
    return "en" if lean < 0 else "fr"


def _evidence(text: str) -> tuple[float, float]:
    """Return what speaks for French and for English: grammar weighs most, its first word most of all."""
    found = words(_AI.sub("artificial", text))
    score: dict[Language, float] = {"fr": 0.0, "en": 0.0}
    for tongue in LANGUAGES:
        score[tongue] += 2.0 * sum(word in _GRAMMAR[tongue] for word in found)
        score[tongue] += sum(word in _CONTENT[tongue] for word in found)
    opening = next((tongue for word in found for tongue in LANGUAGES if word in _GRAMMAR[tongue]), None)
    if opening:
        score[opening] += 1.5
    score["fr"] += len(_INVERSION.findall(text)) + min(2, len(_ACCENT.findall(text)))
    score["en"] += 2.0 * len(_SHORTENED.findall(_ELISION.sub("", text)))
    return score["fr"], score["en"]


def _lingua(text: str) -> float:
    """Return lingua's lean from -1 (English) to 1 (French); 0 where it sees no words."""
    values = {found.language: found.value for found in _two().compute_language_confidence_values(text)}
    return values[Tongue.FRENCH] - values[Tongue.ENGLISH]


@cache
def _two() -> LanguageDetector:
    return LanguageDetectorBuilder.from_languages(Tongue.FRENCH, Tongue.ENGLISH).with_low_accuracy_mode().build()
