"""The commands as processes of their own: killed, stopped, refused, shown."""

import asyncio
import json
import signal
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psutil
import pytest

from bot.publishing.replica import Replica
from bot.records.sessions import Database
from bot.sandbox.botapi import BotApi, serve
from bot.sandbox.people import User

from .house import LECTURERS, TOKEN, environment
from .test_webhook import free_port

PATIENCE = 120.0  # seconds, for a machine that is busy with other things


@pytest.fixture
async def api() -> AsyncIterator[tuple[BotApi, dict[str, str]]]:
    """A Bot API server with a staff's group, and the settings that lead to it."""
    api = BotApi(TOKEN)
    staff = api.group("Admissions", admins=[api.user("Marie")])
    async with serve(api) as address:
        telegram = {"GUICHET_TELEGRAM_BASE_URL": address, "GUICHET_STAFF_CHAT_ID": str(staff.id)}
        yield api, telegram | {"GUICHET_TELEGRAM_TOKEN": TOKEN}


async def run(own: dict[str, str]) -> Process:
    command = (sys.executable, "-m", "bot", "run")
    return await asyncio.create_subprocess_exec(*command, env=own, stdin=PIPE, stdout=PIPE, stderr=PIPE)


async def end(process: Process) -> tuple[str, str]:
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    return out.decode(), err.decode()


def answers(api: BotApi, person: User) -> int:
    return sum(message["from"]["is_bot"] for message in api.messages(person))


def accepted_but_not_noted(api: BotApi, data: Path) -> int:
    """How many answers Telegram has that the outbox of a killed process still believes to be waiting."""
    with sqlite3.connect(data / "guichet.sqlite") as db:
        noted = db.execute("SELECT count(*) FROM outgoing WHERE state = 'sent'").fetchone()[0]
    return sum(call.ok for call in api.calls("sendMessage")) - int(noted)


async def test_killed_in_the_middle_of_thirty_questions(
    api: tuple[BotApi, dict[str, str]], cache: Path, index_root: Path, tmp_path: Path
) -> None:
    telegram, settings = api
    own = environment(cache, index_root, tmp_path) | settings
    people = [telegram.user(f"Person{number}") for number in range(30)]
    process = await run(own)
    try:
        await telegram.wait_for(lambda api: api.world.queue.polled, PATIENCE)
        for person in people:
            telegram.say(person, LECTURERS["en"])
        await telegram.wait_for(lambda api: sum(answers(api, person) for person in people) >= 8, PATIENCE)
    finally:
        process.kill()
        _, first_log = await end(process)
    lost_track = accepted_but_not_noted(telegram, tmp_path / "data")
    assert sum(answers(telegram, person) for person in people) < len(people)

    process = await run(own)
    try:
        await telegram.wait_for(lambda api: all(answers(api, person) for person in people), PATIENCE)
        await telegram.wait_for(lambda api: not api.pending(), PATIENCE)
    finally:
        process.send_signal(signal.SIGTERM)
        _, second_log = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0
    counts = Counter(answers(telegram, person) for person in people)
    assert counts[1] + counts[2] == len(people)
    assert counts[2] <= lost_track <= 16
    log = first_log + second_log.decode()
    assert '"event": "started", "snapshot"' in log
    assert "stopped" in log
    for secret in (TOKEN, TOKEN.partition(":")[2], LECTURERS["en"], "academics", settings["GUICHET_STAFF_CHAT_ID"]):
        assert secret not in log
    assert not [person for person in people if str(person.id) in log]


async def test_a_wrong_token_is_said_plainly(
    api: tuple[BotApi, dict[str, str]], cache: Path, index_root: Path, tmp_path: Path
) -> None:
    wrong = "654321:a-token-that-telegram-does-not-know"
    _, settings = api
    process = await run(environment(cache, index_root, tmp_path) | settings | {"GUICHET_TELEGRAM_TOKEN": wrong})
    out, err = await end(process)
    assert process.returncode == 2
    assert "Telegram refuses the token: set GUICHET_TELEGRAM_TOKEN" in err
    assert "Traceback" not in err
    assert wrong not in out + err
    assert "a-token-that" not in out + err


