from typing import Any

import pytest

from bot.sandbox.markdown import parse_markdown
from bot.sandbox.markup import formatted, parse_html
from bot.sandbox.refusal import Refusal


def entity(kind: str, offset: int, length: int, **extra: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length} | extra


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain & simple", "plain & simple", []),
        ("a &lt;b&gt; &amp;&quot; &#233;&#x20AC; &nbsp;", 'a <b> &" é€ &nbsp;', []),
        ("<b>x</b><STRONG>y</STRONG>", "xy", [entity("bold", 0, 1), entity("bold", 1, 1)]),
        ("😀<i>é</i>", "😀é", [entity("italic", 2, 1)]),
        ("<u>a<s>b</s></u>", "ab", [entity("strikethrough", 1, 1), entity("underline", 0, 2)]),
        ('<span class="tg-spoiler">s</span>', "s", [entity("spoiler", 0, 1)]),
        ("<a href='https://e.org/?a=1&amp;b=2'>l</a>", "l", [entity("text_link", 0, 1, url="https://e.org/?a=1&b=2")]),
        ("<blockquote expandable>q</blockquote>", "q", [entity("expandable_blockquote", 0, 1)]),
        (
            '<pre><code class="language-python">x</code></pre>',
            "x",
            [entity("pre", 0, 1, language="python")],
        ),
        ('<tg-emoji emoji-id="5">😀</tg-emoji>', "😀", [entity("custom_emoji", 0, 2, custom_emoji_id="5")]),
        ("<b>x</>", "x", [entity("bold", 0, 1)]),
    ],
)
def test_html(source: str, text: str, entities: list[dict[str, Any]]) -> None:
    assert parse_html(source) == (text, entities)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("<p>x</p>", 'Unsupported start tag "p" at byte offset 0'),
        ("é <br/>", 'Unsupported start tag "br" at byte offset 3'),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ("<tg-emoji>x</tg-emoji>", "Invalid custom emoji identifier specified at byte offset 0"),
    ],
)
def test_bad_html(source: str, why: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_html(source)
    assert refused.value.description == f"Bad Request: can't parse entities: {why}"


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        (r"1\. *b* _i_", "1. b i", [entity("bold", 3, 1), entity("italic", 5, 1)]),
        (
            "__u__ ~s~ ||p||",
            "u s p",
            [entity("underline", 0, 1), entity("strikethrough", 2, 1), entity("spoiler", 4, 1)],
        ),
        (r"[l](https://e.org/a\)b)", "l", [entity("text_link", 0, 1, url="https://e.org/a)b")]),
        (r"`a\`b`", "a`b", [entity("code", 0, 3)]),
        ("```py\nx```", "x", [entity("pre", 0, 1, language="py")]),
        (">a\n>b\nc", "a\nb\nc", [entity("blockquote", 0, 4)]),
        ("*a _b_*", "a b", [entity("italic", 2, 1), entity("bold", 0, 3)]),
    ],
)
def test_markdown(source: str, text: str, entities: list[dict[str, Any]]) -> None:
    assert parse_markdown(source) == (text, entities)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("1.", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("a *b", "Can't find end of Bold entity at byte offset 2"),
        ("[a", "Can't find end of Link entity at byte offset 0"),
        ("`a", "Can't find end of Code entity at byte offset 0"),
    ],
)
def test_bad_markdown(source: str, why: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_markdown(source)
    assert refused.value.description == f"Bad Request: can't parse entities: {why}"


def test_the_text_is_trimmed_and_its_entities_move_along() -> None:
    params = {"text": "  <b> x</b> \n", "parse_mode": "HTML"}
    assert formatted(params, "text", 10, "too long") == ("x", [entity("bold", 0, 1)])


def test_length_is_counted_in_utf16_units_after_parsing() -> None:
    params = {"text": "<b>😀😀</b>", "parse_mode": "HTML"}
    assert formatted(params, "text", 4, "too long")[0] == "😀😀"
    with pytest.raises(Refusal, match="too long"):
        formatted(params, "text", 3, "too long")


def test_a_link_that_telegram_cannot_use_becomes_plain_text() -> None:
    params = {"text": '<a href="javascript:x">a</a>', "parse_mode": "HTML"}
    assert formatted(params, "text", 10, "too long") == ("a", [])
