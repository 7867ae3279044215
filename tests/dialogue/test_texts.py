import re
from dataclasses import fields
from pathlib import Path
from string import Formatter

import pytest

from bot.dialogue import lists
from bot.dialogue.texts import Texts, texts
from indexer.entries import LANGUAGES, Language

NAMES = [field.name for field in fields(Texts)]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_text_says_something(language: Language, name: str) -> None:
    text = getattr(texts(language), name)
    assert isinstance(text, str)
    assert text == text.strip() != ""
    assert all(character.isalpha() or character in "{" for character in text[0].strip("« /"))


@pytest.mark.parametrize("name", NAMES)
def test_placeholders_agree_and_the_languages_differ(name: str) -> None:
    french, english = getattr(texts("fr"), name), getattr(texts("en"), name)
    assert placeholders(french) == placeholders(english)
    assert french != english


@pytest.mark.parametrize("name", NAMES)
def test_french_punctuation_never_begins_a_line(name: str) -> None:
    text = getattr(texts("fr"), name)
    assert not any(f" {sign}" in text for sign in "?!:;»%")


@pytest.mark.parametrize("file", ["texts.fr.yaml", "guide.fr.yaml", "mydata.yaml"])
def test_french_apostrophes_are_all_alike(file: str) -> None:
    for line in (Path(lists.__file__).parent / file).read_text(encoding="utf-8").splitlines():
        french = line.partition(" fr: ")[2] if file == "mydata.yaml" else line
        assert not re.search(r"\w'\w", french), line


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_fit_a_message_and_buttons_fit_a_phone(language: Language) -> None:
    for name in NAMES:
        text = getattr(texts(language), name)
        assert len(text) <= (24 if name.startswith("button_") else 1200), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_lines_are_short_for_phones_and_screen_readers(language: Language) -> None:
    long = {name for name in NAMES if max(map(len, getattr(texts(language), name).splitlines())) > 180}
    assert long == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_start_names_the_machine_and_the_ways_out(language: Language) -> None:
    words = texts(language)
    assert "automati" in words.start
    for command in ("/human", "/help", "/privacy"):
        assert command in words.start
    assert "/forget" in words.privacy


def test_french_is_formal() -> None:
    for name in NAMES:
        said = f" {getattr(texts('fr'), name).lower()} "
        assert not any(word in said for word in (" tu ", " ton ", " ta ", " tes ", " toi ", " t'")), name


def test_a_fact_keeps_the_typography_of_its_language() -> None:
    assert [texts(language).fact.format(label="a", value=1) for language in ("fr", "en")] == ["a\u00a0: 1", "a: 1"]
