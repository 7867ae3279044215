"""A candidate's commands, in both languages."""

from pathlib import Path

import pytest
from sqlalchemy import select

from bot.dialogue.texts import texts
from bot.records.tables import Ban
from bot.sandbox.people import User
from indexer.engine import Engine
from indexer.entries import Language

from .house import LECTURERS, PRICE, House, buttons, house

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOTH: list[Language] = ["en", "fr"]
SECRET = "How much does it cost for a nurse from Roubaix?"


@pytest.mark.parametrize("language", BOTH)
async def test_first_words_and_help(flow: House, language: Language) -> None:
    person, words = flow.candidate(language=language), texts(language)
    (first,) = await flow.ask(person, "/start")
    who, knows, *_ = words.start.split("{course}")
    assert first["text"].startswith(who)
    (course,) = flow.bot.deps.live.engine.snapshot.school
    assert "IMT Nord Europe" in course.origin(language)
    assert first["text"].endswith(f"{knows}\n\n{words.demonstration.format(origin=f' {course.origin(language)}')}")
    for command, name in (("/help", "help"), ("/dance", "unknown_command"), ("/HELP@Guichet_bot", "help")):
        assert [message["text"] for message in await flow.ask(person, command)] == [getattr(words, name)]
    (privacy,) = await flow.ask(person, "/privacy")
    assert privacy["text"] == f"{words.privacy.format(days=365)}\n\n{words.privacy_nobody}"


async def test_a_language_we_do_not_speak_gets_english(flow: House) -> None:
    for code in ("de", None):
        (first,) = await flow.ask(flow.api.user("Jo", language_code=code), "/start")
        assert first["text"].startswith(texts("en").start.split("{course}")[0])


async def test_a_school_that_names_itself_runs_no_demonstration(engine: Engine, tmp_path: Path) -> None:
    school, contact = "École <b>d'essai</b>", "dpo@example.org"
    async with house(engine, tmp_path, operator=school, privacy_contact=contact) as flow:
        for language in BOTH:
            person, words = flow.candidate(language=language), texts(language)
            (first,) = await flow.ask(person, "/start")
            assert words.demonstration.split("{")[0] not in first["text"]
            (privacy,) = await flow.ask(person, "/privacy")
            assert school in privacy["text"]
            assert contact in privacy["text"]


@pytest.mark.parametrize("language", BOTH)
async def test_a_person_on_request(flow: House, language: Language) -> None:
    person, words = flow.candidate(language=language), texts(language)
    (note,) = await flow.ask(person, "/human")
    assert note["text"] == words.human_unsaid
    (card,) = flow.cards()
    assert texts("en").reason_person in card["text"]
    assert texts("en").card_unsaid in card["text"]
    (already,) = await flow.ask(person, "/human")
    assert already["text"] == words.human_already
    (added,) = await flow.ask(person, f"/human {PRICE[language]}")
    assert added["text"] == words.follow_up
    assert PRICE[language] in flow.received(flow.staff)[-1]["text"]
    assert len(await flow.tickets()) == 1


@pytest.mark.parametrize("language", BOTH)
async def test_a_person_for_the_question_in_the_command(flow: House, language: Language) -> None:
    (note,) = await flow.ask(flow.candidate(language=language), f"/human {LECTURERS[language]}")
    assert note["text"] == texts(language).human_asked
    (card,) = flow.cards()
    assert LECTURERS[language] in card["text"]
    assert texts("en").card_nothing_found not in card["text"]


async def test_a_person_for_the_last_question(flow: House, sara: User) -> None:
    await flow.ask(sara, LECTURERS["en"])
    await flow.ask(sara, "/human")
    (card,) = flow.cards()
    assert LECTURERS["en"] in card["text"]
    await flow.group(flow.marie, "Here I am.", reply_to=card)
    assert flow.received(sara)[-1]["reply_to_message"]["text"] == LECTURERS["en"]


@pytest.mark.parametrize(("said", "language"), [("I want to speak to a person", "en"), ("un humain svp", "fr")])
async def test_a_person_in_words(flow: House, said: str, language: Language) -> None:
    (note,) = await flow.ask(flow.candidate(language=language), said)
    assert note["text"] == texts(language).human_asked
    assert said in flow.cards()[0]["text"]


@pytest.mark.parametrize("language", BOTH)
async def test_who_does_not_want_to_be_forgotten_after_all(flow: House, language: Language) -> None:
    person, words = flow.candidate(language=language), texts(language)
    await flow.ask(person, PRICE[language])
    (sure,) = await flow.ask(person, "/forget")
    assert sure["text"] == f"{words.forget_ask}\n\n{words.forget_open}"
    (kept,) = await flow.press(person, sure, buttons(sure)[1])
    assert kept["text"] == words.forget_not
    assert [question.text for question in await flow.questions()] == [PRICE[language]]
    assert len(await flow.tickets()) == 1


