"""Telegram's MarkdownV2, as strict as Telegram is about unescaped characters."""

import re
from dataclasses import dataclass, field

from bot.sandbox.refusal import Json, unparsed
from bot.sandbox.utf16 import width

# Longest first: "__" is underline before it is two italics.
_MARKS = {
    "__": "underline",
    "||": "spoiler",
    "_": "italic",
    "*": "bold",
    "~": "strikethrough",
}
_RESERVED = "_*[]()~`>#+-=|{}.!"
_FENCE = re.compile(r"```(?:([\w+#-]*)\n)?(.*?)```", re.DOTALL)
_CODE = re.compile(r"`((?:\\.|[^`\\])*)`", re.DOTALL)
_TARGET = re.compile(r"\]\(((?:\\.|[^)\\])*)\)", re.DOTALL)
_ESCAPE = re.compile(r"\\([\x01-\x7e])")


@dataclass(slots=True)
class _Reader:
    """A place in the source and what has been read so far."""

    source: str
    at: int = 0
    text: str = ""
    entities: list[Json] = field(default_factory=list)
    # Mark, offset in the text, byte offset in the source.
    open_marks: list[tuple[str, int, int]] = field(default_factory=list)
    quote: tuple[int, str] | None = None

    def byte(self) -> int:
        return len(self.source[: self.at].encode(errors="surrogatepass"))

    def add(self, kind: str, offset: int, **extra: str) -> None:
        self.entities.append({"type": kind, "offset": offset, "length": width(self.text) - offset} | extra)


def parse_markdown(source: str) -> tuple[str, list[Json]]:
    """Text and entities; raises Refusal as Telegram does."""
    reader = _Reader(source)
    while reader.at < len(source):
        _quoted(reader)
        if reader.at < len(source):
            _step(reader)
    if reader.open_marks:
        mark, _, byte = reader.open_marks[-1]
        kind = "Link" if mark == "[" else _MARKS[mark].capitalize()
        raise unparsed(f"Can't find end of {kind} entity at byte offset {byte}")
    _end_quote(reader)
    return reader.text, reader.entities


def _step(reader: _Reader) -> None:
    source, at = reader.source, reader.at
    if escape := _ESCAPE.match(source, at):
        reader.text, reader.at = reader.text + escape[1], escape.end()
    elif source[at] == "`":
        _code(reader)
    elif source.startswith("![", at) or source[at] == "[":
        reader.open_marks.append(("[", width(reader.text), reader.byte()))
        reader.at += 2 if source[at] == "!" else 1
    elif source[at] == "]" and reader.open_marks and reader.open_marks[-1][0] == "[":
        _link(reader)
    elif mark := next((mark for mark in _MARKS if source.startswith(mark, at)), None):
        _mark(reader, mark)
    elif source[at] in _RESERVED:
        raise unparsed(f"Character '{source[at]}' is reserved and must be escaped with the preceding '\\'")
    else:
        reader.text, reader.at = reader.text + source[at], at + 1


def _mark(reader: _Reader, mark: str) -> None:
    if reader.open_marks and reader.open_marks[-1][0] == mark:
        _, offset, _ = reader.open_marks.pop()
        reader.add(_MARKS[mark], offset)
    else:
        reader.open_marks.append((mark, width(reader.text), reader.byte()))
    reader.at += len(mark)


def _code(reader: _Reader) -> None:
    fence = _FENCE.match(reader.source, reader.at)
    match = fence or _CODE.match(reader.source, reader.at)
    if match is None:
        raise unparsed(f"Can't find end of Code entity at byte offset {reader.byte()}")
    offset = width(reader.text)
    reader.text += _ESCAPE.sub(r"\1", match[2] if fence else match[1])
    language = {"language": match[1]} if fence and match[1] else {}
    reader.add("pre" if fence else "code", offset, **language)
    reader.at = match.end()


def _link(reader: _Reader) -> None:
    target = _TARGET.match(reader.source, reader.at)
    if target is None:
        raise unparsed("Character ']' is reserved and must be escaped with the preceding '\\'")
    _, offset, _ = reader.open_marks.pop()
    url = _ESCAPE.sub(r"\1", target[1])
    if url.startswith("tg://emoji?id="):
        reader.add("custom_emoji", offset, custom_emoji_id=url.removeprefix("tg://emoji?id="))
    else:
        reader.add("text_link", offset, url=url)
    reader.at = target.end()


def _quoted(reader: _Reader) -> None:
    """Enter or leave a block quotation at the beginning of a line."""
    at = reader.at
    if at and reader.source[at - 1] != "\n":
        return
    if reader.source.startswith(">", at):
        reader.quote = reader.quote or (width(reader.text), "blockquote")
        reader.at += 1
    elif reader.source.startswith("**>", at):
        _end_quote(reader)
        reader.quote = (width(reader.text), "expandable_blockquote")
        reader.at += 3
    else:
        _end_quote(reader)


def _end_quote(reader: _Reader) -> None:
    if reader.quote:
        offset, kind = reader.quote
        reader.add(kind, offset)
        reader.quote = None
