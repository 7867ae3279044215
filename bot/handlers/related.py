"""What one may want to know next: the questions nearest to an answer, below a message of their own."""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.dialogue import render
from bot.dialogue.message import Button, Message
from bot.dialogue.texts import spoken, texts
from bot.handlers.answers import entry_message, numbered
from bot.handlers.asked import tapped
from bot.handlers.context import Deps
from bot.handlers.speaker import say
from bot.records.tables import Candidate, Question
from indexer.entries import Entry, Language
from indexer.related import related

MOST = 3
OFFER, CHOICE = "re", "rq"  # what a button's data begins with


async def offer(tx: AsyncSession, deps: Deps, candidate: Candidate, question: Question, key: str) -> None:
    """The nearest entries that the candidate has not seen, each on a button; that there are none, if so."""
    language, engine = spoken(question.language), deps.live.engine
    entry = engine.entry(question.entry_id or "", language)
    if entry is None:
        await say(tx, candidate, Message(texts(language).choice_gone), key)
        return
    mine = select(Question.entry_id).where(Question.candidate_id == candidate.id, Question.entry_id.is_not(None))
    seen = set((await tx.execute(mine)).scalars())
    ids = await asyncio.to_thread(lambda: list(related(engine.snapshot, entry)))
    unseen = (id_ for id_ in ids if id_ not in seen)
    near = list(islice(_given(deps, unseen, language), MOST))
    message = Message(texts(language).related_none)
    if near:
        questions = [one.question for one in near]
        pairs = zip(numbered(questions), near, strict=True)
        rows = [(Button(text, data=_data(question, one.id)),) for text, one in pairs]
        message = render.related(questions, language).message(*rows)
    await say(tx, candidate, message, key)


async def chosen(tx: AsyncSession, deps: Deps, candidate: Candidate, before: Question, mark: str, key: str) -> None:
    """The answer to a question that was offered; it is kept like one that was written."""
    language, engine = spoken(before.language), deps.live.engine
    ids = (id_ for id_ in engine.snapshot.versions if _mark(id_) == mark)
    entry = next(_given(deps, ids, language), None)
    if entry is None:
        await say(tx, candidate, Message(texts(language).choice_gone), key)
        return
    question = await tapped(tx, deps, candidate, entry, before.course, language)
    message = entry_message(engine, entry, question.id, language)
    question.answer_id = await say(tx, candidate, message, key)


def _given(deps: Deps, ids: Iterable[str], language: Language) -> Iterator[Entry]:
    """Those that have an answer which is not out of date."""
    today = deps.local_now.date()
    found = (deps.live.engine.entry(id_, language) for id_ in ids)
    return (entry for entry in found if entry and not entry.past(today))


def _data(question: Question, entry_id: str) -> str:
    return f"{CHOICE}:{question.id}:{_mark(entry_id)}"


def _mark(entry_id: str) -> str:
    """What stands for an entry on a button, which has no room for long ids."""
    return hashlib.sha256(entry_id.encode()).hexdigest()[:16]
