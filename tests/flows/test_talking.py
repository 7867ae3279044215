"""A conversation as people hold it: in fragments, with second thoughts, in two languages; answered in place."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.dialogue.texts import texts
from bot.records.tables import Question, utc_now
from bot.sandbox.people import User
from indexer.entries import Language

from .house import LECTURERS, PRICE, VAGUE, House, buttons
from .test_asking import after, answer_of, headed

pytestmark = pytest.mark.asyncio(loop_scope="module")

EN, FR = texts("en"), texts("fr")


async def test_the_second_half_of_a_sentence_is_read_with_the_first_in_its_place(flow: House, sara: User) -> None:
    (first,) = await flow.ask(sara, VAGUE["en"])
    assert first["text"].startswith(EN.clarify)
    assert await flow.ask(sara, "… who are the lecturers?") == []
    (now,) = flow.received(sara)
    assert now["message_id"] == first["message_id"]
    assert answer_of(flow, "lecturers") in now["text"]
    assert buttons(now) == after(EN)
    (kept,) = await flow.questions()
    assert (kept.text, kept.decision, kept.entry_id) == ("project who are the lecturers?", "answer", "lecturers")
    (thanks,) = await flow.press(sara, now, EN.button_helped)
    assert thanks["text"] == EN.feedback_thanks


async def test_another_case_is_answered_where_the_first_was(flow: House, sara: User) -> None:
    (first,) = await flow.ask(sara, "Can my employer support me?")
    assert await flow.ask(sara, "…and for freelancers?") == []
    (now,) = flow.received(sara)
    assert now["message_id"] == first["message_id"]
    assert answer_of(flow, "freelance") in now["text"]
    (kept,) = await flow.questions()
    assert kept.text == "Can my employer support me? …and for freelancers?"


async def test_what_comes_later_has_an_answer_of_its_own(flow: House, sara: User) -> None:
    (first,) = await flow.ask(sara, "Can my employer support me?")
    async with flow.bot.deps.db.begin() as tx:
        await tx.execute(update(Question).values(asked_at=utc_now() - timedelta(minutes=1)))
    (second,) = await flow.ask(sara, "…and for freelancers?")
    assert answer_of(flow, "freelance") in second["text"]
    assert flow.received(sara)[0]["text"] == first["text"]


async def test_a_new_question_has_an_answer_of_its_own_however_soon_it_comes(flow: House, sara: User) -> None:
    (first,) = await flow.ask(sara, LECTURERS["en"])
    (second,) = await flow.ask(sara, "Can my employer support me?")
    assert second["message_id"] != first["message_id"]
    assert answer_of(flow, "lecturers") in flow.received(sara)[0]["text"]


async def test_an_addition_that_no_answer_covers_takes_no_answer_away(flow: House, sara: User) -> None:
    (first,) = await flow.ask(sara, LECTURERS["en"])
    (said,) = await flow.ask(sara, "… and their salaries in Zanzibar, in euros a month?")
    assert said["text"] != first["text"]
    assert flow.received(sara)[0]["text"] == first["text"]


async def test_what_follows_a_question_that_went_to_staff_joins_its_ticket(flow: House, sara: User) -> None:
    await flow.handed_over(sara)
    (said,) = await flow.ask(sara, "…in euros, taxes included")
    assert said["text"] == EN.follow_up
    assert "taxes included" in flow.received(flow.staff)[-1]["text"]
    assert len(await flow.tickets()) == 1


@pytest.mark.parametrize(
    ("asked", "wish", "there"), [("en", "In French, please", "fr"), ("fr", "En anglais s'il vous plaît", "en")]
)
async def test_an_answer_is_shown_in_the_other_language_in_its_place(
    flow: House, asked: Language, wish: str, there: Language
) -> None:
    person = flow.candidate(language=asked)
    (first,) = await flow.ask(person, LECTURERS[asked])
    assert await flow.ask(person, wish) == []
    (now,) = flow.received(person)
    assert now["message_id"] == first["message_id"]
    assert now["text"].startswith(headed(flow, "lecturers", there))
    assert buttons(now) == after(texts(there))
    (hello,) = await flow.ask(person, "👋")
    assert hello["text"] == texts(there).greeting


async def test_a_choice_is_offered_again_in_the_other_language(flow: House, sara: User) -> None:
    (back,) = await flow.ask(sara, VAGUE["en"])
    await flow.ask(sara, "en français svp")
    (now,) = flow.received(sara)
    assert now["message_id"] == back["message_id"]
    assert now["text"].startswith(FR.clarify)
    assert buttons(now)[-1] == FR.button_none


async def test_a_language_can_be_asked_for_before_anything_was_answered(flow: House, sara: User) -> None:
    (said,) = await flow.ask(sara, "In French please")
    assert said["text"] == FR.language
    assert await flow.tickets() == []


async def test_a_changed_question_is_answered_anew_in_place_as_often_as_it_changes(flow: House, sara: User) -> None:
    asked = flow.api.say(sara, VAGUE["en"])
    await flow.quiet()
    (first,) = flow.received(sara)
    for text in ("Can my employer support me?", LECTURERS["en"]):
        flow.api.edit(sara, asked, text)
    await flow.quiet()
    (now,) = flow.received(sara)
    assert now["message_id"] == first["message_id"]
    assert answer_of(flow, "lecturers") in now["text"]
    assert [question.text for question in await flow.questions()] == [LECTURERS["en"]]


async def test_a_changed_message_has_as_many_answers_as_questions(flow: House, sara: User) -> None:
    asked = flow.api.say(sara, f"{LECTURERS['en']} Can my employer support me?")
    await flow.quiet()
    assert len(flow.received(sara)) == 2
    flow.api.edit(sara, asked, "Can my employer support me?")
    await flow.quiet()
    (left,) = flow.received(sara)
    assert answer_of(flow, "employer-support") in left["text"]
    flow.api.edit(sara, asked, "Thanks!")
    await flow.quiet()
    assert [message["text"] for message in flow.received(sara)] == [EN.thanks]
    assert await flow.questions() == []


async def test_a_changed_question_that_nobody_can_answer_goes_to_the_team(flow: House, sara: User) -> None:
    asked = flow.api.say(sara, LECTURERS["en"])
    await flow.quiet()
    flow.api.edit(sara, asked, PRICE["en"])
    await flow.quiet()
    (note,) = flow.received(sara)
    assert note["text"].startswith(EN.escalated)
    (card,) = flow.cards()
    assert PRICE["en"] in card["text"]
    flow.api.edit(sara, asked, f"{PRICE['en']} In euros?")
    await flow.quiet()
    assert len(await flow.tickets()) == 1


async def test_an_answer_that_its_reader_deleted_is_sent_anew(flow: House, sara: User) -> None:
    asked = flow.api.say(sara, VAGUE["en"])
    await flow.quiet()
    (first,) = flow.received(sara)
    flow.api.erase(first)
    flow.api.edit(sara, asked, LECTURERS["en"])
    await flow.quiet()
    (now,) = flow.received(sara)
    assert answer_of(flow, "lecturers") in now["text"]


async def test_a_judged_question_stays_judged_when_its_message_changes(flow: House, sara: User) -> None:
    asked = flow.api.say(sara, LECTURERS["en"])
    await flow.quiet()
    await flow.press(sara, flow.received(sara)[0], EN.button_helped)
    flow.api.edit(sara, asked, "Can my employer support me?")
    await flow.quiet()
    assert answer_of(flow, "employer-support") in flow.received(sara)[0]["text"]
    assert [question.entry_id for question in await flow.questions()] == ["lecturers", "employer-support"]


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_related_questions_are_offered_once_seen_and_answered(flow: House, language: Language) -> None:
    person, words = flow.candidate(language=language), texts(language)
    (answer,) = await flow.ask(person, LECTURERS[language])
    (offered,) = await flow.press(person, answer, words.button_related)
    assert offered["text"].startswith(words.related)
    assert len(buttons(offered)) == 3
    shown = next(message for message in flow.received(person) if message["message_id"] == answer["message_id"])
    assert words.button_helped in buttons(shown)  # what else one may say of the answer is still there
    assert words.button_related not in buttons(shown)
    (next_one,) = await flow.press(person, offered, (0, 0))
    first, second = await flow.questions()
    assert next_one["text"].startswith(headed(flow, second.entry_id or "", language))
    assert buttons(next_one) == after(words)
    (more,) = await flow.press(person, next_one, words.button_related)
    seen = {flow.bot.deps.live.engine.entry(one.entry_id or "", language) for one in (first, second)}
    assert not any(entry and entry.question in more["text"] for entry in seen)


async def test_a_made_up_related_question_opens_nothing(flow: House, sara: User) -> None:
    (answer,) = await flow.ask(sara, LECTURERS["en"])
    (asked,) = await flow.questions()
    for data in (f"rq:{asked.id}:0000000000000000", f"rq:{asked.id}:", "rq:999999:x", "re:999999"):
        (said,) = await flow.press(sara, answer, data, forged=True)
        assert said["text"] == EN.choice_gone
    assert len(await flow.questions()) == 1


async def test_a_greeting_that_becomes_a_question_is_answered_where_it_was_greeted(flow: House, sara: User) -> None:
    said = flow.api.say(sara, "Hello")
    await flow.quiet()
    (greeted,) = flow.received(sara)
    assert greeted["text"] == EN.greeting
    flow.api.edit(sara, said, "Thank you")
    await flow.quiet()
    (thanked,) = flow.received(sara)
    assert (thanked["text"], thanked["message_id"]) == (EN.thanks, greeted["message_id"])
    flow.api.edit(sara, said, LECTURERS["en"])
    await flow.quiet()
    (now,) = flow.received(sara)
    assert now["message_id"] == greeted["message_id"]
    assert answer_of(flow, "lecturers") in now["text"]
    assert [question.message_id for question in await flow.questions()] == [said["message_id"]]
    flow.api.edit(sara, said, PRICE["en"])
    await flow.quiet()
    assert len(flow.cards()) == 1
