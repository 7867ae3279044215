"""How much one person may write: beyond that they are told once, kindly, and the rest is not read."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Update

from bot.delivery import inbox
from bot.dialogue.message import Message
from bot.dialogue.texts import texts
from bot.handlers.context import Context, Deps
from bot.handlers.speaker import say, tongue, who
from bot.records.tables import Candidate
from bot.records.tables import Update as Received

Handler = Callable[[Update, Context], Coroutine[Any, Any, None]]
WRITTEN = ("message", "edited_message")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def paced(handler: Handler) -> Handler:
    """The handler, for who keeps within the limits. Commands about one's own data are never wrapped in this."""

    async def handle(update: Update, context: Context) -> None:
        deps = context.deps
        async with deps.db.begin() as tx:
            candidate = await who(tx, update)
            beyond = await _beyond(tx, deps, candidate, update)
            if beyond:
                words, since = texts(tongue(candidate)), deps.now()
                said = words.too_fast if beyond == MINUTE else words.too_many
                window = int(since.timestamp() // beyond.total_seconds())
                key = f"pace{candidate.chat_id}:{beyond.total_seconds():.0f}:{window}"
                await say(tx, candidate, Message(said), key)
                await inbox.done(tx, update.update_id)
        if not beyond:
            await handler(update, context)

    return handle


async def _beyond(tx: AsyncSession, deps: Deps, candidate: Candidate, update: Update) -> timedelta | None:
    """The span in which somebody wrote too much before this update; None if there is none, or nobody hears them."""
    settings = deps.settings
    this = select(Received.received_at, Received.seq).where(Received.update_id == update.update_id)
    row = (await tx.execute(this)).one_or_none()
    if row is None or candidate.silenced(deps.now()):
        return None
    mine = (Received.chat_id == candidate.chat_id) & Received.kind.in_(WRITTEN) & (Received.seq < row.seq)
    for span, most in ((MINUTE, settings.most_a_minute), (DAY, settings.most_a_day)):
        before = select(Received.seq).where(mine, Received.received_at > row.received_at - span).limit(most)
        if most and (await tx.execute(select(func.count()).select_from(before.subquery()))).scalar_one() >= most:
            return span
    return None
