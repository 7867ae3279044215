"""Many ways to say the same: each list stands for what people really write, with what must not be taken for it."""

import pytest

from bot.dialogue.questions import MOST_PARTS, split_questions

COURTESIES_EN = """\
I would be most grateful if you could tell me
I'd be very grateful if you would let me know
I would appreciate it if you could tell me
I would really appreciate it if you could clarify
We should be obliged if you would inform us
It would be very kind of you to tell me
It would be great to know
It would be helpful if someone could explain
Would you be so kind as to let me know
Would you mind telling me
Would you be able to tell me
Could somebody please tell me
I was hoping you could tell me
Is there any chance you could tell me
Would it be possible to know
I would be interested to know
I'd be glad to hear
I am writing to find out
Thank you for letting me know
I need you to tell me
I could not find out
May I trouble you to tell me
Please be so kind as to tell me""".splitlines()
COURTESIES_FR = """\
Je vous serais reconnaissant de bien vouloir m'indiquer
Je vous serais très reconnaissante de me préciser
Auriez-vous l'obligeance de me préciser
Auriez-vous l'amabilité de m'indiquer
Seriez-vous assez aimable pour me dire
Serait-il possible de savoir
Est-ce possible de savoir
Voudriez-vous bien me dire
Je vous prie de bien vouloir m'indiquer
Je vous saurais gré de m'indiquer
Nous vous serions obligés de nous faire savoir
Je vous remercie de bien vouloir me préciser
Merci par avance de m'indiquer
J'apprécierais que vous me disiez
J'aimerais que vous m'indiquiez
Je serais curieuse de savoir
Il me faudrait savoir
J'ai besoin de savoir
Je vous écris pour savoir
Je n'arrive pas à savoir
Ce serait gentil de me dire
Il serait très utile de savoir
Cela m'aiderait de savoir
Peut-on savoir""".splitlines()
# No courtesy around a question, but what is asked, or told.
NO_COURTESY = """\
I would be grateful if you could help my brother
It would be great to have a degree
Is it possible to work at the same time?
Can someone without a degree apply?
Would it be possible to pay in two times?
Will I know how to use Python on leaving?
Can anyone explain how an AI reached its result?
I like to know who I'm dealing with: who is the chief?
I have to tell my boss in good time: when will I know?
Je serais heureux de vous rencontrer
Est-il possible de travailler en même temps ?
Merci de votre aide
Serait-il possible de suivre la formation à distance ?
Peut-on expliquer comment une IA arrive à son résultat ?
On peut savoir comment l'IA trouve ses réponses ?
Je souhaite comprendre l'IA""".splitlines()

