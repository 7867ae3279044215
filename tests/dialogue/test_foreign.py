"""Other languages are noticed; French and English, however they are written, are never taken for one."""

from itertools import chain
from pathlib import Path

import pytest
import yaml

from bot.dialogue.foreign import OTHER, foreign, notice, small_talk
from bot.dialogue.smalltalk import ChatKind
from bot.dialogue.texts import texts
from indexer.entries import LANGUAGES, Language
from indexer.readers import read_knowledge
from tests.dialogue import test_language, test_smalltalk

KNOWLEDGE = Path(__file__).parents[2] / "knowledge"
FOREIGN = {
    "es": ["¿Cuánto cuesta el curso?", "Hola", "¡Muchas gracias!", "Buenas tardes, quisiera información"],
    "de": ["Was kostet der Kurs?", "Guten Tag", "Danke schön", "Kann ich ohne Abschluss teilnehmen?"],
    "it": ["Quanto costa il corso?", "Buongiorno", "Grazie mille", "Vorrei iscrivermi al master", "Parla italiano?"],
    "pt": ["Qual é o preço do curso?", "Bom dia", "Obrigada", "Preciso de ter um projeto para me candidatar?"],
    "ar": ["ما هي شروط القبول؟", "مرحبا", "شكرا", "RNCP هل يمكن الدراسة عن بعد؟"],
    "zh": ["这个课程多少钱", "你好", "谢谢", "会说中文吗？"],
    "ru": ["Привет, сколько стоит курс?", "Здравствуйте!", "спасибо"],
    OTHER: ["このコースはいくらですか", "이 과정은 얼마입니까", "Πόσο κοστίζει;"],
}  # fmt: skip
OURS = """\
J'ai un diplôme de la Universidad de Salamanca, est-il reconnu ?
Je m'appelle José dos Santos da Silva
José dos Santos da Silva
Is a degree of the Politecnico di Milano ok?
Universidade de São Paulo
Ludwig-Maximilians-Universität München
i live in El Paso, las vegas is far
muchas gracias for your help
danke schön, and the price?
hola, who are the teachers?
ok gracias, et le prix ?
cest koi el prix
curriculum vitae
a priori y a pas de souci
yo bro con calma
Mohamed al Fassi
On a un diplôme à la fin ?
Was it hard?
Bonjour, is the course for Привет-школа graduates too?
""".splitlines()


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, said in FOREIGN.items() for text in said])
def test_another_language_is_noticed(code: str, text: str) -> None:
    assert foreign(text, small_talk(text)) == code


@pytest.mark.parametrize("text", [*OURS, *test_language.FRENCH, *test_language.ENGLISH, *test_language.BOTH])
def test_names_and_borrowed_words_make_no_language(text: str) -> None:
    assert small_talk(text) is None
    assert foreign(text, None) is None


def test_no_question_of_the_knowledge_or_beside_it_is_taken_for_another_language() -> None:
    known, golden = read_knowledge(KNOWLEDGE), yaml.safe_load((KNOWLEDGE / "golden.yaml").read_text(encoding="utf-8"))
    asked = [way for entry in known.entries + known.drafts for way in (entry.question, *entry.also, entry.answer)]
    outside = (KNOWLEDGE / "outside.txt").read_text(encoding="utf-8").splitlines()
    talk = (getattr(test_smalltalk, name) for name in ("GREETING", "THANKS", "GOODBYE", "INSULT", "GIBBERISH"))
    said = [*asked, *(one["ask"] for one in golden), *outside, *chain.from_iterable(talk)]
    greets_too = "ciao"  # where nothing was said before
    assert [text for text in said if foreign(text, small_talk(text)) and text != greets_too] == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Hola", "greeting"),
        ("Ciao!", "greeting"),
        ("Hallo", "greeting"),
        ("Guten Tag!", "greeting"),
        ("Grazie mille", "thanks"),
        ("شكرا", "thanks"),
        ("你好", "greeting"),
        ("Sprechen Sie Deutsch?", "languages"),
        ("¿Hablas español?", "languages"),
        ("会说中文吗？", "languages"),
        ("Guten Tag, was kostet der Kurs?", None),
    ],
)
def test_small_talk_of_another_language(text: str, kind: str | None) -> None:
    talk = small_talk(text)
    assert (talk and talk.kind) == kind


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notice_is_in_that_language_and_in_one_of_ours(language: Language) -> None:
    ours = texts(language).only_two
    assert notice("es", language).splitlines()[-1] == ours
    assert "francés" in notice("es", language)
    assert notice(OTHER, language).splitlines() == [texts(one).only_two for one in LANGUAGES]


@pytest.mark.parametrize("kind", ["greeting", "thanks"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_kind_word_is_answered_with_one_below_the_languages(language: Language, kind: ChatKind) -> None:
    first, _, last = notice("es", language, kind).splitlines()
    assert first == notice("es", language).splitlines()[0]
    assert last == getattr(texts(language), kind)
