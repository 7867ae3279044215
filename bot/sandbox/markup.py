"""Formatted text: what Telegram accepts as HTML, MarkdownV2 or entities, measured in UTF-16 units."""

import html
import json
import re
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.markdown import parse_markdown
from bot.sandbox.refusal import Json, bad_request, unparsed
from bot.sandbox.utf16 import width

_STYLES = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
_KINDS = {*_STYLES.values(), "expandable_blockquote", "text_mention"}
# Telegram finds these by itself and lets bots name them without effect.
_FOUND = {"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"}

_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s"'>]+)"""
_START = re.compile(rf"<([A-Za-z][^\s/>]*)((?:\s+[\w-]+(?:\s*=\s*{_VALUE})?)*)\s*>")
_END = re.compile(r"</([A-Za-z][^\s/>]*)?\s*>")
_ATTRIBUTE = re.compile(rf"([\w-]+)(?:\s*=\s*({_VALUE}))?")
_REFERENCE = re.compile(r"&(?:lt|gt|amp|quot|#\d{1,7}|#x[0-9A-Fa-f]{1,6});")
_COMMAND = re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,32}(?:@\w+)?(?!\w)")


@dataclass(slots=True)
class _Open:
    """A start tag whose end has not come yet."""

    tag: str
    offset: int
    byte: int
    extra: Json = field(default_factory=dict)


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Text and entities; raises Refusal as Telegram does."""
    text, at, open_tags, entities = "", 0, list[_Open](), list[Json]()
    while at < len(source):
        if reference := _REFERENCE.match(source, at):
            text, at = text + html.unescape(reference[0]), reference.end()
        elif end := _END.match(source, at):
            entities += _closed(open_tags, end[1], text, _byte(source, at))
            at = end.end()
        elif source[at] == "<":
            opened, at = _opened(source, at, width(text))
            open_tags.append(opened)
        else:
            text, at = text + source[at], at + 1
    if open_tags:
        raise unparsed(f'Can\'t find end tag corresponding to start tag "{open_tags[-1].tag}"')
    return text, entities


def _opened(source: str, at: int, offset: int) -> tuple[_Open, int]:
    byte = _byte(source, at)
    start = _START.match(source, at)
    if start is None:
        name = re.match(r"<([^\s/>]*)", source[at:])
        if name and name[1].lower() in _STYLES:
            raise unparsed(f"Unclosed start tag at byte offset {byte}")
        raise unparsed(f'Unsupported start tag "{name[1].lower() if name else ""}" at byte offset {byte}')
    tag = start[1].lower()
    if tag not in _STYLES:
        raise unparsed(f'Unsupported start tag "{tag}" at byte offset {byte}')
    return _Open(tag, offset, byte, _extra(tag, _attributes(start[2]), byte)), start.end()


def _attributes(source: str) -> dict[str, str]:
    return {match[1].lower(): html.unescape((match[2] or "").strip("\"'")) for match in _ATTRIBUTE.finditer(source)}


def _extra(tag: str, attributes: dict[str, str], byte: int) -> Json:
    if tag == "span" and attributes.get("class") != "tg-spoiler":
        raise unparsed(f'Tag "span" must have class "tg-spoiler" at byte offset {byte}')
    if tag == "tg-emoji" and not attributes.get("emoji-id", "").isdecimal():
        raise unparsed(f"Invalid custom emoji identifier specified at byte offset {byte}")
    if tag == "tg-emoji":
        return {"custom_emoji_id": attributes["emoji-id"]}
    if tag == "a":
        return {"url": attributes.get("href", "")}
    if tag == "blockquote" and "expandable" in attributes:
        return {"type": "expandable_blockquote"}
    if tag == "code" and attributes.get("class", "").startswith("language-"):
        return {"language": attributes["class"].removeprefix("language-")}
    return {}


def _closed(open_tags: list[_Open], name: str | None, text: str, byte: int) -> list[Json]:
    if not open_tags:
        raise unparsed(f"Unexpected end tag at byte offset {byte}")
    opened = open_tags.pop()
    if name and name.lower() != opened.tag:
        expected = f'expected "</{opened.tag}>", found "</{name.lower()}>"'
        raise unparsed(f"Unmatched end tag at byte offset {byte}, {expected}")
    length = width(text) - opened.offset
    if opened.tag == "code" and open_tags and open_tags[-1].tag == "pre":
        open_tags[-1].extra |= opened.extra
        return []
    entity = {"type": _STYLES[opened.tag], "offset": opened.offset, "length": length} | opened.extra
    if opened.tag == "code":
        entity.pop("language", None)
    return [entity]


def _byte(source: str, at: int) -> int:
    return len(source[:at].encode(errors="surrogatepass"))


def formatted(params: Json, name: str, limit: int, too_long: str) -> tuple[str, list[Json]]:
    """The text under `name`, trimmed, and its entities; raises Refusal if Telegram would."""
    source = str(params.get(name) or "")
    mode = str(params.get("parse_mode") or "").lower()
    if mode == "html":
        text, entities = parse_html(source)
    elif mode == "markdownv2":
        text, entities = parse_markdown(source)
    elif mode:
        raise bad_request("unsupported parse_mode")
    else:
        given = "entities" if name == "text" else "caption_entities"
        text, entities = source, _checked(_listed(params.get(given)), source)
    text, entities = _trimmed(text, _linked(entities, text))
    if width(text) > limit:
        raise bad_request(too_long)
    return text, entities


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
