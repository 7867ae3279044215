"""What staff hear of what they sent: a sign that it arrived, or why it did not."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.delivery.references import Payload
from bot.desk import topics
from bot.desk.desk import Desk
from bot.desk.pieces import Piece
from bot.dialogue.texts import texts
from bot.records.states import OutgoingState
from bot.records.tables import Ticket
from indexer.entries import Language

DELIVERED = "👌"


async def tell_outcome(tx: AsyncSession, desk: Desk, row: int, piece: Piece, ticket: Ticket, key: str) -> None:
    """A reaction once the reply has arrived (words where the group allows no reactions), a reason if it has not."""
    key = f"album{row}" if piece.album else key  # once for all pictures of an album
    words = texts(desk.language)
    seen = await outbox.put(
        tx,
        desk.group(ticket),
        "setMessageReaction",
        arrived(piece.message_id),
        key=f"{key}:seen",
        priority=Priority.NOTICE,
        after=row,
    )
    failed = OutgoingState.FAILED
    await answer(tx, desk, piece.message_id, words.delivery_sent, ticket, key=f"{key}:said", after=seen, when=failed)
    why = {"error_of": row, "texts": reasons(desk.language, words.delivery_failed)}
    await answer(tx, desk, piece.message_id, why, ticket, key=f"{key}:lost", after=row, when=failed)


async def answer(
    tx: AsyncSession,
    desk: Desk,
    message_id: int,
    text: object,
    ticket: Ticket,
    *,
    key: str,
    after: int,
    when: OutgoingState,
) -> None:
    """A line for staff below their own message, once another row has ended."""
    payload = {"text": text, "reply_parameters": outbox.below(message_id), **await topics.thread(tx, desk, ticket)}
    await outbox.put(
        tx,
        desk.group(ticket),
        "sendMessage",
        payload,
        key=key,
        priority=Priority.NOTICE,
        after=after,
        when=when,
        ticket_id=ticket.id,
    )


def arrived(message_id: int) -> Payload:
    """The sign below a message that it has reached the other side, or that what it asks for was done."""
    return {"message_id": message_id, "reaction": [{"type": "emoji", "emoji": DELIVERED}]}


def reasons(language: Language, otherwise: str) -> dict[str, str]:
    """What to say of a failure, by what Telegram's refusal says; the first that fits."""
    words = texts(language)
    return {
        "blocked by the user": words.failed_blocked,
        "user is deactivated": words.failed_deactivated,
        "too big": words.failed_too_big,
        "too long": words.failed_too_big,
        "can't be copied": words.failed_protected,
        "forwards_restricted": words.failed_protected,
        "to copy not found": words.failed_gone,
        "voice_messages_forbidden": words.failed_voice,
        "": otherwise,
    }
