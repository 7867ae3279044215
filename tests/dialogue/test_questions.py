import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.questions import (
    MOST_PARTS,
    is_keyword,
    resolve_follow_up,
    split_questions,
    strip_politeness,
    without_padding,
)

LETTER_FR = """Bonjour Madame, Monsieur,

Je me permets de vous écrire car votre formation m'attire beaucoup. Je coordonne depuis dix ans des projets \
informatiques dans une entreprise de transport, avec des équipes très différentes. J'en ai entendu parler sur Internet.
Pourriez-vous me dire s'il faut un master pour candidater ?

Dans l'attente de votre réponse, je vous prie d'agréer, Madame, Monsieur, mes salutations distinguées.

Cordialement,
Jean Dupont"""
LETTER_EN = """Dear Sir or Madam,

I hope this message finds you well. My name is Anna Smith and I have been a developer in Leeds for seven years. \
I came across your course last week and it caught my attention.
I was wondering whether my employer could support me during the course.

Thank you very much in advance for your time.

Kind regards,
Anna Smith"""

ONE = [
    "Do I need a degree and experience?",
    "Faut-il un diplôme et de l'expérience ?",
    "What is the difference between AI and IT projects?",
    "Quelle est la différence entre un projet IA et un projet informatique ?",
    "L'IA va-t-elle remplacer des métiers et en créer de nouveaux ?",
    "What do you expect from people who work and who have projects?",
    "If I have a bac+3, can I apply?",
    "Si j'ai un bac+3, est-ce que je peux candidater ?",
    "I have a Bac+3. Can I apply?",
    "J'ai 10 ans d'expérience. Est-ce suffisant ?",
    "Who teaches? Academics or professionals?",
    "How do companies support trainees, with money or time?",
    "does my boss have to pay or can I pay myself?",
    "Est-ce que je ressors avec un titre, et de quel niveau ?",
    "Is it hard?",
    "Je suis consultant à mon compte, j'aimerais ajouter l'IA à mon offre",
    "Why are results so random, is that covered?",
    "Faut-il un projet qui est réel et qui dure ?",
    "Est-ce ouvert aux candidats qui ont un bac+3, et qui ont travaillé ?",
    "La formation est-elle reconnue, c'est important pour moi ?",
    "Combien de temps dure la formation, et c'est pour savoir si je garde mon emploi ?",
    "Comment mon employeur et mon OPCO peuvent-ils financer la formation ?",
    "Puis-je candidater si je n'ai pas de master et si je travaille déjà ?",
    "prix",
    "VAPP",
    "c koi la vapp",
    "who runs the course at Lille, Mr. Smith or Mme. Durand?",
    "The course. It is nice.",
    "Bonjour",
    "?",
    "🎉",
]
SEVERAL = [
    ("Who teaches? And how much does it cost?", ("Who teaches?", "how much does it cost?")),
    ("Bonjour, qui enseigne ? Et combien ça coûte ? Merci !", ("qui enseigne ?", "combien ça coûte ?")),
    ("Who are the lecturers and how much does it cost?", ("Who are the lecturers", "how much does it cost?")),
    ("slt c koi le prix et ki sont les profs svp", ("c koi le prix", "ki sont les profs")),
    ("1. Who teaches?\n2. What is VAPP?\n3) price", ("Who teaches?", "What is VAPP?", "price")),
    ("Bonjour,\n- le prix ?\n- les dates ?\n• les profs ?\nMerci", ("le prix ?", "les dates ?", "les profs ?")),
    ("Qui enseigne ; puis combien ça coûte ?", ("Qui enseigne", "combien ça coûte ?")),
    ("Faut-il un master, et aussi comment s'inscrire ?", ("Faut-il un master", "comment s'inscrire ?")),
    ("Can I apply with a bac+3 and is the course online?", ("Can I apply with a bac+3", "is the course online?")),
    ("Quels profils et quels diplômes ?", ("Quels profils", "quels diplômes")),
    ("prix, dates et profs ?", ("prix", "dates", "profs")),
    ("price and dates", ("price", "dates")),
    ("Tell me who teaches and when it starts", ("who teaches", "when it starts?")),
    ("prix\ndates\nprofs", ("prix", "dates", "profs")),
    ("What is the black box and why can't we explain AI?", ("What is the black box", "why can't we explain AI?")),
    (
        "Pouvez-vous me dire quand commence la formation et combien elle coûte ?",
        ("quand commence la formation", "combien elle coûte ?"),
    ),
    (
        "C'est un titre de quel niveau et c'est beaucoup de travail ?",
        ("C'est un titre de quel niveau", "c'est beaucoup de travail ?"),
    ),
    ("Qui enseigne et qui a conçu le programme ?", ("Qui enseigne", "qui a conçu le programme ?")),
    ("Est-ce prenant, et mon employeur peut-il m'aider ?", ("Est-ce prenant", "mon employeur peut-il m'aider ?")),
    (
        "Quels métiers y a-t-il, et que fait-on pour les utilisateurs ?",
        ("Quels métiers y a-t-il", "que fait-on pour les utilisateurs ?"),
    ),
    ("What is agile, and is it better?", ("What is agile", "is it better?")),
    ("Are users trained and is data important?", ("Are users trained", "is data important?")),
    ("je voudrais savoir le niveau du titre et si c'est prenant", ("le niveau du titre", "si c'est prenant?")),
    ("I'd like to know the fee and whether freelancers come", ("the fee", "whether freelancers come?")),
    (
        "Pouvez-vous me dire le prix, les dates et le niveau du diplôme obtenu ?",
        ("le prix", "les dates", "le niveau du diplôme obtenu"),
    ),
    ("Is there an exam?Do I need Python?", ("Is there an exam?", "Do I need Python?")),
    ("Who teaches? who teaches?", ("Who teaches?",)),
    ("pls what is vapp n who can use it", ("what is vapp", "who can use it")),
    ("qui enseigne tant qu'on y est combien ça coûte", ("qui enseigne", "combien ça coûte")),
    ("who teaches btw how much is it", ("who teaches", "how much is it")),
    ("Can my boss pay, failing that is there a grant?", ("Can my boss pay", "is there a grant?")),
    ("do we code and if we struggle does anyone help", ("do we code", "if we struggle does anyone help")),
    ("On code ? et si on bloque y a-t-il de l'aide", ("On code ?", "si on bloque y a-t-il de l'aide")),
    ("→ qui enseigne ?\n→ c'est où ?", ("qui enseigne ?", "c'est où ?")),
]
COUNTED = [
    ("Is it 1. online or 2. on site?", ("Is it online or on site?",)),
    ("C'est 1) en ligne ou 2) sur site ?", ("C'est en ligne ou sur site ?",)),
    ("Do I need 1. a degree, 2. experience or 3. both?", ("Do I need a degree, experience or both?",)),
    ("Is the course a) in French b) in English?", ("Is the course in French in English?",)),
    ("Hello! Is it (1) a diploma (2) or a certificate? Thanks", ("Is it a diploma or a certificate?",)),
    ("1) à distance ou 2) à Lille ?", ("à distance ou à Lille ?",)),
    ("What are 1) the price 2) the dates?", ("the price", "the dates?")),
    ("I'd like to know 1) if I need a degree 2) the price", ("if I need a degree", "the price")),
    ("1) c'est où 2) c'est combien", ("c'est où", "c'est combien")),
    ("1st: will I code 2nd: which laptop", ("will I code", "which laptop")),
    ("1°) c'est où 2°) c'est combien", ("c'est où", "c'est combien")),
    ("Point 1: who teaches? Point 2: is it hard?", ("who teaches?", "is it hard?")),
    ("1) can I pay in parts or 2) is there a grant?", ("can I pay in parts", "is there a grant?")),
    ("Deux questions : 1) le prix ou 2) les dates ?", ("le prix", "les dates ?")),
]
NAMES = """
Jean Dupont|Marie|Paul Marchand|Claire|Olivier|Xavier Lefebvre|Béatrice|Patrice Moreau|Jean-Baptiste|Fabienne Durand
Étienne|Julien|Sébastien Roux|Hilaire|Félicien|Fleur|Constant|Dante|Mohamed Benali|Nguyen Thi Lan|Anna|Peter Baker
Alexander|Jennifer Cook|Victor|Christian|Brian Taylor|Hunter|Mason Cooper|Vivian|Priya Sharma|O'Brien|Léa|José|Renée
Didier|Anaïs|Ingrid Chevalier|Anne-Claire Berger|Prashant Kumar|Junior|An Nguyen
"""
STATES = """
Infirmière|Infirmier|Ingénieur|Ingénieure|Développeuse Web|Chef De Projet|Médecin|Consultante|Professeur Des Écoles
Directrice Commerciale|Étudiante|Salariée|Demandeur D'Emploi|Comptable|Psychologue|Photographe|Technicienne|Pharmacien
Retraité|Cadre|Sans Emploi|En Reconversion|Jeune Diplômé|Freelance|Bibliothécaire|Auto-Entrepreneur|Sage-Femme
Aide-Soignante|Française|Marocain|Boulanger|Architecte|Agent De Maîtrise|Junior Developer|Au Chômage|Data Scientist
Scrum Master|Nurse|Engineer|Project Manager|Software Engineer|Registered Nurse|Teacher|Student|Unemployed
Freelance Developer|Accountant|Journalist|Electrician|Product Owner|Business Analyst|Self-Employed|Mechanical Engineer
Sales Assistant|Senior Consultant|Retired|French|Lawyer|Doctor|Primary School Teacher
"""
SAID = [
    ("Bonjour, je suis {}, je voudrais savoir si c'est pour moi", "si c'est pour moi?"),
    ("Hello, I'm {} and I'd like to know if I can come.", "if I can come?"),
    ("I am {}, could you tell me the price?", "the price?"),
]
POLITE = [
    ("merci, et le prix ?", "le prix ?"),
    ("ok merci et sinon ya un examen ?", "ya un examen ?"),
    ("Hi, I'm Anna and I'd like to know the price.", "the price?"),
    ("Hello! Could you please tell me who the teachers are? Thanks a lot!", "who the teachers are?"),
    ("Je suis freelance, je voudrais savoir si c'est pour moi", "Je suis freelance, si c'est pour moi?"),
    ("J'ai Bac+5, je voudrais savoir si je peux candidater", "J'ai Bac+5, si je peux candidater?"),
    ("Hello, I'm only a tester and I'd like to know if I can come.", "I'm only a tester, if I can come?"),
    ("Bonjour, je suis Jean Dupont, je voudrais connaître le prix.", "le prix?"),
    ("je voudrais savoir si le diplôme est reconnu svp", "si le diplôme est reconnu?"),
    ("Est-ce que vous pourriez m'indiquer le prix de la formation ?", "le prix de la formation ?"),
    ("Merci de me dire si le CPF est accepté", "si le CPF est accepté?"),
    ("Please let me know the deadline", "the deadline?"),
    (
        "Bonjour, je m'appelle Paul. J'ai une question : faut-il un diplôme ? Bonne journée, Paul",
        "faut-il un diplôme ?",
    ),
    ("Cher Monsieur Renaux, y a-t-il des travaux pratiques ? Bien à vous, Sophie", "y a-t-il des travaux pratiques ?"),
    ("Bonjour Madame Durand, qui enseigne ?", "qui enseigne ?"),
    ("good day sir what are the requirements?", "what are the requirements?"),
    ("Good day! Who teaches?", "Who teaches?"),
    ("je suis infirmière je voudrais savoir si c'est pour moi", "je suis infirmière, si c'est pour moi?"),
    ("i am a nurse i would like to know who teaches", "i am a nurse, who teaches?"),
    ("my english not good sorry. diploma is official in france yes or no", "diploma is official in france yes or no"),
    ("je m'excuse pour mon français, qui enseigne ?", "qui enseigne ?"),
    ("Hi there, who teaches, please?", "who teaches?"),
    ("Sorry to bother you, but is it online?", "is it online?"),
    ("Good evening! Sorry to write so late — who teaches?", "who teaches?"),
    ("Bonne soirée à toute l'équipe, juste une question vite fait, qui enseigne ?", "qui enseigne ?"),
    ("bonsoir la team, qui enseigne ?", "qui enseigne ?"),
    ("Merci ! Autre sujet : c'est quoi le diplôme ?", "c'est quoi le diplôme ?"),
    ("anyway, who teaches", "who teaches"),
    ("Changement de sujet, qui enseigne ?", "qui enseigne ?"),
    ("demande leur stp si c'est reconnu", "si c'est reconnu?"),
    ("je suis infirmière, je veux savoir si c'est pour moi", "je suis infirmière, si c'est pour moi?"),
    ("quick question: is it online", "is it online"),
    ("Before I decide, could you simply tell me who teaches?", "who teaches?"),
    ("My boss agrees. She would like to know how you help. Thanks!", "My boss agrees. how you help?"),
    (
        "Ma responsable est d'accord. Elle aimerait savoir comment une société peut aider. Merci !",
        "Ma responsable est d'accord. comment une société peut aider?",
    ),
    (
        "Before I go further, which involves my parents, I should like to know who directs the course.",
        "who directs the course?",
    ),
    ("Qui enseigne ?", "Qui enseigne ?"),
    ("Hello", "Hello"),
    ("Merci beaucoup !", "Merci beaucoup !"),
    (LETTER_FR, "s'il faut un master pour candidater ?"),
]
STANDS_ALONE = [
    "corrections ?",
    "Correction is fast?",
    "How much does it cost?",
    "et combien ça coûte ?",
    "and who teaches?",
    "Who are the lecturers?",
    "c'est quoi la VAPP ?",
    "prix",
    "is it online?",
    "c'est en anglais ?",
    "pour qui est la formation ?",
    "pour qui ?",
    "for whom is it?",
    "why is it a black box?",
    "won't AI simply take everyone's jobs?",
    "et c'est lourd à côté du boulot ?",
    "et il y a des applications concrètes ?",
    "leur prix ?",
    "sa commence quand",
]
FOLLOW_UPS = [
    ("et pour les profs ?", "Quels sont les projets ?", "les profs ?"),
    ("et les profs ?", "Quels sont les projets ?", "les profs ?"),
    ("and the price?", "Who are the lecturers?", "the price?"),
    ("what about lecturers", "What are the projects?", "lecturers"),
    ("ok, and the dates?", "Who teaches?", "the dates?"),
    ("ok cool and the dates?", "Who teaches?", "the dates?"),
    ("oui super et les dates ?", "Qui enseigne ?", "les dates ?"),
    ("quid du financement ?", "Qui enseigne ?", "financement ?"),
    ("qu'en est-il des dates ?", "Qui enseigne ?", "dates ?"),
    ("why?", "Is AI a black box?", "Is AI a black box, why?"),
    ("pourquoi ?", "Peut-on expliquer l'IA ?", "Peut-on expliquer l'IA, pourquoi ?"),
    ("et comment ?", "Puis-je candidater ?", "Puis-je candidater, comment ?"),
    ("when?", "Is there a second session?", "Is there a second session, when?"),
    ("lesquels ?", "Y a-t-il des projets ?", "Y a-t-il des projets, lesquels ?"),
    ("c'est obligatoire ?", "Faut-il un projet ?", "Faut-il un projet, c'est obligatoire ?"),
    ("is it mandatory?", "Do I need a project?", "Do I need a project, is it mandatory?"),
    ("est-ce que ça suffit ?", "Trois ans ?", "Trois ans, est-ce que ça suffit ?"),
    ("sont-ils chercheurs ?", "Qui enseigne ?", "Qui enseigne, sont-ils chercheurs ?"),
    ("and for freelancers?", "Can my company pay?", "Can my company pay, freelancers?"),
    ("et pour les indépendants ?", "Qui paie ?", "Qui paie, les indépendants ?"),
    ("sans diplôme ?", "Puis-je candidater ?", "Puis-je candidater, sans diplôme ?"),
    ("what about the price then", "Who teaches?", "the price then"),
    ("same for my colleague?", "Is a bachelor enough?", "Is a bachelor enough, my colleague?"),
    ("pareil pour les stagiaires ?", "Qui paie ?", "Qui paie, les stagiaires ?"),
    ("what's his background?", "Who runs it?", "Who runs it, what's his background?"),
    ("ok et son assistante ?", "Qui dirige ?", "Qui dirige, son assistante ?"),
    ("du genre ?", "Y a-t-il des projets ?", "Y a-t-il des projets, du genre ?"),
    ("et si je n'ai pas de diplôme ?", "Qui peut candidater ?", "Qui peut candidater, si je n'ai pas de diplôme ?"),
    ("What about people without a degree?", "Who is it for?", "Who is it for, people without a degree?"),
    ("sorry I meant I hold a master", "Can I apply?", "Can I apply, I hold a master"),
    ("no, I mean with two kids", "Is it hard?", "Is it hard, with two kids"),
    ("Ah pardon je voulais dire que j'ai un M1", "Puis-je candidater ?", "Puis-je candidater, j'ai un M1"),
    ("non mais je veux dire avec un boulot à côté", "C'est dur ?", "C'est dur, avec un boulot à côté"),
    ("Oops, I meant how long is it?", "Who teaches?", "how long is it?"),
    ("je me suis mal exprimée, j'ai un BTS", "Puis-je candidater ?", "Puis-je candidater, j'ai un BTS"),
    ("typo: 2 years", "Can I apply with 20 years?", "Can I apply with 20 years, 2 years"),
    ("Correction : qui enseigne ?", "Quels projets ?", "qui enseigne ?"),
]


