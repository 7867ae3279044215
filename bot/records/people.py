"""Chats and candidates: found, made, moved, forgotten."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    Insert,
    String,
    Table,
    UpdateBase,
    bindparam,
    delete,
    exists,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from bot.records import bans
from bot.records.pseudonyms import pseudonym
from bot.records.sessions import erases
from bot.records.states import ChatKind, OutgoingState, ProposalState, UpdateState
from bot.records.tables import (
    Attachment,
    Candidate,
    Chat,
    Member,
    Note,
    Outgoing,
    Proposal,
    Question,
    Relay,
    Ticket,
    Topic,
    Update,
    UtcTime,
    utc_now,
)
from bot.records.upsert import insert_into

TELLING = 8  # characters: a shorter text may be anybody's
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


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was erased of a person."""

    questions: int
    tickets: int
    messages: int
    updates: int


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


async def forget(tx: AsyncSession, candidate_id: str, *, keep: int | None = None) -> Forgotten:
    """Erases what is held of a person, except a ban or muting, and the row `keep`: a last message, still to be sent.

    Staff's copies of their tickets lose their text and their link to the person. Updates not handled yet
    stay until they are: they may be newer than the wish to be forgotten. With `keep`, chat and message
    remain until the sender has dealt with that message and calls `remove_forgotten`.
    """
    erases(tx)
    candidate = await tx.get_one(Candidate, candidate_id)
    chat_id = candidate.chat_id
    await bans.keep(tx, candidate)
    tickets = select(Ticket.id).where(Ticket.candidate_id == candidate_id)
    others = Outgoing.id != (keep or 0)
    own = (Outgoing.chat_id == chat_id) & others
    await tx.execute(update(Outgoing).where(Outgoing.id == keep).values(after_id=None, after_state=None))
    # What staff asked for quotes many people's questions; a long text is several rows.
    lists = or_(Outgoing.key.endswith(":list"), Outgoing.key.contains(":list#"))
    await _blank(tx, or_(Outgoing.ticket_id.in_(tickets), own, lists) & others)
    await tx.execute(delete(Attachment).where(Attachment.outgoing_id.in_(select(Outgoing.id).where(lists))))
    await tx.execute(delete(Relay).where(or_(Relay.ticket_id.in_(tickets), Relay.chat_id == chat_id)))
    await tx.execute(update(Outgoing).where(Outgoing.ticket_id.in_(tickets)).values(ticket_id=None))
    topics = select(Topic.outgoing_id).where(Topic.candidate_id == candidate_id)
    await _blank(tx, Outgoing.id.in_(topics))
    await tx.execute(delete(Topic).where(Topic.candidate_id == candidate_id))
    unpublished = Proposal.ticket_id.in_(tickets) & (Proposal.state != ProposalState.PUBLISHED)
    await tx.execute(delete(Proposal).where(unpublished))
    await _remove_proposals_with_questions_of(tx, candidate_id)
    closed = await _count(tx, delete(Ticket).where(Ticket.candidate_id == candidate_id))
    await _forget_quotations(tx, candidate)
    asked = await _count(tx, delete(Question).where(Question.candidate_id == candidate_id))
    sent = await delete_outgoing(tx, own)
    handled = (Update.chat_id == chat_id) & (Update.state != UpdateState.NEW)
    received = await _count(tx, update(Update).where(handled).values(raw=None, chat_id=None))
    await tx.delete(candidate)
    await tx.flush()
    await tx.execute(update(Chat).where(Chat.id == chat_id).values(forgotten_at=utc_now()))
    await remove_forgotten(tx, chat_id)
    return Forgotten(asked, closed, sent, received)


async def _remove_proposals_with_questions_of(tx: AsyncSession, candidate_id: str) -> None:
    """Proposals that quote several people's questions, unless they are published."""
    own = set((await tx.execute(select(Question.id).where(Question.candidate_id == candidate_id))).scalars())
    quoting = Proposal.first_question.is_not(None) & (Proposal.state != ProposalState.PUBLISHED)
    rows = (await tx.execute(select(Proposal.id, Proposal.questions).where(quoting))).all()
    gone = [number for number, questions in rows if own & set(questions)]
    await tx.execute(delete(Proposal).where(Proposal.id.in_(gone)))


