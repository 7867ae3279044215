"""Messages of ours that Telegram accepted without our hearing of it: known by their words once somebody replies."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.records.states import OutgoingState
from bot.records.tables import Outgoing, utc_now
from bot.records.upsert import insert_new

RECENT = 300  # messages about tickets that are looked through


async def recognise(tx: AsyncSession, staff_chat: int, message_id: int, quoted: str) -> None:
    """Note that a message which was sent again, and has these words, had arrived before under this id as well.

    Without that note nobody knows to whom a reply to it goes. Words that two tickets share tell nothing.
    """
    ours = (Outgoing.chat_id == staff_chat) & Outgoing.ticket_id.is_not(None) & (Outgoing.method == "sendMessage")
    sent = select(Outgoing).where(ours, Outgoing.state == OutgoingState.SENT).order_by(Outgoing.id.desc())
    rows = [row for row in await tx.scalars(sent.limit(RECENT)) if _begins(quoted, row.payload)]
    if not quoted or len({row.ticket_id for row in rows}) != 1:
        return
    await _note(tx, rows, message_id)


def _begins(quoted: str, payload: dict[str, object]) -> bool:
    """Whether these are the words of a row, or of several that went as one message with this row's first."""
    own = str(payload.get("text", "")).strip()
    return bool(own) and (quoted == own or quoted.startswith(f"{own}\n\n"))


async def _note(tx: AsyncSession, rows: Sequence[Outgoing], message_id: int) -> None:
    again = rows[0]
    await insert_new(
        tx,
        Outgoing,
        Outgoing.id,
        key=f"{again.key}:as{message_id}",
        chat_id=again.chat_id,
        method=again.method,
        payload=again.payload,
        priority=again.priority,
        state=OutgoingState.SENT,
        ticket_id=again.ticket_id,
        message_id=message_id,
        sent_at=utc_now(),
    )
