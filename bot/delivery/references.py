"""Payloads that name the messages of other rows."""

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


@dataclass(frozen=True, slots=True)
class NotYet:
    """A row named in the payload has not been sent."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """A row named in the payload has no message and will have none."""

    row_id: int


def named(value: Any) -> Iterator[int]:
    """The row ids that a payload names with `{"message_of": id}`."""
    if isinstance(value, dict):
        if set(value) == {"message_of"}:
            yield value["message_of"]
        for item in value.values():
            yield from named(item)
    elif isinstance(value, list):
        for item in value:
            yield from named(item)


def resolve(payload: Payload, results: Mapping[int, Result]) -> Payload | NotYet | Impossible:
    """The payload with Telegram's message ids in their places; a reply to nothing becomes a plain message."""
    ids = set(named(payload))
    if any(row_id in results and results[row_id].state is OutgoingState.WAITING for row_id in ids):
        return NotYet()
    gone = {row_id for row_id in ids if row_id not in results or results[row_id].message_id is None}
    if gone & set(named(payload.get("reply_parameters"))):
        payload = {name: value for name, value in payload.items() if name != "reply_parameters"}
    if missing := gone & set(named(payload)):
        return Impossible(min(missing))
    filled = _fill(payload, results)
    return filled if isinstance(filled, dict) else payload


def _fill(value: Any, results: Mapping[int, Result]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"message_of"}:
            return results[value["message_of"]].message_id
        return {name: _fill(item, results) for name, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, results) for item in value]
    return value
