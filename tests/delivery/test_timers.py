import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Bot
from telegram.ext import Application

from bot.delivery import outbox, timers
from bot.delivery.budgets import LIFTED
from bot.delivery.loops import Loops, run
from bot.delivery.timers import Payload, cancel, next_due, run_next, set_timer
from bot.records.people import chat_of
from bot.records.sessions import Database
from bot.records.tables import Chat, Outgoing, Timer
from bot.sandbox.botapi import BotApi
from bot.sandbox.people import User

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Notes:
    """A handler that notes what it was given, in the database too."""

    def __init__(self) -> None:
        self.heard: list[Payload] = []
        self.failures = 0

    async def __call__(self, tx: AsyncSession, payload: Payload) -> None:
        self.heard.append(payload)
        await chat_of(tx, 100 + len(self.heard), "private")
        if self.failures:
            self.failures -= 1
            raise LookupError("somebody's words")


async def put(db: Database, key: str, due_at: datetime, **payload: Any) -> None:
    async with db.begin() as tx:
        await set_timer(tx, key, "remind", due_at, payload)


async def rows(db: Database) -> list[Timer]:
    async with db.read() as tx:
        return list((await tx.execute(select(Timer).order_by(Timer.id))).scalars())


async def run_all(db: Database, notes: Notes, now: datetime) -> int:
    count = 0
    while await run_next(db, {"remind": notes}, now):
        count += 1
    return count


async def test_runs_what_is_due_once_and_the_oldest_first(db: Database) -> None:
    notes = Notes()
    for number in (2, 1, 3):
        await put(db, f"t{number}", NOW + number * HOUR, ticket=number)
    assert await run_all(db, notes, NOW) == 0
    assert await next_due(db, ["remind"]) == NOW + HOUR
    assert await run_all(db, notes, NOW + 2 * HOUR) == 2
    assert notes.heard == [{"ticket": 1}, {"ticket": 2}]
    assert await next_due(db, ["remind"]) == NOW + 3 * HOUR


async def test_setting_it_again_moves_it(db: Database) -> None:
    notes = Notes()
    await put(db, "t", NOW, ticket=1)
    await put(db, "t", NOW + HOUR, ticket=2)
    assert await run_all(db, notes, NOW) == 0
    assert await run_all(db, notes, NOW + HOUR) == 1
    assert notes.heard == [{"ticket": 2}]


async def test_cancelled_it_never_runs(db: Database) -> None:
    await put(db, "t", NOW)
    async with db.begin() as tx:
        assert await cancel(tx, "t")
        assert not await cancel(tx, "t")
    assert not await run_next(db, {"remind": Notes()}, NOW)


async def test_a_handler_may_set_its_own_timer_again(db: Database) -> None:
    async def daily(tx: AsyncSession, payload: Payload) -> None:
        await set_timer(tx, "digest", "daily", NOW + 24 * HOUR, {"day": payload["day"] + 1})

    async with db.begin() as tx:
        await set_timer(tx, "digest", "daily", NOW, {"day": 1})
    assert await run_next(db, {"daily": daily}, NOW)
    assert not await run_next(db, {"daily": daily}, NOW)
    assert [(row.due_at, row.payload) for row in await rows(db)] == [(NOW + 24 * HOUR, {"day": 2})]


async def test_what_a_failing_handler_did_is_undone_and_done_again_later(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    notes = Notes()
    notes.failures = 1
    await put(db, "t", NOW)
    assert await run_next(db, {"remind": notes}, NOW)
    [row] = await rows(db)
    assert (row.attempts, row.due_at, row.set_aside_at) == (1, NOW + timedelta(seconds=1), None)
    assert (row.error or "").startswith("LookupError at ")
    assert await run_all(db, notes, NOW) == 0
    assert await run_all(db, notes, NOW + timedelta(seconds=1)) == 1
    assert await rows(db) == []
    async with db.read() as tx:
        assert (await tx.execute(select(Chat.telegram_id))).scalars().all() == [102]
    assert "somebody's words" not in str([record.__dict__ for record in caplog.records])


async def test_one_that_always_fails_is_set_aside_and_holds_nobody_up(db: Database) -> None:
    notes, now = Notes(), NOW
    notes.failures = 1000
    await put(db, "bad", NOW)
    for _ in range(timers.ATTEMPTS):
        assert await run_next(db, {"remind": notes}, now)
        now += HOUR
    assert not await run_next(db, {"remind": notes}, now)
    assert [row.set_aside_at is not None for row in await rows(db)] == [True]
    assert await next_due(db, ["remind"]) is None
    notes.failures = 0
    await put(db, "bad", now)
    assert await run_next(db, {"remind": notes}, now)


async def test_kinds_that_nobody_here_handles_are_left_to_others(db: Database) -> None:
    await put(db, "t", NOW)
    assert not await run_next(db, {"other": Notes()}, NOW)
    assert len(await rows(db)) == 1


async def test_several_workers_each_take_another(db: Database) -> None:
    notes = Notes()
    for number in range(12):
        await put(db, f"t{number}", NOW, ticket=number)
    async with asyncio.TaskGroup() as workers:
        for _ in range(3):
            workers.create_task(run_all(db, notes, NOW))
    assert sorted(payload["ticket"] for payload in notes.heard) == list(range(12))


async def test_the_loop_runs_it_at_its_time_and_sends_what_it_put(
    db: Database, bot: Bot, api: BotApi, alice: User
) -> None:
    async def remind(tx: AsyncSession, payload: Payload) -> None:
        await outbox.put(tx, payload["chat"], "sendMessage", {"text": "Do not forget."}, key="r")

    now = [NOW]
    application = Application.builder().bot(bot).updater(None).job_queue(None).build()
    async with db.begin() as tx:
        chat = await chat_of(tx, alice.id, "private")
        await set_timer(tx, "t", "remind", NOW + HOUR, {"chat": chat.id})
    async with application:
        loops = Loops(
            db, application, limits=LIFTED, long_poll=1, timers={"remind": remind}, now=lambda: now[0], grace=5
        )
        running = asyncio.create_task(run(loops))
        await api.wait_for(lambda api: api.calls("getUpdates"))
        async with db.read() as tx:
            assert (await tx.execute(select(Outgoing))).first() is None
        now[0] += HOUR
        loops.wake.timers.ring()
        await api.wait_for(lambda api: [m["text"] for m in api.messages(alice)][-1] == "Do not forget.")
        loops.stop.set()
        await running
