"""What befalls the staff's group, and other groups."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import guichet
from bot.delivery.budgets import LIFTED
from bot.delivery.loops import run
from bot.dialogue.texts import texts
from bot.records.tables import Chat
from bot.sandbox.botapi import serve
from bot.sandbox.people import User
from indexer.engine import Engine

from .house import LECTURERS, PRICE, House, house

EN = texts("en")


@pytest.fixture
async def flow(engine: Engine, tmp_path: Path) -> AsyncIterator[House]:
    """A bot of the test's own: its group will not be the same afterwards."""
    async with house(engine, tmp_path) as running:
        yield running


async def test_cards_and_replies_survive_the_group_s_move(flow: House, sara: User) -> None:
    await flow.handed_over(sara)
    large = flow.api.migrate(flow.staff)
    await flow.quiet()
    await flow.ask(sara, "I would pay it myself, if that changes the price")
    (added,) = flow.received(large)
    flow.api.say(flow.marie, "to the follow-up", chat=large, reply_to=added)
    karim = flow.candidate("Karim", "fr")
    await flow.ask(karim, PRICE["fr"])
    card = flow.received(large)[-1]
    flow.api.say(flow.marie, "à la carte", chat=large, reply_to=card)
    await flow.quiet()
    assert flow.received(sara)[-1]["text"].endswith("to the follow-up")
    assert flow.received(karim)[-1]["text"].endswith("à la carte")


async def test_the_move_noticed_by_sending_before_it_is_told(flow: House, sara: User) -> None:
    large = flow.api.migrate(flow.staff)
    told, flow.api.world.queue.pending[:] = flow.api.pending(), []
    await flow.ask(sara, PRICE["en"])
    (card,) = flow.received(large)
    for update in told:
        flow.api.push(update)
    await flow.quiet()
    flow.api.say(flow.marie, "found you", chat=large, reply_to=card)
    await flow.quiet()
    assert flow.received(sara)[-1]["text"].endswith("found you")
    await flow.ask(flow.candidate("Karim"), PRICE["en"])
    assert len(flow.received(large)) == 2


async def test_numbers_of_the_old_group_mean_nothing_in_the_new_one(flow: House, sara: User) -> None:
    old = await flow.handed_over(sara)
    large = flow.api.migrate(flow.staff)
    large.next_message_id = old["message_id"]
    karim = flow.candidate("Karim", "fr")
    await flow.ask(karim, PRICE["fr"])
    (card,) = flow.received(large)
    assert card["message_id"] == old["message_id"]
    before = len(flow.received(sara))
    flow.api.say(flow.marie, "pour Karim", chat=large, reply_to=card)
    await flow.quiet()
    assert flow.received(karim)[-1]["text"].endswith("pour Karim")
    assert len(flow.received(sara)) == before


async def test_the_staff_s_group_is_found_again_after_a_restart(engine: Engine, tmp_path: Path) -> None:
    async with house(engine, tmp_path) as flow:
        large = flow.api.migrate(flow.staff)
        await flow.quiet()
        settings = flow.bot.deps.settings
        for configured in (flow.staff.id, large.id):
            again = settings.model_copy(update={"staff_chat_id": configured})
            async with guichet(again, engine) as bot, bot.deps.db.read() as tx:
                assert (await tx.get_one(Chat, bot.deps.staff_chat)).telegram_id == large.id


async def test_thrown_out_of_the_staff_s_group_the_bot_says_so_and_delivers_once_it_is_back(
    flow: House, sara: User
) -> None:
    flow.trouble_expected = True
    flow.api.remove_bot(flow.staff)
    (answer,) = await flow.ask(sara, LECTURERS["en"])
    assert "ActuIA" in answer["text"]
    asked, honest = await flow.ask(sara, PRICE["en"])
    assert (asked["text"], honest["text"]) == (EN.escalated, EN.team_unreachable)
    added = "I would pay it myself, if that changes the price"
    assert [message["text"] for message in await flow.ask(sara, added)] == [EN.follow_up]  # the trouble is told once
    errors = [line for line in flow.log.errors if "guichet doctor" in line]
    assert len(errors) == 2
    assert str(flow.staff.id) not in "".join(errors)
    assert [ticket.state for ticket in await flow.tickets()] == ["open"]
    flow.api.add_bot(flow.staff)
    await flow.quiet()
    card, more = flow.received(flow.staff)
    assert PRICE["en"] in card["text"]
    assert (added in more["text"], more["reply_to_message"]["message_id"]) == (True, card["message_id"])
    assert flow.received(sara)[-1]["text"] == EN.team_reached
    flow.api.add_bot(flow.staff)  # an administrator's rights change: nothing is sent twice
    await flow.quiet()
    assert len(flow.received(flow.staff)) == 2
    await flow.group(flow.marie, "glad to be back", reply_to=card)
    assert flow.received(sara)[-1]["text"].endswith("glad to be back")


