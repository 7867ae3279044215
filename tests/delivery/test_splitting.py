import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.splitting import LIMIT, clean, split
from bot.dialogue.rich import utf16


def texts(text: str) -> list[str]:
    return [part["text"] for part in split({"text": text})]


def test_a_short_text_stays_as_it_is() -> None:
    payload = {"text": "x" * LIMIT, "reply_markup": {}}
    assert split(payload) == [payload]


@pytest.mark.parametrize(
    ("text", "first_ends"),
    [
        ("a b. c\n" * 400 + "\n" + "d e. f\n" * 400, "a b. c"),  # paragraph
        ("one. two\n" * 600, "one. two"),  # line
        ("one two. " * 600, "one two."),  # sentence
        ("word " * 1200, "word"),  # word
        ("é" * 5000, "é"),  # nothing to cut at
    ],
)
def test_cuts_at_the_best_place_there_is(text: str, first_ends: str) -> None:
    parts = texts(text)
    assert parts[0].endswith(first_ends)
    assert all(utf16(part) <= LIMIT for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_ten_thousand_characters_become_three_messages_of_good_length() -> None:
    parts = texts("A sentence of an answer. " * 400)
    assert len(parts) == 3
    assert all(part.startswith("A sentence") and part.endswith("answer.") for part in parts)


def test_emoji_count_twice_and_are_never_cut_in_two() -> None:
    parts = texts("😀" * 3000)
    assert [utf16(part) for part in parts] == [4096, 1904]


def test_the_reply_belongs_to_the_first_part_and_buttons_to_the_last() -> None:
    first, last = split({"text": "x" * 5000, "reply_parameters": {"message_id": 1}, "reply_markup": {"k": []}})
    assert ("reply_parameters" in first, "reply_markup" in first) == (True, False)
    assert ("reply_parameters" in last, "reply_markup" in last) == (False, True)


def test_formatting_is_cut_with_the_text() -> None:
    text = "😀 " + "a" * 4000 + "\n" + "b" * 1000
    bold = {"type": "bold", "offset": 3, "length": 5001}
    link = {"type": "text_link", "offset": 4004, "length": 5, "url": "https://example.org"}
    first, last = split({"text": text, "entities": [bold, link]})
    assert first["entities"] == [{"type": "bold", "offset": 3, "length": 4000}]
    assert last["entities"] == [bold | {"offset": 0, "length": 1000}, link | {"offset": 0}]


PIECES = st.lists(st.sampled_from(["word ", "😀", "\n", "\n\n", "end. ", "x" * 700]), min_size=1, max_size=12)


@given(PIECES.map(lambda pieces: "".join(pieces) * (9000 // len("".join(pieces)))))
def test_no_part_is_too_long_and_no_word_is_lost(text: str) -> None:
    parts = texts(text)
    assert all(utf16(part) <= LIMIT for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("dirty", "cleaned"),
    [
        ("a\ud800b", "a\ufffdb"),
        ("a\udc00", "a\ufffd"),
        ("a\x00b", "a\ufffdb"),
        ("\ud83d\ude00", "😀"),  # two halves that belong together
        ({"buttons": [["\x00"]], "n": 1, "none": None}, {"buttons": [["\ufffd"]], "n": 1, "none": None}),
    ],
)
def test_what_telegram_refuses_is_replaced(dirty: object, cleaned: object) -> None:
    assert clean(dirty) == cleaned
