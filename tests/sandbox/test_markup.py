import pytest

from bot.sandbox.markup import formatted
from bot.sandbox.refusal import Json, Refusal


def bold(offset: int, length: int) -> Json:
    return {"type": "bold", "offset": offset, "length": length}


def test_the_text_is_trimmed_and_its_entities_move_along() -> None:
    params = {"text": "   x \n", "entities": [bold(2, 3)]}
    assert formatted(params, "text", 10, "too long") == ("x", [bold(0, 1)])


def test_length_is_counted_in_utf16_units() -> None:
    params = {"text": "😀😀", "entities": [bold(0, 4)]}
    assert formatted(params, "text", 4, "too long")[0] == "😀😀"
    with pytest.raises(Refusal, match="too long"):
        formatted(params, "text", 3, "too long")


def test_a_link_that_telegram_cannot_use_becomes_plain_text() -> None:
    link = {"type": "text_link", "offset": 0, "length": 1, "url": "javascript:x"}
    assert formatted({"text": "a", "entities": [link]}, "text", 10, "too long") == ("a", [])
