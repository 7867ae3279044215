"""Several staff groups: each gets the questions of its courses and topics, and none can act in another's."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.dialogue.texts import texts
from bot.sandbox.botapi import BotApi
from bot.sandbox.people import Chat, User
from indexer.engine import Engine

from ..conftest import DATA
from .house import TOKEN, House, Json, buttons, house

EN = texts("en")
LATE = "Who decides on late applications?"


@dataclass
class Campus:
    flow: House
    kitchen: Chat
    money: Chat
    chef: User
    clerk: User

    async def says(self, person: User, place: Chat, text: str, reply_to: Json | None = None) -> list[str]:
        """What the bot then writes in that group."""
        before = len(self.flow.received(place))
        self.flow.api.say(person, text, chat=place, reply_to=reply_to)
        await self.flow.quiet()
        return [one.get("text", "") for one in self.flow.received(place)[before:]]


@pytest.fixture(params=[False, True], ids=["plain", "forum"])
async def campus(school: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Campus]:
    """Bread baking goes to the kitchen, fees of all courses to the money, the rest to the main group."""
    api = BotApi(TOKEN)
    chef, clerk = api.user("Chef"), api.user("Clerk")
    kitchen = api.group("Kitchen", members=[chef], forum=request.param)
    money = api.group("Money", members=[clerk])
    routes = {"kitchen": kitchen.id, "*/fees": money.id}
    like = {"forum": request.param}
    async with house(school, tmp_path, api=api, group=like, knowledge_dir=DATA / "school", routes=routes) as running:
        yield Campus(running, kitchen, money, chef, clerk)


def cards(campus: Campus, place: Chat) -> list[Json]:
    found = campus.flow.received(place)
    return [one for one in found if one.get("text", "").startswith(EN.card_title)]


def said(campus: Campus, place: Chat) -> list[str]:
    """The texts that the bot wrote in a group."""
    return [one["text"] for one in campus.flow.received(place) if "text" in one]


async def handed_over(campus: Campus, course: str, text: str = LATE, name: str = "Sara") -> User:
    person = campus.flow.candidate(name)
    await campus.flow.ask(person, f"/start {course}")
    await campus.flow.ask(person, f"/human {text}")
    return person


async def test_each_group_gets_its_courses_and_its_topic(campus: Campus) -> None:
    flow = campus.flow
    await handed_over(campus, "baking")
    await handed_over(campus, "law", name="Lea")
    assert [len(cards(campus, place)) for place in (campus.kitchen, flow.staff, campus.money)] == [1, 1, 0]
    assert "Course: Bread baking" in cards(campus, campus.kitchen)[0]["text"]
    omar = flow.candidate("Omar")
    await flow.ask(omar, "/start baking")
    (answer,) = await flow.ask(omar, "How much does the course cost?")
    await flow.press(omar, answer, EN.button_person)
    assert [len(cards(campus, place)) for place in (campus.kitchen, flow.staff, campus.money)] == [1, 1, 1]


async def test_a_group_answers_its_candidates_and_what_they_add_comes_there(campus: Campus) -> None:
    flow, sara = campus.flow, await handed_over(campus, "baking")
    (card,) = cards(campus, campus.kitchen)
    await campus.says(campus.chef, campus.kitchen, "The master baker does.", card)
    assert flow.received(sara)[-1]["text"].endswith("The master baker does.")
    before = len(flow.received(flow.staff))
    await flow.ask(sara, "Thank you, and when?")
    assert said(campus, campus.kitchen)[-1].endswith("Thank you, and when?")
    assert len(flow.received(flow.staff)) == before


async def test_staff_of_one_group_cannot_act_in_another_s_tickets(campus: Campus) -> None:
    flow, _ = campus.flow, await handed_over(campus, "baking")
    await handed_over(campus, "law", name="Lea")
    (own,) = cards(campus, flow.staff)
    (ticket, _) = await flow.tickets()
    for data in (f"t:c:{ticket.id}", f"t:x:{ticket.id}", f"t:m:{ticket.id}:1", f"e:m:{ticket.id}"):
        assert await flow.press_in_group(flow.paul, own, data, forged=True) == []
    (same, _) = await flow.tickets()
    assert (same.state, same.owner_chat_id, same.group_chat_id) == ("open", None, ticket.group_chat_id)
    await handed_over(campus, "law", "Where is the library?", "Karim")
    (listed,) = await campus.says(campus.chef, campus.kitchen, "/tickets")
    assert LATE in listed
    assert "library" not in listed
    assert listed.startswith(EN.staff_list.format(count=1))
    (found,) = await campus.says(campus.chef, campus.kitchen, "/find library")
    assert found == EN.staff_found_nothing


async def test_a_moved_ticket_takes_its_messages_along(campus: Campus) -> None:
    flow, sara = campus.flow, await handed_over(campus, "baking")
    (card,) = cards(campus, campus.kitchen)
    await campus.says(campus.chef, campus.kitchen, "Which oven do you mean?", card)
    await flow.ask(sara, "The big one")
    await campus.says(campus.chef, campus.kitchen, "/move", card)
    where = [one for one in flow.received(campus.kitchen) if buttons(one)][-1]
    assert buttons(where) == [EN.group_main, "*/fees", EN.button_leave]
    flow.api.press(campus.chef, where, "*/fees")
    await flow.quiet()
    (moved,) = [one for one in flow.received(campus.money) if one.get("text", "").startswith(EN.card_title)]
    shown = said(campus, campus.money)
    assert any("Which oven do you mean?" in text for text in shown)
    assert any(text.endswith("The big one") for text in shown)
    told = EN.staff_moved.format(number=1, group="*/fees", owner="Chef")
    assert [one["text"] for one in flow.received(campus.kitchen) if one["message_id"] == card["message_id"]] == [told]
    before = len(flow.received(sara))
    await campus.says(campus.chef, campus.kitchen, "still me?", card)
    assert len(flow.received(sara)) == before
    await campus.says(campus.clerk, campus.money, "It is free.", moved)
    assert flow.received(sara)[-1]["text"].endswith("It is free.")
    await flow.ask(sara, "Good to know")
    assert said(campus, campus.money)[-1].endswith("Good to know")
    (ticket,) = await flow.tickets()
    assert ticket.group_chat_id is not None


async def moved(campus: Campus, card: Json) -> list[str]:
    """The texts that a ticket brings along when it moves from the kitchen to the money."""
    await campus.says(campus.chef, campus.kitchen, "/move", card)
    where = [one for one in campus.flow.received(campus.kitchen) if buttons(one)][-1]
    campus.flow.api.press(campus.chef, where, "*/fees")
    await campus.flow.quiet()
    return said(campus, campus.money)


async def test_who_writes_for_a_moved_ticket_where_it_was_is_told_so(campus: Campus) -> None:
    flow, sara = campus.flow, await handed_over(campus, "baking")
    (card,) = cards(campus, campus.kitchen)
    sent = flow.api.say(campus.chef, "We decide in May.", chat=campus.kitchen, reply_to=card)
    await moved(campus, card)
    before = len(flow.received(sara))
    assert await campus.says(campus.chef, campus.kitchen, "Sorry: in June.", sent) == [EN.staff_no_match]
    note = flow.api.say(campus.chef, "// or July?", chat=campus.kitchen, reply_to=sent)
    assert await campus.says(campus.chef, campus.kitchen, "No idea", note) == []
    if campus.kitchen.forum:
        flow.api.say(campus.chef, "Or in July.", chat=campus.kitchen, thread=card["message_thread_id"])
        await flow.quiet()
        assert said(campus, campus.kitchen)[-2:] == [EN.staff_no_match] * 2
    assert len(flow.received(sara)) == before


async def test_a_moved_ticket_shows_what_was_changed_and_long_texts_whole(campus: Campus) -> None:
    flow, sara = campus.flow, await handed_over(campus, "baking")
    (card,) = cards(campus, campus.kitchen)
    added = flow.api.say(sara, "The small one")
    await flow.quiet()
    flow.api.edit(sara, added, "The big one")
    await flow.ask(sara, "First " + "word " * 815 + "last")
    await campus.says(campus.chef, campus.kitchen, "Begin " + "word " * 815 + "end", card)
    shown = await moved(campus, card)
    assert any(text.endswith("The big one") for text in shown)
    assert not any("The small one" in text for text in shown)
    words = " ".join(shown)
    assert [words.count(part) for part in ("First word", "word last", "Begin word", "word end")] == [1, 1, 1, 1]
    flow.api.press(campus.clerk, cards(campus, campus.money)[-1], EN.button_move)
    await flow.quiet()
    where = [one for one in flow.received(campus.money) if buttons(one)][-1]
    before = len(flow.received(flow.staff))
    flow.api.press(campus.clerk, where, EN.group_main)
    await flow.quiet()
    words = " ".join(one.get("text", "") for one in flow.received(flow.staff)[before:])
    assert [words.count(part) for part in ("First word", "word last", "Begin word", "word end")] == [1, 1, 1, 1]


@pytest.mark.parametrize("kinds", [["photo"], ["photo", "video"]])
async def test_pictures_of_an_album_move_with_what_they_were_changed_to(campus: Campus, kinds: list[str]) -> None:
    flow, sara = campus.flow, await handed_over(campus, "baking")
    (card,) = cards(campus, campus.kitchen)
    sent = [flow.api.send_media(sara, kind, caption=f"old {kind}", group_id="ovens") for kind in kinds]
    await flow.quiet()
    for message, kind in zip(sent, kinds, strict=True):
        flow.api.edit(sara, message, f"new {kind}")
    await flow.quiet()
    await moved(campus, card)
    shown = [one for one in flow.received(campus.money) if "text" not in one]
    assert [one["caption"] for one in shown] == [f"new {kind}" for kind in kinds]
    assert [kind for one in shown for kind in ("photo", "video") if kind in one] == kinds


@pytest.mark.parametrize(("before", "after"), [("my\u200b oven", "my big oven"), ("my oven", "my\u200b big oven")])
async def test_a_caption_moves_as_changed_without_what_is_not_seen(campus: Campus, before: str, after: str) -> None:
    flow, sara = campus.flow, await handed_over(campus, "baking")
    (card,) = cards(campus, campus.kitchen)
    sent = flow.api.send_media(sara, "photo", caption=before)
    await flow.quiet()
    flow.api.edit(sara, sent, after)
    await flow.quiet()
    await moved(campus, card)
    (shown,) = [one for one in flow.received(campus.money) if "photo" in one]
    assert shown["caption"] == "my big oven"


@pytest.mark.parametrize("text", ["My card number is 1234", "My card number is 1234. " + "word " * 815])
async def test_what_was_taken_back_does_not_move_along(campus: Campus, text: str) -> None:
    flow, sara = campus.flow, await handed_over(campus, "baking")
    (card,) = cards(campus, campus.kitchen)
    await flow.ask(sara, text)
    await campus.says(campus.chef, campus.kitchen, "/delete", flow.received(campus.kitchen)[-1])
    before = len(flow.received(sara))
    shown = await moved(campus, card)
    assert not any("1234" in text for text in shown)
    assert len(flow.received(sara)) == before


async def test_a_routed_group_that_becomes_a_supergroup_is_followed(school: Engine, tmp_path: Path) -> None:
    api = BotApi(TOKEN)
    chef = api.user("Chef")
    kitchen = api.group("Kitchen", members=[chef])
    async with house(school, tmp_path, api=api, knowledge_dir=DATA / "school", routes={"baking": kitchen.id}) as flow:
        large = flow.api.migrate(kitchen)
        await flow.quiet()
        place = Campus(flow, large, flow.staff, chef, flow.paul)
        sara = await handed_over(place, "baking")
        (card,) = cards(place, large)
        await place.says(chef, large, "found you", card)
        assert flow.received(sara)[-1]["text"].endswith("found you")


async def test_figures_are_split_by_course(school: Engine, tmp_path: Path) -> None:
    async with house(school, tmp_path, knowledge_dir=DATA / "school") as flow:
        sara = flow.candidate()
        await flow.ask(sara, "How much does the law course cost?")
        await flow.ask(sara, "/human Who bakes?")
        await flow.group(flow.marie, "/stats")
        caption = flow.received(flow.staff)[-1]["caption"]
        assert "Bread baking: 0 questions" in caption
        assert f"Business law: 2 questions, {EN.stats_alone} 1 (50 %), {EN.stats_handed_over} 1" in caption
        await flow.group(flow.marie, "/stats baking 30d")
        assert "\nquestions: 0\n" in flow.received(flow.staff)[-1]["caption"]
        for asked, rows in (("/export baking", 0), ("/export law all", 2), ("/export", 2)):
            (sent,) = await flow.group(flow.marie, asked)
            content = flow.api.world.files[sent["document"]["file_id"]].upload.content.decode("utf-8-sig")
            assert len(content.splitlines()) == 1 + rows
