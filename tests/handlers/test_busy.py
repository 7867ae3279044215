import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from telegram import Bot, Chat, Update
from telegram.constants import ChatType
from telegram.error import TelegramError

from bot.handlers import busy
from bot.handlers.context import Context


class Signs:
    """A bot that notes its signs, or fails to give them."""

    def __init__(self, error: TelegramError | None = None) -> None:
        self.given, self.error, self.seen = list[str](), error, asyncio.Event()

    async def do_api_request(self, method: str, api_kwargs: dict[str, object], **_: object) -> bool:
        self.given.append(f"{method} {api_kwargs['action']}")
        self.seen.set()
        if self.error:
            raise self.error
        return True


async def handled(signs: Signs, *, wait: bool = False, kind: str = ChatType.PRIVATE) -> list[str]:
    """The signs given while a handler waits for one, or does not wait."""

    async def handler(_update: Update, _context: Context) -> None:
        for _ in range(9):  # turns of the loop: enough for a sign to be given
            await asyncio.sleep(0)
        if wait:
            await signs.seen.wait()

    update = cast(Update, SimpleNamespace(effective_chat=Chat(1, kind)))
    context = cast(Context, SimpleNamespace(bot=cast(Bot, signs)))
    await busy.shown_as_typing(handler)(update, context)
    return signs.given


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busy, "SOON", 0)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("error", [None, TelegramError("no")])
async def test_what_takes_longer_shows_that_it_does_and_goes_on_if_that_fails(error: TelegramError | None) -> None:
    assert await handled(Signs(error), wait=True) == ["sendChatAction_ typing"]


async def test_what_is_quick_shows_nothing() -> None:
    assert await handled(Signs()) == []


@pytest.mark.usefixtures("soon")
async def test_a_group_sees_no_signs() -> None:
    assert await handled(Signs(), kind=ChatType.GROUP) == []
