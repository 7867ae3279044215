"""Updates that were given up: staff are told, at most once an hour, and so is the person who waits for an answer."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.desk.desk import Desk
from bot.desk.relay import in_hand
from bot.dialogue.message import Message
from bot.dialogue.texts import spoken, texts
from bot.records.states import ChatKind, UpdateState
from bot.records.tables import Candidate, Chat, Outgoing, Update

QUIET = timedelta(hours=1)
KEY = "set_aside:"


async def heard(tx: AsyncSession, row: int, error: str, *, desk: Desk, now: datetime) -> None:
    """Tells of update `row`, which has just been set aside because of `error` (class and place)."""
    await _tell_staff(tx, row, error, desk, now)
    await _tell_the_sender(tx, row)


async def _tell_staff(tx: AsyncSession, row: int, error: str, desk: Desk, now: datetime) -> None:
    # Of several workers one looks and writes at a time.
    await tx.execute(select(Chat.id).where(Chat.id == desk.chat).with_for_update(key_share=True))
    notices = select(Outgoing).where(Outgoing.key.startswith(KEY)).order_by(Outgoing.id.desc())
    last = (await tx.execute(notices.limit(1))).scalar_one_or_none()
    # One that may be under way is left alone: what is added to it now would not be read.
    waiting = last is not None and in_hand(last, now)
    before = (await tx.execute(notices.offset(1 if waiting else 0).limit(1))).scalar_one_or_none()
    aside = select(func.count()).where(Update.state == UpdateState.SET_ASIDE)
    count = (await tx.execute(aside.where(Update.finished_at > before.created_at) if before else aside)).scalar_one()
    words = texts(desk.language)
    said = words.staff_set_aside if count == 1 else words.staff_set_aside_many.format(count=count)
    payload = Message(f"{said}\n{words.staff_set_aside_look.format(row=row, error=error)}").payload()
    if last is not None and waiting:
        last.payload = payload
        return
    later = last.created_at + QUIET if last else now
    when = later if later > now else None
    key = f"{KEY}{row}:{now.timestamp():.0f}"
    await outbox.put(tx, desk.chat, "sendMessage", payload, key=key, priority=Priority.NOTICE, not_before=when)


async def _tell_the_sender(tx: AsyncSession, row: int) -> None:
    """Only who wrote something in private waits for an answer."""
    found = await tx.execute(
        select(Update.chat_id, func.coalesce(Candidate.chosen_language, Candidate.language).label("language"))
        .join(Chat, Chat.id == Update.chat_id)
        .outerjoin(Candidate, Candidate.chat_id == Chat.id)
        .where(Update.seq == row, Update.kind == "message", Chat.kind == ChatKind.PRIVATE)
    )
    if (waits := found.one_or_none()) is not None:
        said = texts(spoken(waits.language)).not_handled
        await outbox.put(tx, waits.chat_id, "sendMessage", Message(said).payload(), key=f"not_handled:{row}")
