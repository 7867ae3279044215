import pytest

from bot.dialogue.shorthand import written_out
from indexer.entries import Language


@pytest.mark.parametrize(
    ("language", "said", "meant"),
    [
        ("fr", "slt c koi le but d la formation", "salut c'est quoi le but de la formation"),
        ("fr", "Kan ? cb ça coûte.", "quand ? combien ça coûte."),
        ("fr", "fo avoir bac+5 pr venir?", "il faut avoir bac+5 pour venir?"),
        ("en", "wat exp do ppl need", "what experience do people need"),
        ("en", "y is it so long", "why is it so long"),
        ("en", "Im free, u?", "I am free, you?"),
    ],
)
def test_shorthand_is_written_out(language: Language, said: str, meant: str) -> None:
    assert written_out(said, language) == meant


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", ""),
        ("fr", "C'est quoi, l'IA ? Sa durée, c'est un peu long."),
        ("fr", "Le langage C, c++ et c# ; c-à-d un diplôme d'ingénieur"),
        ("fr", "what is the price of the course"),
        ("en", "My R and C skills, r&d, i.e. y-axis"),
        ("en", "Who teaches in May 2026? I'd like to know."),
    ],
)
def test_what_may_mean_something_else_stays(language: Language, said: str) -> None:
    assert written_out(said, language) == said
