"""In a group with topics each candidate has one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.dialogue.texts import texts
from bot.records.states import TicketState
from bot.sandbox.people import Topic, User
from indexer.engine import Engine

from .house import LECTURERS, PRICE, House, Json, buttons, house

EN = texts("en")


@pytest.fixture
async def flow(engine: Engine, tmp_path: Path) -> AsyncIterator[House]:
    """A bot whose staff have a forum."""
    async with house(engine, tmp_path, group={"forum": True}) as running:
        yield running


def topics(flow: House) -> list[Topic]:
    return list(flow.staff.topics.values())


def inside(flow: House, topic: Topic) -> list[str]:
    """What the bot wrote in a topic."""
    shown = [message for message in flow.received(flow.staff) if message.get("message_thread_id") == topic.id]
    return [message.get("text", "") for message in shown if "text" in message]


async def test_a_candidate_has_a_topic_where_staff_just_write(flow: House, sara: User) -> None:
    await flow.ask(sara, PRICE["en"])
    (topic,) = topics(flow)
    (ticket,) = await flow.tickets()
    assert topic.name == f"{ticket.candidate_id} · {PRICE['en']} · {EN.topic_open}"
    (card,) = inside(flow, topic)
    assert PRICE["en"] in card
    sent = flow.api.say(flow.paul, "1,500 euros.", chat=flow.staff, thread=topic.id)
    await flow.quiet()
    assert flow.received(sara)[-1]["text"].endswith("1,500 euros.")
    assert flow.api.reactions(sent) == ["👌"]
    assert topic.name.endswith(EN.topic_waiting)
    await flow.ask(sara, "And in two instalments?")
    assert inside(flow, topic)[-1].endswith("And in two instalments?")
    note = flow.api.say(flow.paul, "// shall we?", chat=flow.staff, thread=topic.id)
    await flow.group(flow.marie, "Ask Karim", reply_to=note, thread=topic.id)
    assert "Karim" not in str(flow.received(sara))


async def test_an_album_with_a_note_as_its_caption_stays_in_the_topic(flow: House, sara: User) -> None:
    await flow.ask(sara, PRICE["en"])
    (topic,) = topics(flow)
    before = len(flow.received(sara))
    for text in ("// only for us", None, None):
        flow.api.send_media(flow.marie, "photo", caption=text, group_id="note", chat=flow.staff, thread=topic.id)
    await flow.quiet()
    assert len(flow.received(sara)) == before


async def test_two_first_messages_at_once_make_one_topic(flow: House, sara: User) -> None:
    flow.api.say(sara, "How much does it cost?")
    flow.api.say(sara, "When does the next session start?")
    await flow.quiet()
    (topic,) = topics(flow)
    assert len(inside(flow, topic)) == 2


async def test_a_topic_closes_and_reopens_with_the_ticket(flow: House, sara: User) -> None:
    await flow.ask(sara, PRICE["en"])
    (topic,) = topics(flow)
    await flow.group(flow.marie, "/close", thread=topic.id)
    assert inside(flow, topic)[-1] == EN.staff_closed
    assert (topic.closed, topic.name.endswith(EN.topic_closed)) == (True, True)
    (answer,) = await flow.ask(sara, LECTURERS["en"])
    assert "ActuIA" in answer["text"]
    await flow.ask(sara, "When does the next session start?")
    assert topics(flow) == [topic]
    assert not topic.closed
    assert "next session" in topic.name
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.CLOSED, TicketState.OPEN]


async def test_a_reply_to_an_older_message_of_a_topic_is_about_the_ticket_that_is_open(flow: House, sara: User) -> None:
    await flow.ask(sara, PRICE["en"])
    (topic,), (old,) = topics(flow), flow.cards()
    await flow.group(flow.marie, "/close", thread=topic.id)
    await flow.ask(sara, "When does the next session start?")
    await flow.group(flow.marie, "In March, for 1,500 euros.", reply_to=old, thread=topic.id)
    assert flow.received(sara)[-1]["text"].endswith("In March, for 1,500 euros.")
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.CLOSED, TicketState.WAITING]
    assert topic.name.endswith(EN.topic_waiting)
    await flow.press(sara, flow.received(sara)[-1], EN.button_bot_again)
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.CLOSED, TicketState.CLOSED]
    await flow.group(flow.marie, "One more thing.", reply_to=old, thread=topic.id)
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.WAITING, TicketState.CLOSED]
    await flow.group(flow.marie, "And another.", thread=topic.id)
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.WAITING, TicketState.CLOSED]
    assert await flow.group(flow.marie, "/close", thread=topic.id)
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.CLOSED, TicketState.CLOSED]


async def test_the_first_answer_written_in_a_topic_arrives_as_a_reply_to_the_question(flow: House, sara: User) -> None:
    await flow.ask(sara, PRICE["en"])
    (topic,) = topics(flow)
    for text in ("1,500 euros.", "In two instalments."):
        await flow.group(flow.marie, text, thread=topic.id)
    first, second = flow.received(sara)[-2:]
    assert first["reply_to_message"]["text"] == PRICE["en"]
    assert "reply_to_message" not in second


async def test_a_deleted_topic_is_made_anew_with_its_messages(flow: House, sara: User) -> None:
    await flow.ask(sara, PRICE["en"])
    await flow.ask(sara, "I wrote to you in May")
    (old,) = topics(flow)
    await flow.group(flow.marie, "1,500 euros.", thread=old.id)
    flow.api.delete_topic(flow.staff, old.id)
    flow.api.say(sara, "And in two instalments?")
    flow.api.say(sara, "Or in three?")
    await flow.quiet()
    (new,) = topics(flow)
    assert new.name.endswith(f"{PRICE['en']} · {EN.topic_claimed}")
    card, *added = inside(flow, new)
    assert PRICE["en"] in card
    wanted = ["I wrote to you in May", "1,500 euros.", "And in two instalments?", "Or in three?"]
    assert [text.splitlines()[-1] for text in added] == wanted
    shown: Json = [m for m in flow.received(flow.staff) if "you in May" in m.get("text", "")][-1]
    await flow.group(flow.marie, "Good.", reply_to=shown, thread=new.id)
    assert flow.received(sara)[-1]["reply_to_message"]["text"] == "I wrote to you in May"
    await flow.group(flow.marie, "/close", thread=new.id)
    assert new.closed


async def test_a_changed_question_changes_card_and_name_of_the_topic(flow: House, sara: User) -> None:
    asked = flow.api.say(sara, PRICE["en"])
    await flow.quiet()
    flow.api.edit(sara, asked, "How much does the course cost in 2027?")
    await flow.quiet()
    (topic,) = topics(flow)
    (card,) = inside(flow, topic)
    assert "in 2027?" in card
    assert "in 2027?" in topic.name


async def test_commands_in_a_topic_are_answered_there(flow: House, sara: User) -> None:
    await flow.ask(sara, PRICE["en"])
    (topic,) = topics(flow)
    here = (
        "/tickets",
        "/mine",
        "/find cost",
        "/ask cost",
        "/canned",
        "/canned add Price",
        "/help",
        "/export yesterday",
    )
    for command in (*here, "/stats yesterday", "/rollback", "/dance"):
        (said,) = await flow.group(flow.marie, command, thread=topic.id)
        assert said["message_thread_id"] == topic.id, command
    for command in ("/stats", "/export"):
        (said,) = await flow.group(flow.marie, command, thread=topic.id)
        assert said["message_thread_id"] == topic.id, command
    (said,) = await flow.group(flow.marie, "/tickets")
    assert "message_thread_id" not in said


async def test_commands_in_a_topic_are_about_its_ticket(flow: House, sara: User) -> None:
    await flow.ask(sara, PRICE["en"])
    await flow.group(flow.paul, "/mine")  # seen
    (topic,) = topics(flow)
    for command, state in (
        ("/assign Paul", TicketState.CLAIMED),
        ("/release", TicketState.OPEN),
        ("/close", TicketState.CLOSED),
    ):
        shown = await flow.group(flow.marie, command, thread=topic.id)
        (said,) = [message for message in shown if "text" in message]
        assert said["message_thread_id"] == topic.id
        assert [ticket.state for ticket in await flow.tickets()] == [state]


async def test_a_topic_closed_and_reopened_by_hand_takes_its_ticket_along(flow: House, sara: User) -> None:
    await flow.ask(sara, PRICE["en"])
    (topic,) = topics(flow)
    await flow.group(flow.marie, "1,500 euros.", thread=topic.id)
    flow.api.close_topic(flow.paul, flow.staff, topic.id)
    await flow.quiet()
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.CLOSED]
    assert [message["text"] for message in flow.received(sara)[-2:]] == [EN.closed_by_team, EN.rate_ask]
    assert inside(flow, topic)[-1] == EN.learn_offer
    assert (topic.closed, topic.name.endswith(EN.topic_closed)) == (True, True)
    flow.api.close_topic(flow.paul, flow.staff, topic.id, closed=False)
    await flow.quiet()
    (ticket,) = await flow.tickets()
    assert (ticket.state, ticket.asked_at is None) == (TicketState.CLAIMED, False)
    assert flow.received(sara)[-1]["text"] == EN.reopened
    assert (topic.closed, topic.name.endswith(EN.topic_claimed)) == (False, True)
    moves = [call for call in flow.api.exchange.calls if call.method in {"closeForumTopic", "reopenForumTopic"}]
    assert moves == []  # nothing that people did is done once more
    await flow.group(flow.marie, "/close", thread=topic.id)
    assert topic.closed
    said = len(flow.received(sara))
    flow.api.close_topic(flow.paul, flow.staff, topic.id, closed=False)
    await flow.quiet()
    assert [message["text"] for message in flow.received(sara)[said:]] == [EN.reopened]
    assert not topic.closed


async def test_a_topic_of_nobody_s_is_closed_without_consequences(flow: House, sara: User) -> None:
    lunch = flow.api.topic(flow.paul, flow.staff, "Lunch")
    await flow.ask(sara, PRICE["en"])
    flow.api.close_topic(flow.paul, flow.staff, lunch)
    await flow.quiet()
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.OPEN]


async def test_the_topic_of_a_banned_candidate_reopened_by_hand_opens_no_ticket(flow: House, sara: User) -> None:
    await flow.ask(sara, PRICE["en"])
    (topic,) = topics(flow)
    (ticket,) = await flow.tickets()
    shown = next(m for m in flow.received(flow.staff) if m.get("message_thread_id") == topic.id and "text" in m)
    await flow.press(flow.marie, shown, f"t:y:{ticket.id}", forged=True)
    assert topic.closed
    said = len(flow.received(sara))
    flow.api.close_topic(flow.paul, flow.staff, topic.id, closed=False)
    await flow.quiet()
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.CLOSED]
    assert len(flow.received(sara)) == said


async def test_a_topic_made_anew_shows_a_ready_reply_once(flow: House, sara: User) -> None:
    await flow.ask(sara, f"/human {LECTURERS['en']}")
    (old,) = topics(flow)
    card = [m for m in flow.received(flow.staff) if "text" in m][-1]
    await flow.press(flow.marie, card, EN.button_send_answer)
    await flow.press(flow.marie, flow.received(flow.staff)[-1], (0, 0))
    await flow.press(flow.marie, flow.received(flow.staff)[-1], EN.button_send)
    letters = len(flow.received(sara))
    flow.api.delete_topic(flow.staff, old.id)
    await flow.ask(sara, "And who is the director?")
    (new,) = topics(flow)
    shown = [m for m in flow.received(flow.staff) if m.get("message_thread_id") == new.id and "text" in m]
    (sent,) = [m for m in shown if "ActuIA" in m["text"]]
    assert sent["text"].startswith(EN.staff_sent_by.format(owner="Marie"))
    assert buttons(sent) == []
    assert len(flow.received(sara)) == letters + 1  # that a person has it now


async def test_where_the_bot_may_make_no_topics_cards_work_as_before(engine: Engine, tmp_path: Path) -> None:
    async with house(engine, tmp_path, group={"forum": True, "bot_lacks": ["can_manage_topics"]}) as flow:
        sara = flow.candidate()
        card = await flow.handed_over(sara)
        await flow.group(flow.marie, "1,500 euros.", reply_to=card)
        assert flow.received(sara)[-1]["text"].endswith("1,500 euros.")
        await flow.ask(sara, "In two instalments?")
        assert flow.received(flow.staff)[-1]["reply_to_message"]["message_id"] == card["message_id"]


@pytest.mark.parametrize("group", [{"supergroup": True}, {"forum": True, "bot_lacks": ["can_manage_topics"]}])
async def test_outside_of_topics_a_reply_to_what_began_a_thread_is_a_reply(
    engine: Engine, tmp_path: Path, group: Json
) -> None:
    async with house(engine, tmp_path, group=group) as flow:
        sara, karim = flow.candidate(), flow.candidate("Karim")
        sent = [flow.api.send_media(sara, "photo", group_id="album") for _ in range(2)]
        await flow.quiet()
        await flow.press(sara, flow.received(sara)[-1], EN.button_person)
        shown = [message for message in flow.received(flow.staff) if "photo" in message]
        await flow.group(flow.marie, "The second is blurred.", reply_to=shown[1])
        assert flow.received(sara)[-1]["reply_to_message"]["message_id"] == sent[1]["message_id"]
        assert await flow.group(flow.marie, "/delete", reply_to=shown[0]) == []
        assert not [message for message in flow.received(flow.staff) if "photo" in message]
        flow.api.fail("deleteMessages", "Bad Request: message can't be deleted", times=9)
        card = await flow.handed_over(karim)
        (asked,) = await flow.ask(karim, "/forget")
        await flow.press(karim, asked, EN.button_yes)
        (nobody,) = await flow.group(flow.marie, "1,500 euros.", reply_to=card)
        assert nobody["text"] == EN.staff_no_match


async def test_a_group_that_becomes_a_forum_goes_on(engine: Engine, tmp_path: Path) -> None:
    async with house(engine, tmp_path, group={"supergroup": True}) as flow:
        sara, karim = flow.candidate(), flow.candidate("Karim")
        card = await flow.handed_over(sara)
        flow.staff.forum = True
        await flow.group(flow.marie, "1,500 euros.", reply_to=card)
        assert flow.received(sara)[-1]["text"].endswith("1,500 euros.")
        await flow.ask(karim, PRICE["en"])
        (topic,) = topics(flow)
        await flow.group(flow.paul, "For Karim.", thread=topic.id)
        assert flow.received(karim)[-1]["text"].endswith("For Karim.")
        await flow.ask(sara, "In two instalments?")
        assert flow.received(flow.staff)[-1]["reply_to_message"]["message_id"] == card["message_id"]


async def test_who_is_forgotten_leaves_no_topic_behind(flow: House, sara: User) -> None:
    await flow.ask(sara, PRICE["en"])
    (asked,) = await flow.ask(sara, "/forget")
    await flow.press(sara, asked, EN.button_yes)
    assert PRICE["en"] not in await flow.everything_kept()
