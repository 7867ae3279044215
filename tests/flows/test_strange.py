"""What nobody should send, and somebody does."""

import json
from pathlib import Path

import pytest

from bot.desk.members import NAMELESS
from bot.dialogue.signs import visible
from bot.dialogue.texts import texts
from bot.records.states import TicketState
from bot.sandbox.people import User
from indexer.encoder import OnnxEncoder
from indexer.engine import Engine, index

from .house import LECTURERS, PATIENCE, PRICE, House, buttons, house

pytestmark = pytest.mark.asyncio(loop_scope="module")

EN = texts("en")


async def test_another_person_s_question_is_out_of_reach(flow: House, sara: User) -> None:
    (theirs,) = await flow.ask(sara, "project")
    number = theirs["reply_markup"]["inline_keyboard"][0][0]["callback_data"].split(":")[1]
    mallory = flow.candidate("Mallory")
    (shown,) = await flow.ask(mallory, LECTURERS["en"])
    for data in (f"h:{number}", f"n:{number}", f"p:{number}", f"x:{number}", f"c:{number}:0", f"m:{number}"):
        (said,) = await flow.press(mallory, shown, data, forged=True)
        assert said["text"] == EN.choice_gone
    assert [question.feedback for question in await flow.questions()] == [None, None]
    assert (await flow.tickets(), flow.received(flow.staff), len(flow.received(sara))) == ([], [], 1)


async def test_another_person_s_conversation_is_not_ended(flow: House, sara: User) -> None:
    await flow.handed_over(sara)
    (ticket,) = await flow.tickets()
    mallory = flow.candidate("Mallory")
    (shown,) = await flow.ask(mallory, LECTURERS["en"])
    (said,) = await flow.press(mallory, shown, f"b:{ticket.id}", forged=True)
    assert said["text"] == EN.greeting
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.OPEN]


async def test_made_up_buttons_do_nothing(flow: House, sara: User) -> None:
    await flow.ask(flow.candidate("Omar"), LECTURERS["en"])  # the first question is not Sara's
    (shown,) = await flow.ask(sara, LECTURERS["en"])
    made_up = ["", ":", "h", "h:", "h:x", "h:²", "h:-1", "h:99999999", f"h:{10**17}", f"h:{10**60}", "z:1", "c:1"]
    made_up += ["c:1:", "c:1:-1", "c:1:99", f"c:1:{10**50}", "b:", "b:x", f"b:{10**55}", "x:1:2:3:4", "n:0", "💥" * 16]
    made_up += ["m", "m:", "m:x", f"m:{10**60}"]
    for data in made_up:
        flow.api.press(sara, shown, data, forged=True)
    await flow.quiet()
    said = [message["text"] for message in flow.received(sara)[1:]]
    assert len(said) == len(made_up)
    assert set(said) == {EN.choice_gone, EN.greeting}
    assert await flow.tickets() == []


async def test_a_button_without_its_message(flow: House, sara: User) -> None:
    (shown,) = await flow.ask(sara, LECTURERS["en"])
    flow.api.erase(shown)
    (said,) = await flow.press(sara, shown, EN.button_helped)
    assert said["text"] == EN.feedback_thanks
    query = {"id": "1", "from": sara.json(), "chat_instance": "1", "inline_message_id": "x", "data": "h:1"}
    flow.api.push({"callback_query": query})
    flow.api.push({"callback_query": {name: query[name] for name in ("id", "from", "chat_instance")}})
    await flow.quiet()


