"""Which message is a copy of which: replies, edits and deletions find their counterpart here."""

from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.records.states import Direction, OutgoingState
from bot.records.tables import Outgoing, Relay, Ticket
from bot.records.upsert import insert_new

NEAR = 5  # albums that began shortly before a message: one of them may hold it
REMARK = ":remark"  # in the key of a row that shows staff what a candidate wrote beside a rating


async def remember(
    tx: AsyncSession,
    ticket_id: int,
    direction: Direction,
    chat_id: int,
    message_id: int,
    outgoing_id: int,
    *,
    part: int | None = None,
    file: str | None = None,
) -> None:
    """Note that an outgoing row, or a part of it, is the copy of a message."""
    await insert_new(
        tx,
        Relay,
        Relay.id,
        ticket_id=ticket_id,
        direction=direction,
        chat_id=chat_id,
        message_id=message_id,
        outgoing_id=outgoing_id,
        part=part,
        file=file,
    )


async def copies_of(
    tx: AsyncSession, chat_id: int, message_id: int, direction: Direction | None = None
) -> Sequence[Relay]:
    """The copies of a person's message, oldest first: a question below a picture has a card, and the picture a copy."""
    found = select(Relay).where(Relay.chat_id == chat_id, Relay.message_id == message_id).order_by(Relay.id)
    if direction:
        found = found.where(Relay.direction == direction)
    return (await tx.scalars(found)).all()


async def copy_of(tx: AsyncSession, chat_id: int, message_id: int, direction: Direction | None = None) -> Relay | None:
    """The first copy of a person's message."""
    return next(iter(await copies_of(tx, chat_id, message_id, direction)), None)


async def sent_as(tx: AsyncSession, chat_id: int, message_id: int) -> tuple[Outgoing, int] | None:
    """The row that sent one of the bot's messages, and the message's place in it."""
    exact = select(Outgoing).where(Outgoing.chat_id == chat_id, Outgoing.message_id == message_id)
    if row := (await tx.scalars(exact)).first():
        return row, 0
    before = (Outgoing.message_id < message_id) & Outgoing.message_ids.is_not(None)
    albums = select(Outgoing).where(Outgoing.chat_id == chat_id, before).order_by(Outgoing.message_id.desc())
    for album in await tx.scalars(albums.limit(NEAR)):
        if message_id in (album.message_ids or []):
            return album, (album.message_ids or []).index(message_id)
    return None


async def original_of(tx: AsyncSession, chat_id: int, message_id: int) -> Relay | None:
    """The person's message that one of the bot's messages is a copy of."""
    if (found := await sent_as(tx, chat_id, message_id)) is None:
        return None
    row, part = found
    relays = (await tx.scalars(select(Relay).where(Relay.outgoing_id == row.id).order_by(Relay.part))).all()
    return next((relay for relay in relays if (relay.part or 0) == part), None)


async def counterpart(tx: AsyncSession, chat_id: int, message_id: int) -> object | None:
    """The same message in the other chat: its id, or the row that sends it."""
    if original := await original_of(tx, chat_id, message_id):
        return original.message_id
    if copy := await copy_of(tx, chat_id, message_id):
        return {"message_of": copy.outgoing_id, "part": copy.part or 0}
    return None


async def ticket_of_reply(tx: AsyncSession, staff_chat: int, message_id: int) -> Ticket | None:
    """The ticket that a message in the staff's group belongs to: the bot's own, or one that staff wrote before."""
    sent = await sent_as(tx, staff_chat, message_id)
    copy = None if sent else await copy_of(tx, staff_chat, message_id)
    ticket_id = sent[0].ticket_id if sent else copy.ticket_id if copy else None
    return await tx.get(Ticket, ticket_id) if ticket_id else None


def is_remark(row: Outgoing) -> bool:
    """Whether a row shows staff what a candidate wrote beside a rating."""
    return REMARK in row.key


async def under_way(tx: AsyncSession, staff_chat: int) -> bool:
    """Whether a ticket's message to staff waits to be sent, or to be noted as sent."""
    waiting = (Outgoing.state == OutgoingState.WAITING) & Outgoing.ticket_id.is_not(None)
    return bool(await tx.scalar(select(exists().where(Outgoing.chat_id == staff_chat, waiting))))