async def test_forgetting_leaves_no_trace_and_a_way_back(flow: House, tmp_path: Path) -> None:
    sara = flow.candidate("Séraphine")
    card = await flow.handed_over(sara, SECRET)
    await flow.group(flow.marie, "Dear nurse of Roubaix, 1 euro", reply_to=card)
    await flow.ask(sara, "I meant: as a nurse of Roubaix, all included")
    pseudonym = (await flow.tickets())[0].candidate_id
    (sure,) = await flow.ask(sara, "/forget")
    done, *more = await flow.press(sara, sure, texts("en").button_yes)
    assert (done["text"], more) == (
        f"{texts('en').forget_done}\n\n{texts('en').forget_remains}\n\n{texts('en').forget_anew}",
        [],
    )
    assert flow.received(flow.staff)[-1]["text"] == texts("en").staff_forgotten.format(candidate=pseudonym)
    kept, logged = await flow.everything_kept(), "\n".join(flow.log.lines)
    for trace in ("nurse", "Roubaix", str(sara.id), "Séraphine"):
        assert trace not in kept
        assert trace not in logged
    assert flow.received(flow.staff)[-1]["text"].startswith(pseudonym)
    assert card["message_id"] not in [message["message_id"] for message in flow.received(flow.staff)]
    (answer,) = await flow.ask(sara, LECTURERS["en"])
    assert "ActuIA" in answer["text"]
    await flow.handed_over(sara)
    assert (await flow.tickets())[0].candidate_id != pseudonym


async def banned(flow: House, person: User, language: Language = "en") -> str:
    """Somebody whom staff ban; their pseudonym."""
    card = await flow.handed_over(person, PRICE[language])
    (ticket,) = await flow.tickets()
    await flow.press(flow.marie, card, f"t:y:{ticket.id}", forged=True)
    return ticket.candidate_id


@pytest.mark.parametrize("language", BOTH)
async def test_forgetting_lifts_no_ban_and_says_what_is_kept_for_that(flow: House, language: Language) -> None:
    sara, words = flow.candidate("Séraphine", language), texts(language)
    name = await banned(flow, sara, language)
    (sure,) = await flow.ask(sara, "/forget")
    assert sure["text"] == f"{words.forget_ask}\n\n{words.forget_ban}"
    (done,) = await flow.press(sara, sure, words.button_yes)
    assert done["text"] == f"{words.forget_done}\n\n{words.forget_ban}\n\n{words.forget_remains}"
    assert str(sara.id) not in await flow.everything_kept()
    shown = len(flow.received(flow.staff))
    assert await flow.ask(sara, PRICE[language]) == []
    assert [message["text"] for message in await flow.ask(sara, "/human")] == [words.banned]
    assert len(flow.received(flow.staff)) == shown
    (freed,) = await flow.group(flow.paul, f"/unban {name}")
    assert freed["text"] == texts("en").staff_unbanned.format(candidate=name)
    (answer,) = await flow.ask(sara, LECTURERS[language])
    assert "ActuIA" in answer["text"]


async def test_a_ban_that_was_lifted_meanwhile_is_kept_no_longer(flow: House, sara: User) -> None:
    name = await banned(flow, sara)
    (sure,) = await flow.ask(sara, "/forget")
    await flow.press(sara, sure, texts("en").button_yes)
    (freed,) = await flow.group(flow.paul, f"/unban {name.lower()}")
    assert freed["text"] == texts("en").staff_unbanned.format(candidate=name)
    async with flow.bot.deps.db.read() as tx:
        assert await tx.scalar(select(Ban.pseudonym).where(Ban.pseudonym == name)) is None
    (answer,) = await flow.ask(sara, LECTURERS["en"])
    assert "ActuIA" in answer["text"]
    (nobody,) = await flow.group(flow.paul, f"/unban {name}")
    assert nobody["text"] == texts("en").staff_unban_whom


def files(folder: Path) -> bytes:
    """Every byte that the database left on the disk."""
    return b"".join(path.read_bytes() for path in folder.glob("guichet.sqlite*"))


async def test_forgetting_overwrites_the_file(engine: Engine, tmp_path: Path) -> None:
    async with house(engine, tmp_path) as flow:
        sara = flow.candidate()
        await flow.handed_over(sara, SECRET)
        (sure,) = await flow.ask(sara, "/forget")
        await flow.press(sara, sure, texts("en").button_yes)
    left = files(tmp_path)
    assert b"candidate" in left
    assert b"Roubaix" not in left


async def test_who_presses_yes_twice_is_told_twice(flow: House, sara: User) -> None:
    (sure,) = await flow.ask(sara, "/forget")
    for _ in range(2):
        (done,) = await flow.press(sara, sure, texts("en").button_yes)
        assert done["text"].startswith(texts("en").forget_done)
    assert str(sara.id) not in await flow.everything_kept()


async def test_who_blocked_the_bot_after_yes_is_forgotten_as_well(flow: House, sara: User) -> None:
    (sure,) = await flow.ask(sara, "/forget")
    flow.api.fail("sendMessage", "Forbidden: bot was blocked by the user")
    await flow.press(sara, sure, texts("en").button_yes)
    assert str(sara.id) not in await flow.everything_kept()
