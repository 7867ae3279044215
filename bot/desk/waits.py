"""How long candidates wait for a first reply, told only when there is something to tell it from."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk import hours as office
from bot.desk.hours import Hours
from bot.dialogue.times import Wait
from bot.records.tables import Ticket

FEWEST = 5  # first replies, below which nothing is promised
LATEST = 50  # first replies that count: a team's habits change over a season
STEPS = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 180, 240, 360, 480))


def usual(waits: Sequence[timedelta]) -> timedelta | None:
    """What four waits in five do not exceed (80th percentile by nearest rank), rounded up to a plain figure.

    None with too few of them, or above eight hours of office time: then it is a matter of days.
    """
    if len(waits) < FEWEST:
        return None
    rank = sorted(waits)[math.ceil(0.8 * len(waits)) - 1]
    return next((step for step in STEPS if rank <= step), None)


async def recent(tx: AsyncSession, hours: Hours) -> list[timedelta]:
    """The office time that went by before each of the latest first replies."""
    replied = select(Ticket.opened_at, Ticket.replied_at).where(Ticket.replied_at.is_not(None))
    rows = (await tx.execute(replied.order_by(Ticket.replied_at.desc()).limit(LATEST))).all()
    return [office.worked(hours, opened, first) for opened, first in rows if first]


async def expected(tx: AsyncSession, hours: Hours, now: datetime) -> Wait:
    """What can be said to somebody who asks the team at this moment."""
    known = usual(await recent(tx, hours))
    if not hours.stated:
        return Wait(known)
    closes, opens = office.closing(hours, now), office.opening(hours, now)
    if closes:
        return Wait(known, closes=closes.astimezone(hours.zone))
    return Wait(known, opens=opens and opens.astimezone(hours.zone), week=tuple(office.grouped(hours)))
