"""Candidates ask to be told of a theme; staff say that its time has come; each is told once, or not at all."""

import asyncio

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from bot.delivery.wake import wait
from bot.desk import themes
from bot.dialogue.texts import texts
from bot.records.tables import Subscription
from bot.sandbox.people import User
from indexer.entries import Language

from .house import PATIENCE, PRICE, House, Json, buttons

pytestmark = pytest.mark.asyncio(loop_scope="module")

EN = texts("en")
TITLE: dict[Language, str] = {"en": "Applications open", "fr": "Ouverture des candidatures"}
TOLD: dict[Language, str] = {"en": "Apply <b>until</b> 15 March.", "fr": "Candidatez jusqu'au 15 mars."}


async def opened(flow: House) -> int:
    """The number of a theme that staff have just opened."""
    (said,) = await flow.group(flow.paul, f"/notify new {TITLE['en']} | {TITLE['fr']}")
    async with flow.bot.deps.db.read() as tx:
        number = (await themes.open_ones(tx))[-1].id
    assert said["text"] == EN.theme_opened.format(number=number)
    return number


async def previewed(flow: House, number: int) -> Json:
    """What would be told of it, shown to staff."""
    (preview,) = await flow.group(flow.paul, f"/notify {number} {TOLD['en']} | {TOLD['fr']}")
    return preview


async def asked_for(flow: House, person: User, number: int, language: Language = "en") -> Json:
    """Somebody asks for a theme by way of the menu; what they are then told."""
    words = texts(language)
    shown = (await flow.ask(person, "/menu"))[-1]
    (offered,) = await flow.press(person, shown, words.button_themes)
    assert offered["text"] == words.theme_ask
    (kept,) = await flow.press(person, offered, f"j:a:{number}")
    return kept


async def waiting(flow: House, number: int) -> int:
    """How many wait for a theme."""
    async with flow.bot.deps.db.read() as tx:
        count = select(func.count()).where(Subscription.theme_id == number)
        return (await tx.execute(count)).scalar_one()


async def ended(flow: House, number: int) -> None:
    """Until nobody waits for a theme any more: what is told a little at a time, is told by a timer."""
    async with asyncio.timeout(PATIENCE):
        while await waiting(flow, number):
            await wait(flow.bot.deps.db.news.messages.next(), 0.1)
    await flow.quiet()


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def no_theme(flow: House) -> None:
    """Themes of other tests are gone."""
    async with flow.bot.deps.db.begin() as tx:
        for theme in await themes.open_ones(tx):
            await tx.delete(theme)


async def test_each_is_told_once_in_their_language(flow: House) -> None:
    sara, karim = flow.candidate("Sara", "en"), flow.candidate("Karim", "fr")
    number = await opened(flow)
    kept = await asked_for(flow, sara, number)
    assert kept["text"] == EN.theme_kept.format(title=TITLE["en"])
    kept = await asked_for(flow, karim, number, "fr")
    assert kept["text"] == texts("fr").theme_kept.format(title=TITLE["fr"])
    await asked_for(flow, karim, number, "fr")  # twice is as good as once
    preview = await previewed(flow, number)
    assert preview["text"].startswith(EN.theme_preview.format(count=2))
    assert all(part in preview["text"] for part in (*TITLE.values(), *TOLD.values()))
    assert not [one for one in flow.received(sara) if TOLD["en"] in one["text"]]  # nothing goes without a tap
    (fired,) = await flow.press_in_group(flow.marie, preview, EN.button_send)
    assert fired["text"] == EN.theme_fired.format(count=2)
    await ended(flow, number)
    told_to: tuple[tuple[User, Language], ...] = ((sara, "en"), (karim, "fr"))
    for person, language in told_to:
        words = texts(language)
        told = [one["text"] for one in flow.received(person) if TOLD[language] in one["text"]]
        assert told == [f"{TITLE[language]}\n\n{TOLD[language]}\n\n{words.theme_told}"]
    again = await flow.press_in_group(flow.paul, preview, EN.button_send)
    assert (again, await waiting(flow, number)) == ([], 0)
    assert EN.button_themes not in buttons((await flow.ask(sara, "/menu"))[-1])


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_one_tap_stops_it(flow: House, language: Language) -> None:
    person, words = flow.candidate("Sara", language), texts(language)
    number = await opened(flow)
    kept = await asked_for(flow, person, number, language)
    (stopped,) = await flow.press(person, kept, words.button_theme_stop)
    assert (stopped["text"], await waiting(flow, number)) == (words.theme_stopped, 0)
    await asked_for(flow, person, number, language)
    (status,) = await flow.ask(person, "/status")
    assert words.theme_status in status["text"]
    await flow.press(person, status, words.theme_stop_named.format(title=TITLE[language]))
    assert await waiting(flow, number) == 0
    (status,) = await flow.ask(person, "/status")
    assert words.theme_status not in status["text"]
    preview = await previewed(flow, number)
    shown = len(flow.received(person))
    await flow.press_in_group(flow.marie, preview, EN.button_send)
    assert len(flow.received(person)) == shown


async def test_it_is_offered_where_a_question_has_no_answer_yet(flow: House, sara: User) -> None:
    await opened(flow)
    note = (await flow.ask(sara, PRICE["en"]))[-1]
    assert EN.button_themes in buttons(note)
    (offered,) = await flow.press(sara, note, EN.button_themes)
    assert buttons(offered) == [TITLE["en"]]


