import pytest

from bot.dialogue.message import Button, Message


def test_plain_message_asks_for_no_preview() -> None:
    assert Message("Hello").payload() == {"text": "Hello", "link_preview_options": {"is_disabled": True}}


def test_what_is_not_seen_is_left_out_of_texts_and_buttons() -> None:
    message = Message("a\u202eb\x00", buttons=((Button("c\u200bd", "x"), Button("\u2066e", url="https://a.example")),))
    shown = message.payload()
    assert shown["text"] == "ab"
    assert [button["text"] for button in shown["reply_markup"]["inline_keyboard"][0]] == ["cd", "e"]


def test_buttons_stand_in_their_rows() -> None:
    rows = ((Button("Yes", "y"), Button("No", "n")), (Button("Site", url="https://example.org"),))
    payload = Message("Sure?", ({"type": "bold", "offset": 0, "length": 4},), rows).payload()
    assert payload["entities"] == [{"type": "bold", "offset": 0, "length": 4}]
    assert payload["reply_markup"] == {
        "inline_keyboard": [
            [{"text": "Yes", "callback_data": "y"}, {"text": "No", "callback_data": "n"}],
            [{"text": "Site", "url": "https://example.org"}],
        ]
    }


@pytest.mark.parametrize("data", ["a", "x" * 64, "é" * 32])
def test_data_of_up_to_64_bytes_is_accepted(data: str) -> None:
    assert Button("B", data).payload()["callback_data"] == data


@pytest.mark.parametrize("data", ["", "x" * 65, "é" * 33])
def test_data_of_another_length_is_refused(data: str) -> None:
    with pytest.raises(ValueError, match="1 to 64 bytes"):
        Button("B", data)


def test_button_is_either_pressed_or_opened() -> None:
    with pytest.raises(ValueError, match="either data or url"):
        Button("B")
    with pytest.raises(ValueError, match="either data or url"):
        Button("B", "d", "https://example.org")
