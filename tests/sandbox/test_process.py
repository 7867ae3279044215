"""The server as a process of its own, driven over HTTP."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator

import httpx
import pytest


@pytest.fixture
async def base_url() -> AsyncIterator[str]:
    command = [sys.executable, "-m", "bot.sandbox.botapi", "--control"]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_driven_from_outside(base_url: str) -> None:
    async with httpx.AsyncClient(base_url=base_url.removesuffix("bot"), timeout=10) as http:

        async def act(name: str, **arguments: object) -> dict[str, object]:
            answer = await http.post(f"/control/{name}", json=arguments)
            assert answer.status_code == 200, answer.text
            result: dict[str, object] = answer.json()
            return result

        alice = await act("user", first_name="Alice")
        staff = await act("group", title="Staff", forum=True, members=[alice["id"]])
        said = await act("say", user=alice["id"], text="hello")
        pending = (await http.get("/control/pending")).json()
        assert [update["message"] for update in pending] == [said]
        seq = (await http.get("/control/changed")).json()["seq"]

        waiting = asyncio.create_task(http.get("/control/changed", params={"after": seq}))
        keyboard = {"inline_keyboard": [[{"text": "b", "callback_data": "d"}]]}
        sent = {"chat_id": alice["id"], "text": "hi", "reply_markup": json.dumps(keyboard)}
        await http.post("/bot123456:TEST-token/sendMessage", data=sent)
        assert (await waiting).json()["seq"] > seq
        shown = (await http.get("/control/messages", params={"chat": str(alice["id"])})).json()[-1]
        query = await act("press", user=alice["id"], message=shown, button="b")
        assert query["data"] == "d"
        assert [call["method"] for call in (await http.get("/control/calls")).json()] == ["sendMessage"]
        assert staff["is_forum"]
        await act("block", user=alice["id"])
        assert (await http.post("/control/say", json={"user": alice["id"], "text": "x"})).status_code == 400
        assert (await http.post("/control/explode", json={})).status_code == 404


def test_importing_it_is_light() -> None:
    check = "import sys, bot.sandbox.botapi; sys.exit(bool({'telegram', 'sqlalchemy', 'indexer'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
