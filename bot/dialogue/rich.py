"""Text with Telegram entities that can be joined: offsets stay right, in UTF-16 units."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from sulguk import transform_html

from bot.dialogue.message import Button, Entity, Message
from bot.dialogue.signs import visible

_LINKS = ("http://", "https://", "mailto:")


def utf16(text: str) -> int:
    """Return the length in UTF-16 units, as Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True)
class Rich:
    """A text and its entities."""

    text: str = ""
    entities: tuple[Entity, ...] = ()

    def __add__(self, other: "Rich") -> "Rich":
        shift = utf16(self.text)
        moved = tuple({**entity, "offset": entity["offset"] + shift} for entity in other.entities)
        return Rich(self.text + other.text, self.entities + moved)

    def message(self, *rows: tuple[Button, ...]) -> Message:
        """Return it as a message with these rows of buttons."""
        return Message(self.text, self.entities, rows)


def plain(text: str) -> Rich:
    """Return the text as it is: nothing in it is markup. What is not seen is left out, as in all that is made here."""
    return Rich(visible(text))


def bold(text: str) -> Rich:
    """Return the text in bold."""
    return _marked(text, "bold")


def italic(text: str) -> Rich:
    """Return the text in italics."""
    return _marked(text, "italic")


def struck(text: str) -> Rich:
    """Return the text struck through."""
    return _marked(text, "strikethrough")


def quote(text: str) -> Rich:
    """Return the text as a block quotation."""
    return _marked(text, "blockquote")


def link(text: str, url: str | None) -> Rich:
    """Return the text as a link; plain where the address is missing or not http, https or mailto."""
    if url is None or not url.lower().startswith(_LINKS):
        return plain(text)
    return _marked(text, "text_link", url=url)


def join(pieces: Iterable[Rich], between: str = "\n\n") -> Rich:
    """Join the pieces that are not empty."""
    whole = Rich()
    for piece in pieces:
        if piece.text:
            whole = whole + plain(between) + piece if whole.text else piece
    return whole


def markdown(source: str) -> Rich:
    """Return Markdown as plain text with entities; HTML in it is shown as text."""
    shown = transform_html(_MARKDOWN.render(visible(source)))
    text = shown.text.rstrip()
    kept = (_trimmed(text, dict(entity)) for entity in shown.entities)
    entities = [entity for entity in kept if entity is not None]
    code = [entity for entity in entities if entity["type"] == "pre"]
    return Rich(text, tuple(entity for entity in entities if not _inside(entity, code)))


def _marked(text: str, kind: str, **extra: str) -> Rich:
    text = visible(text)
    return Rich(text, ({"type": kind, "offset": 0, "length": utf16(text), **extra},) if text else ())


def _trimmed(text: str, entity: Entity) -> Entity | None:
    """Return the entity without the blanks at its ends; None if nothing is left or its link is foreign."""
    if entity["type"] == "text_link" and not str(entity["url"]).lower().startswith(_LINKS):
        return None
    units = text.encode("utf-16-le", "surrogatepass")
    start = entity["offset"] * 2
    covered = units[start : start + entity["length"] * 2].decode("utf-16-le", "surrogatepass")
    body = covered.lstrip()
    offset = entity["offset"] + utf16(covered) - utf16(body)
    length = utf16(body.rstrip())
    return {**entity, "offset": offset, "length": length} if length else None


def _inside(entity: Entity, blocks: list[Entity]) -> bool:
    """Say whether a code mark merely repeats the block around it, which Telegram refuses."""
    return entity["type"] == "code" and any(
        block["offset"] <= entity["offset"] < block["offset"] + block["length"] for block in blocks
    )


def _strong_open(*_: Any) -> str:
    return "<p><b>"


def _strong_close(*_: Any) -> str:
    return "</b></p>"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).disable("image")
    parser.add_render_rule("heading_open", _strong_open)
    parser.add_render_rule("heading_close", _strong_close)
    return parser


_MARKDOWN = _parser()
