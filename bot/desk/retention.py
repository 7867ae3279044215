"""Each night what is past its period is taken away, a little at a time."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import timers
from bot.desk import erasure
from bot.desk.desk import Desk
from bot.records import bans
from bot.records.forgetting import forget
from bot.records.retention import inactive, remove_some
from bot.records.sessions import erases
from bot.records.tables import Setting

RETAIN = "retain"  # kind of timer, and its only key
DONE = "retained_at"  # the key in `setting` of when that was last done
NIGHT = time(3, 10)  # in the school's zone


async def plan(tx: AsyncSession, desk: Desk, now: datetime) -> None:
    """Set the timer at the start of the bot, unless it is set: a bot that was off when it was due does it at once."""
    if not await timers.is_set(tx, RETAIN):
        await timers.set_timer(tx, RETAIN, RETAIN, _next_night(desk, now), {})


async def retain(tx: AsyncSession, desk: Desk, periods: Mapping[str, int], now: datetime) -> bool:
    """Take some of it away, and go on at once in the next transaction; True once nothing is left for this night."""
    await bans.end(tx, now)
    candidate = await inactive(tx, periods, now)
    if candidate:
        await erasure.clear_group(tx, desk, candidate.id, now, key=f"retain{candidate.chat_id}", silent=True)
        await forget(tx, candidate.id)
    left = candidate is not None or await remove_some(tx, periods, now)
    await timers.set_timer(tx, RETAIN, RETAIN, now if left else _next_night(desk, now), {})
    if not left:
        erases(tx)  # also what was left in the log when somebody read at the wrong moment
        await tx.merge(Setting(key=DONE, value=now.isoformat()))
    return not left


def _next_night(desk: Desk, now: datetime) -> datetime:
    here = now.astimezone(desk.hours.zone)
    tonight = here.replace(hour=NIGHT.hour, minute=NIGHT.minute, second=0, microsecond=0)
    return tonight if tonight > here else tonight + timedelta(days=1)
