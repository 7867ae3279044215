"""A candidate asks: answered, asked back, handed over, spoken to kindly."""

import re

import pytest
from sqlalchemy import update

from bot.dialogue.texts import Texts, texts
from bot.publishing.searching import TooLongError
from bot.records.states import Feedback
from bot.records.tables import Question
from bot.sandbox.people import User
from indexer.entries import Language

from .house import LECTURERS, PRICE, VAGUE, House, Json, buttons

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOTH: list[Language] = ["en", "fr"]
SMALL_TALK: list[tuple[str, Language, str]] = [
    ("Hello!", "en", "greeting"),
    ("Bonjour", "fr", "greeting"),
    ("Thanks a lot", "en", "thanks"),
    ("Merci beaucoup !", "fr", "thanks"),
    ("ok", "en", "okay"),
    ("d'accord", "fr", "okay"),
    ("Goodbye", "en", "goodbye"),
    ("asdkjfh", "en", "gibberish"),
    ("sdkfjhsdf", "fr", "gibberish"),
    ("🎉🦄🎉", "en", "gibberish"),
    ("Are you a robot?", "en", "presence"),
]
PSEUDONYM = re.compile(r": [A-Z][a-z]+ [A-Z][a-z]+$", re.MULTILINE)


def answer_of(flow: House, entry_id: str, language: Language = "en") -> str:
    """How an entry's answer begins, without its marks."""
    entry = flow.bot.deps.live.engine.entry(entry_id, language)
    assert entry
    return entry.answer.replace("**", "").splitlines()[0]


def headed(flow: House, entry_id: str, language: Language = "en") -> str:
    """How an answer begins that was asked for in other words than the entry's own."""
    entry = flow.bot.deps.live.engine.entry(entry_id, language)
    assert entry
    return f"{entry.question}\n\n{answer_of(flow, entry_id, language)}"


def after(words: Texts) -> list[str]:
    return [words.button_helped, words.button_not_mine, words.button_related, words.button_person]


@pytest.mark.parametrize("language", BOTH)
async def test_an_answer_names_its_source_and_asks_whether_it_helped(flow: House, language: Language) -> None:
    words = texts(language)
    (answer,) = await flow.ask(flow.candidate(language=language), LECTURERS[language])
    assert answer_of(flow, "lecturers", language) in answer["text"]
    assert words.source.split("{")[0] in answer["text"]
    assert "ActuIA" in answer["text"]
    assert buttons(answer) == after(words)
    assert flow.received(flow.staff) == []


@pytest.mark.parametrize(("language", "other_words"), [("en", "Hi! Who teaches?"), ("fr", "Bonjour, qui enseigne ?")])
async def test_an_answer_to_other_words_stands_below_its_own_question(
    flow: House, language: Language, other_words: str
) -> None:
    (answer,) = await flow.ask(flow.candidate(language=language), other_words)
    assert answer["text"].startswith(headed(flow, "lecturers", language))
    assert answer["entities"][0]["type"] == "bold"
    assert answer["entities"][0]["offset"] == 0
    (card,) = await flow.group(flow.marie, f"/ask {other_words}")
    assert headed(flow, "lecturers", language) in card["text"]


async def test_the_language_is_that_of_the_question_not_of_the_telephone(flow: House) -> None:
    (answer,) = await flow.ask(flow.candidate(language="de"), LECTURERS["fr"])
    assert buttons(answer) == after(texts("fr"))


@pytest.mark.parametrize("language", BOTH)
async def test_that_helped(flow: House, language: Language) -> None:
    sara, words = flow.candidate(language=language), texts(language)
    (answer,) = await flow.ask(sara, LECTURERS[language])
    (thanks,) = await flow.press(sara, answer, words.button_helped)
    assert thanks["text"] == words.feedback_thanks
    assert [question.feedback for question in await flow.questions()] == [Feedback.HELPED]
    shown = next(message for message in flow.received(sara) if message["message_id"] == answer["message_id"])
    assert (shown["text"], buttons(shown)) == (answer["text"], [])