async def test_a_picture_sent_while_the_group_is_out_of_reach_is_kept_like_a_text(flow: House, sara: User) -> None:
    flow.trouble_expected = True
    await flow.handed_over(sara)
    flow.api.remove_bot(flow.staff)
    before = len(flow.received(sara))
    sent = [flow.api.send_media(sara, "photo") for _ in range(2)]
    await flow.quiet()
    said = [message["text"] for message in flow.received(sara)[before:]]
    assert set(said) == {EN.follow_up, EN.team_unreachable}
    flow.api.fail("copyMessage", "Bad Request: message can't be copied")
    flow.api.add_bot(flow.staff)
    await flow.quiet()
    assert flow.received(flow.staff)[-1]["photo"] == sent[1]["photo"]
    lost = flow.received(sara)[-1]
    assert (lost["text"], lost["reply_to_message"]["message_id"]) == (EN.not_carried, sent[0]["message_id"])


async def test_a_wrong_group_is_mended_by_a_start_with_the_right_one(engine: Engine, tmp_path: Path) -> None:
    async with house(engine, tmp_path, staff_chat_id=-4711, privacy_contact="dpo@school.example") as flow:
        flow.trouble_expected = True
        sara = flow.candidate(language="fr")
        await flow.ask(sara, PRICE["fr"])
        words = texts("fr")
        contact = words.team_unreachable_contact.format(contact="dpo@school.example")
        assert flow.received(sara)[-1]["text"] == f"{words.team_unreachable}\n{contact}"
        settings = flow.bot.deps.settings.model_copy(update={"staff_chat_id": flow.staff.id})
    async with serve(flow.api) as base_url:
        mended = settings.model_copy(update={"telegram_base_url": base_url})
        async with guichet(mended, engine, LIFTED) as bot, asyncio.TaskGroup() as tasks:
            tasks.create_task(run(bot.loops))
            await flow.api.wait_for(lambda _: flow.received(sara)[-1]["text"] == words.team_reached)
            bot.loops.stop.set()
    (card,) = flow.received(flow.staff)
    assert PRICE["fr"] in card["text"]


async def test_staff_hear_on_the_ticket_that_the_candidate_is_gone(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    flow.api.say(sara, LECTURERS["en"])
    flow.api.block(sara)
    await flow.quiet()
    *_, told = flow.received(flow.staff)
    (ticket,) = await flow.tickets()
    # It may have joined what was waiting for the same place.
    assert told["text"].endswith(EN.staff_candidate_unreachable.format(candidate=ticket.candidate_id))
    assert told["reply_to_message"]["message_id"] == card["message_id"]
    before = len(flow.received(flow.staff))
    (said,) = await flow.group(flow.marie, "are you there?", reply_to=card)
    assert said["text"] == EN.failed_blocked
    assert len(flow.received(flow.staff)) == before + 1


async def test_other_groups_hear_their_number_and_nothing_else(flow: House) -> None:
    owner = flow.candidate("Olga")
    for large in (False, True):
        other = flow.api.group("Elsewhere", supergroup=large, members=[owner])
        for command in ("/start", "/help", "/export"):
            flow.api.say(owner, command, chat=other)
        flow.api.say(owner, LECTURERS["en"], chat=other)
        await flow.quiet()
        said, *_ = flow.received(other)
        flow.api.say(owner, "thank you", chat=other, reply_to=said)
        flow.api.say(owner, "/reindex@someone_else_bot", chat=other)
        await flow.quiet()
        told = [message["text"] for message in flow.received(other)]
        assert {*told} == {EN.staff_group_id.format(id=other.id)}
        assert len(told) <= 2  # once an hour, and a new one may begin meanwhile
    assert flow.received(flow.staff) == []


async def test_a_bot_that_is_no_administrator_still_gets_replies(engine: Engine, tmp_path: Path) -> None:
    async with house(engine, tmp_path, group={"bot_admin": False, "supergroup": True}) as flow:
        sara = flow.candidate()
        card = await flow.handed_over(sara)
        await flow.group(flow.paul, "hello from privacy mode", reply_to=card)
        assert flow.received(sara)[-1]["text"].endswith("hello from privacy mode")


async def test_in_a_forum_other_topics_are_left_alone(engine: Engine, tmp_path: Path) -> None:
    async with house(engine, tmp_path, group={"forum": True}) as flow:
        sara = flow.candidate()
        card = await flow.handed_over(sara)
        lunch = flow.api.topic(flow.paul, flow.staff, "Lunch")
        assert await flow.group(flow.paul, "Pizza?", thread=lunch) == []
        await flow.group(flow.marie, "in the forum", reply_to=card)
        assert flow.received(sara)[-1]["text"].endswith("in the forum")


async def test_staff_who_read_french(engine: Engine, tmp_path: Path) -> None:
    async with house(engine, tmp_path, staff_language="fr") as flow:
        words = texts("fr")
        card = await flow.handed_over(flow.candidate(), PRICE["en"])
        for part in (words.card_title, words.language_en, words.reason_unwritten, words.card_hint):
            assert part in card["text"]
        (hint,) = await flow.group(flow.marie, "/dance")
        assert hint["text"] == words.staff_unknown_command
