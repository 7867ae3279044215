"""What the knowledge lacks: questions that nobody was satisfied with and that it still does not answer, by theme."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk.desk import Desk
from bot.desk.grouping import groups, typical, view_of
from bot.desk.insight import NOT_SOLVED, Period
from bot.desk.learning import Near, near, show
from bot.desk.masking import MASK, mask
from bot.dialogue.decide import Answer, Limits, decide
from bot.dialogue.render import Reason
from bot.dialogue.shorthand import written_out
from bot.dialogue.signs import clean
from bot.dialogue.smalltalk import asks_for_person, chat_kind
from bot.dialogue.texts import spoken
from bot.records.tables import Candidate, Proposal, Question, Ticket, Wording
from bot.records.upsert import insert_new
from indexer.encoder import Vectors
from indexer.engine import Engine
from indexer.entries import LANGUAGES, Language
from indexer.passages import Hit

MOST = 500  # questions that are looked at: the newest
LONGEST = 1000  # characters of a question that are looked at
# Confidence from which a question is about what is found. With it the most pairs of questions are together that belong
# together, and the fewest others: `benchmarks/grouping.py`. It holds for 52 % of those about a draft and 6 % of others.
LIKELY = 0.7
BAD = 2  # a rating of so few stars or fewer
WAYS, WAY = 5, 200  # other ways of asking that a new entry is given in a language, and the characters of one


@dataclass(frozen=True, slots=True)
class Open:
    """A question as others may read it; `text` is masked."""

    id: int
    text: str
    language: Language
    course: str
    asked_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that ask the same, the most typical first; `near` is what the knowledge has about it."""

    questions: tuple[Open, ...]
    near: Near

    @property
    def first(self) -> Open:
        """The question that stands for all."""
        return self.questions[0]

    @property
    def number(self) -> int:
        """The lowest of the questions' numbers, by which the gap is known."""
        return min(one.id for one in self.questions)

    def examples(self, language: Language | None = None) -> list[str]:
        """Different wordings, masked, the most typical first; in one language if given."""
        told: dict[str, str] = {}
        for one in self.questions:
            if language in (None, one.language):
                told.setdefault(" ".join(one.text.casefold().split()), " ".join(one.text.split()))
        return list(told.values())


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that may show a gap, why, and the name that its author shares with staff."""

    question: Question
    reason: str
    name: str = ""


async def asked(tx: AsyncSession, period: Period) -> list[Asked]:
    """The newest questions of a period that were not answered to anybody's satisfaction, and all dismissed ones."""
    rated = Ticket.rating <= BAD
    unhappy = or_(
        Question.decision == "escalate",
        (Question.decision == "clarify") & Question.entry_id.is_(None),
        Question.feedback.in_(NOT_SOLVED),
        rated,
    )
    within = unhappy & (Question.asked_at < period.until)
    if period.since:
        within &= Question.asked_at >= period.since
    rows = (
        select(Question, Ticket.rating, Candidate.shown_name)
        .join(Candidate, Candidate.id == Question.candidate_id)
        .outerjoin(Ticket, Ticket.question_id == Question.id)
        .where(or_(within, Question.dismissed_at.is_not(None)))
        .order_by(Question.id.desc())
        .limit(MOST)
    )
    found: dict[int, Asked] = {}
    for question, rating, name in (await tx.execute(rows)).all():
        found.setdefault(question.id, Asked(question, _reason(question, rating), name or ""))
    return list(found.values())


def _reason(question: Question, rating: int | None) -> str:
    """Why it counts, in one word: the names of the texts `gaps_because_…`."""
    if rating and rating <= BAD:
        return "rated"
    if question.feedback in NOT_SOLVED:
        return "refused"
    return "unchosen" if question.decision == "clarify" else "handed_over"


@dataclass(frozen=True, slots=True)
class _Searched:
    """A question with what is found for it now."""

    asked: Asked
    text: str
    hits: Sequence[Hit]
    anchor: str  # the entry that it is about, as far as that is likely