@pytest.mark.parametrize("language", BOTH)
async def test_not_my_question_offers_others_and_a_person(flow: House, language: Language) -> None:
    sara, words = flow.candidate(language=language), texts(language)
    (answer,) = await flow.ask(sara, LECTURERS[language])
    (others,) = await flow.press(sara, answer, words.button_not_mine)
    assert others["text"] == words.not_my_question
    *choices, person = buttons(others)
    assert len(choices) == 2
    assert person == words.button_person
    (other,) = await flow.press(sara, others, choices[0])
    assert words.source.split("{")[0] in other["text"]
    assert other["text"] != answer["text"]
    assert [question.feedback for question in await flow.questions()] == [Feedback.NOT_MINE]


@pytest.mark.parametrize(("language", "complaint"), [("en", "That's not what I asked!"), ("fr", "t'as rien compris")])
async def test_a_complaint_about_an_answer_offers_others_and_a_person(
    flow: House, language: Language, complaint: str
) -> None:
    sara, words = flow.candidate(language=language), texts(language)
    await flow.ask(sara, LECTURERS[language])
    (offered,) = await flow.ask(sara, complaint)
    assert offered["text"] == words.not_my_question
    (note,) = await flow.press(sara, offered, words.button_person)
    assert note["text"] == words.human_asked
    (card,) = flow.cards()
    assert LECTURERS[language] in card["text"]
    assert [question.feedback for question in await flow.questions()] == [Feedback.NOT_MINE]
    (said,) = await flow.ask(sara, complaint)
    assert said["text"] == words.follow_up


@pytest.mark.parametrize(("language", "complaint"), [("en", "nonsense"), ("fr", "n'importe quoi")])
async def test_a_complaint_about_nothing_is_answered_kindly(flow: House, language: Language, complaint: str) -> None:
    (said,) = await flow.ask(flow.candidate(language=language), complaint)
    assert said["text"] == texts(language).complaint
    assert await flow.questions() == []


@pytest.mark.parametrize("language", BOTH)
async def test_asking_a_person_after_an_answer(flow: House, language: Language) -> None:
    sara, words = flow.candidate(language=language), texts(language)
    (answer,) = await flow.ask(sara, LECTURERS[language])
    (note,) = await flow.press(sara, answer, words.button_person)
    assert note["text"] == words.human_asked
    (card,) = flow.cards()
    assert LECTURERS[language] in card["text"]
    assert texts("en").reason_person in card["text"]
    found = flow.bot.deps.live.engine.entry("lecturers", language)
    assert found
    assert found.question in card["text"]


@pytest.mark.parametrize("language", BOTH)
async def test_a_vague_question_is_asked_back_and_the_choice_answered(flow: House, language: Language) -> None:
    sara, words = flow.candidate(language=language), texts(language)
    (back,) = await flow.ask(sara, VAGUE[language])
    assert back["text"].startswith(words.clarify)
    *choices, none = buttons(back)
    assert 2 <= len(choices) <= 3
    assert [choice.partition(". ")[0] for choice in choices] == ["1", "2", "3"][: len(choices)]  # as in the list
    assert none == words.button_none
    (answer,) = await flow.press(sara, back, choices[1])
    assert words.source.split("{")[0] in answer["text"]
    assert buttons(answer) == after(words)
    (asked,) = await flow.questions()
    assert asked.entry_id == asked.alternatives[1]
    assert answer["text"].startswith(headed(flow, asked.alternatives[1], language))
    assert flow.cards() == []


@pytest.mark.parametrize("language", BOTH)
async def test_none_of_these_goes_to_the_team_with_what_was_offered(flow: House, language: Language) -> None:
    sara, words = flow.candidate(language=language), texts(language)
    (back,) = await flow.ask(sara, VAGUE[language])
    (note,) = await flow.press(sara, back, words.button_none)
    assert note["text"] == words.none_of_these
    (card,) = flow.cards()
    assert texts("en").reason_unsure in card["text"]
    assert "sure)" in card["text"]


