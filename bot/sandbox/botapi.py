"""A Telegram of one's own: drive its people, serve it to the bot, look at what the bot did."""

import asyncio
import copy
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from starlette.routing import BaseRoute

from bot.sandbox.acting import Acting
from bot.sandbox.exchange import Call, Failure, Fault
from bot.sandbox.refusal import Json
from bot.sandbox.server import listen
from bot.sandbox.stage import Place

T = TypeVar("T")


class BotApi(Acting):
    """A Telegram of one's own with one bot. Changes are immediate; for one event loop."""

    def fail(
        self,
        method: str,
        error: Failure,
        times: int = 1,
        when: Callable[[Json], bool] = lambda _params: True,
        retry_after: int = 1,
    ) -> None:
        """Let the next matching calls fail; "*" is any method.

        `error` is a code, a description, a Refusal, or "drop_before" or "drop_after": the connection
        breaks before or after the call is carried out.
        """
        self.exchange.faults.append(Fault(method, error, times, when, retry_after))

    def messages(self, place: Place) -> list[Json]:
        """What is in a chat now, oldest first, edits applied."""
        return copy.deepcopy(list(self._chat(place).messages.values()))

    def reactions(self, message: Json) -> list[str]:
        """The emoji on a message, the bot's and people's."""
        given = self._chat(message["chat"]["id"]).reactions.get(message["message_id"], {})
        return [emoji for one in given.values() for emoji in one]

    def calls(self, method: str | None = None) -> list[Call]:
        """Every call so far, refused ones too, or those of one method."""
        return [call for call in self.exchange.calls if method in {None, call.method}]

    def pending(self) -> list[Json]:
        """Updates that the bot has not confirmed yet."""
        return copy.deepcopy(self.world.queue.pending)

    def answer_to(self, query: Json) -> Json | None:
        """How the bot answered a callback or inline query; None while it has not."""
        return self.world.queries.get(query["id"])

    async def wait_for(self, predicate: Callable[["BotApi"], T], timeout: float = 120) -> T:  # noqa: ASYNC109 - callers read better so
        """What `predicate` gives once it is true, asked after every change; AssertionError when too late."""
        try:
            async with asyncio.timeout(timeout):
                while not (value := predicate(self)):
                    await self.events.changed()
        except TimeoutError:
            raise AssertionError(f"not within {timeout} s; last messages:\n{self._last_messages()}") from None
        return value

    def _last_messages(self) -> str:
        messages = [message for chat in self.world.chats.values() for message in chat.messages.values()]
        messages.sort(key=lambda message: message["date"])
        lines = [
            f"{message['chat']['id']} #{message['message_id']} {message['from']['first_name']}: "
            f"{message.get('text') or message.get('caption') or sorted(message)}"
            for message in messages[-12:]
        ]
        return "\n".join(lines) or "(none)"


def serve(api: BotApi, port: int = 0, more: Iterable[BaseRoute] = ()) -> AbstractAsyncContextManager[str]:
    """Serve over HTTP on loopback; yields "http://127.0.0.1:PORT/bot"."""
    return listen(api.exchange, port, more)
