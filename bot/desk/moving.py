"""A ticket moves to another staff group, with the messages of its conversation."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.delivery.references import DISPENSABLE
from bot.desk import cards, relay, topics
from bot.desk.desk import Desk
from bot.dialogue.message import Message
from bot.dialogue.texts import texts
from bot.records.states import Direction, OutgoingState, TicketState
from bot.records.tables import Outgoing, Relay, Ticket


async def move(tx: AsyncSession, desk: Desk, number: int, to: int, by: str, *, key: str) -> bool:
    """Give a ticket to another group, where nobody has it yet; False if it is closed, or there already."""
    ticket = await tx.get_one(Ticket, number, with_for_update=True, populate_existing=True)
    if ticket.state is TicketState.CLOSED or desk.group(ticket) == to:
        return False
    rows = await _conversation(tx, desk, ticket)
    old_card = ticket.card_id
    await _leave(tx, desk, ticket, to, by, key=key)
    ticket.group_chat_id = None if to == desk.known.main else to
    ticket.owner_chat_id, ticket.hushed_at, ticket.card_id = None, None, None
    if ticket.state is TicketState.CLAIMED:
        ticket.state = TicketState.OPEN
    await tx.flush()
    await topics.enter(tx, desk, ticket)
    new_card = await cards.post(tx, desk, ticket, key=f"card{number}:{key}")
    await tx.flush()
    instead = {old_card: new_card} if old_card else {}
    for row in rows:
        instead[row.id] = await _again(tx, desk, ticket, row, to)
    for before, now in instead.items():
        theirs = (Relay.outgoing_id == before) & (Relay.direction == Direction.TO_STAFF)
        await tx.execute(update(Relay).where(theirs).values(outgoing_id=now))
    return True


async def _leave(tx: AsyncSession, desk: Desk, ticket: Ticket, to: int, by: str, *, key: str) -> None:
    """The old group sees where it went; its card shows nothing more and its topic closes."""
    words = texts(desk.language)
    told = words.staff_moved.format(number=ticket.id, group=desk.name(to), owner=by)
    await relay.tell(tx, desk, ticket, told, key=f"{key}:moved")
    if ticket.card_id:
        shown = cards.instead(Message(told), ticket.card_id)
        edit, chat = "editMessageText", desk.group(ticket)
        await outbox.put(tx, chat, edit, shown, key=f"{key}:left", priority=Priority.NOTICE, ticket_id=ticket.id)
    await topics.leave(tx, desk, ticket)


async def _conversation(tx: AsyncSession, desk: Desk, ticket: Ticket) -> list[Outgoing]:
    """What went between candidate and staff so far, in its order, without the card and what was taken back."""
    copies = set(await tx.scalars(select(Relay.outgoing_id).where(Relay.ticket_id == ticket.id)))
    own = (Outgoing.ticket_id == ticket.id) & (Outgoing.id != (ticket.card_id or 0))
    alive = Outgoing.state.in_((OutgoingState.SENT, OutgoingState.WAITING))
    shown = own & alive & Outgoing.method.regexp_match("^(send|copy)")
    rows = (await tx.scalars(select(Outgoing).where(shown).order_by(Outgoing.id))).all()
    # A reply that was ready has no message of staff's that it copies; of a long text the last part alone is a copy.
    kept = {row.key for row in rows if row.payload and (row.id in copies or row.key.endswith(":reply"))}
    return [row for row in rows if outbox.whole(row.key) in kept]


async def _again(tx: AsyncSession, desk: Desk, ticket: Ticket, row: Outgoing, to: int) -> int:
    """Show a message in the new group: a candidate's anew, what went to the candidate as a copy of that."""
    if row.chat_id in desk.known.every:
        method = row.method
        payload = {name: value for name, value in row.payload.items() if name not in DISPENSABLE}
        if row.state is OutgoingState.WAITING:
            row.state = OutgoingState.DROPPED
    else:
        method, payload = outbox.copy_of(row)
    where = topics.thread if method == "copyMessages" else topics.place  # the former takes no reply
    return await outbox.put(
        tx,
        to,
        method,
        payload | await where(tx, desk, ticket),
        key=outbox.again(row.key, ticket.card_id),
        priority=Priority.CARD,
        ticket_id=ticket.id,
    )
