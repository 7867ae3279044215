"""The updates that wait for the bot: Telegram's offset rule, one poller, or a webhook."""

import asyncio
import contextlib
import time
from collections.abc import Collection
from dataclasses import dataclass, field

import httpx

from bot.sandbox.feed import Feed
from bot.sandbox.refusal import Json, Refusal, bad_request

# Only sent when the bot asks for them by name.
_ON_REQUEST = {"chat_member", "message_reaction", "message_reaction_count"}
_MAX_POLL = 50.0


@dataclass(slots=True)
class Webhook:
    """Where updates are posted to."""

    url: str
    secret: str = ""
    max_connections: int = 40
    last_error: Json = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Queue:
    """Updates in the order they happened, kept until the bot confirms them."""

    feed: Feed
    pending: list[Json] = field(default_factory=list)
    allowed: tuple[str, ...] = ()
    webhook: Webhook | None = None
    next_id: int = 700_000_001
    closed: bool = False
    _poller: object = None
    _waiting: int = 0

    @property
    def polled(self) -> bool:
        """Whether a getUpdates call waits right now."""
        return self._waiting > 0

    def add(self, kind: str, content: Json) -> None:
        """Queue an update unless the bot does not want that kind."""
        if kind in self.allowed or (not self.allowed and kind not in _ON_REQUEST):
            self.push({kind: content})

    def push(self, update: Json) -> None:
        """Queue any update, however strange; it gets an update_id if it has none."""
        update = {"update_id": self.next_id} | update
        if isinstance(update["update_id"], int):
            self.next_id = max(self.next_id, update["update_id"] + 1)
        self.pending.append(update)
        self.feed.publish("update", update)

    def allow(self, kinds: Collection[str] | None) -> None:
        """Remember `allowed_updates`; None leaves it, an empty list means the default."""
        if kinds is not None:
            self.allowed = tuple(kinds)

    def forget(self, offset: int) -> None:
        """An update is confirmed by asking for a later one; a negative offset keeps the last ones."""
        before = len(self.pending)
        if offset < 0:
            self.pending = self.pending[offset:]
        else:
            self.pending = [update for update in self.pending if update["update_id"] >= offset]
        if len(self.pending) != before:
            self.feed.publish("confirmed", offset)

    async def take(self, offset: int, limit: int, seconds: float) -> list[Json]:
        """Up to `limit` updates, waiting at most `seconds` for the first; a newer call ends this one."""
        if self.webhook:
            why = "can't use getUpdates method while webhook is active"
            raise Refusal(409, f"Conflict: {why}; use deleteWebhook to delete the webhook first")
        self.forget(offset)
        mine = self._poller = object()
        await self._first(mine, min(max(seconds, 0), _MAX_POLL))
        if self._poller is not mine:
            by = "setWebhook" if self.webhook else "other getUpdates"
            hint = "" if self.webhook else "; make sure that only one bot instance is running"
            raise Refusal(409, f"Conflict: terminated by {by} request{hint}")
        return self.pending[: min(max(limit, 1), 100)]

    async def _first(self, mine: object, seconds: float) -> None:
        """Wait until there is an update, time is up or `mine` is no longer the poller."""
        self._waiting += 1
        self.feed.publish("poll")
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while not self.pending and not self.closed and self._poller is mine:
                        await self.feed.changed()
        finally:
            self._waiting -= 1

    def set_webhook(self, url: str, secret: str, max_connections: int) -> None:
        """Deliver by POST from now on; an empty address turns back to polling."""
        if url and not url.startswith(("http://", "https://")):
            raise bad_request("bad webhook: Invalid URL specified")
        self.webhook = Webhook(url, secret, max_connections) if url else None
        self._poller = None
        self.feed.publish("webhook", url)

    def webhook_json(self) -> Json:
        """A WebhookInfo object."""
        info: Json = {"url": "", "has_custom_certificate": False, "pending_update_count": len(self.pending)}
        if self.webhook:
            info |= {"url": self.webhook.url, "max_connections": self.webhook.max_connections}
            info |= self.webhook.last_error
        return info | ({"allowed_updates": list(self.allowed)} if self.allowed else {})


@dataclass(slots=True, eq=False)
class Delivery:
    """Posts updates to the webhook: chats side by side, each in order, again and again until taken."""

    queue: Queue
    pause: float = 0.2
    _busy: set[int] = field(default_factory=set)

    async def run(self) -> None:
        """Deliver for as long as the server runs."""
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client, asyncio.TaskGroup() as tasks:
            while True:
                if webhook := self.queue.webhook:
                    for update in self._next(webhook):
                        self._busy.add(_chat_of(update))
                        tasks.create_task(self._deliver(client, webhook, update))
                await self.queue.feed.changed()

    def _next(self, webhook: Webhook) -> list[Json]:
        first: dict[int, Json] = {}
        for update in self.queue.pending:
            first.setdefault(_chat_of(update), update)
        free = [update for chat, update in first.items() if chat not in self._busy]
        return free[: max(webhook.max_connections - len(self._busy), 0)]

    async def _deliver(self, client: httpx.AsyncClient, webhook: Webhook, update: Json) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
        try:
            answer = await client.post(webhook.url, json=update, headers=headers)
            problem = "" if answer.is_success else f"Wrong response from the webhook: {answer.status_code}"
        except httpx.HTTPError as error:
            problem = f"Connection failed: {type(error).__name__}"
        if problem:
            webhook.last_error = {"last_error_date": int(time.time()), "last_error_message": problem}
            await asyncio.sleep(self.pause)
        elif update in self.queue.pending:
            self.queue.pending.remove(update)
        self._busy.discard(_chat_of(update))
        self.queue.feed.publish("delivery", problem)


def _chat_of(update: Json) -> int:
    """What keeps its order: the chat of an update, else its sender."""
    content = next((part for part in update.values() if isinstance(part, dict)), {})
    message = content.get("message", content)
    chat = message.get("chat") or content.get("from") or {}
    return int(chat.get("id") or 0) if isinstance(chat, dict) else 0
