from collections.abc import AsyncIterator

import pytest
from telegram import Bot

from bot.delivery.requests import AiohttpRequest
from bot.sandbox.botapi import BotApi, serve
from bot.sandbox.people import User


@pytest.fixture
def api() -> BotApi:
    return BotApi()


@pytest.fixture
def alice(api: BotApi) -> User:
    """A candidate whom the bot may write to; nothing is left in the queue."""
    return acquaintance(api, "Alice")


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    async with serve(api) as base_url:
        way = AiohttpRequest()
        bot = Bot(api.token, base_url=base_url, request=way, get_updates_request=way)
        async with bot:
            yield bot


def acquaintance(api: BotApi, name: str) -> User:
    user = api.user(name)
    api.say(user, "hello")
    api.world.queue.pending.clear()
    return user
