"""How calls ended, written to the rows that they came from."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any, assert_never

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from bot.delivery import threads
from bot.delivery.calls import Later, Letter, Moved, Outcome, Part, Paused, Refused, Sent
from bot.delivery.files import METHODS, remove_files
from bot.delivery.picking import REFUSED_TOGETHER, Void
from bot.delivery.retry import place
from bot.records.forgetting import remove_forgotten
from bot.records.people import move_chat
from bot.records.states import OutgoingState
from bot.records.tables import Chat, Outgoing

log = logging.getLogger(__name__)

Ended = tuple[Letter, Outcome]
OnRefusal = Callable[[AsyncSession, Letter, Refused], Awaitable[None]]

# What was sent is noted so even if its row was dropped meanwhile.
_SENT = (
    update(Outgoing)
    .where(
        Outgoing.id == bindparam("row"),
        or_(Outgoing.state == OutgoingState.WAITING, Outgoing.state == OutgoingState.DROPPED),
    )
    .values(
        state=OutgoingState.SENT,
        message_id=bindparam("message"),
        message_ids=bindparam("album"),
        joined_id=bindparam("first"),
        sent_at=bindparam("at"),
        error=None,
    )
)
_under_way = Outgoing.id.in_(bindparam("rows", expanding=True))
_OTHERS = select(Outgoing.id).where(Outgoing.state == OutgoingState.WAITING, ~_under_way).limit(1)
_CHANGED_CHATS = select(Chat.id, Chat.forgotten_at, Chat.unreachable_since).where(
    Chat.id.in_(bindparam("ids", expanding=True)),
    or_(Chat.forgotten_at.is_not(None), Chat.unreachable_since.is_not(None)),
)


async def nobody_minds(_tx: AsyncSession, _letter: Letter, _refused: Refused) -> None:
    """For who needs not hear of refusals."""


async def record(tx: AsyncSession, ended: Sequence[Ended], now: datetime, refused: OnRefusal = nobody_minds) -> None:
    """Writes how calls ended; the last message to a forgotten chat takes that chat with it."""
    sent = [(letter, outcome) for letter, outcome in ended if isinstance(outcome, Sent)]
    # Oldest first, as who changes a message does, a text before its edit: nobody then waits for each other.
    for part in sorted([letter.part for letter, _ in sent if letter.part], key=attrgetter("row_id")):
        await _change_part(tx, part)
    if sent:
        rows = [row for letter, outcome in sent for row in _rows(letter, outcome, now)]
        await (await tx.connection()).execute(_SENT, sorted(rows, key=itemgetter("row")))
    for letter, outcome in ended:
        if not isinstance(outcome, Sent):
            await _record(tx, letter, outcome, now, refused)
    if over := [a.row_id for a, b in ended if a.method in METHODS.values() and isinstance(b, Sent | Refused)]:
        await remove_files(tx, over)
    await _look_after(tx, {letter.chat_id for letter, _ in ended}, {letter.chat_id for letter, _ in sent})


async def others_wait(connection: AsyncConnection, under_way: Sequence[Letter]) -> bool:
    """Whether rows wait besides those under way: for their turn, for their time, or for how another ends."""
    rows = [row_id for letter in under_way for row_id in letter.row_ids]
    return (await connection.execute(_OTHERS, {"rows": rows})).scalar_one_or_none() is not None


async def settle(tx: AsyncSession, voids: Sequence[Void]) -> None:
    """Ends rows that will never be sent."""
    for void in voids:
        await _change(tx, (void.row_id,), state=void.state, error=void.error)
    await remove_files(tx, [void.row_id for void in voids])
    await _look_after(tx, {void.chat_id for void in voids}, set())


def _rows(letter: Letter, outcome: Sent, now: datetime) -> list[dict[str, Any]]:
    first = letter.row_id if letter.others else None
    values = {"message": outcome.message_id, "album": list(outcome.message_ids) or None, "first": first, "at": now}
    return [{"row": row_id, **values} for row_id in letter.row_ids]


async def _record(tx: AsyncSession, letter: Letter, outcome: Outcome, now: datetime, refused: OnRefusal) -> None:
    rows = letter.row_ids
    about: dict[str, Any] = {"row": letter.row_id, "chat": letter.chat_id}
    match outcome:
        case Refused(error) if threads.gone(error) and await threads.renew(tx, letter.row_id):
            log.warning("topic made anew", extra=about)
        case Refused(error, unreachable) if letter.others and not unreachable:
            log.warning("messages refused together, to be sent one by one", extra=about | {"error": error})
            await _change(tx, rows, error=REFUSED_TOGETHER)
        case Refused(error, unreachable):
            log.warning("message refused", extra=about | {"error": error})
            await _change(tx, rows, state=OutgoingState.FAILED, error=error)
            if unreachable:
                known = Chat.unreachable_since.is_not(None)
                chat = update(Chat).where(Chat.id == letter.chat_id, ~known)
                await tx.execute(chat.values(unreachable_since=now, reason=error))
            await _hear(tx, letter, outcome, refused)
        case Later(at, error):
            log.warning("message delayed", extra=about | {"error": error})
            await _change(tx, rows, not_before=at, attempts=letter.attempts + 1, error=error)
        case Paused(until):
            log.warning("chat paused", extra={"chat": letter.chat_id, "until": until.isoformat()})
            await tx.execute(update(Chat).where(Chat.id == letter.chat_id).values(paused_until=until))
        case Moved(telegram_id):
            log.warning("group became a supergroup", extra={"chat": letter.chat_id})
            await move_chat(tx, letter.chat_id, telegram_id)
        case Sent():
            raise AssertionError("noted together with others")
        case _:
            assert_never(outcome)


async def _hear(tx: AsyncSession, letter: Letter, outcome: Refused, refused: OnRefusal) -> None:
    """Tells those concerned. A mistake of ours in that must not keep what was sent from being noted, now and always."""
    try:
        async with tx.begin_nested():
            await refused(tx, letter, outcome)
    except SQLAlchemyError:
        raise
    except Exception as error:
        log.error("nobody was told of a refusal", extra={"row": letter.row_id, "error": place(error)})  # noqa: TRY400  a trace may quote texts


async def _change(tx: AsyncSession, rows: Sequence[int], **values: Any) -> None:
    which = Outgoing.id.in_(rows) & (Outgoing.state == OutgoingState.WAITING)
    await tx.execute(update(Outgoing).where(which).values(**values))


async def _change_part(tx: AsyncSession, part: Part) -> None:
    """A row's text as it now stands in a message with others, for the next edit of any of them."""
    row = await tx.get(Outgoing, part.row_id)
    if row is not None and row.payload:  # empty once its person is forgotten
        row.payload = part.payload
        await tx.flush()


async def _look_after(tx: AsyncSession, chats: set[int], reached: set[int]) -> None:
    """Chats that are reached again, or that were kept for a last message only."""
    for chat in (await tx.execute(_CHANGED_CHATS, {"ids": list(chats)})).all():
        if chat.unreachable_since is not None and chat.id in reached:
            await tx.execute(update(Chat).where(Chat.id == chat.id).values(unreachable_since=None, reason=None))
        if chat.forgotten_at is not None:
            await remove_forgotten(tx, chat.id)
