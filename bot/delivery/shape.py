"""Whether an update has the shape that the Bot API promises, as far as handlers read it.

The library makes objects of whatever it is given: a text that is a number would fail only in the midst of a handler,
and be tried again in vain. What no handler reads is not judged, so that what Telegram adds one day does no harm.
"""

from typing import Any

from bot.delivery.incoming import LIMIT, Raw

# A type; a dictionary for an object, by names; or a list of one for a list of such.
Shape = type | dict[str, Any] | list[Any]

_CHAT: Shape = {"id": int, "type": str, "title": str, "username": str, "is_forum": bool}
_NAMES = ("first_name", "last_name", "username", "language_code")
_USER: Shape = {"id": int, "is_bot": bool, **dict.fromkeys(_NAMES, str)}
_MARKS: Shape = [{"type": str, "offset": int, "length": int, "url": str, "user": _USER}]
_FILE: Shape = {"file_id": str, "file_unique_id": str, "file_name": str, "mime_type": str, "file_size": int}
_BUTTONS: Shape = {"inline_keyboard": [[{"text": str, "callback_data": str}]]}
_PLACE: Shape = {"latitude": float, "longitude": float, "live_period": int, "heading": int}
_NUMBERS = ("message_id", "date", "edit_date", "message_thread_id", "migrate_to_chat_id", "migrate_from_chat_id")
_FILES = ("animation", "video", "audio", "voice", "video_note", "document", "sticker")
_SHOWN: dict[str, Any] = {
    **dict.fromkeys(_NUMBERS, int),
    **dict.fromkeys(("text", "caption", "media_group_id"), str),
    **dict.fromkeys(("entities", "caption_entities"), _MARKS),
    **dict.fromkeys(("chat", "sender_chat"), _CHAT),
    **dict.fromkeys(_FILES, _FILE),
    "from": _USER,
    "photo": [_FILE],
    "location": _PLACE,
    "venue": {"location": _PLACE, "title": str, "address": str},
    "contact": {"phone_number": str, "first_name": str, "last_name": str},
    "poll": {"question": str, "type": str, "total_voter_count": int, "options": [{"text": str}]},
    "reply_markup": _BUTTONS,
}
_MESSAGE: Shape = {**_SHOWN, "reply_to_message": _SHOWN}
_MEMBER: Shape = {"user": _USER, "status": str}
UPDATE: dict[str, Any] = {
    "message": _MESSAGE,
    "edited_message": _MESSAGE,
    # No handler is for these, but the library's filters look at them before that is known.
    **dict.fromkeys(("channel_post", "edited_channel_post", "business_message", "edited_business_message"), _MESSAGE),
    "callback_query": {"id": str, "from": _USER, "message": _MESSAGE, "data": str, "inline_message_id": str},
    "inline_query": {"id": str, "from": _USER, "query": str, "offset": str},
    "my_chat_member": {"chat": _CHAT, "from": _USER, "old_chat_member": _MEMBER, "new_chat_member": _MEMBER},
}
# Without these, wherever they stand, nothing can be done with what they stand in.
_NEEDED = frozenset("id type chat message_id date offset length file_id first_name status query".split())
_CALLED = {str: "text", int: "whole number", bool: "yes or no", float: "number"}


def fault(raw: Raw) -> str | None:
    """The first field that is not what it has to be, e.g. "message.text is no text"; None if all are."""
    return _fault(raw, UPDATE, "")


def _fault(value: object, shape: Shape, name: str) -> str | None:
    if value is None:
        return None
    if isinstance(shape, type):
        return None if _fits(value, shape) else f"{name} is no {_CALLED[shape]}"
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return f"{name} is no object"
        if missing := [key for key in shape if key in _NEEDED and value.get(key) is None]:
            return f"{name}.{missing[0]} is missing"
        parts = [(value.get(key), inner, f"{name}.{key}".strip(".")) for key, inner in shape.items()]
    elif isinstance(value, list):
        parts = [(item, shape[0], f"{name}[]") for item in value]
    else:
        return f"{name} is no list"
    return next((found for part in parts if (found := _fault(*part))), None)


def _fits(value: object, shape: type) -> bool:
    if shape in (str, bool):
        return isinstance(value, shape)
    if isinstance(value, bool):
        return False
    if shape is float:
        return isinstance(value, int | float)
    return isinstance(value, int) and -LIMIT <= value < LIMIT
