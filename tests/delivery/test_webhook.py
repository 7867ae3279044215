import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text
from starlette.applications import Starlette
from telegram import Bot
from telegram.ext import Application

from bot.delivery import webhook
from bot.delivery.loops import Loops
from bot.delivery.webhook import HEADER, LARGEST, Webhook, keep, route, secret_from
from bot.records.sessions import Database
from bot.records.tables import Update
from bot.sandbox.botapi import BotApi

SECRET = "s3cret-of-nobody"
UPDATE = {"update_id": 7, "message": {"message_id": 1, "date": 0, "chat": {"id": 5, "type": "private"}, "text": "é"}}


@pytest.fixture
def loops(db: Database, bot: Bot) -> Loops:
    return Loops(db, Application.builder().bot(bot).updater(None).job_queue(None).build())


@pytest.fixture
async def client(loops: Loops) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[route("/hook", loops, SECRET)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
        yield client


async def post(client: httpx.AsyncClient, content: Any, secret: str | None = SECRET) -> int:
    headers = {} if secret is None else {HEADER: secret}
    return (await client.post("/hook", content=content, headers=headers)).status_code


async def kept(db: Database) -> list[int]:
    async with db.read() as tx:
        return list((await tx.execute(select(Update.update_id))).scalars())


async def test_an_update_is_committed_before_the_answer_and_kept_once(
    client: httpx.AsyncClient, db: Database, loops: Loops
) -> None:
    news = loops.wake.updates.next()
    assert await post(client, json.dumps(UPDATE)) == 200
    assert await kept(db) == [7]
    assert news.is_set()
    assert await post(client, json.dumps(UPDATE)) == 200
    assert await kept(db) == [7]


@pytest.mark.parametrize(
    ("content", "secret", "status"),
    [
        (json.dumps(UPDATE), None, 403),
        (json.dumps(UPDATE), "", 403),
        (json.dumps(UPDATE), SECRET[:-1], 403),
        ("x" * 2 * LARGEST, "wrong", 403),  # who is not Telegram learns nothing else
        ("", SECRET, 400),
        ("{", SECRET, 400),
        (b"\xff\xfe\xff", SECRET, 400),
        ("[" * 100_000, SECRET, 400),
        ('{"update_id": 7, "x": NaN}', SECRET, 400),
        ("[]", SECRET, 400),
        ('{"message": {}}', SECRET, 400),
        ('{"update_id": true}', SECRET, 400),
        (json.dumps(UPDATE | {"x": "y" * LARGEST}), SECRET, 413),
    ],
)
async def test_what_is_not_an_update_of_telegram(
    client: httpx.AsyncClient, db: Database, loops: Loops, content: Any, secret: str | None, status: int
) -> None:
    assert await post(client, content, secret) == status
    assert await kept(db) == []
    counted = loops.watch.metrics.registry.get_sample_value
    assert counted("guichet_webhook_requests_total", {"status": str(status)}) == 1


async def test_the_size_is_limited_while_reading(client: httpx.AsyncClient) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 65536
            yield b"x" * 65536

    assert await asyncio.wait_for(post(client, endless()), 10) == 413
    assert read <= LARGEST + 2 * 65536


async def test_the_largest_update_is_taken(client: httpx.AsyncClient, db: Database) -> None:
    room = LARGEST - len(json.dumps(UPDATE | {"x": ""}))
    assert await post(client, json.dumps(UPDATE | {"x": "y" * room})) == 200
    assert await kept(db) == [7]


async def test_only_posts_are_taken(client: httpx.AsyncClient) -> None:
    assert (await client.get("/hook", headers={HEADER: SECRET})).status_code == 405
    assert (await client.post("/", headers={HEADER: SECRET})).status_code == 404


async def test_who_stops_takes_nothing_in(client: httpx.AsyncClient, db: Database, loops: Loops) -> None:
    loops.stop.set()
    assert await post(client, json.dumps(UPDATE)) == 503
    assert await kept(db) == []


async def test_without_a_database_telegram_is_to_repeat(
    client: httpx.AsyncClient, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with db.begin() as tx:
        await tx.execute(text('ALTER TABLE "update" RENAME TO away'))
    assert await post(client, json.dumps(UPDATE)) == 503
    assert [record.getMessage() for record in caplog.records] == ["update not received, Telegram will repeat it"]
    async with db.begin() as tx:
        await tx.execute(text('ALTER TABLE away RENAME TO "update"'))
    assert await post(client, json.dumps(UPDATE)) == 200
    assert await kept(db) == [7]


async def test_a_database_that_does_not_answer_is_not_waited_for(
    client: httpx.AsyncClient, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_loops: Loops, _raw: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(webhook, "PATIENCE", 0.05)
    monkeypatch.setattr(webhook, "take_in", never)
    assert await asyncio.wait_for(post(client, json.dumps(UPDATE)), 10) == 503
    monkeypatch.undo()
    assert await post(client, json.dumps(UPDATE)) == 200
    assert await kept(db) == [7]


async def test_the_webhook_is_set_and_set_again(
    loops: Loops, api: BotApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(webhook, "LOOK", 0.05)
    queue = api.world.queue
    api.push({"message": {"text": "waits"}})
    keeping = asyncio.create_task(keep(loops, Webhook("http://127.0.0.1:1/hook", SECRET)))
    await api.wait_for(lambda _: queue.webhook and queue.webhook.secret == SECRET)
    (call, *_) = api.calls("setWebhook")
    assert call.params["allowed_updates"] == list(loops.allowed)
    assert int(call.params["max_connections"]) == 40
    assert "drop_pending_updates" not in call.params
    queue.set_webhook("http://127.0.0.1:1/somebody-else", "", 40)
    await api.wait_for(lambda _: queue.webhook and queue.webhook.secret == SECRET)
    assert len(queue.pending) == 1
    assert "another process has changed the webhook, will set it again" in caplog.messages
    loops.stop.set()
    await asyncio.wait_for(keeping, 120)


def test_the_derived_secret_is_the_same_everywhere_and_fits() -> None:
    assert secret_from("1:token") == secret_from("1:token") != secret_from("1:other")
    assert len(secret_from("1:token")) == 64
    assert secret_from("1:token").isalnum()
