"""Who writes in another language, and who wants nothing of the course."""

import pytest

from bot.dialogue.texts import texts
from bot.sandbox.people import User
from indexer.entries import Language

from .house import House, buttons

pytestmark = pytest.mark.asyncio(loop_scope="module")

EN = texts("en")


async def test_the_languages_are_told_once_in_the_writers_own(flow: House) -> None:
    hans = flow.candidate(language="de")
    (told,) = await flow.ask(hans, "Guten Tag")
    assert told["text"] == f"Guten Tag. {told['text'].partition('. ')[2]}"
    assert told["text"].endswith(EN.greeting)
    assert buttons(told) == [EN.button_topics]
    (again,) = await flow.ask(hans, "Danke schön")
    assert again["text"] == EN.thanks
    assert await flow.tickets() == []


async def test_a_question_in_another_language_is_treated_as_any_other_below_that_word(flow: House) -> None:
    person = flow.candidate(language="ar")
    told, said = await flow.ask(person, "هل يمكن الحصول على تأشيرة؟")
    assert told["text"].endswith(EN.only_two)
    assert said["text"] != told["text"]
    assert len(await flow.questions()) == 1


@pytest.mark.parametrize(("asked", "language"), [("do you speak French?", "en"), ("tu parles anglais ?", "fr")])
async def test_which_languages_are_understood(flow: House, asked: str, language: Language) -> None:
    (said,) = await flow.ask(flow.candidate(language=language), asked)
    assert said["text"] == texts(language).languages
    assert await flow.tickets() == []


@pytest.mark.parametrize(("talk", "language"), [("I love you", "en"), ("raconte-moi une blague", "fr")])
async def test_what_asks_nothing_of_the_course_goes_to_the_team_by_a_tap_alone(
    flow: House, talk: str, language: Language
) -> None:
    person, words = flow.candidate(language=language), texts(language)
    (said,) = await flow.ask(person, talk)
    assert said["text"] == words.beside
    assert buttons(said) == [words.button_team, words.button_topics]
    assert flow.cards() == []
    (noted,) = await flow.press(person, said, words.button_team)
    assert words.human_asked in noted["text"]
    (card,) = flow.cards()
    assert talk in card["text"]


async def test_what_asks_nothing_is_no_question_that_another_leans_on(flow: House, sara: User) -> None:
    await flow.ask(sara, "Can my employer support me?")
    await flow.ask(sara, "I love you")
    await flow.ask(sara, "…and for freelancers?")
    beside, leaning = await flow.questions()
    assert (beside.decision, leaning.decision) == ("beside", "answer")
    assert leaning.text == "Can my employer support me? …and for freelancers?"


async def test_an_edit_turns_it_into_a_question_in_place(flow: House, sara: User) -> None:
    asked = flow.api.say(sara, "tell me a joke")
    await flow.quiet()
    (first,) = flow.received(sara)
    flow.api.edit(sara, asked, "Who are the lecturers?")
    await flow.quiet()
    (now,) = flow.received(sara)
    assert now["message_id"] == first["message_id"]
    assert now["text"] != first["text"]