async def remove_forgotten(tx: AsyncSession, chat_id: int) -> bool:
    """Removes a forgotten chat once nothing waits to be sent there; True if it did."""
    waiting = exists().where(Outgoing.chat_id == chat_id, Outgoing.state == OutgoingState.WAITING)
    gone = select(Chat.id).where(Chat.id == chat_id, Chat.forgotten_at.is_not(None), ~waiting)
    if (await tx.execute(gone)).scalar_one_or_none() is None:
        return False
    erases(tx)
    await delete_outgoing(tx, Outgoing.chat_id == chat_id)
    await tx.execute(delete(Chat).where(Chat.id == chat_id))
    return True


async def _forget_quotations(tx: AsyncSession, candidate: Candidate) -> None:
    """Empties updates of others that were set aside and quote the person: a reply holds what it replies to."""
    mine = select(Question.text).where(Question.candidate_id == candidate.id)
    said = {text for text in (await tx.execute(mine)).scalars() if len(text) > TELLING}
    traces = {candidate.id, *said, *filter(None, [candidate.shown_name])}
    kept = select(Update.seq, Update.raw).where(Update.state == UpdateState.SET_ASIDE, Update.raw.is_not(None))
    rows = (await tx.execute(kept)).all()
    quoting = [row.seq for row in rows if any(trace in one for one in _strings(row.raw) for trace in traces)]
    await tx.execute(update(Update).where(Update.seq.in_(quoting)).values(raw=None))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


async def _blank(tx: AsyncSession, which: ColumnElement[bool]) -> None:
    """Empties rows of the outbox; those not sent yet are dropped."""
    await tx.execute(update(Outgoing).where(which).values(payload={}))
    waiting = update(Outgoing).where(which, Outgoing.state == OutgoingState.WAITING)
    await tx.execute(waiting.values(state=OutgoingState.DROPPED))


async def delete_outgoing(tx: AsyncSession, which: ColumnElement[bool]) -> int:
    """Deletes rows of the outbox; what was to follow them is dropped."""
    ids: Sequence[int] = (await tx.execute(select(Outgoing.id).where(which))).scalars().all()
    followers = update(Outgoing).where(Outgoing.after_id.in_(ids))
    dropped = followers.where(Outgoing.state == OutgoingState.WAITING, Outgoing.id.not_in(ids))
    await tx.execute(dropped.values(state=OutgoingState.DROPPED, payload={}))
    await tx.execute(followers.where(Outgoing.id.not_in(ids)).values(payload={}))  # they tell of what is gone
    await tx.execute(followers.values(after_id=None))
    return await _count(tx, delete(Outgoing).where(Outgoing.id.in_(ids)))


async def delete_tickets(tx: AsyncSession, which: ColumnElement[bool]) -> None:
    """Deletes tickets with all messages about them, and what was proposed of them unless it was published."""
    ids = (await tx.execute(select(Ticket.id).where(which))).scalars().all()
    about = Outgoing.ticket_id.in_(ids)
    await tx.execute(delete(Relay).where(Relay.ticket_id.in_(ids)))
    await tx.execute(update(Ticket).where(Ticket.id.in_(ids)).values(card_id=None))
    answers = select(Outgoing.id).where(about)
    await tx.execute(update(Question).where(Question.answer_id.in_(answers)).values(answer_id=None))
    await delete_outgoing(tx, about)
    await tx.execute(delete(Proposal).where(Proposal.ticket_id.in_(ids), Proposal.state != ProposalState.PUBLISHED))
    await tx.execute(delete(Ticket).where(Ticket.id.in_(ids)))


async def _count(tx: AsyncSession, statement: UpdateBase) -> int:
    return cast(CursorResult[object], await tx.execute(statement)).rowcount
