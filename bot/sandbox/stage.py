"""Who is there: people, groups, topics, and what befalls them."""

import copy
import time
from collections.abc import Callable, Iterable

from bot.sandbox.exchange import Exchange
from bot.sandbox.feed import Feed
from bot.sandbox.flood import Flood
from bot.sandbox.groups import set_closed
from bot.sandbox.media import FOLDERS
from bot.sandbox.people import Chat, User, member_json
from bot.sandbox.refusal import Json
from bot.sandbox.world import World

Person = User | int
Place = Chat | User | int
# What makes a message one of a person rather than a service message.
_CARRIED = {*FOLDERS, "location", "contact", "dice", "poll", "venue", "story"}


class Stage:
    """One Telegram with one bot: its people and chats. People and places are given as objects or ids."""

    def __init__(
        self,
        token: str = "123456:TEST-token",  # noqa: S107 - a made-up token for a made-up Telegram
        username: str = "guichet_bot",
        *,
        privacy: bool = True,
        flood: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.token = token
        bot = User(int(token.partition(":")[0]), "Guichet", username=username, is_bot=True)
        self.world = World(bot, now, privacy)
        self.exchange = Exchange(self.world, token, Flood(now) if flood else None)
        self._serial = 0

    @property
    def bot(self) -> User:
        """The bot's own user."""
        return self.world.bot

    @property
    def events(self) -> Feed:
        """Every change, to wait for or to follow."""
        return self.world.feed

    def user(
        self,
        first_name: str,
        *,
        last_name: str | None = None,
        username: str | None = None,
        language_code: str | None = "en",
        user_id: int | None = None,
    ) -> User:
        """A person who has not written to the bot yet."""
        user = User(user_id or 1_000_000 + self._next(), first_name, last_name, username, language_code)
        self.world.users[user.id] = user
        self.world.chats[user.id] = Chat(user.id, "private", user)
        self.events.publish("user", user.json())
        return user

    def group(
        self,
        title: str,
        *,
        forum: bool = False,
        supergroup: bool = False,
        bot_admin: bool = True,
        bot_lacks: Iterable[str] = (),
        members: Iterable[Person] = (),
        admins: Iterable[Person] = (),
    ) -> Chat:
        """A group with the bot in it; a forum is a supergroup. `bot_lacks` names rights withheld from the bot."""
        large = forum or supergroup
        number = 4_000_000 + self._next()
        chat = Chat(-1_000_000_000_000 - number if large else -number, "supergroup" if large else "group")
        chat.title, chat.forum, chat.bot_lacks = title, forum, frozenset(bot_lacks)
        chat.members = {self._user(person).id: "member" for person in members}
        chat.members |= {self._user(person).id: "administrator" for person in admins}
        chat.members[self.bot.id] = "administrator" if bot_admin else "member"
        self.world.chats[chat.id] = chat
        self.events.publish("chat", chat.json())
        return chat

    def block(self, user: Person) -> None:
        """The person blocks the bot."""
        self._bot_becomes(self._chat(user), "kicked", self._user(user))

    def unblock(self, user: Person) -> None:
        """The person lets the bot write again."""
        self._bot_becomes(self._chat(user), "member", self._user(user))

    def remove_bot(self, group: Place, by: Person | None = None) -> None:
        """The bot is thrown out of a group."""
        self._bot_becomes(self._chat(group), "kicked", self._member(group, by))

    def add_bot(self, group: Place, by: Person | None = None, *, admin: bool = True) -> None:
        """The bot is added to a group (again), or made an administrator."""
        self._bot_becomes(self._chat(group), "administrator" if admin else "member", self._member(group, by))

    def _bot_becomes(self, chat: Chat, status: str, who: User) -> None:
        old = member_json(chat, self.bot, self.bot.id)
        chat.members[self.bot.id] = status
        new = member_json(chat, self.bot, self.bot.id)
        change: Json = {"chat": chat.json(), "from": who.json(), "date": int(self.world.now())}
        self.events.publish("member", {"chat": chat.id, "user": self.bot.id})
        self.world.queue.add("my_chat_member", change | {"old_chat_member": old, "new_chat_member": new})

    def migrate(self, group: Place) -> Chat:
        """A group becomes a supergroup under a new id; the supergroup."""
        old = self._chat(group)
        large = self.group(old.title, supergroup=True, bot_lacks=old.bot_lacks)
        large.members = dict(old.members)
        owner = self._member(old, None)
        self._queue(old, "message", self.world.post(old, owner, {"migrate_to_chat_id": large.id}))
        self._queue(large, "message", self.world.post(large, owner, {"migrate_from_chat_id": old.id}))
        old.migrated_to = large.id
        return large

    def topic(self, user: Person, chat: Place, name: str) -> int:
        """A person makes a topic; its thread id."""
        place = self._chat(chat)
        topic = self.world.make_topic(place, self._user(user), name)
        self._queue(place, "message", place.messages[topic.id])
        return topic.id

    def close_topic(self, user: Person, chat: Place, thread: int, *, closed: bool = True) -> None:
        """A person closes or reopens a topic."""
        place = self._chat(chat)
        message = set_closed(self.world, place, place.topics[thread], self._user(user), closed=closed)
        self._queue(place, "message", message)

    def delete_topic(self, chat: Place, thread: int) -> None:
        """A topic goes with its messages; bots are not told."""
        self.world.remove_topic(self._chat(chat), thread)

    def leave(self, user: Person, group: Place) -> None:
        """A person leaves a group."""
        chat, person = self._chat(group), self._user(user)
        chat.members[person.id] = "left"
        self._queue(chat, "message", self.world.post(chat, person, {"left_chat_member": person.json()}))

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _user(self, who: Person) -> User:
        return who if isinstance(who, User) else self.world.users[who]

    def _chat(self, where: Place) -> Chat:
        return where if isinstance(where, Chat) else self.world.chats[where if isinstance(where, int) else where.id]

    def _member(self, group: Place, user: Person | None) -> User:
        """That person, or else anyone in the group who is not the bot."""
        if user is not None:
            return self._user(user)
        others = [member for member in self._chat(group).members if member != self.bot.id]
        return self._user(others[0]) if others else self.user("Owner")

    def _queue(self, chat: Chat, kind: str, message: Json) -> None:
        if chat.members.get(self.bot.id) not in {None, "left", "kicked"} and self._visible(chat, message):
            self.world.queue.add(kind, copy.deepcopy(message))

    def _visible(self, chat: Chat, message: Json) -> bool:
        """Privacy mode: of a group a bot sees service messages, commands for it and replies to it."""
        if chat.person or not self.world.privacy or chat.is_admin(self.bot.id):
            return True
        text = str(message.get("text") or message.get("caption") or "")
        service = not text and not message.keys() & _CARRIED
        answered = message.get("reply_to_message", {}).get("from", {}).get("id") == self.bot.id
        command = text.startswith("/") and self._addressed(text.split(maxsplit=1)[0])
        return service or answered or command

    def _addressed(self, command: str) -> bool:
        _, _, name = command.partition("@")
        return not name or name.lower() == str(self.bot.username).lower()
