"""The demonstration's page over HTTP: who is let in, what is told, what may be done."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from bot.listening import listening
from bot.sandbox.botapi import BotApi
from bot.sandbox.page import LARGEST_FILE, SHOWN, Page, application
from bot.sandbox.view import Cast

Json = dict[str, Any]
TOKEN = "a-token-nobody-guesses"
PNG = b"\x89PNG\r\n\x1a\n and so on"


class Visitor:
    """A browser at the page, and the people on it."""

    def __init__(self, address: str, cast: Cast, api: BotApi, spoken: list[str]) -> None:
        self.http = httpx.AsyncClient(base_url=f"{address}/{TOKEN}/", trust_env=False)
        self.api, self.spoken, self.cast = api, spoken, cast
        self.sara, self.marie, self.group = cast.candidates[0], cast.staff[0], cast.group

    async def act(self, action: str, **more: Any) -> httpx.Response:
        return await self.http.post("act", json={"action": action, **more})

    async def done(self, action: str, **more: Any) -> Json:
        answer = await self.act(action, **more)
        assert answer.status_code == 200, answer.text
        told: Json = answer.json()
        return told

    @asynccontextmanager
    async def told(self) -> AsyncIterator[AsyncIterator[Json]]:
        """What the page is told, in order."""
        async with self.http.stream("GET", "events") as stream:
            lines = stream.aiter_lines()
            yield (json.loads(line.removeprefix("data: ")) async for line in lines if line)


@pytest.fixture
async def visitor() -> AsyncIterator[Visitor]:
    api, spoken = BotApi(), list[str]()
    marie = api.user("Marie")
    group = api.group("Admissions", forum=True, admins=[marie])
    cast = Cast((api.user("Sara"), api.user("Karim", language_code="fr")), (marie,), group)
    page = Page(api, cast, {"en": {}, "fr": {}}, spoken.append)
    async with listening(application(page, TOKEN), "127.0.0.1", 0) as port:
        one = Visitor(f"http://127.0.0.1:{port}", cast, api, spoken)
        async with one.http:
            yield one
        api.events.publish("closing")


@pytest.mark.parametrize(
    "path", ["/", "/wrong/", f"/{TOKEN}x/", f"/x{TOKEN}/", "/wrong/events", "/page.js", "/é/", "//"]
)
async def test_without_the_token_nothing_is_shown(visitor: Visitor, path: str) -> None:
    answer = await visitor.http.get(f"{visitor.http.base_url}".removesuffix(f"/{TOKEN}/") + path)
    assert answer.status_code == 403
    assert "Guichet" not in answer.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "", "0.0.0.0", "[::1]:1"])
async def test_an_address_that_another_name_leads_to_is_refused(visitor: Visitor, host: str) -> None:
    for path in ("", "events", "guide"):
        assert (await visitor.http.get(path, headers={"host": host})).status_code == 403
    said = await visitor.http.post("act", json={"action": "say"}, headers={"host": host})
    assert said.status_code == 403


async def test_the_page_needs_nothing_from_elsewhere_and_is_light(visitor: Visitor) -> None:
    total = 0
    for name in ("", *SHOWN):
        answer = await visitor.http.get(name)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "innerHTML" not in answer.text
        total += len(answer.content)
    assert total < 60_000
    assert (await visitor.http.get("localhost", headers={"host": "localhost:1"})).status_code == 404


async def test_everything_is_told_at_first_and_then_each_change(visitor: Visitor) -> None:
    before = await visitor.done("say", user=visitor.sara.id, text="Hello")
    async with visitor.told() as told:
        everything = await anext(told)
        assert everything["kind"] == "all"
        assert [person["name"] for person in everything["candidates"]] == ["Sara", "Karim"]
        assert everything["chats"][0]["messages"][0]["text"] == "Hello"

        await visitor.done("edit", user=visitor.sara.id, message=before["message_id"], text="Hello!")
        edited = await anext(told)
        assert (edited["kind"], edited["message"]["text"]) == ("edited", "Hello!")

        await visitor.done("react", user=visitor.sara.id, message=before["message_id"], emoji=["👍"])
        assert await anext(told) == {
            "kind": "reaction",
            "chat": visitor.sara.id,
            "message": before["message_id"],
            "emoji": ["👍"],
        }
        topic = visitor.api.topic(visitor.marie, visitor.group, "Fees")
        made = await anext(told)
        assert made["topics"] == [{"id": topic, "name": "Fees", "closed": False}]

        await visitor.done("delete", user=visitor.sara.id, message=before["message_id"])
        assert (await anext(told))["kind"] == "deleted"

        visitor.api.delete_topic(visitor.group, topic)
        gone = await anext(told)
        assert (gone["kind"], gone["chat"]["topics"], gone["chat"]["messages"]) == ("chat", [], [])

        visitor.api.events.publish("closing")
        assert await anext(told) == {"kind": "closing"}
        assert await anext(told, None) is None


async def test_what_the_bot_does_is_told(visitor: Visitor) -> None:
    await visitor.done("say", user=visitor.sara.id, text="Hello")
    answer = visitor.api.exchange.answer
    async with visitor.told() as told:
        await anext(told)
        await answer("sendChatAction", {"chat_id": visitor.sara.id, "action": "typing"})
        assert await anext(told) == {"kind": "typing", "chat": visitor.sara.id}
        keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
        await answer("sendMessage", {"chat_id": visitor.sara.id, "text": "Sure?", "reply_markup": keyboard})
        asked = (await anext(told))["message"]
        query = await visitor.done("press", user=visitor.sara.id, message=asked["message_id"], row=0, column=0)
        assert query["data"] == "y"
        await answer("answerCallbackQuery", {"callback_query_id": query["id"], "text": "Thanks"})
        assert await anext(told) == {"kind": "answered", "query": query["id"], "text": "Thanks"}
        commands = [{"command": "help", "description": "Aide"}]
        scope = {"type": "all_private_chats"}
        await answer("setMyCommands", {"commands": commands, "scope": scope, "language_code": "fr"})
        assert (await anext(told))["commands"] == {"fr": commands, "en": [], "group": []}


async def test_staff_write_in_their_group_and_candidates_at_home(visitor: Visitor) -> None:
    topic = visitor.api.topic(visitor.marie, visitor.group, "Fees")
    root = await visitor.done("say", user=visitor.marie.id, text="Hello", thread=topic)
    assert (root["chat"]["id"], root["message_thread_id"]) == (visitor.group.id, topic)
    again = await visitor.done("say", user=visitor.marie.id, text="More", thread=topic, reply_to=root["message_id"])
    assert again["reply_to_message"]["text"] == "Hello"
    at_home = await visitor.done("say", user=visitor.sara.id, text="Hello")
    assert at_home["chat"]["id"] == visitor.sara.id


async def test_files_go_up_and_come_back_as_they_were(visitor: Visitor) -> None:
    def about(name: str, person: int) -> dict[str, str]:
        return {"user": str(person), "name": name, "mime": "text/html", "caption": "Here"}

    sent = (await visitor.http.post("files", params=about("me.png", visitor.sara.id), content=PNG)).json()
    assert sent["caption"] == "Here"
    picture = await visitor.http.get(f"files/{sent['photo'][-1]['file_id']}")
    assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")

    page = b"<script>alert(1)</script>"
    sent = (await visitor.http.post("files", params=about("x.html", visitor.marie.id), content=page)).json()
    assert sent["document"]["file_name"] == "x.html"
    document = await visitor.http.get(f"files/{sent['document']['file_id']}")
    assert document.content == page
    assert document.headers["content-disposition"] == "attachment"
    assert document.headers["content-type"] == "application/octet-stream"
    assert (await visitor.http.get("files/FILE-photo-99")).status_code == 404


async def test_a_file_that_is_too_large_or_empty_is_refused(visitor: Visitor) -> None:
    about = {"user": str(visitor.sara.id), "name": "big.bin"}
    too_large = await visitor.http.post("files", params=about, content=bytes(LARGEST_FILE + 1))
    assert too_large.status_code == 413
    assert (await visitor.http.post("files", params=about, content=b"")).status_code == 400
    assert visitor.api.messages(visitor.sara) == []


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"action": "say", "user": 1, "text": "Hello"}',
        b'{"action": "say", "user": "Sara", "text": "Hello"}',
        b'{"action": "say", "user": 1000002, "text": "  "}',
        b'{"action": "edit", "user": 1000002, "message": 77, "text": "x"}',
        b'{"action": "press", "user": 1000002, "message": "x", "row": 0, "column": 0}',
        b'{"action": "add_bot", "user": 1000002}',
    ],
)
async def test_what_means_nothing_is_refused(visitor: Visitor, given: bytes) -> None:
    answer = await visitor.http.post("act", content=given)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_nobody_takes_back_what_another_wrote(visitor: Visitor) -> None:
    visitor.api.say(visitor.sara, "Hello")
    await visitor.api.exchange.answer("sendMessage", {"chat_id": visitor.sara.id, "text": "Hi"})
    theirs = visitor.api.messages(visitor.sara)[-1]
    assert (await visitor.act("delete", user=visitor.sara.id, message=theirs["message_id"])).status_code == 400
    changed = await visitor.act("edit", user=visitor.sara.id, message=theirs["message_id"], text="x")
    assert changed.status_code == 400
    assert visitor.api.messages(visitor.sara)[-1]["text"] == "Hi"


async def test_the_page_s_language_is_the_staff_s(visitor: Visitor) -> None:
    await visitor.done("speak", language="fr")
    assert visitor.spoken == ["fr"]
