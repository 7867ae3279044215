"""What to do with a question: answer, ask back, or hand over. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from bot.dialogue.render import Reason
from indexer.entries import Entry
from indexer.passages import Hit

MOST_CHOICES = 3
BESIDE = "beside"  # how records call what asks nothing of a course
SURE = 0.9  # of a draft that alone is meant, whatever else has the same word; and of an answer that is given again
HINTED = 0.05  # of the only entry that has a bare word: less is a word in passing
AHEAD = 5  # times a rival's odds, by which a first hit is sure all the same


@dataclass(frozen=True, slots=True)
class Limits:
    """Confidences: from which an answer is shown, or offered as a choice, and from which others spoil certainty."""

    answer: float = 0.65
    maybe: float = 0.22
    alone: float = 0.3  # the only choice there is needs as much: one absurd question looks worse than one among three
    rival: float = 0.7  # another entry that is this likely too makes the bot ask which is meant
    beside_draft: float = 0.5  # an answered entry that is this likely is offered although a draft is nearer

    @property
    def hardly(self) -> float:
        """Below, hardly anything speaks for an entry."""
        return self.maybe / 2


# What ships with Guichet is less sure of a school's right entries than what `guichet train` learns from its own ways of
# asking. A needless choice costs a tap; one that is missing, a question to people that an entry answers.
UNTRAINED = Limits(maybe=0.13, alone=0.25)


@dataclass(frozen=True, slots=True)
class Answer:
    """The entry answers; of a long answer, `gist` are the sentences to show first."""

    entry: Entry
    gist: str = ""


@dataclass(frozen=True, slots=True)
class Clarify:
    """One of these entries may answer: ask which."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Escalate:
    """Nothing here answers: a person has to."""

    reason: Reason = Reason.OUTSIDE


@dataclass(frozen=True, slots=True)
class Beside:
    """Nothing is asked of a course: say so, and offer the team. Told by the words alone, never by what is found."""


Decision = Answer | Clarify | Escalate | Beside


def decide(hits: Sequence[Hit], limits: Limits, today: date) -> Decision:
    """Decide on rated hits, best first.

    A draft on top is a question known to have no answer yet: the bot asks back only if an answered entry is about
    as near. An entry past its date is not shown. Of two that are about as likely, the candidate chooses.
    Where the question is word for word one of an entry's own, or of a draft's, nothing else is looked at; where it is
    nearly one of those that no entry answers, several entries are offered at most.
    """
    if withheld(hits, limits, today):
        return Escalate(Reason.OUT_OF_DATE)
    if not hits or hits[0].entry.past(today):
        return Escalate(Reason.OUTSIDE)
    first = hits[0]
    if first.verbatim:
        return Escalate(Reason.UNWRITTEN) if first.entry.draft else Answer(first.entry, first.gist)
    shown = _shown(hits, today)
    likely = [hit for hit in shown if hit.confidence >= limits.maybe]
    if first.entry.draft:
        near = [hit for hit in likely if hit.confidence >= limits.beside_draft]
        return Clarify(_choices(shown, limits)) if near else _unwritten(first, limits)
    sure = first.confidence >= limits.answer and not any(_rivals(hit, first, limits) for hit in likely)
    if sure and not first.outside:
        return Answer(first.entry, first.gist)
    choices = _choices(shown, limits)
    if likely and (len(choices) > 1 or (likely[0].confidence >= limits.alone and not first.outside)):
        return Clarify(choices)
    return Escalate(Reason.OUTSIDE if first.confidence < limits.hardly else Reason.UNSURE)


def beyond(shown: str, decision: Decision, hits: Sequence[Hit], limits: Limits, today: date) -> Decision:
    """The decision on a follow-up whose reader has just been shown an entry: it is not offered once more.

    Where nothing else is worth offering, that entry is all that there is to say, unless a draft is nearer. Where it
    would be the answer once more, and that is not sure, whatever may be one is worth it.
    """
    match decision:
        case Answer(entry, "") if entry.id == shown and hits[0].confidence < SURE:
            others = _choices([hit for hit in _shown(hits, today) if hit.entry.id != shown], limits)
            worth = any(hit.confidence >= limits.maybe for hit in hits if hit.entry in others)
        case Clarify(entries) if shown in {entry.id for entry in entries}:
            others = tuple(entry for entry in entries if entry.id != shown)
            worth = len(others) > 1 or any(hit.confidence >= limits.alone for hit in hits if hit.entry in others)
        case _:
            return decision
    if worth:
        return Clarify(others)
    if hits[0].entry.draft:
        return _unwritten(hits[0], limits)
    return Answer(next(hit.entry for hit in hits if hit.entry.id == shown))


def _shown(hits: Sequence[Hit], today: date) -> list[Hit]:
    """Those of entries that may be shown."""
    return [hit for hit in hits if not hit.entry.draft and not hit.entry.past(today)]


def _unwritten(draft: Hit, limits: Limits) -> Escalate:
    """Nothing answers: the draft's answer is not written yet, or it is another question."""
    return Escalate(Reason.UNWRITTEN if draft.confidence >= limits.answer else Reason.OUTSIDE)


def of_topic(hits: Sequence[Hit], today: date) -> Clarify | None:
    """The questions of the topic that a bare word names, whatever draft is nearest; None if it names none.

    It names one if two entries of it have the word, or the only one that does is a little likely.
    """
    if not hits or hits[0].verbatim or (hits[0].entry.draft and hits[0].confidence >= SURE):
        return None
    shown = _shown(hits, today)
    having = [hit for hit in shown if hit.has_all]
    if not having or (len(having) == 1 and having[0].confidence < HINTED):
        return None
    (topic, count), *_ = Counter(hit.entry.topic for hit in having).most_common()
    if count == 1 < len(having):
        return None
    own = sorted((hit for hit in shown if hit.entry.topic == topic), key=lambda hit: (-hit.has_all, -hit.confidence))
    return Clarify(tuple(hit.entry for hit in own[:MOST_CHOICES]))


def _rivals(hit: Hit, first: Hit, limits: Limits) -> bool:
    """Say whether another hit is likely too, and the first one's odds are not far better."""
    mine, its = first.confidence, hit.confidence
    return hit is not first and its >= limits.rival and mine * (1 - its) < AHEAD * its * (1 - mine)


def withheld(hits: Sequence[Hit], limits: Limits, today: date) -> Entry | None:
    """The entry that would answer if it were not out of date: what staff may still send after a look at it."""
    first = hits[0] if hits else None
    return first.entry if first and first.entry.past(today) and first.confidence >= limits.maybe else None


def _choices(shown: Sequence[Hit], limits: Limits) -> tuple[Entry, ...]:
    """Up to three, the likeliest first; what hardly anything speaks for would look absurd beside others."""
    near = [hit for hit in shown if hit.confidence >= limits.hardly]
    return tuple(hit.entry for hit in sorted(near, key=lambda hit: -hit.confidence)[:MOST_CHOICES])


def name(decision: Decision) -> str:
    """The decision in one word, as commands print it and records keep it."""
    match decision:
        case Answer():
            return "answer"
        case Clarify():
            return "clarify"
        case Escalate():
            return "escalate"
        case Beside():
            return BESIDE
        case _:
            assert_never(decision)