@pytest.mark.parametrize("text", ONE)
def test_one_question_stays_one(text: str) -> None:
    assert split_questions(text) == (text,)


@pytest.mark.parametrize(("text", "parts"), SEVERAL)
def test_several_questions_are_told_apart(text: str, parts: tuple[str, ...]) -> None:
    assert split_questions(text) == parts


@pytest.mark.parametrize(("text", "parts"), COUNTED)
def test_numbers_count_questions_or_what_one_question_chooses_among(text: str, parts: tuple[str, ...]) -> None:
    assert split_questions(text) == parts


@pytest.mark.parametrize(
    ("letter", "question"),
    [
        (LETTER_FR, "s'il faut un master pour candidater ?"),
        (LETTER_EN, "whether my employer could support me during the course?"),
    ],
)
def test_letter_gives_its_small_question(letter: str, question: str) -> None:
    assert split_questions(letter) == (question,)


def test_parts_are_capped() -> None:
    text = " ".join(f"Question number {number}, what is it?" for number in range(9))
    assert len(split_questions(text)) == MOST_PARTS


@pytest.mark.parametrize(("told", "asked"), SAID)
@pytest.mark.parametrize("name", NAMES.strip().replace("\n", "|").split("|"))
def test_a_name_explains_nothing(told: str, asked: str, name: str) -> None:
    assert split_questions(told.format(name)) == (asked,)


