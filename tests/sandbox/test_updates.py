import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import Bot, Update
from telegram.error import BadRequest, Conflict

from bot.sandbox.botapi import BotApi, serve
from bot.sandbox.people import User

from .conftest import client


async def poll(bot: Bot, **params: Any) -> list[dict[str, Any]]:
    updates: list[dict[str, Any]] = await bot.do_api_request("getupdates", api_kwargs=params)
    return updates


def texts(updates: list[dict[str, Any]]) -> list[str]:
    return [update["message"]["text"] for update in updates]


async def test_an_update_stays_until_a_later_one_is_asked_for(bot: Bot, api: BotApi, alice: User) -> None:
    for text in "abc":
        api.say(alice, text)
    first = await poll(bot)
    assert texts(first) == ["a", "b", "c"]
    assert await poll(bot) == first
    assert texts(await poll(bot, offset=first[0]["update_id"] + 1, limit=1)) == ["b"]
    assert texts(api.pending()) == ["b", "c"]
    assert texts(await poll(bot, offset=-1)) == ["c"]
    assert texts(api.pending()) == ["c"]
    assert await poll(bot, offset=first[2]["update_id"] + 1) == []
    assert api.pending() == []


async def test_updates_are_real_ones(bot: Bot, api: BotApi, alice: User) -> None:
    api.say(alice, "😀 /start@guichet_bot now")
    update = Update.de_json((await poll(bot))[0], bot)
    assert update.message is not None
    assert list(update.message.parse_entities().values()) == ["/start@guichet_bot"]
    assert update.effective_user is not None
    assert update.effective_user.language_code == "fr"


async def test_a_long_poll_wakes_at_once(bot: Bot, api: BotApi, alice: User) -> None:
    waiting = asyncio.create_task(poll(bot, timeout=50))
    await api.wait_for(lambda _: api.world.queue.polled)
    api.say(alice, "now")
    assert texts(await asyncio.wait_for(waiting, 5)) == ["now"]


async def test_two_pollers_are_in_conflict_and_the_newer_one_stays(bot: Bot, api: BotApi, alice: User) -> None:
    older = asyncio.create_task(poll(bot, timeout=50))
    await api.wait_for(lambda _: api.world.queue.polled)
    newer = asyncio.create_task(poll(bot, timeout=50))
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await older
    api.say(alice, "hello")
    assert texts(await newer) == ["hello"]


async def test_kinds_of_updates_are_sent_on_request(bot: Bot, api: BotApi, alice: User) -> None:
    message = api.messages(alice)[0]
    api.react(alice, message, "👍")
    api.edit(alice, message, "changed")
    assert [[*update][1] for update in await poll(bot)] == ["edited_message"]
    await poll(bot, offset=-1, allowed_updates=["message_reaction"])
    api.react(alice, message)
    api.say(alice, "not wanted")
    assert [[*update][1] for update in await poll(bot)] == ["edited_message", "message_reaction"]


async def test_strange_updates_can_be_pushed(bot: Bot, api: BotApi) -> None:
    api.push({"telepathy": {"strength": 3}})
    api.push({"update_id": 900_000_000, "message": "not an object"})
    api.push({"update_id": 900_000_000, "message": "again"})
    assert [update["update_id"] for update in await poll(bot)] == [700_000_001, 900_000_000, 900_000_000]


@asynccontextmanager
async def receiver(api: BotApi, statuses: list[int]) -> AsyncIterator[tuple[str, list[Request], list[str]]]:
    """A webhook that answers with the given statuses, then 200; served beside the Bot API."""
    requests: list[Request] = []
    bodies: list[str] = []

    async def hook(request: Request) -> Response:
        bodies.append((await request.json())["message"]["text"])
        requests.append(request)
        return Response(status_code=statuses.pop(0) if statuses else 200)

    async with serve(api, more=[Route("/hook", hook, methods=["POST"])]) as base_url:
        yield base_url, requests, bodies


async def test_webhook(api: BotApi, alice: User) -> None:
    async with receiver(api, [500]) as (base_url, requests, bodies), client(api, base_url) as bot:
        await bot.set_webhook(base_url.replace("/bot", "/hook"), secret_token="s3cret")
        with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
            await poll(bot)
        api.say(alice, "a")
        api.say(alice, "b")
        await api.wait_for(lambda api: not api.pending())
        assert bodies == ["a", "a", "b"]
        assert {request.headers["x-telegram-bot-api-secret-token"] for request in requests} == {"s3cret"}
        info = await bot.get_webhook_info()
        assert (info.pending_update_count, info.last_error_message) == (0, "Wrong response from the webhook: 500")
        await bot.delete_webhook()
        api.say(alice, "c")
        assert texts(await poll(bot)) == ["c"]


async def test_bad_webhooks(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Bad webhook"):
        await bot.set_webhook("not an address")
    with pytest.raises(BadRequest, match="Secret token contains unallowed characters"):
        await bot.set_webhook("https://example.org", secret_token="é")
