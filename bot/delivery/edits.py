"""Edits of messages: a newer one takes the place of an older one that still waits."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.delivery.references import Payload, named
from bot.records.states import OutgoingState
from bot.records.tables import Outgoing

BUTTONS = "editMessageReplyMarkup"
# What each kind makes needless: every kind brings the message's buttons along.
REPLACES = {
    BUTTONS: (BUTTONS,),
    "editMessageText": ("editMessageText", BUTTONS),
    "editMessageCaption": ("editMessageCaption", BUTTONS),
    "editMessageMedia": ("editMessageMedia", "editMessageCaption", BUTTONS),
    "editMessageLiveLocation": ("editMessageLiveLocation", BUTTONS),
    "stopMessageLiveLocation": ("editMessageLiveLocation", BUTTONS),
}


async def supersede(tx: AsyncSession, row_id: int, chat_id: int, method: str, payload: Payload) -> None:
    """Drops older edits of the message that this row edits, as far as they wait and it makes them needless.

    One that another row follows stays, unless that row is for its failure; so does one for a later time. One that is
    just being sent may be dropped: the sender, which sends to a chat one call at a time, then sends the newer one.
    """
    follower = aliased(Outgoing)
    waits = (follower.state == OutgoingState.WAITING) & (follower.after_state != OutgoingState.FAILED)
    followed = exists().where(follower.after_id == Outgoing.id, waits)
    waiting = select(Outgoing.id, Outgoing.payload).where(
        Outgoing.chat_id == chat_id,
        Outgoing.state == OutgoingState.WAITING,
        Outgoing.method.in_(REPLACES[method]),
        Outgoing.id < row_id,
        or_(Outgoing.not_before.is_(None), Outgoing.attempts > 0),
        ~followed,
    )
    older = (await tx.execute(waiting)).all()
    if not older:
        return
    known = await _message_ids(tx, [payload, *(row.payload for row in older)])
    target = _target(payload, known)
    needless = [row.id for row in older if _target(row.payload, known) == target]
    dropped = update(Outgoing).where(Outgoing.id.in_(needless), Outgoing.state == OutgoingState.WAITING)
    await tx.execute(dropped.values(state=OutgoingState.DROPPED, error=f"replaced by row {row_id}"))


async def _message_ids(tx: AsyncSession, payloads: Sequence[Payload]) -> dict[int, int | None]:
    """The Telegram message ids of the rows that payloads edit by row; a row that shares its message has none alone."""
    ids = {row_id for payload in payloads for row_id in named(payload.get("message_id"))}
    if not ids:
        return {}
    alone = Outgoing.id.in_(ids) & Outgoing.joined_id.is_(None)
    rows = await tx.execute(select(Outgoing.id, Outgoing.message_id).where(alone))
    return {row.id: row.message_id for row in rows}


def _target(payload: Payload, known: dict[int, int | None]) -> Any:
    """The message as one value: its id in Telegram, or the row that will have it."""
    of_row = next(named(payload.get("message_id")), None)
    if of_row is None:
        return payload.get("message_id")
    return known.get(of_row) or ("row", of_row)