async def test_it_is_offered_wherever_the_topics_are(flow: House, sara: User) -> None:
    await opened(flow)
    (first,) = await flow.ask(sara, "/start")
    (menu,) = await flow.ask(sara, "/menu")
    assert {EN.button_themes} == {buttons(one)[-1] for one in (first, menu)}
    for button in ("Lecturers", EN.button_topics):
        await flow.press(sara, menu, button)
        menu = next(one for one in flow.received(sara) if one["message_id"] == menu["message_id"])
        assert (buttons(menu)[-1] == EN.button_themes) == (button == EN.button_topics)
    (linked,) = (await flow.ask(sara, "/start admissions"))[:1]
    assert EN.button_themes not in buttons(linked)


async def test_without_a_theme_nothing_is_offered(flow: House, sara: User) -> None:
    assert EN.button_themes not in buttons((await flow.ask(sara, "/menu"))[-1])
    assert EN.button_themes not in buttons((await flow.ask(sara, "/start"))[-1])
    assert EN.button_themes not in buttons((await flow.ask(sara, PRICE["en"]))[-1])


async def test_a_text_that_changed_since_its_preview_is_not_sent(flow: House, sara: User) -> None:
    number = await opened(flow)
    await asked_for(flow, sara, number)
    preview = await previewed(flow, number)
    await flow.group(flow.paul, f"/notify {number} Another day. | Un autre jour.")
    assert await flow.press_in_group(flow.marie, preview, EN.button_send) == []
    assert await waiting(flow, number) == 1


async def test_candidates_and_strangers_tell_nobody(flow: House, sara: User) -> None:
    number = await opened(flow)
    await asked_for(flow, sara, number)
    preview = await previewed(flow, number)
    data = preview["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    mallory = flow.candidate("Mallory")
    (shown,) = await flow.ask(mallory, "/status")
    await flow.press(mallory, shown, data, forged=True)
    for made_up in ("j:", "j:a:", f"j:a:{10**40}", "j:x:²", "j:a:-1", "j:z:1"):
        await flow.press(mallory, shown, made_up, forged=True)
    assert await waiting(flow, number) == 1
    assert [one for one in flow.received(sara) if TOLD["en"] in one["text"]] == []


async def test_who_has_blocked_the_bot_is_left_out(flow: House, sara: User) -> None:
    number = await opened(flow)
    await asked_for(flow, sara, number)
    card = await flow.handed_over(sara)
    flow.api.block(sara)
    await flow.group(flow.marie, "Hello?", reply_to=card)  # by which the bot hears of it
    preview = await previewed(flow, number)
    await flow.press_in_group(flow.marie, preview, EN.button_send)
    await ended(flow, number)
    tried = [call for call in flow.api.calls("sendMessage") if call.params["chat_id"] == sara.id]
    assert not [call for call in tried if TOLD["en"] in call.params["text"]]


async def test_forgetting_ends_it_and_one_s_data_show_it(flow: House, sara: User) -> None:
    number = await opened(flow)
    await asked_for(flow, sara, number)
    await flow.ask(sara, "/mydata")
    told = flow.api.world.files[flow.received(sara)[-2]["document"]["file_id"]].upload.content.decode()
    assert TITLE["en"] in told
    (sure,) = await flow.ask(sara, "/forget")
    await flow.press(sara, sure, EN.button_yes)
    assert await waiting(flow, number) == 0


async def test_staff_see_and_delete_themes(flow: House, sara: User) -> None:
    (none,) = await flow.group(flow.paul, "/notify")
    assert none["text"].startswith(EN.theme_none)
    number = await opened(flow)
    await asked_for(flow, sara, number)
    (listed,) = await flow.group(flow.paul, "/notify")
    assert EN.theme_line.format(number=number, title=TITLE["en"], count=1) in listed["text"]
    for wrong in ("/notify new Only English", f"/notify {number} Only English |", f"/notify new {'x' * 61} | y"):
        assert [one["text"] for one in await flow.group(flow.paul, wrong)] == [EN.theme_how]
    assert [one["text"] for one in await flow.group(flow.paul, "/notify 999999 A | B")] == [EN.theme_gone]
    (deleted,) = await flow.group(flow.paul, f"/notify delete {number}")
    assert (deleted["text"], await waiting(flow, number)) == (EN.theme_deleted.format(count=1), 0)


async def test_who_is_muted_is_told_and_who_is_banned_is_not(flow: House) -> None:
    sara, karim = flow.candidate("Sara"), flow.candidate("Karim")
    number = await opened(flow)
    (offered,) = await flow.press(karim, (await flow.ask(karim, "/menu"))[-1], EN.button_themes)
    await asked_for(flow, sara, number)
    await flow.group(flow.paul, "/mute 1h", reply_to=await flow.handed_over(sara))
    card = await flow.handed_over(karim, "How much does the course cost?")
    await flow.press(flow.paul, card, EN.button_ban)
    await flow.press(flow.paul, flow.received(flow.staff)[-1], EN.button_ban_yes)
    (refused,) = await flow.press(karim, offered, f"j:a:{number}")
    assert refused["text"] == EN.banned
    assert await waiting(flow, number) == 1
    await flow.press(flow.paul, await previewed(flow, number), EN.button_send)
    await ended(flow, number)
    assert TOLD["en"] in flow.received(sara)[-1]["text"]