COUNTED = [
    (
        "je voudrais savoir deux choses d'abord si mon patron peut payer et ensuite si on doit avoir un projet",
        ("si mon patron peut payer", "si on doit avoir un projet?"),
    ),
    (
        "premièrement qui sont les profs et deuxièmement est ce que c'est reconnu",
        ("qui sont les profs", "est ce que c'est reconnu"),
    ),
    (
        "first I'd like to know who the teachers are and second what diploma I get",
        ("who the teachers are", "what diploma I get?"),
    ),
    ("a) qui enseigne b) combien ça coûte", ("qui enseigne", "combien ça coûte")),
    ("1) who teaches? 2) what do I get at the end? 3) price?", ("who teaches?", "what do I get at the end?", "price?")),
    ("1. Qui enseigne ? 2. Quel diplôme ?", ("Qui enseigne ?", "Quel diplôme ?")),
    ("(a) Who teaches? (b) Is it practical?", ("Who teaches?", "Is it practical?")),
    ("1)who teaches 2)how much is it", ("who teaches", "how much is it")),
    ("J'ai deux questions : 1/ qui enseigne 2/ combien ça coûte", ("qui enseigne", "combien ça coûte")),
    ("Two questions: who teaches and how much is it?", ("who teaches", "how much is it?")),
    (
        "d'abord qui enseigne ensuite combien ça coûte et enfin faut-il un diplôme",
        ("qui enseigne", "combien ça coûte", "faut-il un diplôme"),
    ),
    (
        "first who teaches then how much is it and finally do I need a degree",
        ("who teaches", "how much is it", "do I need a degree"),
    ),
    (
        "I want to know first whether my boss can pay and then if I must have a project",
        ("whether my boss can pay", "if I must have a project?"),
    ),
    (
        "Tout d'abord, faut-il un diplôme ? Ensuite, combien ça coûte ?",
        ("faut-il un diplôme ?", "combien ça coûte ?"),
    ),
    ("First of all, is it online? Secondly, who teaches?", ("is it online?", "who teaches?")),
    ("Ma première question : qui enseigne ? La deuxième : est-ce dur ?", ("qui enseigne ?", "est-ce dur ?")),
    ("My first question is who teaches. The second one: is it hard?", ("who teaches.", "is it hard?")),
    ("Question 1 : qui enseigne ? Question 2 : est-ce dur ?", ("qui enseigne ?", "est-ce dur ?")),
    ("Q1: who teaches? Q2: is it hard?", ("who teaches?", "is it hard?")),
    ("deux questions svp : c'est combien et c'est où ?", ("c'est combien", "c'est où ?")),
    ("en premier lieu qui enseigne et en second lieu faut-il un diplôme", ("qui enseigne", "faut-il un diplôme")),
    ("Primo, qui enseigne ? Secundo, faut-il un projet ?", ("qui enseigne ?", "faut-il un projet ?")),
    (
        "I would be grateful if you could tell me what the course leads to, and whether it is possible to live nearby.",
        ("what the course leads to", "whether it is possible to live nearby?"),
    ),
    (
        "Pouvez-vous me dire qui enseigne, combien ça coûte et s'il faut un diplôme ?",
        ("qui enseigne", "combien ça coûte", "s'il faut un diplôme ?"),
    ),
    ("Could you tell me if I need a degree and if it is online?", ("if I need a degree", "if it is online?")),
]
ONE = """\
If I have a degree and if I am employed, can I apply?
Si j'ai un bac+3 et si je travaille, puis-je candidater ?
Qui paie, et si je suis au chômage ?
What happens if I fail and if I am ill?
First year students can apply?
Was the first session in 2022?
La première session était en 2022 ?
Is the second session planned?
I have two projects, is it enough?
Is it a level 7) title?
Plan B) or plan A)?
Combien dure le module 1. Est-ce long ?
Is it true that one thing matters?
Deux choses m'intéressent dans cette formation
La deuxième année est-elle payante ?
Last day for applications
first step to join
last word: man or machine?
La première chose à faire ?
How do I apply and then what?""".splitlines()


@pytest.mark.parametrize("courtesy", COURTESIES_EN)
@pytest.mark.parametrize("asked", ["who teaches the course", "whether a bachelor is enough", "to whom it is open"])
def test_an_english_letter_gives_what_it_asks(courtesy: str, asked: str) -> None:
    assert split_questions(f"{courtesy} {asked}.") == (f"{asked}?",)


@pytest.mark.parametrize("courtesy", COURTESIES_FR)
@pytest.mark.parametrize("asked", ["qui enseigne le droit", "si un bac+3 suffit", "à qui s'adresse la formation"])
def test_a_french_letter_gives_what_it_asks(courtesy: str, asked: str) -> None:
    assert split_questions(f"{courtesy} {asked}.") == (f"{asked}?",)


@pytest.mark.parametrize("text", NO_COURTESY)
def test_what_only_sounds_like_a_courtesy_stays(text: str) -> None:
    assert split_questions(text) == (text,)


@pytest.mark.parametrize(("text", "parts"), COUNTED)
def test_counted_questions_are_told_apart(text: str, parts: tuple[str, ...]) -> None:
    assert split_questions(text) == parts


@pytest.mark.parametrize("text", ONE)
def test_what_only_counts_is_one_question(text: str) -> None:
    assert split_questions(text) == (text,)


@pytest.mark.parametrize(
    "text",
    [
        "could you please kindly " * 900,
        "je vous serais reconnaissant de bien vouloir " * 400,
        "I would be very grateful if you could " * 500,
        "first and second then " * 900,
        "1) a 2) b " * 1000,
        "".join(f"{number}) who " for number in range(1, 10)) * 90,
    ],
)
def test_hostile_courtesies_are_cut_into_few_parts(text: str) -> None:
    assert 1 <= len(split_questions(text)) <= MOST_PARTS
