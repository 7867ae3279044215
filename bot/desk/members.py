"""Members of the staff's group, as far as the bot has seen them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import User

from bot.dialogue.signs import clean
from bot.records.people import chat_ids_of, chat_of
from bot.records.tables import Member

NAMELESS = "–"  # a deleted account
MOST = 12  # offered to choose from


async def seen(
    tx: AsyncSession,
    telegram_id: int,
    name: str | None,
    username: str | None,
    now: datetime,
    kind: str = "private",
    *,
    group: int | None = None,
) -> Member:
    """The member with this Telegram id, by today's name, seen in this group."""
    chat = await chat_of(tx, telegram_id, kind)
    seen_here = {"group_chat_id": group} if group else {}
    return await tx.merge(
        Member(
            chat_id=chat.id, name=clean(name or username or NAMELESS, 64), username=username, seen_at=now, **seen_here
        )
    )


async def introduce(tx: AsyncSession, people: Sequence[User], now: datetime, group: int) -> None:
    """Note those of a group whom the bot has not seen write."""
    chats = await chat_ids_of(tx, {person.id: "private" for person in people})
    for person in people:
        if await tx.get(Member, chats[person.id]) is None:
            await seen(tx, person.id, person.full_name, person.username, now, group=group)


async def named(tx: AsyncSession, name: str, group: int) -> Member | None:
    """The group's member of that @username or name; None for nobody, or for several."""
    wanted = name.removeprefix("@").strip().lower()
    same = or_(func.lower(Member.username) == wanted, func.lower(Member.name) == wanted)
    found = (await tx.scalars(select(Member).where(same, _of(group)).limit(2))).all()
    return found[0] if len(found) == 1 else None


async def latest(tx: AsyncSession, group: int) -> Sequence[Member]:
    """Those seen last in the group."""
    own = select(Member).where(_of(group)).order_by(Member.seen_at.desc()).limit(MOST)
    return (await tx.scalars(own)).all()


def _of(group: int) -> ColumnElement[bool]:
    """Those seen last in this group, and those of whom that is not known."""
    return or_(Member.group_chat_id.is_(None), Member.group_chat_id == group)
