"""A message to a turn: understood, its questions searched, each with its decision. Pure but for `find`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from bot.dialogue.decide import Answer, Clarify, Decision, Escalate, Limits, decide
from bot.dialogue.language import language as language_of
from bot.dialogue.questions import resolve_follow_up, split_questions
from bot.dialogue.render import Reason
from bot.dialogue.rich import clean
from bot.dialogue.shorthand import written_out
from bot.dialogue.smalltalk import ChatKind, asks_for_person, chat_kind
from indexer.courses import Course
from indexer.entries import Entry, Language
from indexer.passages import Hit

Find = Callable[[str, Language], tuple[Hit, ...]]
LONGEST_MESSAGE = 4096  # what Telegram lets people send at once
LONGEST_QUESTION = 1000  # a question longer than this is searched by its beginning


@dataclass(frozen=True, slots=True)
class Exchange:
    """The last question that was answered, and the entry that answered it."""

    question: str
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One question of a message, and what to do with it. Hits are rated, best first, drafts among them."""

    question: str
    decision: Decision
    hits: tuple[Hit, ...] = ()

    @property
    def confidence(self) -> float:
        """Of the best hit that has an answer; 0 without one."""
        return max((hit.confidence for hit in self.hits[:1] if not hit.entry.draft), default=0.0)

    @property
    def answers(self) -> tuple[Hit, ...]:
        """The hits that have an answer, best first, at most five."""
        return tuple(hit for hit in self.hits if not hit.entry.draft)[:5]


@dataclass(frozen=True, slots=True)
class Turn:
    """A message understood: small talk, or at least one question, or nothing but a course's name.

    `course` is the one that it is about, empty if that is open; `named` says that the message itself says so. Where
    there are `courses`, the person is asked which one before anything else.
    """

    text: str
    language: Language
    chat: ChatKind | None = None
    parts: tuple[Part, ...] = ()
    course: str = ""
    named: bool = False
    courses: tuple[Course, ...] = ()


def respond(
    text: str,
    find: Find,
    limits: Limits,
    today: date,
    *,
    language: Language | None = None,
    before: Exchange | None = None,
) -> Turn:
    """Understand a message; `language` is what the conversation was in so far, `before` its last exchange."""
    said = clean(text, LONGEST_MESSAGE)
    tongue = language_of(said, language)
    if kind := chat_kind(said):
        return Turn(said, tongue, chat=kind)
    if asks_for_person(said):
        return Turn(said, tongue, parts=(Part(said, Escalate(Reason.PERSON)),))
    questions = split_questions(said)
    parts = [_part(question, find, limits, today, tongue, before) for question in questions]
    return Turn(said, tongue, parts=_merged(said, parts))


def _part(question: str, find: Find, limits: Limits, today: date, language: Language, before: Exchange | None) -> Part:
    """A question with its hits: as it stands, or read as a follow-up where that finds something surer."""
    asked = written_out(question[:LONGEST_QUESTION], language)
    readings = [asked]
    if before and (resolved := resolve_follow_up(asked, before.question, before.topic)):
        readings.insert(0, resolved[:LONGEST_QUESTION])
    found = [find(reading, language) for reading in readings]
    hits = max(found, key=lambda hits: hits[0].confidence if hits else 0.0)
    return Part(question, decide(hits, limits, today), hits)


def _merged(said: str, parts: list[Part]) -> tuple[Part, ...]:
    """Parts that the same entry answers are one; parts of which none is answered are one question for people."""
    answered: dict[str, Part] = {}
    rest: list[Part] = []
    for part in parts:
        if isinstance(part.decision, Answer):
            answered.setdefault(part.decision.entry.id, part)
        else:
            rest.append(part)
    if not answered and len(rest) > 1 and all(isinstance(part.decision, Escalate) for part in rest):
        return (Part(said, rest[0].decision, max((part.hits for part in rest), key=_surest)),)
    kept = {id(part) for part in (*answered.values(), *rest)}
    return tuple(part for part in parts if id(part) in kept)


def _surest(hits: tuple[Hit, ...]) -> float:
    return hits[0].confidence if hits else 0.0


def choices(parts: tuple[Part, ...]) -> tuple[Entry, ...]:
    """The entries to choose from, over all parts that ask back."""
    return tuple(entry for part in parts if isinstance(part.decision, Clarify) for entry in part.decision.entries)
