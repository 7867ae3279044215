import pytest

from bot.dialogue.letters import own_words, without_headers
from bot.dialogue.questions import split_questions

REPLY_EN = "Hello,\n\nWho teaches?\n\nBest,\nAnna\n\nOn Tue, 24 Nov 2026, Info <info@example.org> wrote:\n> Is it free?"
REPLY_FR = "Qui enseigne ?\nBien à vous\n\n-----Message d'origine-----\nDe : Info\nObjet : Re: salon\nEst-ce gratuit ?"
QUOTED_FR = "Qui enseigne ?\n\n> Le 12 nov. 2026 à 10:02, Info <info@example.org> a écrit :\n> Est-ce gratuit ?"
OUTLOOK = "Who teaches?\nAnna\n\nFrom: Info\nSent: Monday\nSubject: Re: course\n\nIs it free?"
FORWARDED = "---------- Forwarded message ---------\nFrom: Tom\nTo: me\nSubject: course\n\nWho teaches?"
BELOW = "Please see below.\n\nOn Tue, 24 Nov 2026, Tom wrote:\n> Who teaches?"


@pytest.mark.parametrize(
    ("text", "question"),
    [
        (REPLY_EN, "Who teaches?"),
        (REPLY_FR, "Qui enseigne ?"),
        (QUOTED_FR, "Qui enseigne ?"),
        (OUTLOOK, "Who teaches?"),
        (FORWARDED, "Who teaches?"),
        (BELOW, "see below. Who teaches?"),
        ("Fwd: « Qui enseigne ? »", "Qui enseigne ?"),
    ],
)
def test_what_is_quoted_is_not_asked_unless_nothing_else_is(text: str, question: str) -> None:
    assert split_questions(text) == (question,)


@pytest.mark.parametrize(
    "text",
    [
        "Who teaches?\nAnd who pays?",
        "a : qui enseigne\nb : c'est où",
        "Date : quand ?\nDe : qui ?",
        "Objet : stage\nQui ?",
    ],
)
def test_other_lines_are_ones_own(text: str) -> None:
    assert own_words(text) == text


def test_nothing_of_a_quote_alone_is_lost() -> None:
    assert own_words("> Who teaches?") == ""
    assert without_headers("> Who teaches?") == "Who teaches?"
