"""A school with several courses: chosen by link, by button, by name; each answered from its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.dialogue.texts import texts
from bot.sandbox.people import User
from indexer.engine import Engine

from ..conftest import DATA
from .house import House, buttons, house

EN = texts("en")
PRICE = "How much does the course cost?"
LAW, BAKING = "The year costs 4,000 euros.", "The six months cost 900 euros"


@pytest.fixture
async def flow(school: Engine, tmp_path: Path) -> AsyncIterator[House]:
    async with house(school, tmp_path, knowledge_dir=DATA / "school") as running:
        yield running


async def test_the_same_question_is_answered_by_the_course_of_the_link(flow: House, sara: User) -> None:
    karim = flow.candidate("Karim")
    first, chosen = await flow.ask(sara, "/start law")
    assert "– Business law" in first["text"]
    assert chosen["text"] == EN.course_chosen.format(course="Business law")
    await flow.ask(karim, "/start baking_fees")
    (law,), (baking,) = await flow.ask(sara, PRICE), await flow.ask(karim, PRICE)
    assert law["text"].startswith(LAW)
    assert "Business law · Source" in law["text"]
    assert baking["text"].startswith(BAKING)
    assert [one.course for one in await flow.questions()] == ["law", "baking"]


async def test_who_has_chosen_nothing_is_asked_and_then_answered(flow: House, sara: User) -> None:
    (back,) = await flow.ask(sara, PRICE)
    assert back["text"] == EN.course_which
    assert buttons(back) == ["Bread baking", "Business law"]
    (kept,) = await flow.questions()
    assert (kept.course, kept.decision, kept.text) == ("", "clarify", PRICE)
    (answer,) = await flow.press(sara, back, "Bread baking")
    assert answer["text"].startswith(BAKING)
    (recorded,) = await flow.questions()
    assert (recorded.course, recorded.topic, recorded.entry_id) == ("baking", "fees", "baking-cost")
    (again,) = await flow.ask(sara, "How long does the course last?")
    assert again["text"].startswith("Six months")


async def test_the_course_may_be_written_instead_of_pressed(flow: House, sara: User) -> None:
    await flow.ask(sara, PRICE)
    (answer,) = await flow.ask(sara, "law please")
    assert answer["text"].startswith(LAW)
    (told,) = await flow.ask(sara, "baking")
    assert told["text"] == EN.course_chosen.format(course="Bread baking")


async def test_a_named_course_is_answered_and_remembered_unless_another_was_chosen(flow: House, sara: User) -> None:
    (law,) = await flow.ask(sara, "How much does the law course cost?")
    assert law["text"].startswith(f"{PRICE}\n\n{LAW}")
    (baking,) = await flow.ask(sara, "How much does the baking course cost?")
    assert baking["text"].startswith(f"{PRICE}\n\n{BAKING}")
    (law_again,) = await flow.ask(sara, "How long does the course last?")
    assert law_again["text"].startswith("Two years")


async def test_what_only_one_course_knows_and_what_all_share_is_answered_at_once(flow: House, sara: User) -> None:
    (moot,) = await flow.ask(sara, "Is there a moot court?")
    assert moot["text"].startswith("Yes, every spring two teams plead")
    (hall,) = await flow.ask(sara, "Is there a hall of residence?")
    assert hall["text"].startswith("Yes, two hundred rooms")
    assert "Business law" not in hall["text"]


async def test_the_course_can_be_changed(flow: House, sara: User) -> None:
    await flow.ask(sara, "/start law")
    (shown,) = await flow.ask(sara, "/course")
    assert shown["text"] == EN.course_now.format(course="Business law")
    (told,) = await flow.press(sara, shown, "Bread baking")
    assert told["text"] == EN.course_chosen.format(course="Bread baking")
    (answer,) = await flow.ask(sara, PRICE)
    assert answer["text"].startswith(BAKING)


async def test_a_made_up_course_does_nothing(flow: House, sara: User) -> None:
    (_, which) = await flow.ask(sara, "/start greek")
    assert which["text"] == EN.course_which
    (told,) = await flow.press(sara, which, "u:greek", forged=True)
    assert told["text"] == EN.choice_gone


async def test_cards_name_the_course_and_help_the_command(flow: House, sara: User) -> None:
    await flow.ask(sara, "/start law")
    (helped,) = await flow.ask(sara, "/help")
    assert EN.help_course in helped["text"]
    await flow.ask(sara, "/human Who decides on late applications?")
    (card,) = flow.cards()
    assert "Course: Business law" in card["text"]


async def test_staff_see_what_would_be_done(flow: House) -> None:
    (which,) = await flow.group(flow.marie, f"/ask {PRICE}")
    assert which["text"] == EN.ask_course
    (answer,) = await flow.group(flow.marie, "/ask How much does the law course cost?")
    assert LAW in answer["text"]


async def test_with_one_course_nobody_hears_of_courses(engine: Engine, tmp_path: Path) -> None:
    async with house(engine, tmp_path) as flow:
        sara = flow.candidate()
        (first,) = await flow.ask(sara, "/start law")
        assert first["text"].startswith(EN.start.split("{course}")[0])
        (unknown,) = await flow.ask(sara, "/course")
        assert unknown["text"] == EN.unknown_command
        (helped,) = await flow.ask(sara, "/help")
        assert helped["text"] == EN.help
