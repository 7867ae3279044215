"""What is done at its time: reminders, digests, periods that end, proposals that were interrupted."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from bot.backup import remove_old
from bot.delivery.timers import Handler, Payload
from bot.desk import ageing, endings, reminders, retention
from bot.desk import learning as proposing
from bot.desk import themes as subscriptions
from bot.handlers import uploading
from bot.handlers.context import Deps, desk_of


def clock(deps: Deps) -> dict[str, Handler]:
    """What timers do, by kind."""

    async def retain(tx: AsyncSession, _: Payload) -> None:
        settings, now = deps.settings, deps.now()
        if await retention.retain(tx, desk_of(deps), settings.periods, now):
            await asyncio.to_thread(remove_old, settings.backups, settings.keep_backups, now)

    async def review(tx: AsyncSession, _: Payload) -> None:
        await ageing.remind(tx, deps.live.engine.snapshot.entries, desk=desk_of(deps), now=deps.now())

    return {
        reminders.REMIND: lambda tx, payload: reminders.remind(tx, payload, desk=desk_of(deps), now=deps.now()),
        reminders.DIGEST: lambda tx, payload: reminders.digest(tx, payload, desk=desk_of(deps), now=deps.now()),
        reminders.QUIET: lambda tx, payload: endings.grown_quiet(tx, payload, desk=desk_of(deps), now=deps.now()),
        proposing.PUBLISHING: lambda tx, payload: proposing.interrupted(tx, payload, desk=desk_of(deps)),
        uploading.READING: lambda tx, payload: uploading.interrupted(tx, payload, deps.settings.staff_language),
        subscriptions.TELL: lambda tx, payload: subscriptions.tell(tx, payload, deps.now()),
        ageing.AGEING: review,
        retention.RETAIN: retain,
    }
