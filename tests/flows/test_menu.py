"""The first minute: from /start to an answer without typing, in the person's language."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from bot.dialogue.texts import texts
from bot.dialogue.topics import code
from bot.records.tables import Candidate, utc_now
from bot.sandbox.people import User
from indexer.engine import Engine
from indexer.entries import Language

from ..conftest import DATA
from .house import LECTURERS, House, buttons, house

pytestmark = pytest.mark.asyncio(loop_scope="module")

EN, FR = texts("en"), texts("fr")
TEACHERS: dict[Language, str] = {"en": "Lecturers", "fr": "Intervenants"}


def shown(flow: House, message: dict[str, Any]) -> dict[str, Any]:
    """A message as it stands now."""
    return next(one for one in flow.api.messages(message["chat"]["id"]) if one["message_id"] == message["message_id"])


async def tap(
    flow: House, person: User, message: dict[str, Any], button: str, *, forged: bool = False
) -> dict[str, Any]:
    """Press a button of the menu: no message comes, this one changes."""
    assert await flow.press(person, shown(flow, message), button, forged=forged) == []
    return shown(flow, message)


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_from_start_to_an_answer_by_three_taps_and_back(flow: House, language: Language) -> None:
    person, words = flow.candidate(language=language), texts(language)
    (first,) = await flow.ask(person, "/start")
    listed = await tap(flow, person, first, TEACHERS[language])
    answer = await tap(flow, person, first, buttons(listed)[0])
    assert "Emmanuel Renaux" in answer["text"]
    assert answer["text"].split("\n")[0] == listed["text"].split("\n")[2].removeprefix("1. ")
    assert words.button_person in buttons(answer)
    again = await tap(flow, person, first, words.button_questions)
    assert again["text"] == listed["text"]
    topics = await tap(flow, person, first, words.button_topics)
    assert topics["text"].startswith(words.menu_topics)
    assert words.demonstration.split("{")[0] in topics["text"]
    assert TEACHERS[language] in buttons(topics)


async def test_start_says_in_two_lines_what_it_is_and_knows(flow: House, sara: User) -> None:
    (first,) = await flow.ask(sara, "/start")
    who, how, *_ = first["text"].split("\n")
    assert "automatic assistant" in who
    assert "AI Project Manager" in who
    assert "the team" in how
    assert "Admissions" in buttons(first)
    assert "dmissions" not in first["text"]  # what stands on the buttons is not said twice


async def test_menu_reopens_it_anew(flow: House, sara: User) -> None:
    (first,) = await flow.ask(sara, "/menu")
    assert first["text"].startswith(EN.menu_topics)
    (second,) = await flow.ask(sara, "/menu")
    assert buttons(second) == buttons(first)


async def test_a_tapped_question_can_go_to_the_team_and_keeps_the_way_back(flow: House, sara: User) -> None:
    (first,) = await flow.ask(sara, "/menu")
    listed = await tap(flow, sara, first, "Lecturers")
    await tap(flow, sara, first, buttons(listed)[0])
    (question,) = await flow.questions()
    assert (question.decision, question.entry_id is not None, question.topic) == ("answer", True, "lecturers")
    (thanks,) = await flow.press(sara, shown(flow, first), EN.button_helped)
    assert thanks["text"] == EN.feedback_thanks
    assert buttons(shown(flow, first)) == [EN.button_questions, EN.button_topics]
    await flow.ask(sara, "/human")
    (card,) = flow.cards()
    assert question.text in card["text"]


@pytest.mark.parametrize("made_up", ["g:e:0123456789ab", "g:t:nowhere:3", "g:e:", "g:", "g:x:1:2", "g:t:x:99999999999"])
async def test_what_is_unknown_leads_to_the_menu_anew(flow: House, sara: User, made_up: str) -> None:
    (first,) = await flow.ask(sara, "/start")
    said = await tap(flow, sara, first, made_up, forged=True)
    assert said["text"].startswith(EN.menu_changed)
    assert "Lecturers" in buttons(said)
    assert await flow.questions() == []


async def test_drafts_are_not_reached_by_a_forged_button(flow: House, sara: User, engine: Engine) -> None:
    (first,) = await flow.ask(sara, "/start")
    drafts = [entry.id for entry in engine.snapshot.entries if entry.draft][:3]
    assert drafts
    for id_ in drafts:
        said = await tap(flow, sara, first, f"g:e:{code(id_)}", forged=True)
        assert said["text"].startswith(EN.menu_changed)


async def test_a_button_of_an_entry_that_has_expired_since(engine: Engine, tmp_path: Path) -> None:
    day = utc_now()
    lecturers = next(one for one in engine.snapshot.entries if one.id == "lecturers" and one.language == "en")
    ending = replace(lecturers, valid_until=(day + timedelta(days=1)).date())
    entries = tuple(ending if one.id == "lecturers" else one for one in engine.snapshot.entries)
    aged = replace(engine, snapshot=replace(engine.snapshot, entries=entries))
    async with house(aged, tmp_path, now=lambda: day) as flow:
        sara = flow.candidate()
        (first,) = await flow.ask(sara, "/start")
        listed = await tap(flow, sara, first, "Lecturers")
        assert f"g:e:{code('lecturers')}" in str(listed["reply_markup"])
        day += timedelta(days=3)
        said = await tap(flow, sara, first, f"g:e:{code('lecturers')}")
        assert said["text"].startswith(EN.menu_changed)


async def test_a_message_that_is_gone_is_answered_by_a_new_one(flow: House, sara: User) -> None:
    (first,) = await flow.ask(sara, "/start")
    flow.api.erase(first)
    (anew,) = await flow.press(sara, first, "Lecturers")
    assert anew["text"].startswith("Lecturers")


@pytest.mark.parametrize("payload", ["lecturers", "LECTURERS"])
async def test_a_link_leads_to_a_topic(flow: House, sara: User, payload: str) -> None:
    first, listed = await flow.ask(sara, f"/start {payload}")
    assert "automatic assistant" in first["text"]
    assert listed["text"].startswith("Lecturers\n\n1. ")


async def test_a_link_to_what_there_is_not_is_a_plain_start(flow: House, sara: User) -> None:
    (first,) = await flow.ask(sara, "/start dance_classes")
    assert "Lecturers" in buttons(first)


async def test_the_language_chosen_is_kept_and_questions_keep_theirs(flow: House, sara: User) -> None:
    (asked,) = await flow.ask(sara, "/language")
    assert asked["text"] == EN.language_ask
    told = await tap(flow, sara, asked, "Français")
    assert told["text"] == FR.language_chosen
    assert buttons(told) == []
    (answer,) = await flow.ask(sara, LECTURERS["en"])
    assert "Source: " in answer["text"]
    (status,) = await flow.ask(sara, "/status")
    assert status["text"] == FR.status_none
    (first,) = await flow.ask(sara, "/start")
    assert first["text"].startswith("Bonjour")
    (menu,) = await flow.ask(sara, "/menu")
    assert "Intervenants" in buttons(menu)
    (asked,) = await flow.ask(sara, "/language")
    told = await tap(flow, sara, asked, FR.button_any_language)
    assert told["text"] == EN.language_free


async def test_a_made_up_language_is_none(flow: House, sara: User) -> None:
    (asked,) = await flow.ask(sara, "/language")
    told = await tap(flow, sara, asked, "y:klingon", forged=True)
    assert told["text"] == EN.language_free
    async with flow.bot.deps.db.read() as tx:
        assert "klingon" not in (await tx.execute(select(Candidate.chosen_language))).scalars().all()


async def test_who_is_banned_gets_no_menu(flow: House, sara: User) -> None:
    (first,) = await flow.ask(sara, "/menu")
    async with flow.bot.deps.db.begin() as tx:
        own = await tx.execute(select(Candidate).order_by(Candidate.created_at.desc()).limit(1))
        own.scalar_one().banned_at = utc_now()
    assert (await tap(flow, sara, first, "Lecturers"))["text"] == first["text"]
    (told,) = await flow.ask(sara, "/menu")
    assert told["text"] == EN.banned


@pytest_asyncio.fixture(loop_scope="module")
async def campus(school: Engine, tmp_path: Path) -> AsyncIterator[House]:
    async with house(school, tmp_path, knowledge_dir=DATA / "school") as running:
        yield running


async def test_a_link_names_a_course_and_a_topic(campus: House) -> None:
    sara = campus.candidate()
    _, listed = await campus.ask(sara, "/start law_fees")
    assert listed["text"].startswith(EN.course_chosen.format(course="Business law"))
    answer = await tap(campus, sara, listed, buttons(listed)[0])
    assert "4,000 euros" in answer["text"]


async def test_a_topic_waits_until_the_course_is_chosen(campus: House) -> None:
    sara = campus.candidate()
    _, which = await campus.ask(sara, "/start fees")
    assert which["text"] == EN.course_which
    (listed,) = await campus.press(sara, which, "Bread baking")
    answer = await tap(campus, sara, listed, buttons(listed)[0])
    assert "900 euros" in answer["text"]
    _, again = await campus.ask(sara, "/start fees")
    assert again["text"].startswith("Fees")


async def test_in_a_school_the_menu_begins_with_the_courses(campus: House) -> None:
    sara = campus.candidate()
    (which,) = await campus.ask(sara, "/menu")
    assert buttons(which) == ["Bread baking", "Business law"]
    (listed,) = await campus.press(sara, which, "Business law")
    assert listed["text"] == EN.course_chosen.format(course="Business law")
    assert len(buttons(listed)) > 1
