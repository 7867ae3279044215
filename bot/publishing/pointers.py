"""What all machines of a database agree on: rows of `setting` that one conditional statement moves."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.records.tables import Setting
from bot.records.upsert import insert_new


async def pointer(tx: AsyncSession, key: str) -> str | None:
    """What it says; None before it was ever set."""
    return await tx.scalar(select(Setting.value).where(Setting.key == key))


async def move(tx: AsyncSession, key: str, before: str | None, after: str) -> bool:
    """Set it if it still says what it said `before`: of two machines at once, one learns that it was overtaken."""
    if before is None:
        return await insert_new(tx, Setting, Setting.key, key=key, value=after) is not None
    held = (Setting.key == key) & (Setting.value == before)
    moving = update(Setting).where(held).values(value=after).returning(Setting.key)
    return await tx.scalar(moving) is not None
