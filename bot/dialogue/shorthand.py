"""What people shorten in messages, written out, so that it can be found: "c koi" is "c'est quoi"."""

import re
from collections.abc import Iterable

from bot.dialogue import lists
from indexer.entries import LANGUAGES, Language

_MEANT: dict[Language, dict[str, str]] = lists.read("shorthand.yaml")


def _pattern(shortened: str) -> str:
    """A word may begin with a capital; a single letter may not: C and R are languages."""
    first = shortened[0]
    return (f"[{first}{first.upper()}]" if len(shortened) > 1 else first) + re.escape(shortened[1:])


def _any(shortened: Iterable[str]) -> str:
    """All of them, the longest first: "ma boite peu" before "ma boite"."""
    return "|".join(map(_pattern, sorted(shortened, key=len, reverse=True)))


# Whole words only: not the c of "c'est", "c++" or "c-à-d", nor the r of "r&d".
_WORDS: dict[Language, re.Pattern[str]] = {
    language: re.compile(rf"(?<![\w'’+#&])(?<!\w[.-])(?:{_any(_MEANT[language])})(?![\w'’+#&]|[.-]\w)")
    for language in LANGUAGES
}
# Where an apostrophe was left out. A capital letter may begin a text, but is a name elsewhere: the language C, plan D.
_LEFT_OUT: dict[Language, re.Pattern[str]] = {
    "fr": re.compile(
        r"(?<![\w'’.+#&-])"
        r"((?:(?:[Jj]us|[Qq]uel|[Ll]ors|[Pp]uis)?[Qq]u|[djlmns]|t (?!(?:on|ils?|elles?)\b)|^[DJLMNST]) ?(?<= )"
        r"(?=(?!(?:et|ou)\b)[aeiouyhâéèêîôœAEIOUYHÉÊÈ]\w|[yà]\b)|[mn] (?=a\b)|[Aa]ujourd (?=hui\b)"
        r"|(?:c|^C) (?=est\b|[eé]tai(?:en)?t\b))"
    ),
    "en": re.compile(
        r"\b((?:do|does|did|is|are|was|were|wo|ca|could|would|should|have|has)n (?=t\b(?!-))"
        r"|(?:it|that|what|who|where|how|there|he|she) (?=s\b(?!-))|i (?=(?:m|d|ll|ve)\b(?!-))"
        r"|(?:you|we|they) (?=(?:re|ve|ll|d)\b(?!-)))",
        re.IGNORECASE,
    ),
}


def with_apostrophes(text: str, language: Language) -> str:
    """The text with the apostrophes that dictation and hasty hands leave out; as long as it was.

    >>> with_apostrophes("J ai un bac d informatique", "fr")
    "J'ai un bac d'informatique"
    """
    return _LEFT_OUT[language].sub(lambda found: f"{found[1][:-1]}'", text)


def written_out(text: str, language: Language) -> str:
    """The text with the language's usual shorthand written out.

    >>> written_out("slt c koi le but d la formation", "fr")
    "salut c'est quoi le but de la formation"
    """
    whole = with_apostrophes(text, language)
    return _WORDS[language].sub(lambda found: _MEANT[language][found[0].lower()], whole)