async def test_buttons_pressed_in_the_staff_s_group_erase_nothing(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    for data in ("f:yes", "f:no", "h:1", "b:1"):
        flow.api.press(flow.paul, card, data, forged=True)
    await flow.quiet()
    assert len(flow.received(flow.staff)) == 1
    await flow.group(flow.marie, "Still here", reply_to=card)
    assert flow.received(sara)[-1]["text"].endswith("Still here")


async def test_a_deleted_account_has_no_name(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    nobody = flow.candidate("")
    await flow.press_in_group(nobody, card, EN.button_claim)
    (claimed,) = [message for message in flow.received(flow.staff) if message["message_id"] == card["message_id"]]
    assert EN.state_claimed.format(owner=NAMELESS) in claimed["text"]
    (note,) = await flow.ask(nobody, PRICE["en"])
    (said,) = await flow.press(nobody, note, EN.button_share_name)
    assert said["text"] == EN.name_shared.format(name=(await flow.tickets())[-1].candidate_id)


async def test_updates_of_unknown_kinds_are_done_with(flow: House, sara: User) -> None:
    flow.api.push({"brand_new_kind": {"chat": sara.chat_json()}})
    flow.api.push({})
    flow.api.push({"channel_post": {"message_id": 1, "date": 1, "chat": {"id": -100777, "type": "channel"}}})
    flow.api.push({"inline_query": {"id": "5", "from": sara.json(), "query": "price", "offset": ""}})
    (answer,) = await flow.ask(sara, LECTURERS["en"])
    assert "ActuIA" in answer["text"]


async def test_an_update_that_cannot_be_read_is_set_aside_and_the_next_answered(flow: House, sara: User) -> None:
    flow.trouble_expected = True
    flow.api.say(sara, "Hello")
    await flow.quiet()
    flow.api.push({"message": {"message_id": "seven", "date": "x", "chat": sara.chat_json(), "text": "my secret"}})
    (sorry, answer) = await flow.ask(sara, LECTURERS["en"])
    assert sorry["text"] == EN.not_handled
    assert "ActuIA" in answer["text"]
    (notice,) = flow.received(flow.staff)
    assert EN.staff_set_aside in notice["text"]
    assert "secret" not in notice["text"]
    (failed, logged) = await flow.troubles()
    assert "set_aside, 1 attempts" in failed
    assert "update not handled" in logged
    assert "secret" not in logged


async def test_an_edit_whose_text_is_no_text_is_not_tried_in_vain(engine: Engine, tmp_path: Path) -> None:
    async with house(engine, tmp_path / "data") as flow:  # of its own: staff hear of such things once an hour
        sara, flow.trouble_expected = flow.candidate(), True
        said = flow.api.say(sara, "Hello")
        await flow.quiet()
        flow.api.push({"edited_message": {**said, "edit_date": 2, "text": True}})
        (answer,) = await flow.ask(sara, LECTURERS["en"])
        (failed, logged) = await flow.troubles()
    assert "ActuIA" in answer["text"]
    assert "set_aside, 1 attempts, unreadable: edited_message.text is no text" in failed
    assert "update not handled" in logged


async def test_signs_that_nobody_sees_are_sent_to_nobody(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path) -> None:
    path = knowledge / "classes.en.md"
    written = path.read_text(encoding="utf-8").replace("# Classes", "# Cl\u202easses")
    path.write_text(written.replace("hot does the kiln", "hot does\u202e the ki\u00adln"), encoding="utf-8")
    engine = index(knowledge, encoder, tmp_path / "index").engine
    async with house(engine, tmp_path, knowledge_dir=knowledge) as place:
        sara = place.candidate("S\u202eara")
        await place.group(place.paul, "/notify new Ap\u202eply | Candi\u200bdater")
        (listed,) = await place.ask(sara, "/menu")
        await place.press(sara, listed, "Classes")
        (answer,) = await place.ask(sara, "How hot does\u202e the kiln get?")
        assert "1,240" in answer["text"]
        (noted,) = await place.press(sara, answer, EN.button_person)
        await place.press(sara, noted, EN.button_themes)
        await place.press(sara, noted, EN.button_share_name)
        await place.group(place.paul, "/find ki\u202eln")
        typed = place.api.inline(sara, "kiln")
        offered = await place.api.wait_for(lambda api: api.answer_to(typed), PATIENCE)
        shown = [(one["text"], buttons(one)) for one in [*place.received(sara), *place.received(place.staff)]]
        seen = json.dumps([shown, offered], ensure_ascii=False)
        assert all(said in seen for said in ("Apply", "How hot does the kiln get?", "Sara", "Classes"))
        assert visible(seen) == seen


@pytest.mark.parametrize("text", ["\u202e\u200b\u2066", "\x00\x07", "a" * 4096, "?" * 4096, "\n\n\n", "."])
async def test_strange_characters(flow: House, sara: User, text: str) -> None:
    message = {"message_id": 900, "date": 1, "chat": sara.chat_json(), "from": sara.json(), "text": text}
    flow.api.say(sara, "Hello")
    await flow.quiet()
    flow.api.push({"message": message})
    await flow.quiet()
    assert len(flow.received(sara)) == 2


async def test_a_storm_from_one_person_keeps_nobody_waiting(flow: House, sara: User) -> None:
    for number in range(20):
        flow.api.say(sara, f"How much is number {number}?")
    (answer,) = await flow.ask(flow.candidate("Karim", "fr"), LECTURERS["fr"])
    assert "ActuIA" in answer["text"]
    assert len(await flow.tickets()) == 1
    assert len(flow.received(flow.staff)) == 20


async def test_telegram_s_hiccups_lose_nothing(flow: House, sara: User) -> None:
    flow.api.fail("sendMessage", 502)
    flow.api.fail("answerCallbackQuery", "Bad Request: query is too old")
    (answer,) = await flow.ask(sara, LECTURERS["en"])
    (thanks,) = await flow.press(sara, answer, EN.button_helped)
    assert thanks["text"] == EN.feedback_thanks


async def test_markup_that_telegram_refuses_is_sent_without(flow: House, sara: User) -> None:
    flow.api.fail("sendMessage", "Bad Request: can't parse entities", when=lambda params: "entities" in params)
    card = await flow.handed_over(sara, PRICE["en"])
    assert PRICE["en"] in card["text"]
    assert "entities" not in card
