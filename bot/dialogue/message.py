"""A message as the bot means it, and as the Bot API wants it."""

from dataclasses import dataclass
from typing import Any

from bot.dialogue.signs import visible

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Button:
    """One inline button: `data` comes back when it is pressed (at most 64 bytes), or `url` opens."""

    text: str
    data: str | None = None
    url: str | None = None

    def __post_init__(self) -> None:
        if (self.data is None) == (self.url is None):
            raise ValueError(f"button {self.text!r}: give either data or url")
        if self.data is not None and not 1 <= len(self.data.encode()) <= 64:
            raise ValueError(f"button {self.text!r}: data {self.data!r} is not 1 to 64 bytes long")

    def payload(self) -> dict[str, str]:
        """Return it as an InlineKeyboardButton."""
        if self.url is not None:
            return {"text": visible(self.text), "url": self.url}
        return {"text": visible(self.text), "callback_data": self.data or ""}


@dataclass(frozen=True, slots=True)
class Message:
    """A text, its entities (offsets in UTF-16 units) and rows of buttons."""

    text: str
    entities: tuple[Entity, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()

    def payload(self) -> dict[str, Any]:
        """Return the parameters of sendMessage or editMessageText, without the chat."""
        text = self.text if self.entities else visible(self.text)  # with marks, it was made of visible parts
        payload: dict[str, Any] = {"text": text, "link_preview_options": {"is_disabled": True}}
        if self.entities:
            payload["entities"] = [dict(entity) for entity in self.entities]
        if self.buttons:
            rows = [[button.payload() for button in row] for row in self.buttons if row]
            payload["reply_markup"] = {"inline_keyboard": rows}
        return payload
