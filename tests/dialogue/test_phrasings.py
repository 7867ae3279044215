"""Many ways to say the same: each list stands for what people really write, with what must not be taken for it."""

import pytest

from bot.dialogue.questions import MOST_PARTS, is_mood, is_unfinished, resolve_follow_up, split_questions
from bot.dialogue.smalltalk import is_beside

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

LAMENTS = [
    ("I've been rejected everywhere, nobody wants me 😢 do I have any chance?", "do I have any chance?"),
    ("Your website is useless. Just tell me who can apply.", "who can apply?"),
    ("moi pas bien parler français, je veux savoir diplome est reconnu ?", "diplome est reconnu ?"),
    ("Sorry for my english, is there an exam?", "is there an exam?"),
    ("My English is not good, who teaches?", "who teaches?"),
    ("Désolé pour mon français, qui enseigne ?", "qui enseigne ?"),
    ("Je ne parle pas bien français, faut-il un diplôme ?", "faut-il un diplôme ?"),
    ("I am so lost, how do I apply?", "how do I apply?"),
    ("Je suis complètement perdue, comment on s'inscrit ?", "comment on s'inscrit ?"),
    ("Je suis perdu. Qui enseigne ?", "Qui enseigne ?"),
    ("I can't find it on your website, is there an exam?", "is there an exam?"),
    ("Je ne trouve pas l'info sur votre site, y a-t-il un examen ?", "y a-t-il un examen ?"),
    ("J'ai cherché partout mais combien de temps dure la formation ?", "combien de temps dure la formation ?"),
    ("This is so confusing, who teaches?", "who teaches?"),
    ("C'est trop compliqué, dites-moi juste qui enseigne", "qui enseigne?"),
    ("Votre site est nul. Dites-moi juste qui peut candidater.", "qui peut candidater?"),
    ("I'm asking for a friend: can freelancers apply?", "can freelancers apply?"),
    ("C'est pour ma fille, faut-il un diplôme ?", "faut-il un diplôme ?"),
    ("Nobody answers my mails, who is in charge?", "who is in charge?"),
    ("Personne ne répond, qui est le responsable ?", "qui est le responsable ?"),
    ("On m'a refusée partout 😭 puis-je venir sans master ?", "puis-je venir sans master ?"),
    ("please help me, do I need a degree", "do I need a degree"),
]
# What stands before the question is what it is about.
NO_LAMENT = """\
I'm worried about my degree
I'm afraid of being rejected, how picky are you?
I am tired and I work at night, can I follow the course?
My English is bad, is it a problem?
Je ne parle pas bien français, est-ce gênant ?
I have tried Python, is it needed?
I have looked at AI for two years, is it enough?
I love AI, can I apply?
I don't have a degree, can I apply?
Je n'ai pas de diplôme, puis-je candidater ?
Je ne comprends rien à l'IA, est-ce grave ?
Je suis inquiet pour mon emploi, l'IA va-t-elle le prendre ?
Je suis stressé, est-ce prenant ?
I got rejected. why??
Your course is online?
C'est pour qui ?""".splitlines()

SITUATIONS = [
    "I only have a two-year diploma. Is there a way in for somebody in my situation?",
    "Je n'ai qu'un DUT. Existe-t-il une voie d'accès pour les personnes dans ma situation ?",
    "I am a freelancer. Does your course suit people like me?",
    "Je suis indépendant. La formation accueille-t-elle des gens comme moi ?",
    "I have only two years of work behind me. Is there a chance of being admitted, given my background?",
    "Je n'ai pas le bac. Est-ce que je suis le bienvenu dans votre école avec mon profil ?",
    "My boss does not support me. Would I be able to come all the same in this case?",
    "Mon employeur refuse. Est-ce que je peux quand même venir chez vous dans ce cas ?",
    "I am sixty. I have never studied. Would the jury look at somebody like me at all?",
    "J'ai soixante ans. Je n'ai jamais étudié. Le jury regarde-t-il les personnes comme moi ?",
    "I am between two jobs. What could a person do to be admitted under such circumstances?",
    "Je suis au chômage. Que peut-on faire pour être admis dans de telles circonstances ?",
    "I was a nurse for ten years. Does the school have a place for a person like me?",
    "J'ai été infirmière pendant dix ans. Y a-t-il une place à l'école pour quelqu'un comme moi ?",
    "I teach mathematics. Which of the two ways in would you advise, with such a profile?",
    "J'enseigne les maths. Quelle voie d'accès me conseillez-vous, vu mon parcours ?",
]
NO_SITUATION = [
    ("I run a big team of forty. How may a company like ours support an employee?", "support an employee?"),
    ("Je dirige une équipe. Comment une société comme la nôtre peut-elle aider un salarié ?", "aider un salarié ?"),
    ("I like it. In which case would an engineer be refused by the jury of the school?", "jury of the school?"),
    ("J'aime bien. Dans quel cas un ingénieur est-il refusé par le jury de votre école ?", "votre école ?"),
    ("My name is Anna. Does your course suit project managers like me?", "like me?"),
    ("Je m'appelle Anna. La formation convient-elle aux chefs de projet comme moi ?", "comme moi ?"),
]
FOLLOW_UPS = """\
même perso ?
even a personal one?
cool, how?
super, comment ?
ok great, why?
parfait, pourquoi ?
par qui ?
by whom?
avec qui ?
with whom?
who with?
or is a bachelor ok
ou bien un bac+3 suffit ?
yes or no degree at all?
hm why?
non mais comment ?
ah, when?
oh, since when?
even with a bac+3?
je vois, et sans projet ?
wow, for example?
even if I fail?""".splitlines()
NO_FOLLOW_UPS = """\
cool, who teaches?
super, qui enseigne ?
où est l'école ?
ou se trouve le campus
qui paie ?
who pays?
par quel moyen s'inscrire à la formation ?
by when must I apply?
cool prof
nice school, is it expensive?
good teachers have experience
or
même
No degree, self-taught
no baccalauréat, possible?
hm ok
no maths background ok?
je travaille avec qui je veux""".splitlines()