@pytest.mark.parametrize("language", BOTH)
async def test_what_nobody_has_answered_goes_to_the_team(flow: House, language: Language) -> None:
    person = flow.candidate("Séraphine", language, last_name="Delacroix", username="seraphine_d")
    words = texts("en")
    (note,) = await flow.ask(person, PRICE[language])
    assert note["text"] == texts(language).escalated
    assert buttons(note) == [texts(language).button_wish, texts(language).button_share_name]
    (card,) = flow.cards()
    for part in (PRICE[language], words.reason_unwritten, words.card_found, getattr(words, f"language_{language}")):
        assert part in card["text"]
    assert PSEUDONYM.search(card["text"])
    assert {entity["type"] for entity in card["entities"]} == {"bold", "blockquote", "italic"}
    for mark in ("Séraphine", "Delacroix", "seraphine", str(person.id)):
        assert mark not in str(card)


async def test_of_several_questions_only_those_without_answer_are_handed_over(flow: House, sara: User) -> None:
    answer, note = await flow.ask(sara, f"{LECTURERS['en']} And how much does it cost?")
    assert answer["text"].startswith(headed(flow, "lecturers"))  # which of the questions it answers
    assert note["text"] == texts("en").left_to_team.format(questions="– How much does it cost?")
    (card,) = flow.cards()
    assert "how much does it cost" in card["text"]
    assert "lecturers" not in card["text"]


async def test_two_questions_without_answer_make_one_ticket(flow: House, sara: User) -> None:
    _, note = await flow.ask(sara, f"How much does it cost? {LECTURERS['en']} When does it start?")
    named = "– How much does it cost?\n– When does it start?"
    assert note["text"] == texts("en").left_to_team.format(questions=named)
    assert buttons(note) == [texts("en").button_wish, texts("en").button_share_name]
    assert len(await flow.tickets()) == 1
    shown = "\n".join(message["text"] for message in flow.received(flow.staff))
    assert "How much does it cost?" in shown
    assert "When does it start?" in shown


FOLLOW_UPS: list[tuple[Language, str, str]] = [
    ("en", "Can my employer support me?", "And how?"),
    ("fr", "Mon entreprise peut-elle me soutenir ?", "Et si elle refuse ?"),
]


@pytest.mark.parametrize(("language", "question", "more"), FOLLOW_UPS)
async def test_a_yes_to_what_the_bot_offers_is_taken_for_one(
    flow: House, language: Language, question: str, more: str
) -> None:
    person, words = flow.candidate(language=language), texts(language)
    yes = {"en": "Yes please", "fr": "oui"}[language]
    await flow.ask(person, question)
    await flow.ask(person, more)
    (note,) = await flow.ask(person, yes)
    assert note["text"] == words.human_asked
    (card,) = flow.cards()
    assert more.split(maxsplit=1)[1] in card["text"]


async def one_choice(flow: House, person: User, language: Language) -> str:
    """Leaves a single entry offered to somebody who was not understood; gives its id."""
    await flow.ask(person, VAGUE[language])
    asked = (await flow.questions())[-1]
    async with flow.bot.deps.db.begin() as tx:
        only = (await tx.get_one(Question, asked.id)).alternatives[:1]
        await tx.execute(update(Question).where(Question.id == asked.id).values(alternatives=only))
    return only[0]


@pytest.mark.parametrize("language", BOTH)
async def test_a_yes_to_the_only_question_offered_chooses_it(flow: House, language: Language) -> None:
    person, words = flow.candidate(language=language), texts(language)
    only = await one_choice(flow, person, language)
    (answer,) = await flow.ask(person, "Yes, thanks" if language == "en" else "Oui merci !")
    assert answer["text"].startswith(headed(flow, only, language))
    assert (await flow.questions())[-1].entry_id == only
    (said,) = await flow.ask(person, "yes" if language == "en" else "Oui !")  # to nothing that was asked
    assert said["text"] == words.okay


