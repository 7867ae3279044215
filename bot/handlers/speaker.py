"""Who speaks in a private chat, in which language and about which course; and saying something to them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Update

from bot.delivery import inbox, outbox
from bot.desk import mutes
from bot.dialogue import topics
from bot.dialogue.conversation import Turn
from bot.dialogue.foreign import notice
from bot.dialogue.message import Message
from bot.dialogue.texts import spoken, texts
from bot.handlers.context import Deps, desk_of
from bot.records.people import candidate_in
from bot.records.tables import Candidate, Outgoing, Question, Ticket
from indexer.engine import Engine
from indexer.entries import Language

Own = TypeVar("Own", Question, Ticket)


def telegram_language(update: Update) -> Language:
    """The language of the person's Telegram, as far as we speak it."""
    user = update.effective_user
    return "fr" if user and (user.language_code or "").lower().startswith("fr") else "en"


async def who(tx: AsyncSession, update: Update, language: Language | None = None) -> Candidate:
    """The candidate of a private chat; `language` is remembered."""
    assert update.effective_chat  # the routes let private chats through only
    candidate = await candidate_in(tx, update.effective_chat.id, update.effective_chat.type, language)
    if candidate.language is None:
        candidate.language = telegram_language(update)
    return candidate


@asynccontextmanager
async def hearing(update: Update, deps: Deps) -> AsyncIterator[tuple[AsyncSession, Candidate]]:
    """The transaction of what somebody in a private chat has sent, and who that is; with it the update is done."""
    async with deps.db.begin() as tx:
        yield tx, await who(tx, update)
        await inbox.done(tx, update.update_id)


def tongue(candidate: Candidate) -> Language:
    """The language to speak with a candidate outside of an answer."""
    return spoken(candidate.chosen_language or candidate.language)


def unheard(deps: Deps, candidate: Candidate) -> str:
    """What is told to somebody whom the team does not hear: banned, or muted."""
    if candidate.banned_at:
        return texts(tongue(candidate)).banned
    return mutes.notice(candidate, desk_of(deps), tongue(candidate))


def known_course(candidate: Candidate, engine: Engine) -> str | None:
    """The course that somebody has chosen, if it still exists."""
    return candidate.course if candidate.course in {course.name for course in engine.school} else None


def course_of(deps: Deps, candidate: Candidate) -> str:
    """The course that somebody's questions are about; empty as long as that is open."""
    engine = deps.live.engine
    return known_course(candidate, engine) or engine.course


def row_number(written: str) -> int | None:
    """A row's number as a button or a command names it; None for what somebody made up."""
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 19 else None


async def own(tx: AsyncSession, kind: type[Own], candidate: Candidate, number: str, **how: Any) -> Own | None:
    """The candidate's row that a button is about; None for a made-up number, or another person's."""
    known = row_number(number)
    row = None if known is None else await tx.get(kind, known, **how)
    return row if row and row.candidate_id == candidate.id else None


async def tell_languages(tx: AsyncSession, candidate: Candidate, turn: Turn) -> bool:
    """Say once, to somebody who writes in another language, which ones are understood; whether that is said now."""
    key = f"foreign{candidate.chat_id}"
    if not turn.foreign or await tx.scalar(select(exists().where(Outgoing.key == key))):
        return False
    told = notice(turn.foreign, turn.language, turn.chat)
    await say(tx, candidate, topics.beside(told, turn.language) if turn.chat else Message(told), key)
    return True


async def say(tx: AsyncSession, candidate: Candidate, message: Message, key: str) -> int:
    """Put a message for a candidate into the outbox."""
    return await outbox.put(tx, candidate.chat_id, "sendMessage", message.payload(), key=key)
