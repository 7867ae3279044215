"""A message understood: each of its questions recorded, and what was decided of it done."""

from dataclasses import dataclass, replace
from typing import assert_never, cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy import update as change
from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk.pieces import Piece
from bot.dialogue import courses, render
from bot.dialogue.conversation import Part, Turn
from bot.dialogue.decide import Answer, Beside, Clarify, Escalate, name
from bot.dialogue.render import Reason
from bot.dialogue.rich import Rich, bold, join
from bot.dialogue.signs import clean
from bot.dialogue.texts import spoken
from bot.handlers import anew, offers
from bot.handlers.answers import answer_message, beside_message, choices, shown_answer
from bot.handlers.context import Deps
from bot.handlers.escalation import escalate
from bot.handlers.speaker import say, tongue
from bot.records.tables import Candidate, Question
from bot.records.upsert import insert_new
from bot.understanding import understood
from indexer.engine import Engine

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


async def ask_course(tx: AsyncSession, candidate: Candidate, asked: Asked) -> None:
    """Keep the message until its author has said which course it is about."""
    turn = asked.turn
    await _record(tx, candidate, asked, turn.parts[0])
    await say(tx, candidate, courses.which(turn.courses, turn.language), f"{asked.key}:course")


async def choose_course(
    tx: AsyncSession, deps: Deps, candidate: Candidate, course: str, key: str, *, then: str = ""
) -> None:
    """Remember a course and answer the message that waited for it; where none did, show its topics, or the one named.

    `then` is the topic that a link named.
    """
    engine, language = deps.live.engine, tongue(candidate)
    candidate.course = course
    last = select(Question).where(Question.candidate_id == candidate.id).order_by(Question.id.desc()).limit(1)
    kept = (await tx.execute(last)).scalar_one_or_none()
    if kept is None or kept.course or kept.decision != "clarify":
        await say(tx, candidate, offers.chosen(deps, course, language, then), f"{key}:course")
        return
    today, spoke = deps.local_now.date(), spoken(kept.language)
    turn = await deps.searcher.run(engine, understood, kept.text, deps.limits, today, language=spoke, chosen=course)
    piece = Piece(kept.message_id or 0, "text", Rich(clean(kept.text)))
    await tx.delete(kept)  # it is recorded anew, with what becomes of it
    for number, part in enumerate(turn.parts):
        await act(tx, deps, candidate, Asked(turn, engine, piece, key), part, number)


async def act(tx: AsyncSession, deps: Deps, candidate: Candidate, asked: Asked, part: Part, number: int) -> None:
    """Record one question of a message, the one of that number, and do what was decided."""
    turn, engine = asked.turn, asked.engine
    place = asked.places[number] if number < len(asked.places) else None
    question_id = await _record(tx, candidate, asked, part)
    deps.metrics.decided(name(part.decision), turn.language)
    heading = part.question if len(turn.parts) > 1 else ""
    key = f"{asked.key}:{question_id}"
    match part.decision:
        case Answer(entry, gist):
            shown = shown_answer(engine, entry, turn.language, gist)
            message = answer_message(shown, question_id, turn.language, heading, more=bool(gist))
            row = await anew.show(tx, candidate, message, key, place)
            await tx.execute(_ANSWERED, {"question": question_id, "row": row})
        case Clarify(entries):
            back = join([bold(heading), render.clarify([entry.question for entry in entries], turn.language)])
            message = back.message(*choices(question_id, entries, turn.language, engine))
            row = await anew.show(tx, candidate, message, key, place)
            await tx.execute(_ANSWERED, {"question": question_id, "row": row})
        case Escalate(reason):
            note = "human_asked" if reason is Reason.PERSON else "escalated"
            question = await tx.get_one(Question, question_id)
            await escalate(tx, deps, candidate, question, reason, part.answers, key, note=note, place=place)
        case Beside():
            row = await anew.show(tx, candidate, beside_message(question_id, turn.language), key, place)
            await tx.execute(_ANSWERED, {"question": question_id, "row": row})
        case _:
            assert_never(part.decision)


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


async def in_place(tx: AsyncSession, candidate: Candidate, asked: Asked) -> Asked:
    """The same, to be answered where the changed message was answered, or the one that this one goes on with."""
    if asked.edited:
        number = asked.piece.message_id
        its = await anew.of_message(tx, candidate, number) or await anew.of_word(tx, candidate, number)
        return replace(asked, places=its)
    return replace(asked, places=await anew.of_last(tx, candidate)) if asked.turn.revises else asked
