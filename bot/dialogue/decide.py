"""What to do with a question: answer, ask back, or hand over. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from bot.dialogue.render import Reason
from indexer.entries import Entry
from indexer.passages import Hit

MOST_CHOICES = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """Confidence from which an answer is shown, and from which a question is offered as a choice."""

    answer: float = 0.6
    maybe: float = 0.22


@dataclass(frozen=True, slots=True)
class Answer:
    """The entry answers."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Clarify:
    """One of these entries may answer: ask which."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Escalate:
    """Nothing here answers: a person has to."""

    reason: Reason = Reason.OUTSIDE


Decision = Answer | Clarify | Escalate


def decide(hits: Sequence[Hit], limits: Limits, today: date) -> Decision:
    """Decide on rated hits, best first.

    A draft on top is a question known to have no answer yet; an entry past its date is not shown either.
    """
    if not hits or hits[0].entry.draft or _past(hits[0].entry, today):
        return Escalate(Reason.OUTSIDE)
    if hits[0].confidence >= limits.answer:
        return Answer(hits[0].entry)
    likely = [hit for hit in hits if not hit.entry.draft and not _past(hit.entry, today)]
    if hits[0].confidence >= limits.maybe:
        return Clarify(tuple(hit.entry for hit in likely[:MOST_CHOICES]))
    return Escalate(Reason.OUTSIDE if hits[0].confidence < limits.maybe / 2 else Reason.UNSURE)


def name(decision: Decision) -> str:
    """The decision in one word, as commands print it and records keep it."""
    match decision:
        case Answer():
            return "answer"
        case Clarify():
            return "clarify"
        case Escalate():
            return "escalate"
        case _:
            assert_never(decision)


def _past(entry: Entry, today: date) -> bool:
    return entry.valid_until is not None and entry.valid_until < today
