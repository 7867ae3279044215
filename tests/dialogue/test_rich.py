import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.rich import Rich, bold, italic, join, link, markdown, plain, quote, utf16
from bot.dialogue.signs import clean, visible


def marked(rich: Rich) -> list[tuple[str, str]]:
    """The kind of each entity and the text that Telegram would mark."""
    units = rich.text.encode("utf-16-le")
    return [
        (e["type"], units[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le")) for e in rich.entities
    ]


@pytest.mark.parametrize(("text", "units"), [("", 0), ("abc", 3), ("é", 1), ("😀", 2), ("👩‍🏫", 5)])
def test_length_counts_utf16_units(text: str, units: int) -> None:
    assert utf16(text) == units


def test_joined_pieces_keep_their_marks_behind_emoji() -> None:
    whole = join([plain("😀 one"), Rich(), bold("two 😀"), italic("three"), quote("four")])
    assert whole.text == "😀 one\n\ntwo 😀\n\nthree\n\nfour"
    assert marked(whole) == [("bold", "two 😀"), ("italic", "three"), ("blockquote", "four")]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_joining_keeps_every_mark(texts: list[str]) -> None:
    seen = [text for text in map(visible, texts) if text]
    assert marked(join(map(bold, texts))) == [("bold", text) for text in seen]


@pytest.mark.parametrize("made", [plain, bold, italic, quote])
def test_what_is_not_seen_is_left_out_and_marks_end_where_the_text_does(made: Callable[[str], Rich]) -> None:
    shown = made("evil\u202etxt\u200b.exe\x07") + made("\u2066😀")
    assert shown.text == "eviltxt.exe😀"
    assert all(0 <= mark["offset"] < mark["offset"] + mark["length"] <= utf16(shown.text) for mark in shown.entities)
    assert made("\u202e\u200b") == Rich()


@pytest.mark.parametrize(
    ("source", "text", "marks"),
    [
        ("In **2022**, 😀 *yes*", "In 2022, 😀 yes", [("bold", "2022"), ("italic", "yes")]),
        ("- one\n- **two**", "• one\n• two", [("bold", "two")]),
        ("1. one\n2. two", "1. one\n2. two", []),
        ("One.\n\nTwo.", "One.\n\nTwo.", []),
        ("> said", "said", [("blockquote", "said")]),
        ("# Title\n\nText", "Title\n\nText", [("bold", "Title")]),
        ("```py\nx = 1\n```", "x = 1", [("pre", "x = 1")]),
        ("`x`", "x", [("code", "x")]),
        ("[site](https://a.example/?b=1&c=2)", "site", [("text_link", "site")]),
        ("[mail](mailto:a@example.org)", "mail", [("text_link", "mail")]),
        ("[tg](tg://user?id=1) [ftp](ftp://a.example)", "tg ftp", []),
        ("<b>no</b> & <script>", "<b>no</b> & <script>", []),
        ("Qui\u00a0?", "Qui\u00a0?", []),
        ("", "", []),
        ("   \n\n", "", []),
    ],
)
def test_markdown_becomes_text_and_entities(source: str, text: str, marks: list[tuple[str, str]]) -> None:
    rich = markdown(source)
    assert rich.text == text
    assert marked(rich) == marks


@given(st.text(max_size=60))
def test_any_markdown_gives_entities_inside_its_text(source: str) -> None:
    rich = markdown(source)
    for entity in rich.entities:
        assert entity["length"] > 0
        assert 0 <= entity["offset"] <= entity["offset"] + entity["length"] <= utf16(rich.text)


@pytest.mark.parametrize("url", [None, "javascript:alert(1)", "tg://user?id=1", "file:///etc/passwd"])
def test_foreign_addresses_stay_text(url: str | None) -> None:
    assert link("here", url) == plain("here")


def test_link_carries_its_address() -> None:
    assert link("here", "https://a.example").entities[0]["url"] == "https://a.example"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\x00b\x07c", "abc"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ("\u2066isolated\u2069 \u200bzero", "isolated zero"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("a\r\nb\tc", "a\nb c"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("👩‍🏫 stays", "👩‍🏫 stays"),
        ("  around  ", "around"),
    ],
)
def test_clean_removes_what_is_not_seen(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_no_control_character_stays_but_the_line_end() -> None:
    every = "".join(map(chr, range(0x11000)))
    left = {c for c in visible(every) if unicodedata.category(c) in ("Cc", "Cs")}
    assert left == {"\n"}


def test_clean_cuts_long_text_and_says_so() -> None:
    assert clean("abcdef", 4) == "abc…"
    assert clean("abcd", 4) == "abcd"
