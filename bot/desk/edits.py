"""Carrying over what people change in their messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.splitting import LIMIT, clean, units
from bot.desk import cards, copies, tickets
from bot.desk.desk import Desk
from bot.desk.outcomes import answer, reasons
from bot.desk.pieces import CAPTIONED, REPLACEABLE, Payload, Piece, caption
from bot.desk.routes import Route, to_candidate, to_staff
from bot.dialogue.texts import texts
from bot.records.states import Direction, OutgoingState, TicketState
from bot.records.tables import Outgoing, Question, Relay, Ticket
from indexer.passages import Hit


@dataclass(frozen=True, slots=True)
class Asked:
    """A changed question, and what the assistant finds for it now."""

    text: str
    hits: Sequence[Hit]


async def edit_reply(tx: AsyncSession, desk: Desk, copy: Relay, piece: Piece, *, key: str) -> bool:
    """Carry staff's edit over to the candidate; False if what was sent cannot be changed any more."""
    ticket = await tx.get_one(Ticket, copy.ticket_id)
    row = await _edit(tx, await to_candidate(tx, desk, ticket), copy, piece, key=f"{key}:edit")
    if row is not None:
        words = texts(desk.language)
        never = {"which has no message": words.edit_undelivered}
        why = {"error_of": row, "texts": never | reasons(desk.language, words.edit_failed)}
        await answer(tx, desk, piece.message_id, why, ticket, key=f"{key}:lost", after=row, when=OutgoingState.FAILED)
    return row is not None


async def edit_added(
    tx: AsyncSession, desk: Desk, piece: Piece, chat_id: int, now: datetime, *, key: str, anew: Asked | None = None
) -> bool:
    """Carry a candidate's edit over to staff; False if there is no copy that can be changed.

    A question that has a card is changed there, to what is asked `anew`; without that, the card's stays as it is. What
    it was written below, such as a picture, has a copy of its own.
    """
    carried = []
    for copy in await copies.copies_of(tx, chat_id, piece.message_id, Direction.TO_STAFF):
        ticket = await tx.get_one(Ticket, copy.ticket_id)
        if copy.outgoing_id != ticket.card_id:
            route = to_staff(desk, ticket, copy.chat_id)
            carried.append(await _edit(tx, route, copy, piece, key=f"{key}:edit{copy.id}") is not None)
        elif anew is None or not await _ask_anew(tx, desk, ticket, anew, now, key=key):
            return False  # whatever becomes of the picture, the question is asked elsewhere
        else:
            carried.append(True)
    return any(carried)


async def _ask_anew(tx: AsyncSession, desk: Desk, ticket: Ticket, anew: Asked, now: datetime, *, key: str) -> bool:
    """Show a changed question on its card, which says so; False once the ticket is closed, or without words."""
    question = await tx.get(Question, ticket.question_id) if ticket.question_id else None
    if question is None or not anew.text or ticket.state is TicketState.CLOSED:
        return False
    if question.text != anew.text:
        question.text, question.edited_at, ticket.found = anew.text, now, tickets.found(anew.hits)
        await tickets.written(tx, desk, ticket, now)
        await cards.refresh(tx, desk, ticket, key=f"{key}:edit")
    return True


async def _edit(tx: AsyncSession, route: Route, copy: Relay, piece: Piece, *, key: str) -> int | None:
    """The row that changes a copy; None if that is impossible."""
    sent = await tx.get_one(Outgoing, copy.outgoing_id)
    text = sent.method == "sendMessage"
    said = route.headed(piece.said) if text else piece.said
    markup = {} if sent.method == "sendMediaGroup" else route.markup
    long = units(said.text) > LIMIT or await tx.scalar(select(exists().where(Outgoing.key == f"{sent.key}#1")))
    payload: Payload
    if piece.kind == "text" and text and not long:
        method, payload = "editMessageText", route.text(piece.said)
        if sent.payload:  # empty once it was taken back
            kept = {name: part for name, part in sent.payload.items() if name != "entities"}
            sent.payload = kept | clean(payload)  # who reads it later, or shows it again, finds what now stands there
    elif piece.live is not None and sent.method == "sendLocation":
        method, payload = ("editMessageLiveLocation" if piece.live else "stopMessageLiveLocation"), piece.live | markup
    elif piece.kind in REPLACEABLE and (text or piece.file != copy.file):
        media = {"type": piece.kind, "media": piece.file_id, **caption(said)}
        method, payload = "editMessageMedia", {"media": media, **markup}
        copy.file = piece.file
    elif piece.kind in CAPTIONED:
        method, payload = "editMessageCaption", {**caption(said), **markup}
    else:
        return None
    payload["message_id"] = {"message_of": copy.outgoing_id, "part": copy.part or 0}
    return await outbox.put(
        tx, route.target, method, payload, key=key, priority=route.priority, ticket_id=route.ticket_id
    )
