import pytest

from bot.dialogue.shorthand import written_out
from indexer.entries import Language


@pytest.mark.parametrize(
    ("language", "said", "meant"),
    [
        ("fr", "slt c koi le but d la formation", "salut c'est quoi le but de la formation"),
        ("fr", "Kan ? cb ça coûte.", "quand ? combien ça coûte."),
        ("fr", "fo avoir bac+5 pr venir?", "il faut avoir bac+5 pour venir?"),
        ("fr", "jsui salarié ma boite peu payer ?", "je suis salarié mon entreprise peut payer ?"),
        ("fr", "Ma boîte paie", "mon entreprise paie"),
        ("fr", "on peu venir sans bac", "on peut venir sans bac"),
        ("fr", "qui peu postuler", "qui peut postuler"),
        ("fr", "peu t on payer en 3 fois", "peut-on payer en 3 fois"),
        ("fr", "je peu candidater", "je peux candidater"),
        ("fr", "mon patron peu aider", "mon patron peut aider"),
        ("fr", "J ai un bac+4 d informatique", "J'ai un bac+4 d'informatique"),
        ("fr", "qu est ce que l IA et c est quoi l admission", "qu'est ce que l'IA et c'est quoi l'admission"),
        (
            "fr",
            "il n y a pas d examen, on n a pas fini, je veux m y inscrire",
            "il n'y a pas d'examen, on n'a pas fini, je veux m'y inscrire",
        ),
        ("fr", "combien coute t il et quand commence t elle", "combien coute t il et quand commence t elle"),
        ("fr", "plans c, d et e, licence l et master, m ou m2", "plans c'est, de et e, licence l et master, m ou m2"),
        ("en", "Can we re-take it? Do they re-open?", "Can we re-take it? Do they re-open?"),
        ("fr", "quelqu un jusqu à aujourd hui", "quelqu'un jusqu'à aujourd'hui"),
        ("en", "I don t know, what s it for and i m late", "I don't know, what's it for and i'm late"),
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
        ("fr", "la boîte noire, une boite noire, l'IA et sa boîte noire"),
        ("fr", "c'est un peu dur, peu importe, il y a peu de gens, peu à peu"),
        ("fr", "je suis peu payé"),
        ("fr", "le langage C est utile, le plan D aussi, un bac S ou ES"),
        ("en", "plan c is better, vitamin d is not, a t and an s"),
        ("en", "My R and C skills, r&d, i.e. y-axis"),
        ("en", "Who teaches in May 2026? I'd like to know."),
    ],
)
def test_what_may_mean_something_else_stays(language: Language, said: str) -> None:
    assert written_out(said, language) == said