def gaps(questions: Sequence[Asked], engine: Engine, limits: Limits, today: date) -> list[Gap]:
    """Themes that the knowledge does not answer now, the largest first. Takes seconds: call it outside the event loop.

    Questions that lead to the same entry or draft are one theme; others are grouped by their vectors. What staff have
    dismissed takes along whatever asks the same.
    """
    searched = [one for asked_ in questions if (one := _search(asked_, engine, limits, today))]
    found = []
    for course in dict.fromkeys(one.asked.question.course for one in searched):
        own = [one for one in searched if one.asked.question.course == course]
        for group in _themes(own, engine):
            if not any(one.asked.question.dismissed_at for one in group):
                found.append(_gap(group, engine))
    return sorted(found, key=lambda gap: (-len(gap.questions), gap.number))


def _search(about: Asked, engine: Engine, limits: Limits, today: date) -> _Searched | None:
    """None for what asks nothing, and for what the knowledge answers by now."""
    question, said = about.question, clean(about.question.text)
    if said.startswith("/") or question.reason == Reason.UNREADABLE or asks_for_person(said) or chat_kind(said):
        return None
    language = spoken(question.language)
    hits = engine.find(written_out(said[:LONGEST], language), language, question.course or None)
    if _answered(question, hits, limits, today):
        return None
    anchor = hits[0].entry.id if hits and hits[0].confidence >= LIKELY else ""
    names = [about.name] if about.name else []
    return _Searched(about, mask(said, names), hits, anchor)


def _answered(question: Question, hits: Sequence[Hit], limits: Limits, today: date) -> bool:
    """Whether it would be answered today, and not as it was when its author was not satisfied."""
    decision = decide(hits, limits, today)
    if not isinstance(decision, Answer):
        return False
    reviewed = decision.entry.reviewed
    return decision.entry.id != question.entry_id or bool(reviewed and reviewed > question.asked_at.date())


def _themes(own: Sequence[_Searched], engine: Engine) -> list[list[_Searched]]:
    anchored: dict[str, list[_Searched]] = {}
    for one in own:
        anchored.setdefault(one.anchor, []).append(one)
    free = anchored.pop("", [])
    if not free:
        return list(anchored.values())
    seen = view_of(engine.snapshot)
    found = groups(seen.of(_vectors(free, engine)), seen.alike)
    return [*anchored.values(), *([free[place] for place in group] for group in found)]


def _gap(group: Sequence[_Searched], engine: Engine) -> Gap:
    vectors = _vectors(group, engine)
    middle = typical(vectors, range(len(group)))
    order = sorted(range(len(group)), key=lambda place: -float(vectors[place] @ vectors[middle]))
    order = [middle, *(place for place in order if place != middle)]
    first = group[middle]
    return Gap(tuple(_open(group[place]) for place in order), near(first.hits, LIKELY, "general"))


def _vectors(searched: Sequence[_Searched], engine: Engine) -> Vectors:
    return engine.encoder.queries([one.text.replace(MASK, "") for one in searched])


def _open(one: _Searched) -> Open:
    question = one.asked.question
    language = spoken(question.language)
    course = question.course or (one.hits[0].entry.course if one.hits else "")
    return Open(question.id, one.text, language, course, question.asked_at, one.asked.reason)


async def dismiss(tx: AsyncSession, gap: Gap, now: datetime) -> None:
    """Staff want no entry for these questions."""
    ids = [one.id for one in gap.questions]
    await tx.execute(update(Question).where(Question.id.in_(ids)).values(dismissed_at=now))


async def propose(tx: AsyncSession, desk: Desk, gap: Gap, member: int, *, key: str) -> Proposal | None:
    """An entry whose questions are there and whose answer staff write; None if one has been begun already."""
    number = await insert_new(
        tx,
        Proposal,
        Proposal.id,
        course=gap.first.course,
        topic=gap.near.topic,
        language=gap.first.language,
        similar=list(gap.near.similar),
        entry_id=gap.near.fills,
        questions=sorted(one.id for one in gap.questions),
        first_question=gap.number,
        made_by=member,
    )
    if number is None:
        return None
    for language in LANGUAGES:
        if examples := gap.examples(language):
            question, *also = examples
            tx.add(Wording(proposal_id=number, language=language, question=question, answer="", also=_ways(also)))
    # /forget empties what staff were shown of many people's questions: rows whose key ends like this.
    return await show(tx, desk, number, desk.chat, key=f"{key}:list")


def _ways(examples: Sequence[str]) -> list[str]:
    """Examples that read as other ways of asking: short, with nothing masked in them."""
    return [text for text in examples if MASK not in text and len(text) <= WAY and text[0].isalpha()][:WAYS]
