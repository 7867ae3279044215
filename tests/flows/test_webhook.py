"""The whole bot with Telegram posting to it, from the first word to the switch back to polling."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from bot.app import Guichet, guichet
from bot.delivery.budgets import LIFTED
from bot.delivery.loops import run
from bot.doors import doors
from bot.sandbox.botapi import BotApi, serve
from bot.sandbox.people import User
from bot.sandbox.updates import Webhook
from indexer.engine import Engine
from tests.conftest import REPOSITORY

from .house import LECTURERS, PRICE, TOKEN, settings


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@asynccontextmanager
async def at_work(engine: Engine, folder: Path, address: str, **own: Any) -> AsyncIterator[Guichet]:
    """The bot with its doors open, until the block ends."""
    chosen = settings(folder, telegram_base_url=address, **own)
    async with guichet(chosen, engine, LIFTED) as bot, doors(bot.loops, bot.deps) as intake:
        running = asyncio.create_task(run(bot.loops, intake))
        try:
            yield bot
        finally:
            bot.loops.stop.set()
            await running


def answers(api: BotApi, person: User) -> list[str]:
    return [message["text"] for message in api.messages(person) if message["from"]["is_bot"]]


def hook_of(api: BotApi) -> Webhook:
    assert api.world.queue.webhook
    return api.world.queue.webhook


async def test_from_the_webhook_to_the_answer_and_back_to_polling(engine: Engine, tmp_path: Path) -> None:
    api, port = BotApi(TOKEN), free_port()
    staff, sara = api.group("Admissions"), api.user("Sara")
    hook = {"staff_chat_id": staff.id, "webhook_url": f"http://127.0.0.1:{port}", "webhook_port": port}
    async with serve(api) as address:
        async with at_work(engine, tmp_path, address, **hook):
            api.say(sara, LECTURERS["en"])
            await api.wait_for(lambda api: len(answers(api, sara)) == 1)
            assert api.calls("getUpdates") == []
            assert hook_of(api).url == f"http://127.0.0.1:{port}/telegram"
        api.say(sara, "/help")  # nobody is there: Telegram keeps it
        await api.wait_for(lambda api: hook_of(api).last_error)
        async with at_work(engine, tmp_path, address, staff_chat_id=staff.id):
            await api.wait_for(lambda api: len(answers(api, sara)) == 2)
            assert api.world.queue.webhook is None
            assert "drop_pending_updates" not in api.calls("deleteWebhook")[0].params


async def test_pages_for_those_who_run_it(engine: Engine, tmp_path: Path) -> None:
    api, port, inside = BotApi(TOKEN), free_port(), free_port()
    staff, sara = api.group("Admissions"), api.user("Sara")
    hook = {"webhook_url": f"http://127.0.0.1:{port}/hook", "webhook_port": port, "health_port": inside}
    async with (
        serve(api) as address,
        httpx.AsyncClient(trust_env=False) as client,
        at_work(engine, tmp_path, address, staff_chat_id=staff.id, **hook),
    ):
        for text in (LECTURERS["en"], PRICE["fr"]):
            api.say(sara, text)
        await api.wait_for(lambda api: len(answers(api, sara)) == 2)
        outside = f"http://127.0.0.1:{port}"
        assert (await client.get(f"{outside}/healthz")).json() == {"alive": True, "hanging": []}
        assert (await client.get(f"{outside}/readyz")).json() == {"ready": True, "wrong": {}}
        assert (await client.get(f"{outside}/metrics")).status_code == 404
        assert (await client.post(f"{outside}/hook", json={"update_id": 1})).status_code == 403
        assert (await client.get(f"http://127.0.0.1:{inside}/readyz")).status_code == 200
        shown = (await client.get(f"http://127.0.0.1:{inside}/metrics")).text
        for line in (
            'guichet_updates_received_total{kind="message"} 2.0',
            'guichet_decisions_total{decision="answer",language="en"} 1.0',
            'guichet_decisions_total{decision="escalate",language="fr"} 1.0',
            'guichet_webhook_requests_total{status="200"} 2.0',
            'guichet_webhook_requests_total{status="403"} 1.0',
            'guichet_tickets{state="open"} 1.0',
            f'snapshot="{engine.snapshot.id}"}} 1.0',
            'guichet_loop_late_seconds{loop="webhook"} 0.0',
        ):
            assert f"{line}\n" in shown


def test_every_metric_is_explained() -> None:
    """Names in the documentation and in the code are the same."""
    code = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "bot").rglob("*.py"))
    named = re.findall(r'(?:_counter|gauge)\(\s*"(\w+)"', code)
    explained = re.findall(
        r"^\| `guichet_(\w+)`", (REPOSITORY / "docs" / "metrics.md").read_text(encoding="utf-8"), re.M
    )
    assert sorted({name.removesuffix("_total") for name in explained}) == sorted({*named, "stage_seconds"})
