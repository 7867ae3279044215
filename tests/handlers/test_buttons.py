"""What buttons say of themselves fits what their handler reads."""

from bot.dialogue.rich import plain
from bot.dialogue.texts import texts
from bot.handlers.answers import BUTTON_LENGTH, answer_message, choice_buttons

HUGE = 2**62  # a question's number far beyond any


def test_an_answer_has_four_buttons_in_two_rows() -> None:
    message = answer_message(plain("Yes."), HUGE, "en")
    assert [[button.data for button in row] for row in message.buttons] == [
        [f"h:{HUGE}", f"n:{HUGE}"],
        [f"re:{HUGE}", f"p:{HUGE}"],
    ]
    assert message.text == "Yes."


def test_of_several_questions_each_answer_says_which_it_is_of() -> None:
    message = answer_message(plain("Yes."), 1, "fr", "Puis-je ?")
    assert message.text == "Puis-je ?\n\nYes."
    assert message.entities[0] == {"type": "bold", "offset": 0, "length": 9}


def test_long_questions_are_cut_on_buttons_and_none_of_them_comes_last() -> None:
    long = "Quelle " * 20
    rows = choice_buttons([(0, "Qui ?"), (3, long)], 7, "fr")
    assert [row[0].data for row in rows] == ["c:7:0", "c:7:3", "x:7"]
    assert rows[0][0].text == "1. Qui ?"  # as in the list above
    assert rows[1][0].text.endswith("…")
    assert len(rows[1][0].text) <= BUTTON_LENGTH
    assert rows[2][0].text == texts("fr").button_none
