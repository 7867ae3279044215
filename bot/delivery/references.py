"""Payloads that name what is known only later: messages of other rows, how those ended, ids of chats."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.records.states import OutgoingState

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """How a row ended, or that it has not."""

    state: OutgoingState
    message_id: int | None
    message_ids: tuple[int, ...] = ()  # of an album
    error: str | None = None

    def message(self, part: int = 0) -> int | None:
        """The id of the message, or of one of an album."""
        return self.message_ids[part] if part < len(self.message_ids) else self.message_id


@dataclass(frozen=True, slots=True)
class NotYet:
    """A row named in the payload has not been sent."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """A row named in the payload has no message and will have none."""

    row_id: int


NAMES = ("message_of", "error_of", "chat_of")
# What a message can do without: it then replies to nothing, or stands outside of the topic that could not be made.
DISPENSABLE = ("reply_parameters", "message_thread_id")


def named(value: Any, name: str = "message_of") -> Iterator[int]:
    """The ids that a payload names.

    `{"message_of": row}` stands for the message that a row sent, `{"message_of": row, "part": 2}` for the third of an
    album; `{"error_of": row, "texts": {"blocked": "…", "": "…"}}` for the first text whose key is in that row's error;
    `{"chat_of": chat}` for Telegram's id of one of our chats.
    """
    if isinstance(value, dict):
        if name in value:
            yield value[name]
        for item in value.values():
            yield from named(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from named(item, name)


def refers(value: Any) -> bool:
    """Whether a payload names anything; most do not, and are spared a closer look."""
    if isinstance(value, dict):
        return any(name in value for name in NAMES) or refers(list(value.values()))
    return isinstance(value, list) and any(refers(item) for item in value if isinstance(item, dict | list))


def resolve(
    payload: Payload, results: Mapping[int, Result], chats: Mapping[int, int] | None = None
) -> Payload | NotYet | Impossible:
    """The payload with Telegram's ids in their places; a reply to nothing becomes a plain message."""
    if not refers(payload):
        return payload
    ids = set(named(payload))
    if any(row_id in results and results[row_id].state is OutgoingState.WAITING for row_id in ids):
        return NotYet()
    gone = {row_id for row_id in ids if row_id not in results or results[row_id].message_id is None}
    for name in DISPENSABLE:
        if gone & set(named(payload.get(name))):
            payload = {key: value for key, value in payload.items() if key != name}
    if missing := gone & set(named(payload)):
        return Impossible(min(missing))
    if missing := set(named(payload, "chat_of")) - (chats or {}).keys():
        return Impossible(min(missing))
    filled = _fill(payload, results, chats or {})
    return filled if isinstance(filled, dict) else payload


def _fill(value: Any, results: Mapping[int, Result], chats: Mapping[int, int]) -> Any:
    match value:
        case {"message_of": _}:
            return results[value["message_of"]].message(value.get("part", 0))
        case {"error_of": _}:
            ended = results.get(value["error_of"])
            return _fitting(value["texts"], ended.error if ended else None)
        case {"chat_of": _}:
            return chats[value["chat_of"]]
        case dict():
            return {name: _fill(item, results, chats) for name, item in value.items()}
        case list():
            return [_fill(item, results, chats) for item in value]
        case _:
            return value


def _fitting(texts: Mapping[str, str], error: str | None) -> str:
    said = (error or "").lower()
    return next(text for key, text in texts.items() if key in said)
