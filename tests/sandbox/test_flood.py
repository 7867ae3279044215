import pytest
from telegram import Bot
from telegram.error import RetryAfter

from bot.sandbox.botapi import BotApi, serve
from bot.sandbox.flood import Flood
from bot.sandbox.refusal import Refusal

from .conftest import client


class Clock:
    def __init__(self) -> None:
        self.time = 1_000.0

    def __call__(self) -> float:
        return self.time


def granted(flood: Flood, chat_ids: list[int]) -> int:
    """How many messages pass before the first refusal."""
    for passed, chat_id in enumerate(chat_ids):
        try:
            flood.spend(chat_id)
        except Refusal:
            return passed
    return len(chat_ids)


@pytest.mark.parametrize(
    ("chat_ids", "passed"),
    [
        ([1] * 10, 3),  # a small burst in one chat
        (list(range(1, 40)), 30),  # over all
    ],
)
def test_budgets(chat_ids: list[int], passed: int) -> None:
    assert granted(Flood(Clock()), chat_ids) == passed


def test_a_group_gets_twenty_a_minute() -> None:
    clock = Clock()
    flood = Flood(clock)
    for _ in range(20):
        flood.spend(-5)
        clock.time += 1
    with pytest.raises(Refusal) as refused:
        flood.spend(-5)
    assert refused.value.parameters == {"retry_after": 40}
    clock.time += 40
    flood.spend(-5)


def test_an_album_counts_each_of_its_messages() -> None:
    flood = Flood(Clock())
    flood.spend(1, 10)
    with pytest.raises(Refusal):
        flood.spend(1)


async def test_flood_over_http() -> None:
    clock = Clock()
    api = BotApi(flood=True, now=clock)
    alice = api.user("Alice")
    api.say(alice, "hello")
    async with serve(api) as base_url, client(api, base_url) as bot:
        await burst(bot, alice.id)
        with pytest.raises(RetryAfter) as refused:
            await bot.send_message(alice.id, "too much")
        clock.time += 3
        await bot.send_message(alice.id, "in time")
    assert str(refused.value).endswith("Retry in 3 seconds")


async def burst(bot: Bot, chat_id: int) -> None:
    for number in range(3):
        await bot.send_message(chat_id, str(number))
    await bot.send_chat_action(chat_id, "typing")
