"""Inline keyboards: what Telegram accepts, and finding the button that a person taps."""

import re
from typing import Any

from bot.sandbox.refusal import Json, bad_request
from bot.sandbox.world import parsed

_ACTIONS = set(
    "callback_data url switch_inline_query switch_inline_query_current_chat switch_inline_query_chosen_chat copy_text "
    "web_app login_url".split()
)
_MAX_BUTTONS = 100


def inline_keyboard(given: Any) -> Json | None:
    """The inline keyboard of `reply_markup` as a message shows it, None without one."""
    markup = parsed(given, "reply keyboard markup") if given else None
    if markup is None or not isinstance(markup, dict):
        return None
    rows = [row for row in markup.get("inline_keyboard") or [] if row]
    for row in rows:
        for button in row:
            _check(button)
    if sum(len(row) for row in rows) > _MAX_BUTTONS:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    return {"inline_keyboard": rows} if rows else None


def _check(button: Any) -> None:
    if not isinstance(button, dict) or not button.get("text"):
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    if not _ACTIONS & button.keys():
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if "callback_data" in button and not 1 <= len(str(button["callback_data"]).encode()) <= 64:
        raise bad_request("BUTTON_DATA_INVALID")
    if "url" in button and not re.match(r"(https?|tg)://\S+$", str(button["url"])):
        raise bad_request("BUTTON_URL_INVALID")


def find_button(message: Json, wanted: str | tuple[int, int]) -> Json:
    """The button with that text, callback data or (row, column); raises LookupError naming those there are."""
    rows: list[list[Json]] = message.get("reply_markup", {}).get("inline_keyboard", [])
    if not isinstance(wanted, str):
        row, column = wanted
        return rows[row][column]
    buttons = [button for row in rows for button in row]
    for button in buttons:
        if wanted in {button["text"], button.get("callback_data")}:
            return button
    raise LookupError(f"no button {wanted!r} among {[button['text'] for button in buttons]}")
