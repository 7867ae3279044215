from dataclasses import replace
from datetime import date

import pytest

from bot.dialogue import render
from bot.dialogue.texts import texts
from indexer.courses import Course
from indexer.entries import LANGUAGES, Entry, Language

ENTRY = Entry(
    id="who-for",
    language="en",
    course="course",
    topic="admissions",
    topic_name="Admissions",
    question="Who is it for?",
    also=(),
    answer="In 2022, for **everyone**.",
    source="An interview",
    source_date="2022",
    reviewed=date(2026, 11, 22),
)


def test_answer_comes_first_then_its_source_and_review() -> None:
    shown = render.answer(ENTRY, "en")
    assert shown.text == "In 2022, for everyone.\n\nSource: An interview, 2022 · reviewed 22 November 2026"
    assert shown.entities == ({"type": "bold", "offset": 13, "length": 8},)


def test_answer_in_the_other_language_says_so_in_the_language_of_the_question() -> None:
    shown = render.answer(ENTRY, "fr")
    assert shown.text.startswith(texts("fr").other_language)
    assert shown.text.endswith("Source\u00a0: An interview, 2022 · relu le 22 novembre 2026")


def test_source_links_to_its_address_and_shows_only_what_is_known() -> None:
    entry = replace(ENTRY, address="https://a.example/x", source_date="2022-05-31", reviewed=None)
    shown = render.source(entry, "en")
    assert shown.text == "Source: An interview, 31 May 2022"
    assert shown.entities == ({"type": "text_link", "offset": 8, "length": 25, "url": "https://a.example/x"},)
    assert render.source(replace(entry, source_date=None), "en").text == "Source: An interview"


@pytest.mark.parametrize(
    ("kept", "english", "french"),
    [
        ("2022", "2022", "2022"),
        ("2022-05", "May 2022", "mai 2022"),
        ("2022-08-01", "1 August 2022", "1er août 2022"),
        ("2022-02-30", "2022-02-30", "2022-02-30"),  # no such day
    ],
)
def test_dates_of_sources_are_written_out(kept: str, english: str, french: str) -> None:
    entry = replace(ENTRY, source_date=kept, reviewed=None)
    assert render.source(entry, "en").text == f"Source: An interview, {english}"
    assert render.source(entry, "fr").text == f"Source\u00a0: An interview, {french}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("operator", "contact"), [(None, None), ("School", None), (None, "a@example.org")])
def test_demonstration_is_said_until_somebody_is_responsible(
    language: Language, operator: str | None, contact: str | None
) -> None:
    school = [Course("law", "Droit", "Law", origin_fr="D’un essai.", origin_en="From a trial.")]
    plain, told = texts(language).demonstration.format(origin=""), render.notice(language, operator, contact, school)
    assert render.start(language, render.notice(language, operator, contact)).text.endswith(plain)
    assert told == texts(language).demonstration.format(origin=f" {school[0].origin(language)}")
    assert render.notice(language, operator, contact, school * 2) == told
    assert texts(language).privacy_nobody in render.privacy(language, operator, contact, 365).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_responsible_school_is_named(language: Language) -> None:
    assert render.notice(language, "School", "a@example.org", [Course("law", "Droit", "Law", origin_en="x")]) == ""
    shown = render.privacy(language, "School", "a@example.org", 365).text
    assert "School" in shown
    assert "a@example.org" in shown
    assert texts(language).privacy_nobody not in shown


@pytest.mark.parametrize("asked", ["Who is it for?", "who is it for", "WHO IS IT FOR ???"])
def test_nothing_stands_above_an_answer_to_its_own_question(asked: str) -> None:
    assert render.heading(ENTRY, asked) == ""


@pytest.mark.parametrize("asked", ["", "Who is it?", "Is it for everybody?"])
def test_above_an_answer_to_other_words_stands_its_question(asked: str) -> None:
    assert render.heading(ENTRY, asked) == "Who is it for?"


def test_a_question_that_was_cut_out_of_a_message_has_its_mark() -> None:
    assert render.put("qui sont les profs", "fr") == "Qui sont les profs\u00a0?"
    assert [render.put(asked, "en") for asked in ("how much?", "the price")] == ["How much?", "The price?"]
    assert render.left(["how much"], "en") == texts("en").left_to_team.format(questions="– How much?")


def test_one_question_has_no_number() -> None:
    assert render.clarify(["Who teaches?"], "en").text == f"{texts('en').clarify_one}\n\nWho teaches?"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_words_name_topics_with_three_dots_at_most(language: Language) -> None:
    shown = render.start(language, "", [Course("ai", "AI", "AI")], "admissions, careers…").text
    assert "careers…" in shown
    assert "…." not in shown


def test_clarifying_numbers_the_questions() -> None:
    shown = render.clarify(["Who teaches?", "Who is it for?"], "en").text
    assert shown.endswith("\n\n1. Who teaches?\n2. Who is it for?")
