"""What is done at its time: reminders, digests, periods that end, proposals that were interrupted."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from bot.backup import remove_old
from bot.delivery.timers import Handler, Payload
from bot.desk import ageing, reminders, retention
from bot.desk import learning as proposing
from bot.desk import themes as subscriptions
from bot.handlers import uploading
from bot.handlers.context import Deps, desk_of


def clock(deps: Deps) -> dict[str, Handler]:
    """What timers do, by kind."""

    async def remind(tx: AsyncSession, payload: Payload) -> None:
        await reminders.remind(tx, payload, desk=desk_of(deps), now=deps.now())

    async def digest(tx: AsyncSession, payload: Payload) -> None:
        await reminders.digest(tx, payload, desk=desk_of(deps), now=deps.now())

    async def interrupted(tx: AsyncSession, payload: Payload) -> None:
        await proposing.interrupted(tx, payload, desk=desk_of(deps))

    async def retain(tx: AsyncSession, _payload: Payload) -> None:
        settings, now = deps.settings, deps.now()
        if await retention.retain(tx, desk_of(deps), settings.periods, now):
            await asyncio.to_thread(remove_old, settings.backups, settings.keep_backups, now)

    async def unread(tx: AsyncSession, payload: Payload) -> None:
        await uploading.interrupted(tx, payload, deps.settings.staff_language)

    async def tell(tx: AsyncSession, payload: Payload) -> None:
        await subscriptions.tell(tx, payload, deps.now())

    async def review(tx: AsyncSession, _: Payload) -> None:
        entries = deps.live.engine.snapshot.entries
        await ageing.remind(tx, entries, desk=desk_of(deps), now=deps.now())

    return {
        reminders.REMIND: remind,
        reminders.DIGEST: digest,
        proposing.PUBLISHING: interrupted,
        uploading.READING: unread,
        ageing.AGEING: review,
        subscriptions.TELL: tell,
        retention.RETAIN: retain,
    }
