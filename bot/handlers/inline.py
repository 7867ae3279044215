"""`@bot question` in any chat: entries to send there. A query is answered at once or never; nothing of it is kept."""

import logging

from sqlalchemy import func, select
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InlineQueryResultsButton,
    InputTextMessageContent,
    LinkPreviewOptions,
    MessageEntity,
    Update,
)
from telegram.error import TelegramError

from bot.delivery import inbox
from bot.delivery.retry import reason
from bot.dialogue import sharing, topics
from bot.dialogue.language import language as language_of
from bot.dialogue.signs import clean, visible
from bot.dialogue.texts import texts
from bot.handlers.context import Context, Deps
from bot.handlers.offers import topics_for
from bot.handlers.speaker import telegram_language
from bot.publishing.searching import TooLongError
from bot.records.tables import Question
from indexer.engine import Engine
from indexer.entries import Entry, Language

log = logging.getLogger(__name__)

OFFERED = 5  # entries at once
TYPED = 3  # queries that one message's worth of typing may take: as many times more than messages are answered
NEAR = 0.1  # confidence from which an entry is offered: the person reads its question before they send it
FRESH = 10  # seconds for which Telegram may show the same entries again: the knowledge may change
ASKED = "inline"  # what the private chat is told when somebody comes from here: not a topic


async def on_query(update: Update, context: Context) -> None:
    """Offer what fits; the update is done with before, since nothing can be made good once its moment is over."""
    query, deps = update.inline_query, context.deps
    assert query
    async with deps.db.begin() as tx:
        await inbox.done(tx, update.update_id)
    most = TYPED * deps.settings.most_a_minute
    too_many = most and deps.typed.again(query.from_user.id, deps.now()) > most
    text, own = clean(query.query), telegram_language(update)
    language = language_of(text, own) if text else own
    engine = deps.live.engine
    entries: list[Entry] = []  # beyond the limit too there is an answer: Telegram would show that it still waits
    if not too_many:
        entries = await _found(deps, engine, text, language) if text else await _favourites(deps, language)
    results = [_article(engine, entry, language, context.bot.username) for entry in entries[:OFFERED]]
    ask = InlineQueryResultsButton(texts(language).inline_ask, start_parameter=ASKED)
    try:
        await query.answer(results, cache_time=FRESH, is_personal=True, button=ask)
    except TelegramError as error:
        log.info("inline query not answered", extra={"error": reason(error)})


async def _found(deps: Deps, engine: Engine, text: str, language: Language) -> list[Entry]:
    """The entries nearest to a question, best first, without drafts and what is past."""
    try:
        hits = await deps.searcher.run(engine, Engine.find, text, language)
    except TooLongError:
        return []
    today = deps.local_now.date()
    near = [hit.entry for hit in hits if hit.confidence >= NEAR and not hit.entry.draft]
    return [entry for entry in near if not entry.past(today)]


async def _favourites(deps: Deps, language: Language) -> list[Entry]:
    """Before anything is typed: of each topic the question asked most, of topics asked most first."""
    counted = select(Question.entry_id, func.count()).where(Question.entry_id.is_not(None))
    async with deps.db.read() as tx:
        asked = {str(id_): int(count) for id_, count in await tx.execute(counted.group_by(Question.entry_id))}

    def liking(entry: Entry) -> int:
        return asked.get(entry.id, 0)

    best = [max(topic.entries, key=liking) for topic in topics_for(deps, None, language)]
    return sorted(best, key=liking, reverse=True)


def _article(engine: Engine, entry: Entry, language: Language, username: str) -> InlineQueryResultArticle:
    shown = sharing.shared(entry, language, engine.title(entry.course, language))
    more = InlineKeyboardButton(texts(language).inline_more, url=f"https://t.me/{username}?start={ASKED}")
    return InlineQueryResultArticle(
        id=f"{topics.code(entry.id)}{language}",
        title=visible(entry.question),
        description=sharing.gist(entry, sharing.GIST),
        input_message_content=InputTextMessageContent(
            shown.text,
            entities=[MessageEntity(**entity) for entity in shown.entities],
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        ),
        reply_markup=InlineKeyboardMarkup([[more]]),
    )
