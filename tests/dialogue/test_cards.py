"""The card: everything that staff need, in their language, in one message."""

from datetime import date

import pytest

from bot.dialogue.cards import Card, Exchange, Found, card, card_buttons, short, sure
from bot.dialogue.render import Reason
from bot.dialogue.texts import texts
from indexer.entries import LANGUAGES, Language


@pytest.mark.parametrize("staff", LANGUAGES)
@pytest.mark.parametrize("reason", Reason)
def test_card_tells_staff_what_they_need_in_their_language(staff: Language, reason: Reason) -> None:
    about = Card("C'est <b>cher</b> *?*", "fr", reason, "C-7KQ4M", (Found("Who pays?", 0.314),))
    shown = card(about, staff)
    words = texts(staff)
    assert "C'est <b>cher</b> *?*" in shown.text
    for part in (words.card_title, "C-7KQ4M", words.language_fr, getattr(words, f"reason_{reason}"), words.card_hint):
        assert part in shown.text
    assert f"• Who pays? ({words.sure_middle}, {words.card_sure.format(percent=31)})" in shown.text
    assert [entity["type"] for entity in shown.entities] == ["bold", "blockquote"] + ["bold"] * 5 + ["italic"]


def test_card_says_when_nothing_was_found_and_never_claims_certainty() -> None:
    nothing = card(Card("?", "en", Reason.OUTSIDE, "C-1"), "en").text
    assert texts("en").card_nothing_found in nothing
    far = card(Card("?", "en", Reason.OUTSIDE, "C-1", (Found("Who pays?", 0.02),)), "en").text
    assert texts("en").card_nothing_found in far
    assert "Who pays?" not in far
    certain = card(Card("?", "en", Reason.UNSURE, "C-1", (Found("Q", 1.0),)), "en").text
    assert "99% sure" in certain


def test_very_long_question_leaves_room_on_the_card() -> None:
    shown = card(Card("word " * 4000, "en", Reason.UNSURE, "C-1", (Found("Q", 0.5),) * 5), "fr")
    assert len(shown.text) < 4096
    assert "…" in shown.text


@pytest.mark.parametrize("staff", LANGUAGES)
def test_a_card_tells_who_has_it_and_what_came_before(staff: Language) -> None:
    words = texts(staff)
    before = (Exchange("Who teaches?", "Nine people.\n" * 90), Exchange("And then?", words.before_clarify))
    about = Card(
        "Why?",
        "en",
        Reason.PERSON,
        "C-1",
        state="claimed",
        owner="Marie",
        earlier=3,
        earlier_on=date(2026, 3, 1),
        before=before,
        rating=4,
    )
    text = card(about, staff).text
    expected = (
        words.state_claimed.format(owner="Marie"),
        words.earlier.format(count=3, date={"en": "1 March 2026", "fr": "1er mars 2026"}[staff]),
        words.card_before,
        "• Who teaches?\n→ Nine people. Nine people.",
        words.before_clarify,
        "4/5",
    )
    assert [part for part in expected if part not in text] == []
    assert len(text) < 900


def test_the_fullest_card_is_still_one_message() -> None:
    long = "word " * 4000
    about = Card(long, "en", Reason.UNSURE, "x" * 90, (Found("q" * 300, 0.5),) * 3, before=(Exchange(long, long),) * 3)
    assert len(card(about, "fr").text) < 4096


@pytest.mark.parametrize(
    ("state", "verbs"), [("open", "cakxub"), ("claimed", "rakxub"), ("waiting", "rakxub"), ("closed", "")]
)
def test_buttons_follow_the_state(state: str, verbs: str) -> None:
    rows = card_buttons(2**62, state, "en")
    assert "".join(str(button.data)[2] for row in rows for button in row) == verbs


@pytest.mark.parametrize(
    ("confidence", "said"),
    [(0.0, "unlikely, 0% sure"), (0.3, "possible, 30% sure"), (0.65, "likely, 65% sure"), (1, "likely, 99% sure")],
)
def test_confidence_in_words_and_in_percent(confidence: float, said: str) -> None:
    assert sure(confidence, "en") == said


def test_a_text_in_short() -> None:
    assert short("a  b\nc", 5) == "a b c"
    assert short("abcdef", 5) == "abcd…"
