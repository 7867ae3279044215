"""What is carried between candidates and staff: as a copy, never forwarded."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.delivery.references import Payload
from bot.desk import copies, topics
from bot.desk.desk import Desk
from bot.desk.outcomes import tell_outcome
from bot.desk.pieces import CAPTIONED, Piece, caption
from bot.desk.routes import Route, to_candidate, to_staff
from bot.dialogue.message import Message
from bot.dialogue.texts import spoken, texts
from bot.records.states import Direction, OutgoingState
from bot.records.tables import Outgoing, Question, Relay, Ticket

SETTLED = timedelta(seconds=1.5)  # after the last part of an album: Telegram does not say which is the last
IN_HAND = timedelta(seconds=0.5)  # before its time, a row that waits is not being sent


async def add(
    tx: AsyncSession,
    desk: Desk,
    ticket: Ticket,
    piece: Piece,
    chat_id: int,
    now: datetime,
    *,
    key: str,
    remark: bool = False,
) -> int:
    """Pass on what a candidate adds: in the ticket's topic, or below its card; the row that carries it."""
    place = await topics.place(tx, desk, ticket)
    if piece.reply_to and (answered := await copies.counterpart(tx, chat_id, piece.reply_to)):
        place |= {"reply_parameters": outbox.below(answered)}
    route = to_staff(desk, ticket, chat_id, remark=remark)
    row = await _carry(tx, route, piece, place, now, key=f"{key}{copies.REMARK if remark else ':add'}")
    if piece.kind != "text":  # of a text that did not arrive the candidate hears as of a card
        words = texts(spoken(ticket.language))
        await outbox.put(
            tx,
            chat_id,
            "sendMessage",
            {"text": words.not_carried, "reply_parameters": outbox.below(piece.message_id)},
            key=f"copy{row}:lost",
            after=row,
            when=OutgoingState.FAILED,
        )
    return row


async def show(
    tx: AsyncSession, desk: Desk, ticket: Ticket, message_ids: Sequence[int], chat_id: int, *, key: str
) -> None:
    """Pass on what a candidate sent before the ticket was opened, together if it came together."""
    payload: Payload = {"from_chat_id": {"chat_of": chat_id}}
    if len(message_ids) == 1:
        payload |= {"message_id": message_ids[0], **await topics.place(tx, desk, ticket)}
        method = "copyMessage"
    else:  # takes no reply: they stand below the card as it was sent before them
        payload |= {"message_ids": list(message_ids), **await topics.thread(tx, desk, ticket)}
        method = "copyMessages"
    row = await outbox.put(
        tx, desk.group(ticket), method, payload, key=f"{key}:show", priority=Priority.CARD, ticket_id=ticket.id
    )
    for part, message_id in enumerate(message_ids):
        await copies.remember(tx, ticket.id, Direction.TO_STAFF, chat_id, message_id, row, part=part)


async def reply(tx: AsyncSession, desk: Desk, ticket: Ticket, piece: Piece, now: datetime, *, key: str) -> None:
    """Send what staff wrote to the candidate; staff see below their message whether it arrived.

    It arrives as a reply to what it replies to, or to the question: in a topic, where all is written below, the first.
    """
    route = await to_candidate(tx, desk, ticket)
    answered = await copies.counterpart(tx, desk.group(ticket), piece.reply_to) if piece.reply_to else None
    if answered is None and not (ticket.replied_at and await topics.thread(tx, desk, ticket)):
        question = await tx.get(Question, ticket.question_id) if ticket.question_id else None
        answered = question.message_id if question else None
    place: Payload = {"reply_parameters": outbox.below(answered)} if answered else {}
    row = await _carry(tx, route, piece, place, now, key=f"{key}:reply")
    await tell_outcome(tx, desk, row, piece, ticket, key)


