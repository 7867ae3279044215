"""A message understood: each of its questions recorded, and what was decided of it done."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import Table, bindparam
from sqlalchemy import update as change
from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk import tickets
from bot.desk.pieces import Piece
from bot.dialogue import courses, render
from bot.dialogue.conversation import Exchange, Part, Turn
from bot.dialogue.decide import Answer, Beside, Clarify, Escalate, name
from bot.dialogue.questions import is_question
from bot.dialogue.render import Reason
from bot.dialogue.rich import Rich, bold, join
from bot.dialogue.signs import clean
from bot.dialogue.texts import spoken, texts
from bot.handlers import anew, offers
from bot.handlers.answers import answer_message, beside_message, choices, nothing_more, shown_answer
from bot.handlers.context import Deps, desk_of
from bot.handlers.escalation import say_so
from bot.handlers.speaker import say, tongue
from bot.publishing.searching import TooLongError
from bot.records.tables import Candidate, Question
from bot.records.upsert import insert_new
from bot.understanding import understood, unread
from indexer.engine import Engine
from indexer.entries import Entry, Language

NEAR = 0.22  # confidence from which an entry's topic is taken for the question's
_questions = cast(Table, Question.__table__)
_ANSWERED = change(_questions).where(_questions.c.id == bindparam("question")).values(answer_id=bindparam("row"))


@dataclass(frozen=True, slots=True)
class Asked:
    """A message understood, with the engine that found its hits: one update uses one snapshot to its end."""

    turn: Turn
    engine: Engine
    piece: Piece
    key: str  # of what is sent because of it
    edited: bool = False
    places: tuple[int, ...] = ()  # rows of answers that this message's answers take the place of, in their order

    def place(self, number: int) -> int | None:
        """The row in whose place the message of that number goes."""
        return self.places[number] if number < len(self.places) else None


async def ask_course(tx: AsyncSession, candidate: Candidate, asked: Asked) -> None:
    """Keep the message until its author has said which course it is about."""
    turn = asked.turn
    await _record(tx, candidate, asked, turn.parts[0])
    await say(tx, candidate, courses.which(turn.courses, turn.language), f"{asked.key}:course")


async def understand(
    deps: Deps,
    engine: Engine,
    text: str,
    language: Language,
    *,
    before: Exchange | None = None,
    chosen: str | None = None,
) -> Turn:
    """What a message asks, and what to do with it; what takes too long goes to people."""
    today, run = deps.local_now.date(), deps.searcher.run
    try:
        return await run(engine, understood, text, deps.limits, today, language=language, before=before, chosen=chosen)
    except TooLongError:
        return unread(text, language)


async def choose_course(
    tx: AsyncSession, deps: Deps, candidate: Candidate, course: str, key: str, *, then: str = ""
) -> None:
    """Remember a course and answer the message that waited for it; where none did, show its topics, or the one named.

    `then` is the topic that a link named.
    """
    engine, language = deps.live.engine, tongue(candidate)
    candidate.course = course
    kept = await anew.last_of(tx, candidate)
    if kept is None or kept.course or kept.decision != "clarify":
        await say(tx, candidate, offers.chosen(deps, course, language, then), f"{key}:course")
        return
    turn = await understand(deps, engine, kept.text, spoken(kept.language), chosen=course)
    piece = Piece(kept.message_id or 0, "text", Rich(clean(kept.text)))
    await tx.delete(kept)  # it is recorded anew, with what becomes of it
    await act(tx, deps, candidate, Asked(turn, engine, piece, key))


async def act(tx: AsyncSession, deps: Deps, candidate: Candidate, asked: Asked) -> int:
    """Record each question of a message and do what was decided of it; gives how many messages say so.

    What goes to the team is said last, in one message that names it.
    """
    left = [part for part in asked.turn.parts if isinstance(part.decision, Escalate)]
    said = [part for part in asked.turn.parts if not isinstance(part.decision, Escalate)]
    for number, part in enumerate(said):
        await _say(tx, deps, candidate, asked, part, number)
    if left:
        await _hand_over(tx, deps, candidate, asked, left, len(said))
    return len(said) + bool(left)


async def _say(tx: AsyncSession, deps: Deps, candidate: Candidate, asked: Asked, part: Part, number: int) -> None:
    """Answer a question, or ask back; as the message of that number."""
    turn, engine, place = asked.turn, asked.engine, asked.place(number)
    several = len(turn.parts) > 1
    below = await _below(tx, candidate, asked, part)
    question_id = await _record(tx, candidate, asked, part)
    match part.decision:
        case Answer() if part.again:
            message = nothing_more(question_id, turn.language)
        case Answer(entry, gist):
            text = shown_answer(engine, entry, turn.language, gist)
            heading = entry.question if several else render.heading(entry, part.question)
            message = answer_message(text, question_id, turn.language, heading, more=bool(gist))
        case Clarify(entries):
            heading = render.put(part.question, turn.language) if several else ""
            back = join([bold(heading), render.clarify([entry.question for entry in entries], turn.language)])
            message = back.message(*choices(question_id, entries, turn.language, engine))
        case Beside():
            message = beside_message(question_id, turn.language)
        case _:
            raise ValueError(part.decision)
    deps.metrics.decided(name(part.decision), turn.language)
    row = await anew.show(tx, candidate, message, f"{asked.key}:{question_id}", place, below=below)
    await tx.execute(_ANSWERED, {"question": question_id, "row": row})


async def _below(tx: AsyncSession, candidate: Candidate, asked: Asked, part: Part) -> object | None:
    """What an answer stands below: what has just shown what a follow-up finds again, or what came with the question.

    Of the latter a button then tells what goes to the team with it. None where what is said takes another's place.
    """
    if asked.places:
        return None
    last = await anew.last_of(tx, candidate) if part.again else None
    if last and last.answer_id:
        return {"message_of": last.answer_id}
    return None if asked.piece.kind in ("", "text") else asked.piece.message_id


async def _hand_over(
    tx: AsyncSession, deps: Deps, candidate: Candidate, asked: Asked, parts: Sequence[Part], number: int
) -> None:
    """Hand questions over, and say so in the message of that number: which ones, if the message asks others too."""
    turn, opened, first = asked.turn, None, None
    for part in parts:
        assert isinstance(part.decision, Escalate)
        question = await tx.get_one(Question, await _record(tx, candidate, asked, part))
        first = first or question
        deps.metrics.decided(name(part.decision), turn.language)
        reason, key = part.decision.reason, f"{asked.key}:{question.id}"
        ticket_id = await tickets.hand_over(
            tx, desk_of(deps), candidate, question, reason, part.answers, deps.now(), key=key
        )
        opened = opened or ticket_id
    assert first
    named = [part.question for part in parts if part.decision != Escalate(Reason.PERSON)]
    several = len(turn.parts) > 1 and named
    said = render.left(named, turn.language) if several else _note(parts[0], turn.language, opened=bool(opened))
    await say_so(tx, deps, candidate, first, opened, said, key=f"{asked.key}:{first.id}", place=asked.place(number))


def _note(part: Part, language: Language, *, opened: bool) -> str:
    """What is said of the only question that goes to the team, or of a message that asks nothing."""
    words, is_wish = texts(language), part.decision == Escalate(Reason.PERSON)
    if not opened:
        return words.human_already if is_wish else words.follow_up
    if is_wish:
        return words.human_asked
    return words.escalated if is_question(part.question) else words.passed_on


async def _record(tx: AsyncSession, candidate: Candidate, asked: Asked, part: Part) -> int:
    """Keep one question of a message; gives its number."""
    shown = part.decision.entries if isinstance(part.decision, Clarify) else [hit.entry for hit in part.answers]
    question_id = await insert_new(
        tx,
        Question,
        Question.id,
        candidate_id=candidate.id,
        course=asked.turn.course,
        topic=next((hit.entry.topic for hit in part.hits[:1] if hit.confidence >= NEAR), None),
        language=asked.turn.language,
        text=part.question,
        decision=name(part.decision),
        reason=part.decision.reason.value if isinstance(part.decision, Escalate) else None,
        entry_id=part.decision.entry.id if isinstance(part.decision, Answer) else None,
        confidence=part.confidence,
        alternatives=[entry.id for entry in shown],
        snapshot_id=asked.engine.snapshot.id,
        message_id=asked.piece.message_id,
    )
    assert question_id is not None  # nothing in it is unique
    return question_id


async def tapped(
    tx: AsyncSession, deps: Deps, candidate: Candidate, entry: Entry, course: str, language: Language, **more: Any
) -> Question:
    """Keep an entry's question that was tapped: what follows leans on it, and it can go to the team."""
    question = Question(
        candidate_id=candidate.id,
        course=course,
        topic=entry.topic,
        language=language,
        text=entry.question,
        decision="answer",
        entry_id=entry.id,
        snapshot_id=deps.live.engine.snapshot.id,
        **more,
    )
    tx.add(question)
    await tx.flush()
    deps.metrics.decided(question.decision, language)
    return question


async def in_place(tx: AsyncSession, candidate: Candidate, asked: Asked) -> Asked:
    """The same, to be answered where the changed message was answered, or the one that this one goes on with."""
    if asked.edited:
        number = asked.piece.message_id
        its = await anew.of_message(tx, candidate, number) or await anew.of_word(tx, candidate, number)
        return replace(asked, places=its)
    return replace(asked, places=await anew.of_last(tx, candidate)) if asked.turn.revises else asked
