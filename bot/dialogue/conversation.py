"""A message to a turn: understood, its questions searched, each with its decision. Pure but for `find` and `known`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Literal

from bot.dialogue.addresses import without_addresses
from bot.dialogue.decide import Answer, Beside, Clarify, Decision, Escalate, Limits, beyond, decide, of_topic
from bot.dialogue.foreign import foreign, small_talk
from bot.dialogue.fragments import another_case, explained, second_half
from bot.dialogue.language import language as language_of
from bot.dialogue.questions import (
    is_announced,
    is_keyword,
    is_mood,
    is_unfinished,
    means_nothing_alone,
    resolve_follow_up,
    split_questions,
    wanted_language,
    without_lead,
    without_padding,
)
from bot.dialogue.render import Reason
from bot.dialogue.shorthand import written_out
from bot.dialogue.signs import calm, clean, punctuated, squeezed
from bot.dialogue.smalltalk import ChatKind, asks_for_person, chat_kind, is_beside
from indexer.courses import Course
from indexer.entries import Entry, Language
from indexer.passages import Hit

Find = Callable[[str, Language], tuple[Hit, ...]]
Known = Callable[[str], bool]  # whether an entry has these very words, so that `Find` would give it first
LONGEST_MESSAGE = 4096  # what Telegram lets people send at once
STILL = 0.8  # share of an answer's confidence below which what was added to its question is about something else
LONGEST_QUESTION = 1000  # a question longer than this is searched by its beginning


@dataclass(frozen=True, slots=True)
class Exchange:
    """The last question that was answered, and the entry that answered it, with its own `wording`.

    While it is `fresh`, a message that goes on with it may change its answer. `language` is the one in which the
    entry was shown; empty where it was not.
    """

    question: str
    topic: str = ""
    entry_id: str = ""
    confidence: float = 0.0
    fresh: bool = False
    wording: str = ""
    language: Language | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One question of a message, and what to do with it. Hits are rated, best first, drafts among them.

    One that finds `again` is a follow-up to which the answer just shown is all that there is to say.
    """

    question: str
    decision: Decision
    hits: tuple[Hit, ...] = ()
    again: bool = False

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

    `foreign` is the code of a language that is neither French nor English; empty where it may be one of them.
    One that `revises` was decided together with the question before, and its answer takes the place of that one's.
    """

    text: str
    language: Language
    chat: ChatKind | None = None
    parts: tuple[Part, ...] = ()
    course: str = ""
    named: bool = False
    courses: tuple[Course, ...] = ()
    revises: bool = False
    foreign: str = ""


def respond(
    text: str,
    find: Find,
    limits: Limits,
    today: date,
    *,
    known: Known = lambda _: False,
    language: Language | None = None,
    before: Exchange | None = None,
) -> Turn:
    """Understand a message; `language` is what the conversation was in so far, `before` its last exchange."""
    said = punctuated(squeezed(clean(text, LONGEST_MESSAGE)))  # no length of blanks or dots means more than a few
    kind, talk = chat_kind(said), small_talk(said)
    borrowed = talk is not None and kind is not None  # "ciao" greets in Italian, and ends a conversation in French
    if talk and not (borrowed and before):
        kind = talk.kind
    turn = _understood(said, find, limits, today, known, language, before=before, kind=kind)
    return replace(turn, foreign="" if borrowed else foreign(said, talk) or "")


def _understood(
    said: str,
    find: Find,
    limits: Limits,
    today: date,
    known: Known,
    language: Language | None,
    *,
    before: Exchange | None,
    kind: ChatKind | None,
) -> Turn:
    tongue = language_of(said, language)
    if wanted := wanted_language(said):
        return Turn(said, wanted, chat="language")
    if asks_for_person(said) and not known(said):
        return Turn(said, tongue, parts=(Part(said, Escalate(Reason.PERSON)),))
    if kind:
        return Turn(said, tongue, chat=kind)
    if is_beside(said) and not known(said):
        return Turn(said, tongue, parts=(Part(said, Beside()),))
    unfinished = is_unfinished(said)
    if (unfinished or is_mood(said)) and not known(said):
        return Turn(said, tongue, chat="listening" if unfinished else "insult")
    search = partial(_part, find=find, known=known, limits=limits, today=today)
    questions = split_questions(said)
    if before and before.fresh and len(questions) == 1 and (turn := _going_on(said, search, tongue, before)):
        return turn
    if questions != (said,) and known(said):
        hits = find(said, tongue)
        return Turn(said, tongue, parts=(Part(said, decide(hits, limits, today), hits),))
    parts: list[Part] = []
    for question in questions:
        # Several questions are a small conversation in one message, but none asks for what the one before has got.
        leant_on = exchange(parts[-1], "") if parts else before
        part = search(question, language=tongue, before=None if is_announced(question, said) else leant_on)
        if parts and leant_on and _is_answer(part, leant_on.entry_id) and not means_nothing_alone(question):
            part = search(question, language=tongue)
        parts.append(part)
    return Turn(said, tongue, parts=_merged(said, parts))


def _going_on(said: str, search: Callable[..., Part], tongue: Language, before: Exchange) -> Turn | None:
    """A message read together with the one just before it; None if it is better understood by itself."""
    half = second_half(said, before.question)
    whole = half or (explained(said, before.question) if not before.entry_id else None)
    if another_case(said):
        case = search(said, language=tongue, before=before)
        if _is_answer(case, before.entry_id):
            return None  # the same holds, and is said again
        part = Part(f"{before.question} {said}", case.decision, case.hits)
    elif whole:
        tongue = language_of(whole, tongue)
        part, alone = search(whole, language=tongue), search(said, language=tongue)
        surer = isinstance(alone.decision, Answer) and alone.confidence > part.confidence
        if (surer and before.entry_id) or (not half and (surer or not isinstance(part.decision, Answer))):
            return None
        if surer:
            part = Part(whole, alone.decision, alone.hits)
        elif _is_answer(part, before.entry_id) and part.confidence < STILL * before.confidence:
            return Turn(
                said, tongue, parts=(Part(whole, alone.decision, alone.hits),)
            )  # what was added is not answered
    else:
        return None
    better = isinstance(part.decision, Answer) or (isinstance(part.decision, Clarify) and not before.entry_id)
    return Turn(said, tongue, parts=(part,), revises=better)


def _is_answer(part: Part, entry_id: str) -> bool:
    return isinstance(part.decision, Answer) and part.decision.entry.id == entry_id


def _part(
    question: str,
    *,
    find: Find,
    known: Known,
    limits: Limits,
    today: date,
    language: Language,
    before: Exchange | None = None,
) -> Part:
    """A question with its hits: as it stands, or read as a follow-up where that finds something surer."""
    if asks_for_person(question) and not known(question):
        return Part(question, Escalate(Reason.PERSON))
    asked = written_out(calm(without_addresses(question[:LONGEST_QUESTION]) or question[:LONGEST_QUESTION]), language)
    readings, follows = [asked], False
    if before and (resolved := resolve_follow_up(asked, before.question, before.topic)):
        readings, follows = [resolved[:LONGEST_QUESTION]], True
        if not means_nothing_alone(asked):
            readings.append(without_lead(asked))
    if asked != question and known(question):
        readings.append(question)
    elif (plain := without_padding(asked)) != asked and known(plain):
        readings.append(plain)
    found = [find(reading, language) for reading in readings]
    hits = max(found, key=_surest)
    leans = follows and hits is found[0]
    decision = decide(hits, limits, today)
    sure = isinstance(decision, Answer) or (_surest(hits) >= limits.maybe and hits[0].entry.draft)
    if before and not sure and not another_case(question):
        # The question before may have been a follow-up itself: that of the entry that answered says what it was about.
        whole = resolve_follow_up(asked, before.wording)
        further = find(whole, language) if whole else ()
        if _surest(further) > _surest(hits):
            hits, leans, decision = further, True, decide(further, limits, today)
    if isinstance(decision, Escalate) and decision.reason is not Reason.OUT_OF_DATE and is_keyword(question):
        decision = of_topic(hits, today) or decision
    if before and leans and before.language == language:
        decision = beyond(before.entry_id, decision, hits, limits, today)
        again = isinstance(decision, Answer) and decision.entry.id == before.entry_id and not decision.gist
        return Part(question, decision, hits, again=again)
    return Part(question, decision, hits)


def exchange(part: Part, language: Language | Literal[""]) -> Exchange:
    """What a follow-up of a part leans on, if its answer was shown in that language; empty for one not shown yet."""
    if not isinstance(part.decision, Answer):
        return Exchange(part.question)
    entry = part.decision.entry
    return Exchange(
        part.question, entry.topic_name, entry.id, part.confidence, wording=entry.question, language=language
    )


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
