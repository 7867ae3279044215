"""What people do: write, send, edit, tap, react."""

import copy
from collections.abc import Iterable
from typing import Any

from bot.sandbox import media
from bot.sandbox.changing import remove
from bot.sandbox.keyboard import find_button
from bot.sandbox.markup import commands
from bot.sandbox.people import Chat
from bot.sandbox.refusal import Json
from bot.sandbox.stage import Person, Place, Stage


class Acting(Stage):
    """People act at once; the messages returned are copies that show a moment, as a screen would."""

    def post(
        self,
        user: Person,
        content: Json,
        *,
        chat: Place | None = None,
        reply_to: Json | int | None = None,
        thread: int | None = None,
    ) -> Json:
        """Any message from a person, queued for the bot if it may see it."""
        sender = self._user(user)
        place = self._chat(sender if chat is None else chat)
        status = place.members.get(self.bot.id)
        if place.person and status == "kicked":
            raise ValueError(f"{sender.first_name} blocked the bot: unblock first")
        if place.person:
            place.members[self.bot.id] = "member"
        place.members.setdefault(sender.id, "member")
        original = reply_to["message_id"] if isinstance(reply_to, dict) else reply_to
        message = self.world.post(place, sender, copy.deepcopy(content), reply_to=original, thread=thread)
        self._queue(place, "message", message)
        return copy.deepcopy(message)

    def say(
        self,
        user: Person,
        text: str,
        chat: Place | None = None,
        reply_to: Json | int | None = None,
        thread: int | None = None,
        **extra: Any,
    ) -> Json:
        """A text; without `chat` in the person's private chat. `extra` joins the message, entities for instance."""
        found = commands(text)
        content = {"text": text} | ({"entities": found} if found else {}) | extra
        return self.post(user, content, chat=chat, reply_to=reply_to, thread=thread)

    def send_media(  # noqa: PLR0913 - keywords, each with its usual value
        self,
        user: Person,
        kind: str,
        *,
        caption: str | None = None,
        group_id: str | None = None,
        data: bytes = b"not really a picture",
        name: str = "file.bin",
        mime: str = "application/octet-stream",
        chat: Place | None = None,
        reply_to: Json | int | None = None,
        thread: int | None = None,
        **extra: Any,
    ) -> Json:
        """A photo, voice, sticker … or a location or contact; the same `group_id` makes an album."""
        if kind == "location":
            content: Json = {"location": {"latitude": 50.37, "longitude": 3.08}}
        elif kind == "contact":
            content = {"contact": {"phone_number": "+33300000000", "first_name": self._user(user).first_name}}
        else:
            content = media.content(media.store(self.world.files, kind, media.Upload(name, data, mime)))
        content |= {"caption": caption} if caption else {}
        content |= {"media_group_id": group_id} if group_id else {}
        return self.post(user, content | extra, chat=chat, reply_to=reply_to, thread=thread)

    def edit(self, user: Person, message: Json, text: str = "", **content: Any) -> Json:
        """The person changes the text, or caption, of their message; `content` takes the place of other parts."""
        chat, stored = self._stored(message)
        if stored["from"]["id"] != self._user(user).id:
            raise ValueError("people can only edit their own messages")
        name = "text" if "text" in stored else "caption"
        entities = "entities" if name == "text" else "caption_entities"
        stored |= copy.deepcopy(content) | {"edit_date": int(self.world.now())}
        if text:
            stored |= {name: text, entities: content.get(entities, commands(text))}
        if not stored.get(entities):
            stored.pop(entities, None)
        self.events.publish("edited", stored)
        self._queue(chat, "edited_message", stored)
        return copy.deepcopy(stored)

    def press(self, user: Person, message: Json, button: str | tuple[int, int], *, forged: bool = False) -> Json:
        """Tap a button of a message as shown, by its text, data or (row, column); the callback query.

        `forged` sends the given data although no such button is there.
        """
        data = button if forged else find_button(message, button).get("callback_data")
        if data is None:
            raise ValueError(f"button {button!r} sends nothing to the bot")
        shown = self._chat(message["chat"]["id"]).messages.get(message["message_id"])
        # What was deleted meanwhile arrives as an inaccessible message.
        gone = {"chat": message["chat"], "message_id": message["message_id"], "date": 0}
        query = self._query(user, {"message": copy.deepcopy(shown or gone), "data": data})
        query["chat_instance"] = str(message["chat"]["id"])
        self.world.queue.add("callback_query", query)
        return copy.deepcopy(query)

    def inline(self, user: Person, query: str) -> Json:
        """The person types @bot and a query in some chat; the inline query."""
        inline = self._query(user, {"query": query, "offset": "", "chat_type": "sender"})
        self.world.queue.add("inline_query", inline)
        return inline

    def react(self, user: Person, message: Json, *emoji: str) -> None:
        """The person's reaction to a message; none takes it back."""
        chat, stored = self._stored(message)
        sender, given = self._user(user), chat.reactions.setdefault(stored["message_id"], {})
        old = given.get(sender.id, [])
        given[sender.id] = list(emoji)
        update = {"chat": chat.json(), "message_id": stored["message_id"], "user": sender.json()}
        update |= {"date": int(self.world.now()), "old_reaction": _emoji(old), "new_reaction": _emoji(emoji)}
        self.events.publish("reaction", update)
        if chat.person or chat.is_admin(self.bot.id):
            self.world.queue.add("message_reaction", update)

    def erase(self, message: Json) -> None:
        """Someone deletes a message; bots are not told."""
        chat, stored = self._stored(message)
        remove(self.world, chat, stored["message_id"])

    def push(self, update: Json) -> None:
        """Any update, of unknown kind or malformed if need be."""
        self.world.queue.push(copy.deepcopy(update))

    def _query(self, user: Person, content: Json) -> Json:
        query: Json = {"id": str(90_000_000 + self._next()), "from": self._user(user).json()} | content
        self.world.queries[query["id"]] = None
        return query

    def _stored(self, message: Json) -> tuple[Chat, Json]:
        chat = self._chat(message["chat"]["id"])
        return chat, chat.messages[message["message_id"]]


def _emoji(emoji: Iterable[str]) -> list[Json]:
    return [{"type": "emoji", "emoji": one} for one in emoji]
