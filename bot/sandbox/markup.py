"""Formatted text: what Telegram accepts as entities, measured in UTF-16 units."""

import json
import re
from typing import Any

from bot.sandbox.refusal import Json, bad_request

_KINDS = set(
    "bold italic underline strikethrough spoiler text_link code pre blockquote expandable_blockquote custom_emoji "
    "text_mention".split()
)
# Telegram finds these by itself and lets bots name them without effect.
_FOUND = {"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"}
_COMMAND = re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,32}(?:@\w+)?(?!\w)")


def formatted(params: Json, name: str, limit: int, too_long: str) -> tuple[str, list[Json]]:
    """The text under `name`, trimmed, and its entities; raises Refusal if Telegram would, and for all markup."""
    if params.get("parse_mode"):
        raise bad_request("can't parse entities: this server knows no markup")
    text = str(params.get(name) or "")
    entities = _checked(_listed(params.get("entities" if name == "text" else "caption_entities")), text)
    text, entities = _trimmed(text, _linked(entities, text))
    if width(text) > limit:
        raise bad_request(too_long)
    return text, entities


def width(text: str) -> int:
    """Length in UTF-16 units: 2 for what lies beyond the basic plane, such as most emoji."""
    return len(text) + sum(ord(character) > 0xFFFF for character in text)


def _listed(given: Any) -> list[Json]:
    try:
        entities = json.loads(given) if isinstance(given, str) else given or []
    except ValueError:
        raise bad_request("can't parse entities JSON object") from None
    if not isinstance(entities, list) or not all(isinstance(entity, dict) for entity in entities):
        raise bad_request("can't parse entities: expected an Array of MessageEntity")
    return entities


def _checked(entities: list[Json], text: str) -> list[Json]:
    end = width(text)
    for entity in entities:
        offset, length = entity.get("offset"), entity.get("length")
        if entity.get("type") not in _KINDS | _FOUND:
            raise bad_request("can't parse MessageEntity: unsupported type specified")
        if not isinstance(offset, int) or not isinstance(length, int) or offset < 0 or length < 0:
            raise bad_request(f"entity has a wrong offset or length: {offset}, {length}")
        if offset + length > end:
            place = f"beginning at UTF-16 offset {offset} ends after the end of the text"
            raise bad_request(f"entity {place} at UTF-16 offset {offset + length}")
    return [dict(entity) for entity in entities]


def _linked(entities: list[Json], text: str) -> list[Json]:
    """Links as Telegram keeps them: an address it cannot use leaves plain text, no error."""
    units = text.encode("utf-16-le", errors="surrogatepass")
    kept = []
    for entity in entities:
        if entity["type"] == "text_link":
            begin, end = entity["offset"] * 2, (entity["offset"] + entity["length"]) * 2
            shown = units[begin:end].decode("utf-16-le", errors="surrogatepass")
            url = _address(entity.get("url") or shown)
            if url is None:
                continue
            entity["url"] = url
        kept.append(entity)
    return kept


def _address(url: str) -> str | None:
    if re.match(r"(?i)(https?|ftp|tg|ton)://\S+$", url):
        return url
    return f"http://{url}" if re.match(r"[\w-]+(\.[\w-]+)+(/\S*)?$", url) else None


def _trimmed(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    stripped = text.strip()
    lead, end = width(text[: len(text) - len(text.lstrip())]), width(stripped)
    kept = []
    for entity in entities:
        first = max(entity["offset"] - lead, 0)
        last = min(entity["offset"] + entity["length"] - lead, end)
        if last > first:
            kept.append(entity | {"offset": first, "length": last - first})
    return stripped, sorted(kept, key=lambda entity: (entity["offset"], -entity["length"]))


def commands(text: str) -> list[Json]:
    """The bot_command entities that Telegram finds in what people write."""
    return [
        {"type": "bot_command", "offset": width(text[: match.start()]), "length": width(match[0])}
        for match in _COMMAND.finditer(text)
    ]