async def test_a_worker_on_an_empty_machine_fetches_the_index_before_it_answers(
    api: tuple[BotApi, dict[str, str]], cache: Path, index_root: Path, tmp_path: Path, postgres_db: Database
) -> None:
    telegram, settings = api
    shared = await Replica(postgres_db, index_root).level()
    own = environment(cache, index_root, tmp_path) | settings
    own |= {"GUICHET_DATA_DIR": str(tmp_path / "empty")}
    own |= {"GUICHET_DATABASE_URL": postgres_db.engine.url.render_as_string(hide_password=False)}
    sara = telegram.user("Sara")
    telegram.say(sara, LECTURERS["en"])
    process = await run(own)
    try:
        await telegram.wait_for(lambda api: answers(api, sara), PATIENCE)
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = await end(process)
    assert process.returncode == 0, log
    told = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    events = [event["event"] for event in told if event.get("snapshot") == shared]
    assert events.index("index fetched") < events.index("started")
    assert "academics" in str(telegram.messages(sara))


@pytest.mark.skipif(sys.platform != "linux", reason="there is no process of its own")
async def test_searching_has_a_process_of_its_own(
    api: tuple[BotApi, dict[str, str]], cache: Path, index_root: Path, tmp_path: Path
) -> None:
    telegram, settings = api
    process = await run(environment(cache, index_root, tmp_path) | settings)
    sara = telegram.user("Sara")
    try:
        await telegram.wait_for(lambda api: api.world.queue.polled, PATIENCE)
        (searching,) = psutil.Process(process.pid).children()
        searching.suspend()
        telegram.say(sara, LECTURERS["en"])
        await asyncio.sleep(2)  # in which a bot that does without it would have answered
        assert not answers(telegram, sara)
        searching.resume()
        await telegram.wait_for(lambda api: answers(api, sara) == 1, PATIENCE)
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = await end(process)
    assert process.returncode == 0
    assert "search process" not in log
    assert not searching.is_running()


@pytest.mark.skipif(sys.platform != "linux", reason="there is no process of its own")
async def test_another_process_searches_when_the_first_is_killed(
    api: tuple[BotApi, dict[str, str]], cache: Path, index_root: Path, tmp_path: Path
) -> None:
    telegram, settings = api
    port = free_port()
    process = await run(environment(cache, index_root, tmp_path) | settings | {"GUICHET_HEALTH_PORT": str(port)})
    sara = telegram.user("Sara")

    async def shown(*figures: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(PATIENCE):
            lines: set[str] = set()
            while set(figures) - lines:
                await asyncio.sleep(0.1)
                lines = set((await client.get(f"http://127.0.0.1:{port}/metrics")).text.splitlines())

    try:
        await telegram.wait_for(lambda api: api.world.queue.polled, PATIENCE)
        await shown("guichet_search_process_up 1.0", "guichet_search_processes_lost 0.0")
        (first,) = psutil.Process(process.pid).children()
        first.kill()
        telegram.say(sara, LECTURERS["en"])
        await telegram.wait_for(lambda api: answers(api, sara) == 1, PATIENCE)
        await shown("guichet_search_process_up 1.0", "guichet_search_processes_lost 1.0")
        (second,) = psutil.Process(process.pid).children()
        second.suspend()
        telegram.say(sara, LECTURERS["en"])
        await asyncio.sleep(1)
        assert answers(telegram, sara) == 1
        second.resume()
        await telegram.wait_for(lambda api: answers(api, sara) == 2, PATIENCE)
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = await end(process)
    assert process.returncode == 0
    assert [json.loads(line)["event"] for line in log.splitlines() if "search process" in line] == [
        "search process lost",
        "search process started",
    ]
    assert not second.is_running()