@pytest.mark.parametrize(("told", "asked"), SAID)
@pytest.mark.parametrize("state", STATES.strip().replace("\n", "|").split("|"))
def test_what_somebody_is_explains_the_question_with_a_capital_too(told: str, asked: str, state: str) -> None:
    for written in (state, state.lower()):
        (question,) = split_questions(told.format(written))
        assert question.endswith(f" {written}, {asked}")


@pytest.mark.parametrize(("text", "bare"), POLITE)
def test_politeness_is_taken_away(text: str, bare: str) -> None:
    assert strip_politeness(text) == bare


PADDED = [
    ("What exactly is the VAPP, please?", "What is the VAPP?"),
    ("Dites-moi, c'est quoi au juste la VAPP ?", "c'est quoi la VAPP?"),
    ("Faut-il vraiment un Bac+5 ?", "Faut-il un Bac+5?"),
    ("Who actually teaches?", "Who teaches?"),
    ("J'en fais partie, je simplifie", "J'en fais partie, je simplifie"),
    ("really?", "?"),
]


@pytest.mark.parametrize(("text", "plain"), PADDED)
def test_words_that_change_nothing_are_left_out(text: str, plain: str) -> None:
    assert without_padding(text) == plain


@given(st.text(max_size=200))
def test_nothing_is_ever_lost_whole(text: str) -> None:
    assert bool(strip_politeness(text)) == bool(text.strip())
    parts = split_questions(text)
    assert 1 <= len(parts) <= MOST_PARTS
    assert all(parts) or not text.strip()


