"""The command `guichet run` as a process that hangs or is asked to stop."""

import asyncio
import json
import signal
import sqlite3
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bot.delivery.webhook import HEADER, secret_from
from bot.sandbox.botapi import BotApi, serve
from bot.watch.watchdog import EXIT_CODE

from .house import TOKEN, environment
from .test_processes import PATIENCE, end, run
from .test_webhook import free_port

# The real command, but for /help: it says that it has begun, and then does what no handler should.
COMMAND = """
import asyncio, sys, time
from bot.handlers import commands

async def on_help(update, context):
    print("begun", flush=True)
    {what}

commands.on_help = on_help
sys.argv = ["guichet", "run"]
from bot.cli import main
main()
"""
WAITS, BLOCKS = "await asyncio.sleep(600)", "time.sleep(600)"


@dataclass
class Hanging:
    """A running bot whose handler has begun what it will not end."""

    api: BotApi
    process: Process
    hook: str

    async def ended(self) -> tuple[float, str]:
        """How long it takes from here to the end, and the log."""
        begun = time.monotonic()
        _, log = await end(self.process)
        return time.monotonic() - begun, log


@asynccontextmanager
async def hanging(what: str, own: dict[str, str], **more: str) -> AsyncIterator[Hanging]:
    api, port = BotApi(TOKEN), free_port()
    staff, sara = api.group("Admissions"), api.user("Sara")
    hook = f"http://127.0.0.1:{port}/hook"
    async with serve(api) as address:
        telegram = {"TELEGRAM_BASE_URL": address, "TELEGRAM_TOKEN": TOKEN, "STAFF_CHAT_ID": str(staff.id)}
        telegram |= {"WEBHOOK_URL": hook, "WEBHOOK_PORT": str(port), **more}
        env = own | {f"GUICHET_{name}": value for name, value in telegram.items()}
        command = (sys.executable, "-c", COMMAND.format(what=what))
        process = await asyncio.create_subprocess_exec(*command, env=env, stdout=PIPE, stderr=PIPE)
        try:
            await api.wait_for(lambda api: api.world.queue.webhook, PATIENCE)
            api.say(sara, "/help")
            assert process.stdout
            assert await asyncio.wait_for(process.stdout.readline(), PATIENCE) == b"begun\n"
            yield Hanging(api, process, hook)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@pytest.fixture
def own(cache: Path, index_root: Path, tmp_path: Path) -> dict[str, str]:
    return environment(cache, index_root, tmp_path)


def waiting(folder: Path) -> int:
    with sqlite3.connect(folder / "data" / "guichet.sqlite") as db:
        return int(db.execute("SELECT count(*) FROM \"update\" WHERE state = 'new'").fetchone()[0])


async def test_asked_to_stop_it_takes_nothing_in_and_ends_within_ten_seconds(
    own: dict[str, str], tmp_path: Path
) -> None:
    async with hanging(WAITS, own) as bot:
        bot.process.send_signal(signal.SIGTERM)
        since, statuses = time.monotonic(), set[int]()
        async with httpx.AsyncClient(trust_env=False) as client:
            while 503 not in statuses and time.monotonic() - since < 5:
                answer = await client.post(bot.hook, json={"update_id": 1}, headers={HEADER: secret_from(TOKEN)})
                statuses.add(answer.status_code)
        seconds, log = await bot.ended()
        assert 503 in statuses
        assert bot.process.returncode == 0
        assert seconds < 30  # ten, and a machine that is busy with other things
        assert "stopp" in log
        assert waiting(tmp_path) >= 1  # the one under way is done again at the next start


async def test_asked_to_stop_while_telegram_is_out_of_reach(own: dict[str, str]) -> None:
    api = BotApi(TOKEN)
    api.fail("getMe", "drop_before", times=10**6)
    async with serve(api) as address:
        telegram = {"TELEGRAM_BASE_URL": address, "TELEGRAM_TOKEN": TOKEN, "STAFF_CHAT_ID": "-5"}
        process = await run(own | {f"GUICHET_{name}": value for name, value in telegram.items()})
        try:
            await api.wait_for(lambda api: len(api.calls("getMe")) >= 2, PATIENCE)
        finally:
            process.send_signal(signal.SIGTERM)
            _, log = await end(process)
    assert process.returncode == 0
    assert "Telegram out of reach, will try again" in log
    assert "stopped" in log
    assert "something under way" not in log


@pytest.mark.parametrize("what", [WAITS, BLOCKS])
async def test_a_second_signal_ends_it_at_once(own: dict[str, str], tmp_path: Path, what: str) -> None:
    async with hanging(what, own) as bot:
        bot.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.5)  # two signals at the same moment arrive as one
        bot.process.send_signal(signal.SIGTERM)
        seconds, _ = await bot.ended()
        assert bot.process.returncode == 128 + signal.SIGTERM
        assert seconds < 9  # less than what runs would be given to end
        assert waiting(tmp_path) == 1


@pytest.mark.parametrize(("what", "name"), [(WAITS, "/"), (BLOCKS, "event loop")])
async def test_the_watchdog_ends_what_hangs(own: dict[str, str], tmp_path: Path, what: str, name: str) -> None:
    async with hanging(what, own, WATCHDOG_SECONDS="4") as bot:
        _, log = await bot.ended()
        assert bot.process.returncode == EXIT_CODE
        (line,) = [line for line in log.splitlines() if "loop hangs" in line]
        assert name in json.loads(line)["loop"]
        assert "on_help" in line
        assert waiting(tmp_path) == 1


async def test_a_port_that_is_taken_is_said_plainly(own: dict[str, str]) -> None:
    api = BotApi(TOKEN)
    async with serve(api) as address:
        port = address.rpartition(":")[2].removesuffix("/bot")
        telegram = {"TELEGRAM_BASE_URL": address, "TELEGRAM_TOKEN": TOKEN, "STAFF_CHAT_ID": "-5", "HEALTH_PORT": port}
        env = own | {f"GUICHET_{name}": value for name, value in telegram.items()}
        command = (sys.executable, "-m", "bot", "run")
        process = await asyncio.create_subprocess_exec(*command, env=env, stdout=PIPE, stderr=PIPE)
        _, err = await end(process)
    assert process.returncode == 2
    assert f"cannot listen on 127.0.0.1, port {port}" in err
    assert "Traceback" not in err
