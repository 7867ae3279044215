"""How much one person may write and press: beyond that they are told once, kindly, and the rest is not read."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Integer, ScalarSelect, Table, bindparam, or_, select
from telegram import Update

from bot.delivery import inbox
from bot.dialogue.message import Message
from bot.dialogue.texts import texts
from bot.handlers.context import Context, Deps
from bot.handlers.speaker import say, tongue, who
from bot.records.tables import Candidate
from bot.records.tables import Update as Received

Handler = Callable[[Update, Context], Coroutine[Any, Any, None]]
WRITTEN, PRESSED = ("message", "edited_message"), ("callback_query",)  # counted apart
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

# Built once: to build a statement takes longer than to run it.
_rows, _candidates = cast(Table, Received.__table__), cast(Table, Candidate.__table__).c
_this, _earlier = _rows.c, _rows.alias("earlier").c


def _received_before(count: str) -> ScalarSelect[Any]:
    """When the message was received that this one is the so-many-th after, the parameter `count` being one less."""
    alike = _earlier.kind.in_(bindparam("kinds", expanding=True))
    mine = (_earlier.chat_id == _this.chat_id) & alike & (_earlier.seq < _this.seq)
    newest_first = select(_earlier.received_at).where(mine).order_by(_earlier.received_at.desc())
    return newest_first.limit(1).offset(bindparam(count, type_=Integer)).correlate(_rows).scalar_subquery()


_PACE = (
    select(_this.received_at, _received_before("a_minute").label("minute"), _received_before("a_day").label("day"))
    .outerjoin_from(_rows, Candidate, _candidates.chat_id == _this.chat_id)
    .where(
        _this.update_id == bindparam("update"),
        _candidates.banned_at.is_(None),
        or_(_candidates.muted_until.is_(None), _candidates.muted_until <= bindparam("now")),
    )
)


def paced(handler: Handler) -> Handler:
    """The handler, for who keeps within the limits. Commands about one's own data are never wrapped in this."""

    async def handle(update: Update, context: Context) -> None:
        if beyond := await _beyond(context.deps, update):
            await _told(context.deps, update, beyond)
        else:
            await handler(update, context)

    return handle


async def _beyond(deps: Deps, update: Update) -> timedelta | None:
    """The span in which somebody wrote too much before this update; None if there is none, or nobody hears them."""
    spans = ((MINUTE, deps.settings.most_a_minute), (DAY, deps.settings.most_a_day))
    at_most = {"a_minute": max(spans[0][1], 1) - 1, "a_day": max(spans[1][1], 1) - 1}
    values = {"update": update.update_id, "now": deps.now(), "kinds": PRESSED if update.callback_query else WRITTEN}
    async with deps.db.glance() as connection:
        row = (await connection.execute(_PACE, values | at_most)).one_or_none()
    if row is None:
        return None
    for (span, most), at_least in zip(spans, (row.minute, row.day), strict=True):
        if most and at_least and at_least > row.received_at - span:
            return span
    return None


async def _told(deps: Deps, update: Update, beyond: timedelta) -> None:
    """Once in each such span."""
    window = int(deps.now().timestamp() // beyond.total_seconds())
    async with deps.db.begin() as tx:
        candidate = await who(tx, update)
        words = texts(tongue(candidate))
        key = f"pace{candidate.chat_id}:{beyond.total_seconds():.0f}:{window}"
        await say(tx, candidate, Message(words.too_fast if beyond == MINUTE else words.too_many), key)
        await inbox.done(tx, update.update_id)
