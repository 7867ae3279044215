"""From start to stop: what Telegram's refusals and absence do to a bot that serves."""

import asyncio
import re
import threading
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from bot import app, doors
from bot.app import serve as serve_bot
from bot.delivery import processes
from bot.delivery.loops import TokenRefusedError
from bot.records.sessions import open_database
from bot.sandbox.botapi import BotApi, serve
from bot.sandbox.refusal import Refusal
from bot.watch import memory, pages
from indexer.engine import Engine

from .house import TOKEN, Log, settings

UNAUTHORIZED = Refusal(401, "Unauthorized")


async def test_a_token_refused_at_the_start(engine: Engine, tmp_path: Path) -> None:
    api = BotApi("1:another-token")
    async with serve(api) as address:
        with pytest.raises(TokenRefusedError) as refused:
            await serve_bot(settings(tmp_path, telegram_base_url=address, staff_chat_id=-5), engine)
    assert TOKEN not in repr(refused.getrepr(chain=True))


async def test_a_token_taken_back_while_serving(engine: Engine, tmp_path: Path) -> None:
    api, started = BotApi(TOKEN), asyncio.Event()
    staff = api.group("Admissions")
    async with serve(api) as address:
        chosen = settings(tmp_path, telegram_base_url=address, staff_chat_id=staff.id)
        serving = asyncio.create_task(serve_bot(chosen, engine, started))
        await asyncio.wait_for(started.wait(), 120)
        await api.wait_for(lambda api: api.world.queue.polled)
        api.fail("getUpdates", UNAUTHORIZED, times=99)
        api.say(api.user("Sara"), "Hello")
        with pytest.raises(TokenRefusedError):
            await asyncio.wait_for(serving, 120)


async def test_telegram_out_of_reach_at_the_start_is_waited_for(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "backoff", lambda _failures: timedelta(0))
    api, started = BotApi(TOKEN), asyncio.Event()
    staff = api.group("Admissions")
    api.fail("getMe", "drop_before", times=2)
    async with serve(api) as address:
        chosen = settings(tmp_path, telegram_base_url=address, staff_chat_id=staff.id)
        serving = asyncio.create_task(serve_bot(chosen, engine, started))
        await asyncio.wait_for(started.wait(), 120)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert len(api.calls("getMe")) >= 3


async def test_health_is_told_while_telegram_is_out_of_reach_at_the_start(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "backoff", lambda _failures: timedelta(seconds=0.1))
    monkeypatch.setattr(pages, "BAD", 0)
    api, log, started = BotApi(TOKEN), Log(), asyncio.Event()
    staff = api.group("Admissions")
    api.fail("getMe", "drop_before", times=10**6)
    async with serve(api) as address, httpx.AsyncClient(trust_env=False) as client:
        chosen = settings(tmp_path, telegram_base_url=address, staff_chat_id=staff.id, health_port=0)
        with log.listening():
            serving = asyncio.create_task(serve_bot(chosen, engine, started))
            await log.heard("Telegram out of reach, will try again")
            (port,) = re.findall(r"for=health port=(\d+)", "\n".join(log.lines))
            alive = await client.get(f"http://127.0.0.1:{port}/healthz")
            ready = await client.get(f"http://127.0.0.1:{port}/readyz")
            assert (alive.status_code, ready.status_code) == (200, 503)
            assert ready.json()["wrong"]["telegram"].startswith("Telegram does not answer (NetworkError")
            assert not started.is_set()
            api.exchange.faults.clear()
            await asyncio.wait_for(started.wait(), 120)
            assert (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def test_a_database_that_answers_but_takes_nothing_is_not_ready(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "GOOD", 0)
    monkeypatch.setattr(pages, "BAD", 0)
    monkeypatch.setattr(processes, "BEAT", 0.05)
    monkeypatch.setattr(doors, "DEAD", timedelta(seconds=0.5))
    api, log, started = BotApi(TOKEN), Log(), asyncio.Event()
    staff = api.group("Admissions")
    async with serve(api) as address, httpx.AsyncClient(trust_env=False) as client:
        chosen = settings(tmp_path, telegram_base_url=address, staff_chat_id=staff.id, health_port=0)
        with log.listening():
            serving = asyncio.create_task(serve_bot(chosen, engine, started))
            await asyncio.wait_for(started.wait(), 120)
        (port,) = re.findall(r"for=health port=(\d+)", "\n".join(log.lines))

        async def seen() -> tuple[int, str]:
            ready = await client.get(f"http://127.0.0.1:{port}/readyz")
            figures = await client.get(f"http://127.0.0.1:{port}/metrics")
            assert f"guichet_snapshot_entries {engine.snapshot.manifest['entries']}.0\n" in figures.text
            (up,) = re.findall(r"^guichet_database_up (.+)$", figures.text, re.MULTILINE)
            return ready.status_code, up

        assert await seen() == (200, "1.0")
        db = open_database(chosen.database)
        async with db.begin() as tx:
            refused = "BEGIN SELECT RAISE(ABORT, 'full'); END"
            await tx.execute(text(f"CREATE TRIGGER full BEFORE UPDATE ON process {refused}"))
        await db.close()
        async with asyncio.timeout(120):
            while await seen() != (503, "0.0"):
                pass
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_memory_goes_back_to_the_system_while_serving(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = threading.Event()
    monkeypatch.setattr(memory, "trimmer", lambda: lambda _: given.set())
    api = BotApi(TOKEN)
    staff = api.group("Admissions")
    async with serve(api) as address:
        chosen = settings(tmp_path, telegram_base_url=address, staff_chat_id=staff.id)
        serving = asyncio.create_task(serve_bot(chosen, engine))
        assert await asyncio.to_thread(given.wait, 20)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