async def _carry(tx: AsyncSession, route: Route, piece: Piece, place: Payload, now: datetime, *, key: str) -> int:
    """The row that sends the copy."""
    if piece.album:
        return await _grow(tx, route, piece, place, now, key=key)
    if piece.kind == "text":
        method, payload = "sendMessage", route.text(piece.said)
    elif piece.live:
        method, payload = "sendLocation", piece.live | route.markup
    else:
        method = "copyMessage"
        payload = {"from_chat_id": {"chat_of": route.source}, "message_id": piece.message_id, **route.markup}
        # Telegram would copy the caption as it stands; and of a remark it is kept which words are whose.
        if (piece.veiled or key.endswith(copies.REMARK)) and piece.kind in CAPTIONED:
            payload |= {"caption": "", **caption(piece.said)}
    row = await outbox.put(
        tx, route.target, method, payload | place, key=key, priority=route.priority, ticket_id=route.ticket_id
    )
    if piece.message_id:
        await copies.remember(
            tx, route.ticket_id, route.direction, route.source, piece.message_id, row, file=piece.file
        )
    return row


async def _grow(tx: AsyncSession, route: Route, piece: Piece, place: Payload, now: datetime, *, key: str) -> int:
    """Add a picture to the album that waits for the last of them; a row that may be under way is left alone."""
    name = f"album{route.source}:{piece.album}{copies.REMARK if key.endswith(copies.REMARK) else ''}"
    row = await _held(tx, name)
    if row and in_hand(row, now):
        media = [*_items(row), piece.item]
        row.method, row.payload = "sendMediaGroup", {"media": media, **place}
        row.not_before = now + SETTLED
        row_id, part = row.id, len(media) - 1
    else:
        single = {piece.kind: piece.file_id, **caption(piece.said), **route.markup, **place}
        row_id, part = (
            await outbox.put(
                tx,
                route.target,
                f"send{piece.kind.capitalize()}",
                single,
                key=key if row else name,
                priority=route.priority,
                ticket_id=route.ticket_id,
                not_before=now + SETTLED,
            ),
            0,
        )
    source, direction = route.source, route.direction
    await copies.remember(tx, route.ticket_id, direction, source, piece.message_id, row_id, part=part, file=piece.file)
    return row_id


async def withdraw(tx: AsyncSession, chat_id: int, album: str, now: datetime) -> Sequence[Relay]:
    """Keep back an album that waits for the last of its parts; those that it had."""
    row = await _held(tx, f"album{chat_id}:{album}")
    if row is None or not in_hand(row, now):
        return ()
    row.state = OutgoingState.DROPPED
    parts = (await tx.scalars(select(Relay).where(Relay.outgoing_id == row.id))).all()
    for part in parts:
        await tx.delete(part)
    await tx.flush()
    return parts


async def _held(tx: AsyncSession, name: str) -> Outgoing | None:
    """An album's row, which nobody else changes before this transaction ends."""
    return (await tx.execute(select(Outgoing).where(Outgoing.key == name).with_for_update())).scalar_one_or_none()


def in_hand(row: Outgoing, now: datetime) -> bool:
    """Whether a row waits for its time, so that it can still be changed; what is due may be under way."""
    return row.state is OutgoingState.WAITING and row.not_before is not None and row.not_before > now + IN_HAND


def _items(row: Outgoing) -> list[Payload]:
    """The parts of an album that has begun as a single picture or file."""
    if "media" in row.payload:
        return list(row.payload["media"])
    kind = row.method.removeprefix("send").lower()
    shown = {name: part for name, part in row.payload.items() if name.startswith("caption")}
    return [{"type": kind, "media": row.payload[kind], **shown}]


async def tell(tx: AsyncSession, desk: Desk, ticket: Ticket, said: str | Message, *, key: str) -> None:
    """Something for staff in the ticket's topic, or below its card."""
    message = Message(said) if isinstance(said, str) else said
    payload = {**message.payload(), **await topics.place(tx, desk, ticket)}
    await outbox.put(
        tx, desk.group(ticket), "sendMessage", payload, key=f"{key}:tell", priority=Priority.NOTICE, ticket_id=ticket.id
    )
