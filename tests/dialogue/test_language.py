import pytest

from bot.dialogue.language import fold, language, words
from indexer.entries import LANGUAGES, Language

FRENCH = """\
salut
merci
bonjour
slt
bjr c koi le prix
c koi la formation
jpeu venir sans diplome
svp les dates
les profs c ki
ki sont les profs
cmt on s'inscrit
comment s'inscrire
comment
combien
prix ?
quand
Quels débouchés
debouches
inscription
tarifs
Quel est le prix de la formation
Faut-il un bac+4 ?
faut il un bac +4
jai un bac+2 je peux postuler
J'ai un bac+2
C'est quoi la VAPP ?
la vapp cest quoi
VAPP c koi
RNCP niveau 7 ?
certif rncp ?
le deadline pour apply c'est quand
C'est quoi le deadline pour apply ?
Quels sont les requirements ?
y a t il un entretien
ya un entretien ?
est ce que je peux suivre le cours en remote
On peut faire le course full remote ?
Je suis project manager, est-ce que c'est pour moi ?
Qui enseigne le machine learning ?
black box c'est quoi
Boîte noire
mon employeur peut payer
mon boss peut financer ?
financement employeur
freelance possible ?  je suis independant
Pourquoi ?
et les profs ?
et pour le prix
c'est dur ?
c'est obligatoire
ça coûte combien
sa coute cb
cb ca coute
est-ce en anglais ?
cours en anglais ?
je parle anglais, c'est ok ?
L'IA va-t-elle remplacer les chefs de projet
ia et chef de projet
chef de projet IA
diff entre projet IA et projet IT
projet informatique classique vs projet IA
est ce qu on code
on code en python ?
beaucoup de travail ?
charge de travail
combien d'heures par semaine
dispo le week-end
qqn peut m'aider
a quoi sert la certification
à qui s'adresse la formation
pour qui
quel profil
quels profils recherchez vous
profil type ?
je veux parler à un humain
Merci beaucoup, bonne journée
au revoir
ok merci
d'accord
t'es un robot ?
tu es qui
nul
Est-ce que le diplôme est reconnu à l'étranger ?
Bonjour Madame, Monsieur, je me permets de vous écrire car je souhaite candidater. Cordialement, John Smith
Bonjour, is there un parking à l'école ? je viens en voiture
je voudrais savoir si le CPF est accepté
CPF accepté ?
éligible cpf
les intervenants
enseignants
professeurs
alternance possible
stage obligatoire
ca se passe ou
où se déroulent les cours
logement étudiant
handicap et aménagements
rattrapages
soutenance
travaux pratiques
quelle est la pédagogie
accompagnement pendant la formation
projet perso accepté ?
reconversion pro
je suis en reconversion
quel niveau en maths faut il
maths obligatoires ?
dispense de diplome
equivalence diplome
lettre de motivation
envoyer mon cv
recevoir la brochure
brochure svp
contact ecole
numero de tel
site web de l'ecole
g 3 ans d'xp
j'ai 20 ans d'expérience
bosser le soir
responsable de la formation
directeur
qui est le directeur
Emmanuel Renaux c'est qui
jveux m'inscrire
dsl j'ai pas compris
pas compris
autre question
c'est pas ma question
non
oui
""".splitlines()

ENGLISH = """\
hi
hello
thx
thanks
thank you
hey there
lecturers
teachers?
the lecturers
who teaches
who r the teachers
whats the price
price
how much
how much is it
fees?
tuition
is there cpf
is CPF accepted
Can I use my CPF?
what is VAPP
VAPP meaning
whats rncp
do i need a degree
need degree?
degree required?
bachelors ok?
i have a bac+3 can i apply
Is a Bac+2 enough?
apply online
application deadline
deadline?
when does it start
start date
dates?  when
where is it
campus location
Is it in French?
in english?
is the course in english or french
I don't speak French
do i need to speak french
Do I need to know Python
coding skills needed
no coding background
do we code
is it hard
how hard
how long
how many hours a week
weekly workload
weekend classes
can my boss pay
employer funding
my company pays
self employed
freelancers welcome?
I am a chef de projet, can I join?
Is the Chef de Projet IA course recognised?
What does 'validation des acquis' mean?
Does the mise en situation count?
Can I come to the soutenance?
do you have a brochure en français
can I talk to a human
talk to a person
human please
are you a robot
who are you
stupid bot
this is useless
you suck
why?
why
and the price?
what about lecturers
and for freelancers
is it mandatory
what's next
bye
good morning
good evening
see you
ok thanks
yes
no
nope
not my question
other question
another question
black box
what is a black box
black box problem
AI vs IT project
difference between AI and IT projects
how do AI projects differ
will AI replace jobs
new jobs
career prospects
salary after
job after the course
housing near campus
scholarship
pay in instalments
pls tell me the price
plz help
need help
u got evening classes?
can u tell me abt the teachers
wat do i need
idk what vapp is
who is the director
who runs it
Who's Emmanuel Renaux?
Emmanuel Renaux role
hands on?
hands-on projects
practical work
learn by doing
support during the course
follow up
trainees' profiles
typical profile
age limit
any age limit?
retraining
career change
career changers
20 years experience
no experience
3 years in IT
personal project ok
my own startup idea
entry requirements
eligibility
admission requirements
how do I get in
get in without a degree
email address
phone number
website
more info
where can i find more information
exam?
final exam
certificate
level 7 title
how was the course designed
industrial partners
data sets
what kind of data
law and ethics
GDPR
knowledge management
Bonjour, can you tell me who the teachers are?
Salut! What is the price please
Hello, je voudrais ... sorry, in English: what are the fees?
merci! and what about housing?
""".splitlines()

# Names and words of both languages: only the conversation can tell.
BOTH = ["CPF", "VAPP", "RNCP", "ok", "admission", "admissions", "session", "visa", "agent", "campus", "2022", "?", ""]

THIRD = """\
Quiero saber el precio del curso por favor
Was kostet der Kurs und wann beginnt er?
Quem são os professores deste curso de inteligência artificial?
Quanto costa il corso e chi sono i professori?
Wer sind die Dozenten in diesem Kurs?
ما هو سعر الدورة
сколько стоит курс
这个课程多少钱
""".splitlines()


@pytest.mark.parametrize("text", FRENCH)
def test_french(text: str) -> None:
    assert language(text) == "fr"


@pytest.mark.parametrize("text", ENGLISH)
def test_english(text: str) -> None:
    assert language(text) == "en"


@pytest.mark.parametrize("before", LANGUAGES)
def test_conversation_does_not_overrule_a_clear_message(before: Language) -> None:
    wrong = [text for text in FRENCH if language(text, before) != "fr"]
    wrong += [text for text in ENGLISH if language(text, before) != "en"]
    assert len(wrong) <= 0.03 * (len(FRENCH) + len(ENGLISH)), wrong


@pytest.mark.parametrize("before", LANGUAGES)
@pytest.mark.parametrize("text", BOTH)
def test_conversation_decides_what_could_be_both(text: str, before: Language) -> None:
    assert language(text, before) == before


@pytest.mark.parametrize("text", THIRD)
def test_a_third_language_gets_the_nearest(text: str) -> None:
    assert language(text) in LANGUAGES


def test_words_are_folded_and_elisions_set_apart() -> None:
    assert words("J’ai l'Élève, qu'est-ce ? Don't") == ["j", "ai", "l", "eleve", "qu", "est", "ce", "don't"]
    assert fold("Œuvre ÉTÉ’s") == "oeuvre ete's"
