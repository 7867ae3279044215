"""Taking back what was carried: the message and its copy, since bots are not told of deletions."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.edits import BUTTONS, REPLACES
from bot.delivery.outbox import Priority
from bot.delivery.references import Payload, named
from bot.desk import copies, endings
from bot.desk.edits import ANEW
from bot.desk.outcomes import arrived
from bot.dialogue.texts import Texts
from bot.records.states import OutgoingState
from bot.records.tables import Outgoing, Relay, Ticket


@dataclass(frozen=True, slots=True)
class Wish:
    """Who asked for it, where, and with which message."""

    chat: int
    message_id: int
    words: Texts


async def remove(tx: AsyncSession, wish: Wish, message_id: int, *, own: bool, key: str) -> bool:
    """Delete a message of that chat and its counterpart, an album as a whole; False if there is none.

    With `own`, only what was written in that chat. A card stays: it is more than a copy.
    """
    found = await copies.copies_of(tx, wish.chat, message_id)
    if not found and not own and (origin := await copies.original_of(tx, wish.chat, message_id)):
        found = [origin]
    carried = {relay.outgoing_id: relay for relay in found}
    cards = await tx.execute(select(Ticket.card_id).where(Ticket.card_id.in_(carried)))
    relay = next((carried[row] for row in carried.keys() - set(cards.scalars())), None)
    if relay is None:
        return False
    sent = await tx.get_one(Outgoing, relay.outgoing_id)
    same = select(Relay).where(Relay.outgoing_id == sent.id).order_by(Relay.part, Relay.id)
    pairs = (await tx.scalars(same)).all()
    rows = [*await _parts_before(tx, sent), sent]
    changes = await _changes(tx, relay.ticket_id, rows)
    copy = await _take_back(tx, wish, rows, pairs, key=f"{key}:copy")
    original = await _delete(tx, relay.chat_id, [pair.message_id for pair in pairs], key=f"{key}:own", after=copy)
    await _say(tx, wish, wish.words.delete_refused, key=f"{key}:refused", after=copy)
    await _say(tx, wish, wish.words.delete_half, key=f"{key}:half", after=original)
    await outbox.put(tx, wish.chat, "setMessageReaction", arrived(wish.message_id), key=f"{key}:seen", after=original)
    if copies.is_remark(sent):
        endings.unsay(await tx.get_one(Ticket, relay.ticket_id), rows[0])
    for row in rows:
        if row.state is OutgoingState.SENT:
            row.payload = {}
    for row in changes:
        row.payload, row.state = {}, OutgoingState.DROPPED if row.state is OutgoingState.WAITING else row.state
    return True


async def _changes(tx: AsyncSession, ticket_id: int, rows: Sequence[Outgoing]) -> Sequence[Outgoing]:
    """The edits of what these rows sent; of what was shown anew also what it stood for, and the edits of that."""
    edits = select(Outgoing).where(Outgoing.ticket_id == ticket_id, Outgoing.method.in_(REPLACES.keys() - {BUTTONS}))
    of = {edit: next(named(edit.payload.get("message_id")), 0) for edit in await tx.scalars(edits)}
    told = {f"{edit.key}{ANEW}": number for edit, number in of.items()}
    before: list[Outgoing] = []
    for row in rows:
        last = row
        while (number := told.get(last.key)) and (earlier := await tx.get(Outgoing, number)):
            before.append(last := earlier)
    ids = {row.id for row in (*rows, *before)}
    return [*before, *(edit for edit, number in of.items() if number in ids)]


async def _parts_before(tx: AsyncSession, sent: Outgoing) -> Sequence[Outgoing]:
    """The rows of a long text before its last."""
    parts = select(Outgoing).where(Outgoing.key.startswith(f"{sent.key}#", autoescape=True)).order_by(Outgoing.id)
    return (await tx.scalars(parts)).all()


async def _take_back(
    tx: AsyncSession, wish: Wish, rows: Sequence[Outgoing], pairs: Sequence[Relay], *, key: str
) -> int:
    """Delete all messages that rows made, the parts of a long text or of an album; the call that ends as all of it."""
    *_, sent = rows
    alone: list[object] = [{"message_of": row.id} for row in rows[:-1] if row.joined_id is None]
    if sent.joined_id is None:
        alone += [{"message_of": sent.id, "part": pair.part or 0} for pair in pairs]
    joined = [row for row in rows if row.joined_id is not None]  # other texts stand in the same message
    names = [*(f"{key}#{number}" for number in range(1, len(joined) + bool(alone))), key]
    call = await _delete(tx, sent.chat_id, alone, key=names.pop(0)) if alone else None
    for row, name in zip(joined, names, strict=True):
        blank: Payload = {"text": wish.words.deleted_text, "message_id": {"message_of": row.id}}
        call = await outbox.put(tx, sent.chat_id, "editMessageText", blank, key=name, after=call)
    assert call is not None  # each row was looked at
    return call


async def _delete(
    tx: AsyncSession, chat_id: int, message_ids: Sequence[object], *, key: str, after: int | None = None
) -> int:
    several = len(message_ids) > 1
    method = "deleteMessages" if several else "deleteMessage"
    payload: Payload = {"message_ids": list(message_ids)} if several else {"message_id": message_ids[0]}
    return await outbox.put(tx, chat_id, method, payload, key=key, after=after)


async def _say(tx: AsyncSession, wish: Wish, text: str, *, key: str, after: int) -> None:
    await outbox.put(
        tx,
        wish.chat,
        "sendMessage",
        {"text": text, "reply_parameters": outbox.below(wish.message_id)},
        key=key,
        priority=Priority.NOTICE,
        after=after,
        when=OutgoingState.FAILED,
    )
