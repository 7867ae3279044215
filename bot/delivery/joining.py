"""Several short texts as one message: a group takes twenty a minute, and a busy hour brings more."""

from collections.abc import Sequence
from typing import Any

from bot.delivery.references import Payload
from bot.delivery.splitting import LIMIT
from bot.dialogue.rich import utf16

BETWEEN = "\n\n"
ENTITIES = 100  # Telegram formats no more in one message
OWN = ("text", "entities")  # what each text brings; all else they must have in common


def joinable(payload: Payload) -> bool:
    """Whether a sendMessage payload is a text and nothing that concerns the whole message."""
    return "reply_markup" not in payload


def together(first: Payload, other: Payload) -> bool:
    """Whether two such payloads go to the same place: same thread, same message replied to."""
    return joinable(first) and joinable(other) and _place(first) == _place(other)


def joined(payloads: Sequence[Payload]) -> Payload | None:
    """The first payload with all the texts, a blank line between them; None if they do not fit into one message."""
    text, entities = "", list[dict[str, Any]]()
    for payload in payloads:
        start = utf16(text := f"{text}{BETWEEN}" if text else "")
        entities += [entity | {"offset": entity["offset"] + start} for entity in payload.get("entities", ())]
        text += payload["text"]
    if utf16(text) > LIMIT or len(entities) > ENTITIES:
        return None
    return _place(payloads[0]) | {"text": text} | ({"entities": entities} if entities else {})


def _place(payload: Payload) -> Payload:
    return {name: value for name, value in payload.items() if name not in OWN}
