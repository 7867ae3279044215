"""What is known of a candidate before their message is read, without anything of it being changed."""

from sqlalchemy import BigInteger, bindparam, func, select
from sqlalchemy.orm import aliased
from telegram import Update

from bot.dialogue.conversation import Exchange
from bot.dialogue.decide import BESIDE
from bot.dialogue.texts import spoken
from bot.handlers import anew
from bot.handlers.context import Deps
from bot.handlers.speaker import telegram_language
from bot.records.tables import Candidate, Chat, Question
from indexer.engine import Engine
from indexer.entries import Language

NEWEST = 2**62  # above the number of any message
# Built once: to build a statement takes longer than to run it.
_earlier = aliased(Question)
_before = _earlier.message_id.is_(None) | (_earlier.message_id < bindparam("until", type_=BigInteger))
_last = (
    select(func.max(_earlier.id))
    .where(_earlier.candidate_id == Candidate.id, _earlier.decision != BESIDE, _before)
    .correlate(Candidate)
)
_SO_FAR = (
    select(
        Candidate.language,
        Candidate.course,
        Question.text,
        Question.language.label("answered_in"),
        Question.entry_id,
        Question.confidence,
        Question.decision,
        Question.feedback,
        Question.answer_id,
        Question.asked_at,
    )
    .join(Chat, Chat.id == Candidate.chat_id)
    .outerjoin(Question, Question.id == _last.scalar_subquery())
    .where(Chat.telegram_id == bindparam("telegram_id"))
)


async def so_far(deps: Deps, update: Update, engine: Engine) -> tuple[Language, Exchange | None, str | None]:
    """The language, what a follow-up leans on (the last question, and its answer's topic), and the course chosen."""
    chat, received = update.effective_chat, update.effective_message
    assert chat  # the routes let private chats through only
    assert received
    until = received.message_id if update.edited_message else NEWEST
    async with deps.db.glance() as connection:
        known = (await connection.execute(_SO_FAR, {"telegram_id": chat.id, "until": until})).one_or_none()
    language = spoken(known.language) if known and known.language else telegram_language(update)
    chosen = known.course if known else None
    if known is None or known.text is None:
        return language, None, chosen
    units = engine.snapshot.versions.get(known.entry_id or "", ())
    topics = [engine.snapshot.entries[unit].topic_name for unit in units]
    entry = engine.entry(known.entry_id, language) if known.entry_id else None
    fresh = not update.edited_message and anew.is_fresh(known, received.date)
    exchange = Exchange(
        known.text,
        topics[0] if topics else "",
        known.entry_id or "",
        known.confidence or 0.0,
        fresh,
        entry.question if entry else "",
        spoken(known.answered_in) if known.answer_id else "",
    )
    return language, exchange, chosen
