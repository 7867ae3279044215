"""The outbox: what is to be sent, written in the transaction of its cause."""

import re
from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery.edits import REPLACES, supersede
from bot.delivery.incoming import REPEATED
from bot.delivery.references import Payload
from bot.delivery.splitting import clean, split
from bot.records.news import tell
from bot.records.states import OutgoingState
from bot.records.tables import Outgoing, utc_now
from bot.records.upsert import insert_new

OF_UPDATE = re.compile(r"u\d+[^~]*")  # the key of what an update caused, and was not sent once more elsewhere


class Priority(IntEnum):
    """What goes first when not all can go."""

    ANSWER = 0  # a candidate waits for it
    CARD = 1  # a question for staff
    NOTICE = 2  # what staff or candidates should know
    REMINDER = 3  # what can wait


def below(message: object) -> Payload:
    """As a reply to that message, or as a message of its own if it is gone."""
    return {"message_id": message, "allow_sending_without_reply": True}


async def put(  # noqa: PLR0913  each names one property of the row
    tx: AsyncSession,
    chat_id: int,
    method: str,
    payload: Payload,
    *,
    key: str,
    priority: Priority = Priority.ANSWER,
    after: int | None = None,
    when: OutgoingState = OutgoingState.SENT,
    ticket_id: int | None = None,
    not_before: datetime | None = None,
) -> int:
    """Writes a Bot API call (`payload` without chat_id) and returns its row's id; a known `key` gives the known row.

    With `after`, it is sent once that row has ended in the state `when` and dropped if it ends otherwise.
    `{"message_of": id}` anywhere in `payload` stands for the Telegram message id of another row (see `references`).
    A text too long for one message becomes several rows; the id is the last one's, which has the buttons. Of an edit
    the first part takes the message's place and the others follow as messages.
    An edit that is not for later and follows nothing makes older ones of the same message that still wait needless.
    """
    if "chat_id" in payload:
        raise ValueError("a payload holds the parameters of a Bot API method except chat_id")
    common: dict[str, Any] = {"chat_id": chat_id, "priority": int(priority)}
    common |= {"ticket_id": ticket_id, "not_before": not_before}
    replaces = method in REPLACES and after is None and not_before is None
    parts = _parts(method, clean(payload))
    row_id = after
    for number, (call, part) in enumerate(parts, start=1):
        link = {"after_id": row_id, "after_state": None if row_id is None else when}
        name = key if number == len(parts) else f"{key}#{number}"
        row_id, new = await _write(tx, key=name, method=call, payload=part, **common, **link)
        when = OutgoingState.SENT  # each part follows the one before it
        if new and replaces and number == 1:
            await supersede(tx, row_id, chat_id, call, part)
    assert row_id is not None
    return row_id


def copy_of(row: Outgoing) -> tuple[str, Payload]:
    """The call, and its payload, that copies what a row sent, an album as one."""
    payload: Payload = {"from_chat_id": {"chat_of": row.chat_id}}
    if row.message_ids:
        parts = [{"message_of": row.id, "part": part} for part in range(len(row.message_ids))]
        return "copyMessages", payload | {"message_ids": parts}
    return "copyMessage", payload | {"message_id": {"message_of": row.id}}


def whole(key: str) -> str:
    """The key of the last part of a text, which stands for all of it.

    >>> whole("u7:add#1")
    'u7:add'
    """
    return key.partition("#")[0]


def again(key: str, place: int | None) -> str:
    """The key of a row that is sent once more elsewhere; the parts of a long text stay parts of it.

    >>> again("u7:add#1", 12)
    'u7:add~12#1'
    """
    name, mark, number = key.partition("#")
    return f"{name}~{place}{mark}{number}"


def _parts(method: str, payload: Payload) -> list[tuple[str, Payload]]:
    if method not in {"sendMessage", "editMessageText"}:
        return [(method, payload)]
    first, *rest = split(payload)
    return [(method, first), *(("sendMessage", _without_message(part)) for part in rest)]


def _without_message(part: Payload) -> Payload:
    return {name: value for name, value in part.items() if name != "message_id"}


async def _write(tx: AsyncSession, *, key: str, **values: Any) -> tuple[int, bool]:
    new = await insert_new(tx, Outgoing, Outgoing.id, key=key, **values)
    if new is None and OF_UPDATE.fullmatch(key):  # perhaps one whose number Telegram has given before
        # The ends of keys tell what is to be emptied or stays together: they are kept.
        now = utc_now()
        old = update(Outgoing).where(Outgoing.key == key, Outgoing.created_at < now - REPEATED)
        if (await tx.execute(old.values(key=f"{now:%Y%m%d}~{key}").returning(Outgoing.id))).first():
            new = await insert_new(tx, Outgoing, Outgoing.id, key=key, **values)
    if new is not None:
        tell(tx, "messages")
        return new, True
    return (await tx.execute(select(Outgoing.id).where(Outgoing.key == key))).scalar_one(), False
