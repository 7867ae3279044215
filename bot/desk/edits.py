"""Carrying over what people change in their messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.delivery.references import Payload
from bot.delivery.splitting import LIMIT, clean
from bot.desk import cards, copies, endings, tickets, topics
from bot.desk.desk import Desk
from bot.desk.outcomes import answer, reasons
from bot.desk.pieces import CAPTIONED, REPLACEABLE, Piece, caption
from bot.desk.routes import Route, to_candidate, to_staff
from bot.dialogue.rich import utf16
from bot.dialogue.texts import texts
from bot.records.states import Direction, OutgoingState, TicketState
from bot.records.tables import Outgoing, Question, Relay, Ticket
from indexer.passages import Hit

SHOWN_ANEW = frozenset({"editMessageText", "editMessageCaption", "editMessageMedia"})
ANEW = ":anew"  # ends the key of what takes the place of a copy that is gone


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
            sent = await tx.get_one(Outgoing, copy.outgoing_id)
            remark = copies.is_remark(sent)
            route = to_staff(desk, ticket, copy.chat_id, remark=remark)
            if remark:
                endings.unsay(ticket, sent, copy.part)
                ticket.remark = endings.remembered(piece.said) or ticket.remark
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


async def show_anew(tx: AsyncSession, desk: Desk, row: Outgoing) -> None:
    """Telegram refused a candidate's change, as it does once somebody has deleted the copy: it goes as a new message.

    That is the copy from then on, or the card if the question was changed. Of a closed ticket nothing is shown anew,
    and nothing that gave way to a newer change, which will be refused as well.
    """
    number = row.ticket_id if row.method in SHOWN_ANEW and row.state is OutgoingState.FAILED else None
    held: Any = {"with_for_update": {"key_share": True}, "populate_existing": True}
    ticket = await tx.get(Ticket, number, **held) if number else None
    if ticket is None or ticket.state is TicketState.CLOSED or (copy := await _changed(tx, ticket, row)) is None:
        return
    if card := copy.outgoing_id == ticket.card_id:
        ticket.card_id = None
        method, payload = "sendMessage", (await cards.card(tx, ticket, desk)).payload()
    elif row.method == "editMessageText":
        method, payload = "sendMessage", {name: part for name, part in row.payload.items() if name != "message_id"}
    else:
        said = row.payload.get("media", row.payload)
        words = {name: said[name] for name in ("caption", "caption_entities") if name in said}
        method, payload = "copyMessage", {"from_chat_id": {"chat_of": copy.chat_id}, "message_id": copy.message_id}
        payload |= {"caption": "", **words}
    new = await outbox.put(
        tx,
        row.chat_id,
        method,
        payload | await topics.place(tx, desk, ticket),
        key=f"{row.key}{ANEW}",
        priority=Priority.CARD,
        ticket_id=ticket.id,
    )
    if card:
        ticket.card_id = new
    copy.outgoing_id, copy.part = new, None
    row.state = OutgoingState.DROPPED  # not to be tried again with what staff have missed


async def _changed(tx: AsyncSession, ticket: Ticket, row: Outgoing) -> Relay | None:
    """The copy that an edit would have changed; None if it is none of a candidate's, or was taken back.

    A card is edited for many reasons, and matters only if its question has changed.
    """
    of = row.payload.get("message_id")
    if not isinstance(of, dict):
        return None
    sent = await tx.get(Outgoing, of["message_of"])
    theirs = (Relay.outgoing_id == of["message_of"]) & (Relay.direction == Direction.TO_STAFF)
    found = await tx.scalars(select(Relay).where(theirs))
    copy = next((one for one in found if (one.part or 0) == of.get("part", 0)), None)
    question = await tx.get(Question, ticket.question_id) if ticket.question_id else None
    shows_more = of["message_of"] != ticket.card_id or (question is not None and question.edited_at is not None)
    return copy if sent and sent.payload and shows_more else None


async def _edit(tx: AsyncSession, route: Route, copy: Relay, piece: Piece, *, key: str) -> int | None:
    """The row that changes a copy; None if that is impossible."""
    sent = await tx.get_one(Outgoing, copy.outgoing_id)
    text = sent.method == "sendMessage"
    said = route.headed(piece.said) if text else piece.said
    markup = {} if sent.method == "sendMediaGroup" else route.markup
    long = utf16(said.text) > LIMIT or await tx.scalar(select(exists().where(Outgoing.key == f"{sent.key}#1")))
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
        _keep(sent, copy, piece)
    elif piece.kind in CAPTIONED:
        method, payload = "editMessageCaption", {**caption(said), **markup}
        _keep(sent, copy, piece)
    else:
        return None
    payload["message_id"] = {"message_of": copy.outgoing_id, "part": copy.part or 0}
    return await outbox.put(
        tx, route.target, method, payload, key=key, priority=route.priority, ticket_id=route.ticket_id
    )


def _keep(sent: Outgoing, copy: Relay, piece: Piece) -> None:
    """Keep what now stands at a picture or file, for who shows it again, as far as Telegram would not copy it then."""
    if not sent.payload:  # taken back
        return
    kind = sent.method.removeprefix("send").lower()
    others = {name: part for name, part in sent.payload.items() if name not in {kind, "caption", "caption_entities"}}
    if sent.method == "sendMediaGroup":
        media = list(sent.payload["media"])
        media[copy.part or 0] = piece.item
        sent.payload = clean(others | {"media": media})
    elif kind in sent.payload:  # an album's only one
        sent.method = f"send{piece.kind.capitalize()}"
        sent.payload = clean(others | {piece.kind: piece.file_id, **caption(piece.said)})
    elif sent.method == "copyMessage" and (piece.veiled or "caption" in sent.payload):
        sent.payload = clean(others | {"caption": "", **caption(piece.said)})
