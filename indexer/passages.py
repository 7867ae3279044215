"""An entry's passages: what is embedded. Several a entry, the best one counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise, zip_longest

from sentencex import segment

from indexer.entries import Entry, plain
from indexer.features import FEATURES

LONGEST_ANSWER = 80  # sentences: a longer answer belongs in several entries, and costs memory
LONG_ANSWER = 600  # characters: more than a phone shows at a glance
HELD = 0.99  # share of a question's words from which an entry has them all
LONGEST_WHOLE = 2_000  # characters: about what the encoder can take in


class Kind(IntEnum):
    """What a passage is made of."""

    ASKED = 0  # the question and each other way of asking it, encoded as people's questions are
    QUESTION = 1  # the same texts, encoded as passages are, and the question below its topic's title
    ANSWER = 2  # one or two sentences of the answer
    WHOLE = 3  # question and answer together, without and with the topic's title


@dataclass(frozen=True, slots=True)
class Passage:
    """A text to embed; `entry` is the entry's number in the list that it was cut from."""

    entry: int
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that may answer: `score` ranks, `confidence` is the probability that it does, 0 to 1.

    `features` are what the confidence is computed from (see `indexer.features.FEATURES`). A question that is `verbatim`
    one of the entry's own, and of no other entry, is answered by it for certain: people wrote so. One from `outside` is
    among those that no entry answers, in these words or nearly so.
    """

    entry: Entry
    score: float
    features: tuple[float, ...] = ()
    confidence: float = 0.0
    verbatim: bool = False
    outside: bool = False
    gist: str = ""  # of the first hit's long answer, the sentences nearest to the question, word for word

    @property
    def has_all(self) -> bool:
        """Whether the entry has all telling words of the question, just as they are written."""
        measured = dict(zip(FEATURES, self.features, strict=False))
        return measured.get("words_held", 0) >= HELD and measured.get("grams_held", 0) >= HELD


def sentences(entry: Entry) -> list[str]:
    """The answer's sentences, as plain text, in order; list items count as sentences."""
    parts = [part.strip() for block in plain(entry.answer) for part in segment(entry.language, block)]
    return [part for part in parts if part]


def beginning(entry: Entry) -> str:
    """Of a long answer, the first two sentences as plain text; empty for an answer that is short anyway."""
    if len(entry.answer) <= LONG_ANSWER or len(said := sentences(entry)) <= 2:
        return ""
    return " ".join(said[:2])


def cut(entry: Entry, number: int) -> Iterator[Passage]:
    """The passages of one entry; a draft, which has no answer, is found by its questions only.

    People name what the question leaves to its topic's title, so the question and the whole are encoded with it too.
    """
    for kind in (Kind.ASKED, Kind.QUESTION):
        for question in (entry.question, *entry.also):
            yield Passage(number, kind, question)
    yield Passage(number, Kind.QUESTION, f"{entry.topic_name} {entry.question}")
    if entry.draft:
        return
    said = sentences(entry)[:LONGEST_ANSWER]
    for window in _windows(said):
        yield Passage(number, Kind.ANSWER, window)
    whole = [entry.question, *said]
    for texts in (whole, [entry.topic_name, *whole]):
        yield Passage(number, Kind.WHOLE, " ".join(texts)[:LONGEST_WHOLE])


def windows(entry: Entry) -> list[str]:
    """Each sentence of the answer, and each with the next one."""
    return _windows(sentences(entry)[:LONGEST_ANSWER])


def _windows(said: Sequence[str]) -> list[str]:
    pairs = [f"{sentence} {following}" for sentence, following in pairwise(said)]
    return [text for both in zip_longest(said, pairs) for text in both if text]


def lexical_text(entry: Entry, answer: Sequence[str]) -> str:
    """The words by which an entry is matched, with its answer as plain text: its question counts twice."""
    return " ".join([entry.topic_name, entry.question, entry.question, *entry.also, *answer])