@pytest.mark.parametrize(
    ("language", "first", "both"), [("en", "the first one please", "both"), ("fr", "la 1", "les deux")]
)
async def test_what_is_offered_is_chosen_in_words_too(flow: House, language: Language, first: str, both: str) -> None:
    person = flow.candidate(language=language)
    await flow.ask(person, VAGUE[language])
    offered = (await flow.questions())[-1].alternatives
    (answer,) = await flow.ask(person, first)
    assert answer["text"].startswith(headed(flow, offered[0], language))
    answers = await flow.ask(person, both)
    assert len(answers) == len(offered) > 1
    assert [question.entry_id for question in await flow.questions()] == [offered[0], *offered]
    assert len({str(one["reply_markup"]) for one in (answer, *answers)}) == len(offered) + 1  # each has its own buttons
    assert await flow.tickets() == []


@pytest.mark.parametrize("language", BOTH)
async def test_who_chooses_in_words_what_is_gone_is_told_so(flow: House, language: Language) -> None:
    person, words = flow.candidate(language=language), texts(language)
    await one_choice(flow, person, language)
    async with flow.bot.deps.db.begin() as tx:
        await tx.execute(update(Question).values(alternatives=["gone"]))
    (said,) = await flow.ask(person, "the first one please" if language == "en" else "la première svp")
    assert said["text"] == words.choice_gone
    assert await flow.tickets() == []


@pytest.mark.parametrize("language", BOTH)
async def test_a_yes_after_something_else_was_said_chooses_nothing(flow: House, language: Language) -> None:
    person, words = flow.candidate(language=language), texts(language)
    await one_choice(flow, person, language)
    await flow.ask(person, "Tell me a joke" if language == "en" else "Raconte-moi une blague")
    (said,) = await flow.ask(person, "ok")
    assert said["text"] == words.okay
    assert not any(question.entry_id for question in await flow.questions())


@pytest.mark.parametrize(("language", "question", "more"), FOLLOW_UPS)
async def test_what_was_just_said_is_not_said_again_to_a_follow_up(
    flow: House, language: Language, question: str, more: str
) -> None:
    person, words = flow.candidate(language=language), texts(language)
    (first,) = await flow.ask(person, question)
    assert answer_of(flow, "employer-support", language) in first["text"]
    (second,) = await flow.ask(person, more)
    assert second["text"] == words.nothing_more
    assert second["reply_to_message"]["message_id"] == first["message_id"]
    assert buttons(second) == [words.button_related, words.button_person]
    (whole,) = await flow.ask(person, question)  # a question that stands alone has its answer
    assert answer_of(flow, "employer-support", language) in whole["text"]
    (note,) = await flow.press(person, second, words.button_person)
    assert note["text"] == words.human_asked
    (card,) = flow.cards()
    assert more.split(maxsplit=1)[1] in card["text"]
    (said,) = await flow.ask(person, more)  # the team has it now, and nothing is asked back
    assert said["text"] == words.follow_up


OPEN_PARTS = [
    ("en", f"{LECTURERS['en']} And how much does it cost?", "How much does it cost?"),
    ("fr", "Qui sont les profs et c'est combien ?", "C'est combien ?"),
]


@pytest.mark.parametrize(("language", "asked", "left"), OPEN_PARTS)
async def test_beside_an_open_ticket_what_is_not_answered_is_named(
    flow: House, language: Language, asked: str, left: str
) -> None:
    person = flow.candidate(language=language)
    await flow.handed_over(person, PRICE[language])
    answer, note = await flow.ask(person, asked)
    assert answer_of(flow, "lecturers", language) in answer["text"]
    assert note["text"].splitlines()[1] == f"– {left}"
    assert asked in "\n".join(message["text"] for message in flow.received(flow.staff))


STATEMENTS: list[tuple[Language, str]] = [
    ("en", "omg the school has just told me that I am in!!! 🎉"),
    ("fr", "J'ai été refusé partout cette année et mon patron m'a lâché"),
]


