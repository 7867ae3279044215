"""Chats and candidates: found, made, moved."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import cast

from sqlalchemy import (
    ColumnElement,
    Executable,
    Insert,
    String,
    Table,
    bindparam,
    delete,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from bot.records import bans
from bot.records.pseudonyms import pseudonym
from bot.records.states import ChatKind
from bot.records.tables import (
    Candidate,
    Chat,
    Member,
    Note,
    Outgoing,
    Relay,
    Ticket,
    Topic,
    Update,
    UtcTime,
    utc_now,
)
from bot.records.upsert import insert_into

CROWDED = 5  # names tried that others have: then one with a number

# Built once: to build a statement takes longer than to run it.
_LOCKED = (
    select(Chat.id)
    .where(Chat.telegram_id.in_(bindparam("ids", expanding=True)))
    .order_by(Chat.telegram_id)
    .with_for_update(key_share=True)  # who writes to a chat, from that of another, need not wait
)
_candidates = cast(Table, Candidate.__table__)


def _seen_where(own: ColumnElement[bool]) -> Executable:
    """Notes that a candidate was seen, and gives them. As an UPDATE of objects it would be built anew each time."""
    values = {
        "last_seen_at": bindparam("moment", type_=UtcTime),
        "language": func.coalesce(bindparam("tongue", type_=String), _candidates.c.language),
    }
    seen = update(_candidates).values(values).where(own).returning(*_candidates.c)
    return select(Candidate).from_statement(seen).execution_options(populate_existing=True)


@cache
def _made(dialect: str) -> Executable:
    """Makes a candidate, and gives it; nothing if the chat has one or the name is another's."""
    values = {
        "id": bindparam("name"),
        "chat_id": bindparam("chat"),
        "language": bindparam("tongue", type_=String),
        "banned_at": bindparam("banned", type_=UtcTime),
        "muted_until": bindparam("muted", type_=UtcTime),
        "created_at": bindparam("moment", type_=UtcTime),
        "last_seen_at": bindparam("moment", type_=UtcTime),
    }
    made = insert_into(dialect, Candidate).values(values).on_conflict_do_nothing().returning(*_candidates.c)
    return select(Candidate).from_statement(made)


_SEEN_AGAIN = _seen_where(_candidates.c.chat_id == bindparam("chat"))
_chat = select(Chat.id).where(Chat.telegram_id == bindparam("telegram_id"))
_SEEN_IN_CHAT = _seen_where(_candidates.c.chat_id == _chat.scalar_subquery())


async def chat_of(tx: AsyncSession, telegram_id: int, kind: str) -> Chat:
    """The chat with this Telegram id, made at first sight; one that was to be removed is kept again."""
    chat_id = await chat_id_of(tx, telegram_id, kind)
    return await tx.get_one(Chat, chat_id, populate_existing=True)


async def chat_id_of(tx: AsyncSession, telegram_id: int, kind: str) -> int:
    """As `chat_of`, for those who need our own id alone; its row is locked."""
    return (await chat_ids_of(tx, {telegram_id: kind}))[telegram_id]


async def chat_ids_of(tx: AsyncSession, kinds: Mapping[int, str], *, reached: bool = False) -> dict[int, int]:
    """The same for several chats, each Telegram id with its kind. `reached`: they can be written to."""
    if not kinds:
        return {}
    if tx.dirty:  # or what is about to be written would write over this
        await tx.flush()
    statement = _seen(tx.get_bind().dialect.name, reached=reached)
    values = [{"telegram_id": telegram_id, "kind": ChatKind(kinds[telegram_id])} for telegram_id in sorted(kinds)]
    return {row.telegram_id: row.id for row in (await tx.execute(statement, values)).all()}


async def lock_chats(tx: AsyncSession, telegram_ids: Collection[int]) -> None:
    """Locks those of several chats that are known, in an order that all follow: nobody then waits for each other."""
    if len(telegram_ids) > 1 and tx.get_bind().dialect.name != "sqlite":
        await tx.execute(_LOCKED, {"ids": list(telegram_ids)})


