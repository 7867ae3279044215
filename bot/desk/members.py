"""Members of the staff's group, as far as the bot has seen them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.records.people import chat_of
from bot.records.tables import Member

MOST = 12  # offered to choose from


async def seen(
    tx: AsyncSession, telegram_id: int, name: str, username: str | None, now: datetime, kind: str = "private"
) -> Member:
    """The member with this Telegram id, by today's name."""
    chat = await chat_of(tx, telegram_id, kind)
    return await tx.merge(Member(chat_id=chat.id, name=name[:64], username=username, seen_at=now))


async def named(tx: AsyncSession, name: str) -> Member | None:
    """The member of that @username or name; None for nobody, or for several."""
    wanted = name.removeprefix("@").strip().lower()
    same = or_(func.lower(Member.username) == wanted, func.lower(Member.name) == wanted)
    found = (await tx.execute(select(Member).where(same).limit(2))).scalars().all()
    return found[0] if len(found) == 1 else None


async def latest(tx: AsyncSession) -> Sequence[Member]:
    """Those seen last."""
    return (await tx.execute(select(Member).order_by(Member.seen_at.desc()).limit(MOST))).scalars().all()
