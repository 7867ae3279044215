"""Everything the server knows, and the rules for who may write where."""

import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.feed import Feed
from bot.sandbox.media import File
from bot.sandbox.people import Chat, Topic, User
from bot.sandbox.refusal import Json, Refusal, bad_request, forbidden
from bot.sandbox.updates import Queue


@dataclass(slots=True, eq=False)
class World:
    """The state behind the Bot API: one bot, its chats, files and updates. For one event loop."""

    bot: User
    now: Callable[[], float] = time.time
    privacy: bool = True
    inline: bool = True  # as /setinline at @BotFather sets it
    feed: Feed = field(default_factory=Feed)
    queue: Queue = field(init=False)
    users: dict[int, User] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    # Scope and language → commands.
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    # Callback or inline query id → what the bot answered; None while it has not.
    queries: dict[str, Json | None] = field(default_factory=dict)
    # Private chats and basic groups share one count, as in a real account; a supergroup has its own.
    next_message_id: int = 1

    def __post_init__(self) -> None:
        self.queue = Queue(self.feed)
        self.users[self.bot.id] = self.bot

    def chat(self, chat_id: Any) -> Chat:
        """The chat with that id or @username; raises Refusal when there is none."""
        if chat_id in {None, ""}:
            raise bad_request("chat_id is empty")
        if str(chat_id).startswith("@"):
            named = [chat for chat in self.chats.values() if f"@{chat.username}" == chat_id]
        else:
            named = [self.chats[number] for number in [number_of(chat_id)] if number in self.chats]
        if not named:
            raise bad_request("chat not found")
        return named[0]

    def open_chat(self, chat_id: Any) -> Chat:
        """The chat, if the bot has access to it; raises Refusal with Telegram's reason if not."""
        chat = self.chat(chat_id)
        status = chat.members.get(self.bot.id)
        if chat.migrated_to:
            moved = {"migrate_to_chat_id": chat.migrated_to}
            raise Refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", moved)
        if chat.person:
            if chat.person.is_bot:
                raise forbidden("bot can't send messages to bots")
            if status is None:
                raise forbidden("bot can't initiate conversation with a user")
            if status == "kicked":
                raise forbidden("bot was blocked by the user")
        elif status == "kicked":
            raise forbidden(f"bot was kicked from the {chat.kind} chat")
        elif status in {None, "left"}:
            raise forbidden(f"bot is not a member of the {chat.kind} chat")
        return chat

    def bot_may(self, chat: Chat, right: str) -> bool:
        """Whether the bot is an administrator with that right."""
        return chat.is_admin(self.bot.id) and right not in chat.bot_lacks

    def message(self, chat: Chat, message_id: Any, purpose: str) -> Json:
        """The stored message; raises Refusal "message to … not found"."""
        try:
            return chat.messages[int(message_id)]
        except (KeyError, TypeError, ValueError):
            raise bad_request(f"{purpose} not found") from None

    def topic(self, chat: Chat, thread_id: Any) -> Topic | None:
        """The topic to write into; raises Refusal when it is gone or closed to the bot."""
        if thread_id in {None, "", 0, "0"}:
            return None
        topic = chat.topics.get(int(thread_id))
        if topic is None:
            if chat.kind == "supergroup" and not chat.forum and int(thread_id) in chat.messages:
                return None
            raise bad_request("message thread not found")
        if topic.closed and not self.bot_may(chat, "can_manage_topics"):
            raise bad_request("TOPIC_CLOSED")
        return topic

    def post(
        self, chat: Chat, sender: User, content: Json, *, reply_to: int | None = None, thread: int | None = None
    ) -> Json:
        """Put a message into a chat and return it as stored."""
        message: Json = {
            "message_id": self._message_id(chat),
            "from": sender.json(),
            "chat": chat.json(),
            "date": int(self.now()),
            **_threaded(chat, reply_to, thread),
            **content,
        }
        chat.messages[message["message_id"]] = message
        self.feed.publish("message", message)
        return message

    def _message_id(self, chat: Chat) -> int:
        counter: World | Chat = chat if chat.kind == "supergroup" else self
        counter.next_message_id += 1
        return counter.next_message_id - 1

    def make_topic(self, chat: Chat, maker: User, name: str, icon_color: int = 0x6FB9F0) -> Topic:
        """Make a topic and its service message."""
        created = {"name": name, "icon_color": icon_color}
        message = self.post(chat, maker, {"forum_topic_created": created})
        topic = Topic(message["message_id"], name, icon_color)
        message |= {"message_thread_id": topic.id, "is_topic_message": True}
        chat.topics[topic.id] = topic
        return topic

    def remove_topic(self, chat: Chat, thread_id: int) -> None:
        """Remove a topic with its messages; Telegram tells bots nothing of it."""
        del chat.topics[thread_id]
        for message_id, message in list(chat.messages.items()):
            if message.get("message_thread_id") == thread_id:
                del chat.messages[message_id]
        self.feed.publish("topic deleted", {"chat": chat.id, "thread": thread_id})


def _threaded(chat: Chat, reply_to: int | None, thread: int | None) -> Json:
    """Reply and thread as Telegram shows them to bots.

    In a topic, what replies to nothing looks like a reply to the topic's first service message;
    outside of topics, replies in a supergroup carry the id of the message that began the thread.
    """
    original = chat.messages.get(reply_to or 0)
    where: Json = {}
    if thread and thread in chat.topics:
        where = {"message_thread_id": thread, "is_topic_message": True}
        original = original or chat.messages.get(thread)
    elif original and original.get("is_topic_message"):
        where = {"message_thread_id": original["message_thread_id"], "is_topic_message": True}
    elif original and chat.kind == "supergroup":
        where = {"message_thread_id": original.get("message_thread_id", original["message_id"])}
    if original:
        where["reply_to_message"] = quoted(original)
    return where


def quoted(message: Json) -> Json:
    """A message inside another: without the one it replies to in turn."""
    return copy.deepcopy({key: part for key, part in message.items() if key != "reply_to_message"})


def parsed(value: Any, what: str) -> Any:
    """A parameter that is JSON in a form and a plain value in a JSON body."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise bad_request(f"can't parse {what} JSON object") from None


def flag(params: Json, name: str) -> bool:
    """A Boolean parameter."""
    return str(params.get(name, "")).lower() in {"true", "1", "yes"}


def number_of(value: Any, default: int = 0) -> int:
    """An integer parameter; what is no number counts as absent, as in Telegram."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return default
