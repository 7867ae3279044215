"""What a raw update says of itself, read without trusting its shape."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

Raw = dict[str, Any]  # one update as Telegram sent it

# Where each kind names the chat in which it is to be handled in order.
PLACES: dict[str, tuple[tuple[str, ...], ...]] = {
    "message": (("chat",),),
    "edited_message": (("chat",),),
    "channel_post": (("chat",),),
    "edited_channel_post": (("chat",),),
    "message_reaction": (("chat",),),
    "my_chat_member": (("chat",),),
    "chat_member": (("chat",),),
    "callback_query": (("message", "chat"), ("from",)),
    "inline_query": (),  # what somebody types elsewhere opens no chat with them, so nothing of them is kept
    "chosen_inline_result": (("from",),),
}
WRITTEN = {"message", "edited_message", "callback_query"}  # who sends one can be reached again
KINDS = ("private", "group", "supergroup", "channel")  # looked through: what stands there may have no hash
LIMIT = 2**63
# Telegram repeats an update for a day; after a week without any its numbers begin anew, anywhere.
REPEATED = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Place:
    """A chat as an update names it."""

    telegram_id: int
    kind: str


def number(raw: object) -> int | None:
    """The update's id; None if it has none that can be stored."""
    return _integer(raw.get("update_id")) if isinstance(raw, dict) else None


def kind(raw: Raw) -> str:
    """What the update carries, e.g. "message"; "unknown" if nothing."""
    return next((str(key)[:64] for key in raw if key != "update_id"), "unknown")


def label(raw: Raw) -> str:
    """The kind, if it is one that we know of, else "other": for counting."""
    return found if (found := kind(raw)) in PLACES else "other"


def place(raw: Raw) -> Place | None:
    """The chat that the update belongs to; a person's private chat where only a person is named."""
    for path in PLACES.get(kind(raw), ()):
        found = _dig(raw, (kind(raw), *path))
        telegram_id = _integer(found.get("id"))
        chat_kind = "private" if path[-1] == "from" else found.get("type")
        if telegram_id is not None and chat_kind in KINDS:
            return Place(telegram_id, str(chat_kind))
    return None


def moved_to(raw: Raw) -> int | None:
    """The new id of a group that has just become a supergroup."""
    return _integer(_dig(raw, ("message",)).get("migrate_to_chat_id"))


def _dig(raw: Raw, path: tuple[str, ...]) -> Raw:
    found: object = raw
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _integer(value: object) -> int | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and -LIMIT <= value < LIMIT
    return value if fits and isinstance(value, int) else None