@cache
def _seen(dialect: str, *, reached: bool) -> Insert:
    # As words of the statement: with parameters here, SQLAlchemy would write several rows one by one.
    changes = {"forgotten_at": null()}
    if reached:
        changes |= {"unreachable_since": null(), "reason": null()}
    made = insert_into(dialect, Chat).on_conflict_do_update(index_elements=[Chat.telegram_id], set_=changes)
    return made.returning(Chat.__table__.c.id, Chat.__table__.c.telegram_id)


async def candidate_in(tx: AsyncSession, telegram_id: int, kind: str, language: str | None) -> Candidate:
    """The candidate of the chat with this Telegram id, both made at first sight; `language` as in `candidate_of`."""
    # A chat with a candidate is not about to be removed: what forgets one forgets the other.
    values = {"telegram_id": telegram_id, "tongue": language, "moment": utc_now()}
    known: Candidate | None = (await tx.execute(_SEEN_IN_CHAT, values)).scalar_one_or_none()
    if known is not None:
        return known
    chat_id = await chat_id_of(tx, telegram_id, kind)
    return await _make(tx, chat_id, language) or await candidate_of(tx, chat_id, language)


async def candidate_of(tx: AsyncSession, chat_id: int, language: str | None) -> Candidate:
    """The candidate of a private chat, made at first sight; `language` is remembered unless None.

    Who was banned or muted and then forgotten is so still, under the name that staff know.
    """
    tried = 0
    while True:
        values = {"chat": chat_id, "tongue": language, "moment": utc_now()}
        seen: Candidate | None = (await tx.execute(_SEEN_AGAIN, values)).scalar_one_or_none()
        if (candidate := seen or await _make(tx, chat_id, language, tried)) is not None:
            return candidate
        tried += 1


async def _make(tx: AsyncSession, chat_id: int, language: str | None, tried: int = 0) -> Candidate | None:
    """A candidate for a chat; None if it has one, or the name, of which so many have been tried, is another's."""
    ban = await bans.kept(tx, chat_id)
    until = ban.until if ban else None
    values = {
        "name": ban.pseudonym if ban and not tried else pseudonym(numbered=tried >= CROWDED),
        "chat": chat_id,
        "tongue": language,
        "banned": ban.banned_at if ban and until is None else None,
        "muted": until,
        "moment": utc_now(),
    }
    made: Candidate | None = (await tx.execute(_made(tx.get_bind().dialect.name), values)).scalar_one_or_none()
    if made and ban:
        await tx.delete(ban)
    return made


async def move_chat(tx: AsyncSession, chat_id: int, telegram_id: int) -> None:
    """A group became a supergroup: same chat for us, new id in Telegram. May be told more than once, in any order.

    Of several chats for one group the first stays, as settings know it, and what came to the others joins it. The
    supergroup numbers its messages anew: those of the old group can no longer be replied to. The lease that ends last
    goes along: whoever handles an update is not to be overtaken by another.
    """
    which = or_(Chat.id == chat_id, Chat.telegram_id == telegram_id)
    same = select(Chat.id, Chat.telegram_id, Chat.leased_by, Chat.leased_until).where(which)
    # Held, as all hold several: who leases one of them meanwhile has then done so.
    held = same.order_by(Chat.telegram_id).with_for_update()
    chats = sorted((await tx.execute(held)).all(), key=lambda chat: chat.id)
    for chat in chats:
        if chat.telegram_id != telegram_id:
            await tx.execute(
                update(Outgoing).where(Outgoing.chat_id == chat.id).values(message_id=None, message_ids=None)
            )
            for table in (Relay, Note, Topic):
                await tx.execute(delete(table).where(table.chat_id == chat.id))
    kept, *others = (chat.id for chat in chats)
    for column in (
        Update.chat_id,
        Outgoing.chat_id,
        Relay.chat_id,
        Ticket.owner_chat_id,
        Ticket.group_chat_id,
        Member.group_chat_id,
    ):
        await tx.execute(update(column.class_).where(column.in_(others)).values({column.key: kept}))
    await tx.execute(delete(Chat).where(Chat.id.in_(others)))
    lease = max(chats, key=lambda chat: (chat.leased_until is not None, chat.leased_until))
    moved = {"telegram_id": telegram_id, "kind": ChatKind.SUPERGROUP, "paused_until": None}
    moved |= {"leased_by": lease.leased_by, "leased_until": lease.leased_until}
    await tx.execute(update(Chat).where(Chat.id == kept).values(moved))
