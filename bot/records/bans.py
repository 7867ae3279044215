"""Bans and mutings of people who had themselves forgotten: kept by a fingerprint of their chat, without its number."""

import asyncio
import hashlib
import secrets
from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.records.tables import Ban, Candidate, Chat, Setting, utc_now
from bot.records.upsert import insert_new

SALT = "ban_salt"  # the key in `setting` of what makes fingerprints this installation's own
# Some 50 ms and 16 MB for each: too slow for trying all the numbers that a chat can have.
COST = {"n": 2**14, "r": 8, "p": 1}
_ANY = select(exists().select_from(Ban))  # built once: that takes longer than to run it


async def keep(tx: AsyncSession, candidate: Candidate) -> None:
    """Note the ban of somebody who is about to be forgotten, or until when they are muted, if they are."""
    now = utc_now()
    if candidate.silenced(now):
        until = None if candidate.banned_at else candidate.muted_until
        values = {"pseudonym": candidate.id, "banned_at": candidate.banned_at or now, "until": until}
        await insert_new(tx, Ban, Ban.fingerprint, fingerprint=await _fingerprint(tx, candidate.chat_id), **values)


async def kept(tx: AsyncSession, chat_id: int) -> Ban | None:
    """The ban of a chat that was forgotten."""
    if not await tx.scalar(_ANY):
        return None
    return await tx.get(Ban, await _fingerprint(tx, chat_id))


async def end(tx: AsyncSession, now: datetime) -> None:
    """Take away what was kept of those who are muted no longer."""
    await tx.execute(delete(Ban).where(Ban.until <= now))


async def _fingerprint(tx: AsyncSession, chat_id: int) -> str:
    number = (await tx.execute(select(Chat.telegram_id).where(Chat.id == chat_id))).scalar_one()
    await insert_new(tx, Setting, Setting.key, key=SALT, value=secrets.token_hex(16))
    salt = (await tx.execute(select(Setting.value).where(Setting.key == SALT))).scalar_one().encode()
    return (await asyncio.to_thread(hashlib.scrypt, str(number).encode(), salt=salt, **COST)).hex()
