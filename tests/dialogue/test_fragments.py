import pytest

from bot.dialogue.fragments import another_case, second_half
from bot.dialogue.questions import wanted_language


@pytest.mark.parametrize(
    ("before", "text", "whole"),
    [
        ("How much does", "the course cost?", "How much does the course cost?"),
        ("I would like to know", "who teaches", "I would like to know who teaches"),
        ("do i need a degree", "or experience", "do i need a degree or experience"),
        ("Do I need a degree...", "if I have worked?", "Do I need a degree if I have worked?"),
        ("Who teaches?", "…the data module", "Who teaches? the data module"),
        ("est-ce que", "La formation est reconnue ?", "est-ce que La formation est reconnue ?"),
        ("faut-il un diplôme", "si j'ai dix ans d'expérience", "faut-il un diplôme si j'ai dix ans d'expérience"),
        ("Who teaches?", "how much does it cost", None),
        ("who teaches", "how much does it cost", None),
        ("who teaches", "price", None),
        ("who teaches", "ok cool and projects?", None),
        ("Who teaches?", "the data module", None),
        ("Who teaches", "Certification", None),
        ("", "the data module", None),
        ("Who teaches", "…", None),
        ("who teaches", "word " * 26, None),
    ],
)
def test_two_halves_are_one(before: str, text: str, whole: str | None) -> None:
    assert second_half(text, before) == whole


@pytest.mark.parametrize(
    ("text", "case"),
    [
        ("…and for engineers?", True),
        ("et pour les indépendants ?", True),
        ("what about doctors", True),
        ("and the price?", False),
        ("And for how long?", False),
        ("What about the certification?", False),
        ("Who is it for?", False),
    ],
)
def test_the_same_of_another_case_names_no_new_subject(text: str, case: bool) -> None:
    assert another_case(text) is case


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("In French, please", "fr"),
        ("en français svp", "fr"),
        ("Can you answer in French?", "fr"),
        ("English please", "en"),
        ("Pouvez-vous répondre en anglais ?", "en"),
        ("In English?", None),
        ("Is the course in English?", None),
        ("Is the French certificate recognised?", None),
        ("Do I need English please?", None),
    ],
)
def test_a_wish_for_a_language_is_told_from_a_question_about_one(text: str, language: str | None) -> None:
    assert wanted_language(text) == language
