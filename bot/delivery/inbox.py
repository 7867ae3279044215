"""The inbox: updates committed first, then handled chat by chat, each at most once to completion."""

import logging
from collections.abc import Callable, Container, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Executable, Integer, Table, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import incoming
from bot.delivery.claims import Claimed, release, release_one
from bot.records.people import chat_ids_of, lock_chats, move_chat
from bot.records.states import UpdateState
from bot.records.tables import Update, UtcTime, utc_now
from bot.records.upsert import insert_new_ones

log = logging.getLogger(__name__)

ATTEMPTS = 5  # then an update is set aside
SOON = timedelta(seconds=1)

_table = cast(Table, Update.__table__)
_named = _table.c.update_id.in_(bindparam("ids", expanding=True))
_KNOWN = select(_table.c.update_id, _table.c.received_at).where(_named)
# Of a number that Telegram gives for the second time: one that it never gives.
_OLD = update(_table).where(_named, _table.c.received_at < bindparam("since")).values(update_id=-_table.c.seq)
_row, _new = _table.c.seq == bindparam("row"), _table.c.state == UpdateState.NEW
_ended = {"finished_at": bindparam("moment", type_=UtcTime), "error": bindparam("why", None), "leased_by": None}
_DONE = (
    update(_table)
    .where(_table.c.update_id == bindparam("update"), _new)
    .values(_ended | {"state": UpdateState.DONE, "raw": None})
)
DONE = _DONE.returning(_table.c.seq)
AGAIN = (
    update(_table)
    .where(_row, _new)
    .values(
        leased_by=None,
        not_before=bindparam("later", type_=UtcTime),
        error=bindparam("why"),
        attempts=bindparam("tries", type_=Integer),
    )
    .returning(_table.c.seq)
)
SET_ASIDE = update(_table).where(_row, _new).values(_ended | {"state": UpdateState.SET_ASIDE}).returning(_table.c.seq)


@dataclass(slots=True)
class Handling:
    """An update in its handler's hands."""

    claimed: Claimed
    crowded: Callable[[], bool]  # whether others wait, so that many leases will end in one transaction
    done: bool = False
    freed: bool = False  # its chat, as it was marked as done
    more: bool = False  # and another update waits there


_handling: ContextVar[Handling] = ContextVar("handling")


class AlreadyDoneError(RuntimeError):
    """Another worker has finished this update: the transaction that hears of it must not commit."""


async def receive(tx: AsyncSession, raw: Sequence[object]) -> dict[int, int | None]:
    """Keeps those updates that are new, in their order; returns by their `update_id`s the chats that they belong to.

    Takes any JSON.
    """
    numbered: dict[int, incoming.Raw] = {}
    for item in raw:
        if isinstance(item, dict) and (number := incoming.number(item)) is not None:
            numbered[number] = item
    if len(numbered) < len(raw):
        log.error("updates without a usable id ignored", extra={"count": len(raw) - len(numbered)})
    since = utc_now() - incoming.REPEATED
    known = {row.update_id: row.received_at >= since for row in await tx.execute(_KNOWN, {"ids": list(numbered)})}
    if old := [number for number, repeated in known.items() if not repeated]:
        await tx.execute(_OLD, {"ids": old, "since": since})
    new = {number: item for number, item in numbered.items() if not known.get(number)}
    # The chats first: their rows are then locked, so that the updates of each are numbered in the order of commits.
    chats = await _chats(tx, new)
    rows = [
        {"update_id": number, "kind": incoming.kind(item), "raw": item, "chat_id": chats.get(number)}
        for number, item in new.items()
    ]
    kept = set(await insert_new_ones(tx, Update, Update.update_id, rows))
    for number, item in new.items():
        chat_id, moved = chats.get(number), incoming.moved_to(item)
        if number in kept and chat_id is not None and moved is not None:
            await move_chat(tx, chat_id, moved)
    return {number: chats.get(number) for number in new if number in kept}


async def _chats(tx: AsyncSession, raw: Mapping[int, incoming.Raw]) -> dict[int, int]:
    """Our own id of the chat that each update names; updates and chats by their numbers."""
    named = {number: where for number, item in raw.items() if (where := incoming.place(item))}
    written = [where for number, where in named.items() if incoming.kind(raw[number]) in incoming.WRITTEN]
    reached = {where.telegram_id: where.kind for where in written}
    others = {where.telegram_id: where.kind for where in named.values() if where.telegram_id not in reached}
    await lock_chats(tx, [*reached, *others])
    ids = await chat_ids_of(tx, reached, reached=True) | await chat_ids_of(tx, others)
    return {number: ids[where.telegram_id] for number, where in named.items()}


async def done(tx: AsyncSession, update_id: int) -> None:
    """Handled: belongs into the transaction of its effects, once. Its JSON is erased; unless others wait, its chat is
    free.

    Raises AlreadyDoneError if another worker was faster, so that nothing happens twice.
    """
    values = {"update": update_id, "moment": utc_now()}
    if (await tx.execute(DONE, values)).scalar_one_or_none() is None:
        raise AlreadyDoneError(f"update {update_id} is not waiting to be handled")
    own = _handling.get(None)
    if own is not None and own.claimed.update_id == update_id:
        own.done = True
        more = None if own.crowded() else await release_one(tx, own.claimed)
        own.freed, own.more = more is not None, bool(more)


def handling(claimed: Claimed, crowded: Callable[[], bool]) -> Handling:
    """In this task an update is handled from now on: `done` notes here what becomes of it."""
    own = Handling(claimed, crowded)
    _handling.set(own)
    return own


async def close(tx: AsyncSession, claimed: Sequence[Claimed], marked: Container[int] = ()) -> None:
    """Marks as done what its handlers did not, and frees the chats; all of one worker."""
    if rest := [{"update": one.update_id, "moment": utc_now()} for one in claimed if one.update_id not in marked]:
        await tx.execute(_DONE, rest)
    await release(tx, *claimed)


async def failed(tx: AsyncSession, claimed: Claimed, error: str, now: datetime, *, freed: bool = False) -> bool:
    """Another try later, longer each time; set aside after the last, which gives True. Frees the chat.

    `freed` as in Handling.
    """
    if claimed.attempts >= ATTEMPTS:
        await set_aside(tx, claimed, error, freed=freed)
        return True
    values = {"later": now + timedelta(seconds=4 ** (claimed.attempts - 1)), "why": error, "tries": claimed.attempts}
    await _not_done(tx, claimed, AGAIN, values, freed=freed)
    return False


async def put_back(tx: AsyncSession, claimed: Claimed, error: str, now: datetime, *, freed: bool = False) -> None:
    """Another try soon, which does not count: the update is not to blame. Frees the chat."""
    values = {"later": now + SOON, "why": error, "tries": claimed.attempts - 1}
    await _not_done(tx, claimed, AGAIN, values, freed=freed)


async def set_aside(tx: AsyncSession, claimed: Claimed, error: str, *, freed: bool = False) -> None:
    """Never tried again by itself; its JSON is kept for people. Frees the chat."""
    await _not_done(tx, claimed, SET_ASIDE, {"why": error, "moment": utc_now()}, freed=freed)


async def _not_done(
    tx: AsyncSession, claimed: Claimed, statement: Executable, values: Mapping[str, Any], *, freed: bool
) -> None:
    waits = (await tx.execute(statement, {**values, "row": claimed.seq})).scalar_one_or_none() is not None
    # What is done after all may have freed its chat: the lease would be that of the next.
    if waits or not freed:
        await release(tx, claimed)
