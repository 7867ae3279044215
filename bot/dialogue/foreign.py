"""Messages in a language that the assistant does not speak: noticed, so that it can be said which ones it does."""

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import Literal, NamedTuple

from lingua import Language as Tongue
from lingua import LanguageDetector, LanguageDetectorBuilder

from bot.dialogue import lists
from bot.dialogue.language import fold, is_ours, words
from bot.dialogue.texts import texts
from indexer.entries import LANGUAGES, Language

_LISTS = lists.read("foreign.yaml")
_SCRIPTS: dict[str, str] = _LISTS["scripts"]
_NOTICES: dict[str, str] = _LISTS["notice"]
_WORDS: dict[str, frozenset[str]] = {code: frozenset(listed.split()) for code, listed in _LISTS["words"].items()}
_NAMES = frozenset(_LISTS["names"].split())
_TONGUES = {"es": Tongue.SPANISH, "de": Tongue.GERMAN, "it": Tongue.ITALIAN, "pt": Tongue.PORTUGUESE}
LAST_LATIN = "\u024f"  # letters up to here are of French, English and their neighbours
LONGEST_PHRASE = 60  # characters
OTHER = "other"  # a language of which no more is known
BEYOND_DOUBT = 3  # words of a language more than of ours
UNLIKELY = 0.5  # lingua's share for French and English together, above which its word counts: a message may be theirs

Talk = Literal["greeting", "thanks", "languages"]
_TALK: tuple[Talk, ...] = ("greeting", "thanks", "languages")


class Phrase(NamedTuple):
    """Small talk of such a language, and the language's code."""

    kind: Talk
    code: str


def foreign(text: str, talk: Phrase | None) -> str | None:
    """Return the language of a message that is neither French nor English, as a code; None where it may be one of them.

    A name, a borrowed word or a slip of the keyboard makes no language: a script, some grammar, or being nothing but
    small talk does (`talk`, which `small_talk` found in it).
    """
    if talk:
        return talk.code
    script = _script(text)
    return (script or OTHER) if script is not None else _grammar(text)


def small_talk(text: str) -> Phrase | None:
    """Return the small talk of such a language that the whole message is."""
    if len(text) > LONGEST_PHRASE:
        return None
    said = " ".join(re.sub(r"[^\w'\s]|_", " ", fold(text)).split())
    found = (Phrase(kind, code) for kind in _TALK for code, pattern in _phrases(kind) if pattern.fullmatch(said))
    return next(found, None)


def notice(code: str, language: Language, kind: str | None = None) -> str:
    """Return which languages are understood, in that language where it is known, and in the one of the conversation.

    Below a greeting's or a thanks' stands what is answered to one, instead of the same once more.
    """
    if code not in _NOTICES:
        return "\n".join(texts(one).only_two for one in LANGUAGES)
    words = texts(language)
    kind_words = {"greeting": words.greeting, "thanks": words.thanks}
    return f"{_NOTICES[code]}\n\n{kind_words.get(kind or '', words.only_two)}"


def _script(text: str) -> str | None:
    """Return the language of the script that most letters are of; empty for one of many languages, None for Latin."""
    letters = [letter for letter in text if letter.isalpha()]
    names = [unicodedata.name(letter, "").partition(" ")[0] for letter in letters if letter > LAST_LATIN]
    strange = Counter(_SCRIPTS[name] for name in names if name in _SCRIPTS)
    if 2 * strange.total() <= len(letters):
        return None
    return "" if "" in strange else strange.most_common(1)[0][0]  # Japanese has Chinese letters too


@cache
def _phrases(kind: Talk) -> list[tuple[str, re.Pattern[str]]]:
    return [
        (code, re.compile("|".join(f"(?:{line})" for line in lines.splitlines())))
        for code, lines in _LISTS[kind].items()
    ]


def _grammar(text: str) -> str | None:
    """Return the language that most words are of; lingua, which is slow to begin, is asked only where some are."""
    said = [word for word in words(text) if len(word) > 1]
    telling = [word for word in said if word not in _NAMES and not is_ours(word)]
    counts = {code: sum(word in listed for word in telling) for code, listed in _WORDS.items()}
    code = max(counts, key=lambda one: counts[one])
    ours = sum(is_ours(word) and word not in _WORDS[code] for word in said)
    if counts[code] < 2 or counts[code] <= ours:
        return None
    if counts[code] >= ours + BEYOND_DOUBT:
        return code
    shares = {found.language: found.value for found in _six().compute_language_confidence_values(text)}
    if shares[Tongue.FRENCH] + shares[Tongue.ENGLISH] > UNLIKELY:
        return None
    return max(_TONGUES, key=lambda one: (counts[one], shares[_TONGUES[one]]))


@cache
def _six() -> LanguageDetector:
    tongues = (Tongue.FRENCH, Tongue.ENGLISH, *_TONGUES.values())
    return LanguageDetectorBuilder.from_languages(*tongues).with_low_accuracy_mode().build()