@pytest.mark.parametrize(("text", "before", "whole"), FOLLOW_UPS)
def test_follow_up_is_made_whole(text: str, before: str, whole: str) -> None:
    assert resolve_follow_up(text, before) == whole


@pytest.mark.parametrize("text", STANDS_ALONE)
def test_message_that_stands_alone_is_left_alone(text: str) -> None:
    assert resolve_follow_up(text, "Qui dirige les projets ?", "curriculum") is None


def test_long_question_before_gives_way_to_its_topic() -> None:
    assert resolve_follow_up("why?", "word " * 40, "funding") == "funding, why?"


def test_nothing_before_leaves_nothing_to_resolve() -> None:
    assert resolve_follow_up("why?", "", "") is None


@pytest.mark.parametrize(
    "text", ["bonjour " * 2500, "d'accord, et " * 1600, "who teaches and " * 1200, "\n- x" * 5000, "Why? " * 4000]
)
def test_hostile_lengths_are_cut_into_few_parts(text: str) -> None:
    assert 1 <= len(split_questions(text)) <= MOST_PARTS
    assert strip_politeness(text)


@pytest.mark.parametrize("text", ["funding", "le financement ?", "Entreprise", "degree?"])
def test_a_word_or_two_are_a_keyword(text: str) -> None:
    assert is_keyword(text)


@pytest.mark.parametrize("text", ["why?", "quand ?", "is it", "c'est quoi", "et si", "the funding of it", "?"])
def test_what_asks_or_leans_on_something_is_none(text: str) -> None:
    assert not is_keyword(text)