UNFINISHED = """\
sorry I meant
ah non, je voulais dire
je voulais savoir
Bonjour, je voudrais savoir
I would like to know
hello, I was wondering
could you tell me
Dites-moi
je voudrais savoir si
Pourriez-vous m'indiquer
I'd like to ask about
tell me...
j'aimerais savoir la
I'd just like to know
Kindly let me know
Pouvez-vous me dire s'il vous plaît""".splitlines()
FINISHED = """\
I'd like to know more
J'aimerais en savoir plus
tell me more
who teaches
savoir
How much does
combien coûte la
je voudrais un diplôme
pouvez-vous m'aider
dites-moi tout
explain
I want to know everything
Je veux apprendre
Could you tell me?""".splitlines()
MOODS = """\
this is so confusing, I give up
Je suis perdu, je ne sais pas par où commencer 😞
I'm so lost!
I'm so sad today
I am tired
je suis crevée ce soir
J'en ai marre
Je suis complètement perdue
I've been rejected everywhere
j'ai cherché partout
I can't find anything on your website
c'est trop compliqué
I have been searching for hours
Personne ne m'aide
I have had enough
Je suis vraiment découragée...
I'm so stressed, I don't know what to do
C'est tellement flou, j'abandonne""".splitlines()
NO_MOODS = """\
On m'a refusé le CPF
J'ai été refusée par Pôle emploi pour le financement
J'ai été recalée au bac
I have been rejected by another school
Personne ne comprend le résultat de l'IA
Nobody understands how AI works
I'm asking for my brother
j'adore votre école
Je suis stressé par le coût de la formation
I can't find the price
j'abandonne en cours de route
je suis perdu dans le module 3
I don't know Python
je ne trouve pas la date
I have been rejected by the jury, can I come again
I've been looking for a course on AI
this is very hard
je n'ai pas de diplôme
C'est trop compliqué ?
your website says a year""".splitlines()


@pytest.mark.parametrize(("text", "question"), LAMENTS)
def test_a_lament_before_a_question_is_taken_away(text: str, question: str) -> None:
    assert split_questions(text) == (question,)


@pytest.mark.parametrize("text", NO_LAMENT)
def test_what_a_question_is_about_is_no_lament(text: str) -> None:
    assert split_questions(text) == (text,)


@pytest.mark.parametrize("text", SITUATIONS)
def test_a_question_about_one_s_situation_keeps_what_was_told_of_it(text: str) -> None:
    assert split_questions(text) == (text,)
    (told, _, more) = text.partition(". ")
    assert split_questions(f"Hello! {told}. {more} And who teaches?") == (text, "who teaches?")


@pytest.mark.parametrize("text", FOLLOW_UPS)
def test_what_goes_on_with_the_exchange_before_is_read_with_it(text: str) -> None:
    assert (resolve_follow_up(text, "Is X needed?") or "").startswith("Is X needed, ")


@pytest.mark.parametrize("text", NO_FOLLOW_UPS)
def test_what_has_a_subject_of_its_own_stands_alone(text: str) -> None:
    assert resolve_follow_up(text, "Is X needed?") is None


@pytest.mark.parametrize("text", UNFINISHED)
def test_a_question_that_is_only_announced_is_unfinished(text: str) -> None:
    assert is_unfinished(text)


@pytest.mark.parametrize("text", [*FINISHED, "", "?"])
def test_what_asks_or_tells_something_is_finished(text: str) -> None:
    assert not is_unfinished(text)


@pytest.mark.parametrize("text", MOODS)
def test_a_mood_is_told_from_what_one_may_answer(text: str) -> None:
    assert is_mood(text)
    assert not is_beside(text)  # each mood stands in one list


@pytest.mark.parametrize("text", [*NO_MOODS, "", "?"])
def test_what_tells_more_is_no_mood(text: str) -> None:
    assert not is_mood(text)


@pytest.mark.parametrize(("text", "end"), NO_SITUATION)
def test_a_question_that_says_it_all_stands_alone(text: str, end: str) -> None:
    assert split_questions(text) == (text.partition(". ")[2],)
    assert text.endswith(end)


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
