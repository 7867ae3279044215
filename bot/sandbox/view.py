"""What the demonstration's page is told: everything at first, then each change."""

from dataclasses import dataclass

from bot.sandbox.botapi import BotApi
from bot.sandbox.feed import Event
from bot.sandbox.people import Chat, User
from bot.sandbox.refusal import Json


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: people who ask, people who answer, and the group where they do."""

    candidates: tuple[User, ...]
    staff: tuple[User, ...]
    group: Chat

    def place_of(self, person: int) -> Chat | None:
        """The group for its members; None for everybody else, who write in their own chat."""
        return self.group if person in {member.id for member in self.staff} else None

    def __contains__(self, person: int) -> bool:
        return any(person == one.id for one in (*self.candidates, *self.staff))


def everything(api: BotApi, cast: Cast) -> Json:
    """All that there is to show."""
    places = [api.world.chats[person.id] for person in cast.candidates] + [cast.group]
    return {
        "kind": "all",
        "bot": {"id": api.bot.id, "name": api.bot.first_name},
        "candidates": [_person(person) for person in cast.candidates],
        "staff": [_person(person) for person in cast.staff],
        "group": cast.group.id,
        "chats": [_chat(chat) for chat in places],
        "commands": _commands(api, cast),
    }


def change(api: BotApi, cast: Cast, event: Event) -> Json | None:
    """What the page is told of a change; None where it shows nothing of it."""
    seen = event.payload
    match event.kind:
        case "message" | "edited":
            chat = api.world.chats[seen["chat"]["id"]]
            return {"kind": event.kind, "chat": chat.id, "message": seen, "topics": _topics(chat)}
        case "deleted":
            return {"kind": "deleted", "chat": seen["chat"], "message": seen["message_id"]}
        case "topic deleted":
            return {"kind": "chat", "chat": _chat(api.world.chats[seen["chat"]])}
        case "reaction":
            chat = api.world.chats[seen["chat"]["id"] if isinstance(seen["chat"], dict) else seen["chat"]]
            emoji = _reactions(chat).get(seen["message_id"], [])
            return {"kind": "reaction", "chat": chat.id, "message": seen["message_id"], "emoji": emoji}
        case "action":
            return {"kind": "typing", "chat": seen["chat"]}
        case "answered":
            answer = seen["answer"]
            return {"kind": "answered", "query": seen["query"], "text": answer.get("text") or ""}
        case "commands":
            return {"kind": "commands", "commands": _commands(api, cast)}
        case _:
            return None


def _person(person: User) -> Json:
    return {"id": person.id, "name": person.first_name, "language": person.language_code}


def _chat(chat: Chat) -> Json:
    return {
        "id": chat.id,
        "title": chat.title,
        "topics": _topics(chat),
        "messages": list(chat.messages.values()),
        "reactions": _reactions(chat),
    }


def _topics(chat: Chat) -> list[Json]:
    return [{"id": topic.id, "name": topic.name, "closed": topic.closed} for topic in chat.topics.values()]


def _reactions(chat: Chat) -> dict[int, list[str]]:
    """Message id → emoji, the bot's and people's."""
    given = {number: [emoji for one in by.values() for emoji in one] for number, by in chat.reactions.items()}
    return {number: emoji for number, emoji in given.items() if emoji}


def _commands(api: BotApi, cast: Cast) -> Json:
    """The menus as Telegram would show them: by language in private chats; in the group that of its administrators."""
    said = api.world.commands
    general = said.get(("all_private_chats", ""), [])
    by_language = {one: said.get(("all_private_chats", one), general) for one in ("fr", "en")}
    of_group = [said.get((f"{scope} {cast.group.id}", "")) for scope in ("chat_administrators", "chat")]
    return by_language | {"group": next(filter(None, of_group), [])}
