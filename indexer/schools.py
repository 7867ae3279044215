"""Small schools made of large knowledge: a calibrator for any knowledge learns from them too.

Most schools begin with some thirty entries and hardly any other way of asking. There a question without an answer is as
near to the wrong entry as one with an answer is to its own in knowledge that has seen it asked in thirty ways.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeVar

from indexer.entries import Entry, Language

T = TypeVar("T")
SCHOOLS = 10
LANGUAGES_OF: tuple[tuple[Language, ...], ...] = (("fr",), ("en",), *3 * (("fr", "en"),))  # by turns
ANSWERED, DRAFTS = 30, 2  # entries
WAYS = (0, 1, 1, 2, 2, 3)  # other ways of asking an entry, one as likely as another
POOL = 14  # other ways of asking that are looked at, of each entry
ASKED, LEFT_OUT = 4, 2  # questions asked of each entry that the school has, and that it lacks
NEAR, NEAR_EACH = 200, 40  # questions that no entry answers: in all, and at most in one school
IMPORTANCE = 2.0  # of each such question, beside those that are asked of the whole knowledge


@dataclass(frozen=True, slots=True)
class School:
    """The entries of a small school, and what it is asked: question, language, and the entry's id, or None."""

    entries: tuple[Entry, ...]
    asked: tuple[tuple[str, Language, str | None], ...]


def small_schools(entries: Sequence[Entry], near: Sequence[tuple[str, Language]]) -> Iterator[School]:
    """The same ones each time; `near` are questions that none of the entries answers."""
    chance = Random(7)  # noqa: S311
    answered, drafts = (sorted({one.id for one in entries if one.draft is draft}) for draft in (False, True))
    ways = {(one.id, one.language): _some(chance, one.also, POOL) for one in entries}
    outside = _some(chance, near, NEAR)
    for number in range(SCHOOLS):
        languages = LANGUAGES_OF[number % len(LANGUAGES_OF)]
        has = {*_some(chance, answered, ANSWERED)}, {*_some(chance, drafts, DRAFTS)}
        kept: list[Entry] = []
        asked: list[tuple[str, Language, str | None]] = []
        for one in (entry for entry in entries if entry.language in languages):
            pool = ways[one.id, one.language]
            if one.id not in has[one.draft]:
                asked += [(text, one.language, None) for text in _some(chance, pool, LEFT_OUT)]
                continue
            rest = max(len(pool) - chance.choice(WAYS), 0)
            kept.append(replace(one, also=tuple(pool[rest:])))
            if not one.draft:
                asked += [(text, one.language, one.id) for text in _some(chance, pool[:rest], ASKED)]
        asked += [
            (text, language, None) for text, language in _some(chance, outside, NEAR_EACH) if language in languages
        ]
        if kept:
            yield School(tuple(kept), tuple(asked))


def _some(chance: Random, many: Sequence[T], count: int) -> list[T]:
    return chance.sample(many, min(count, len(many)))