@pytest.mark.parametrize(("language", "told"), STATEMENTS)
async def test_what_asks_nothing_is_passed_on_with_a_kind_word(flow: House, language: Language, told: str) -> None:
    (note,) = await flow.ask(flow.candidate(language=language), told)
    assert note["text"] == texts(language).passed_on


WISHES: list[tuple[Language, str]] = [("en", "I want to talk to a person"), ("fr", "je veux parler à quelqu'un")]


@pytest.mark.parametrize(("language", "wish"), WISHES)
async def test_who_asks_for_a_person_again_hears_that_one_is_coming(flow: House, language: Language, wish: str) -> None:
    person = flow.candidate(language=language)
    await flow.handed_over(person, PRICE[language])
    (said,) = await flow.ask(person, wish)
    assert said["text"] == texts(language).human_already


async def test_small_talk_gets_a_kind_line_and_no_ticket(flow: House) -> None:
    for said, language, kind in SMALL_TALK:
        (line,) = await flow.ask(flow.candidate(language=language), said)
        assert line["text"] == getattr(texts(language), kind)
        assert buttons(line) == ([] if kind == "goodbye" else [texts(language).button_topics])
    assert (await flow.tickets(), flow.received(flow.staff)) == ([], [])


async def test_marks_in_names_and_questions_are_shown_as_text(flow: House) -> None:
    person = flow.candidate("<b>Eve</b>", last_name="*_`[x](tg://user?id=1)")
    asked = "How much is <b>it</b> & _why_ *so* `much` [here](https://example.org) </blockquote>?"
    card = await flow.handed_over(person, asked)
    assert asked in card["text"]
    assert not {"text_link", "code"} & {entity["type"] for entity in card["entities"]}
    await flow.group(flow.marie, "<i>1</i> & *2* _3_ </b>", reply_to=card)
    assert "<i>1</i> & *2* _3_ </b>" in flow.received(person)[-1]["text"]


async def test_a_message_longer_than_telegram_allows(flow: House, sara: User) -> None:
    long: Json = {"message_id": 901, "date": 1, "chat": sara.chat_json(), "from": sara.json()}
    flow.api.say(sara, "Hello")
    flow.api.push({"message": long | {"text": "How much does it cost, all in all and with taxes? " * 100}})
    await flow.quiet()
    assert flow.received(sara)[-1]["text"] == texts("en").escalated
    (card,) = flow.cards()
    assert "all in all" in card["text"]
    assert card["text"].endswith(texts("en").card_hint)


@pytest.mark.parametrize("language", BOTH)
async def test_what_is_not_text_is_declined_kindly(flow: House, language: Language) -> None:
    person = flow.candidate(language=language)
    kinds = ["sticker", "voice", "photo", "location", "contact", "document", "video_note"]
    for kind in kinds:
        flow.api.send_media(person, kind)
    await flow.quiet()
    assert [message["text"] for message in flow.received(person)] == [texts(language).unsupported] * len(kinds)
    assert await flow.tickets() == []


async def test_the_words_below_a_picture_are_a_question(flow: House, sara: User) -> None:
    flow.api.send_media(sara, "photo", caption=LECTURERS["en"])
    await flow.quiet()
    assert answer_of(flow, "lecturers") in flow.received(sara)[-1]["text"]


async def test_a_moving_location_is_declined_once(flow: House, sara: User) -> None:
    sent = flow.api.send_media(sara, "location")
    for _ in range(3):
        flow.api.push({"edited_message": sent | {"edit_date": 1}})
    await flow.quiet()
    assert len(flow.received(sara)) == 1


async def test_what_takes_too_long_to_understand_goes_to_the_team(flow: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def give_up(*_: object, **__: object) -> None:
        raise TooLongError

    words = texts("en")
    with monkeypatch.context() as patched:
        patched.setattr(flow.bot.deps.searcher, "run", give_up)
        (said,) = await flow.ask(flow.candidate(language="en"), "Who teaches whom, and whom not?")
    assert said["text"].startswith(words.escalated.split("\n")[0])
    assert "Who teaches whom, and whom not?" in flow.cards()[-1]["text"]
