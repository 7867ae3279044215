from collections.abc import AsyncIterator

import pytest
from telegram import Bot

from bot.sandbox.botapi import BotApi, serve
from bot.sandbox.people import User


@pytest.fixture
def api() -> BotApi:
    return BotApi()


@pytest.fixture
def alice(api: BotApi) -> User:
    """A candidate who has written to the bot; nothing is left in the queue."""
    alice = api.user("Alice", language_code="fr")
    api.say(alice, "Bonjour")
    api.world.queue.pending.clear()
    return alice


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    async with serve(api) as base_url, client(api, base_url) as bot:
        yield bot


def client(api: BotApi, base_url: str) -> Bot:
    return Bot(api.token, base_url=base_url, base_file_url=base_url.replace("/bot", "/file/bot"))
