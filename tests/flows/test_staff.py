"""Staff answer in their group, and both sides see what became of it."""

import asyncio

import pytest

from bot.delivery.calls import Letter, Outcome
from bot.delivery.sender import Sender
from bot.dialogue.texts import texts
from bot.records.states import TicketState
from bot.sandbox.people import User
from indexer.entries import Language

from .house import LECTURERS, PRICE, House, Json, buttons

pytestmark = pytest.mark.asyncio(loop_scope="module")

EN = texts("en")
QUOTE = "It was 1,500 euros in 2022; I will send you the new price."


def reactions(flow: House, text: str) -> list[str]:
    """The emoji on the last message with that text in the staff's group."""
    return flow.api.reactions([m for m in flow.api.messages(flow.staff) if m.get("text") == text][-1])


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_reply_to_the_card_reaches_the_candidate(flow: House, language: Language) -> None:
    sara = flow.candidate(language=language)
    card = await flow.handed_over(sara, PRICE[language])
    assert await flow.group(flow.marie, QUOTE, reply_to=card) == []
    letter = flow.received(sara)[-1]
    assert letter["text"] == f"{texts(language).reply_header}\n\n{QUOTE}"
    assert letter["reply_to_message"]["text"] == PRICE[language]
    assert buttons(letter) == [texts(language).button_bot_again]
    assert "Marie" not in str(letter)
    assert reactions(flow, QUOTE) == ["👌"]


async def test_where_reactions_are_not_allowed_words_say_it(flow: House, sara: User) -> None:
    flow.api.fail("setMessageReaction", "Bad Request: REACTION_INVALID")
    card = await flow.handed_over(sara)
    (said,) = await flow.group(flow.marie, QUOTE, reply_to=card)
    assert said["text"] == EN.delivery_sent
    assert said["reply_to_message"]["text"] == QUOTE


@pytest.mark.parametrize("length", [10, 4096])
async def test_staff_hear_that_the_candidate_blocked_the_bot(flow: House, sara: User, length: int) -> None:
    card = await flow.handed_over(sara)
    flow.api.block(sara)
    (said,) = await flow.group(flow.marie, "x" * length, reply_to=card)
    assert said["text"] == (EN.failed_blocked if length == 10 else EN.delivery_failed)
    assert said["reply_to_message"]["text"] == "x" * length
    assert reactions(flow, "x" * length) == []


async def test_a_reply_as_long_as_telegram_allows_arrives_whole(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    long = "word " * 819 + "!"
    before = len(flow.received(sara))
    await flow.group(flow.marie, long, reply_to=card)
    arrived = flow.received(sara)[before:]
    assert sum(message["text"].count("word") for message in arrived) == 819
    assert arrived[-1]["text"].endswith("!")
    assert reactions(flow, long) == ["👌"]


async def test_what_a_candidate_adds_reaches_the_same_card(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    for language, added in (
        ("en", "I would pay it myself, if that changes the price"),
        ("fr", "C'est pour une inscription en 2027, avec mon employeur"),
    ):
        (note,) = await flow.ask(sara, added)
        assert note["text"] == texts("fr" if language == "fr" else "en").follow_up
        shown = flow.received(flow.staff)[-1]
        assert added in shown["text"]
        assert shown["reply_to_message"]["message_id"] == card["message_id"]
    assert len(await flow.tickets()) == 1


async def test_once_people_talk_everything_reaches_them(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    await flow.group(flow.marie, "In which year did you graduate? Did you work since?", reply_to=card)
    notes = []
    for added in ("2019", "yes", "no", "oui", "06 12 34 56 78", "Thank you!", "👍", "a bac+3"):
        notes += await flow.ask(sara, added)
        shown = [message for message in flow.received(flow.staff) if added in message["text"]]
        assert shown[-1]["reply_to_message"]["message_id"] == card["message_id"]
        (said,) = [message for message in flow.api.messages(sara) if message["text"] == added]
        assert flow.api.reactions(said) == ["👌"]
    assert [note["text"] for note in notes] == [EN.hushed]


@pytest.mark.parametrize("thanks", ["Thank you!", "Merci beaucoup, au revoir"])
async def test_thanks_for_a_reply_reach_the_team_and_wait_for_nothing(flow: House, sara: User, thanks: str) -> None:
    card = await flow.handed_over(sara)
    await flow.group(flow.marie, QUOTE, reply_to=card)
    assert await flow.ask(sara, thanks) == []
    assert thanks in flow.received(flow.staff)[-1]["text"]
    (said,) = [message for message in flow.api.messages(sara) if message["text"] == thanks]
    assert flow.api.reactions(said) == ["👌"]
    assert [(ticket.state, ticket.asked_at) for ticket in await flow.tickets()] == [(TicketState.WAITING, None)]
    (note,) = await flow.ask(sara, "And when can I pay?")
    assert note["text"] == EN.hushed
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.CLAIMED]


async def test_who_says_hello_while_the_team_has_a_question_is_told_so(flow: House, sara: User) -> None:
    await flow.handed_over(sara)
    (said,) = await flow.ask(sara, "hello??")
    assert said["text"].startswith(EN.human_already)


async def test_who_asks_for_the_other_language_is_answered_in_it(flow: House) -> None:
    ana = flow.candidate("Ana", "fr")
    await flow.handed_over(ana, PRICE["fr"])
    await flow.ask(ana, "in English please")
    card = flow.cards()[-1]
    assert f"{EN.card_language}: {EN.language_en}" in card["text"]
    await flow.group(flow.marie, QUOTE, reply_to=card)
    assert flow.received(ana)[-1]["text"].startswith(EN.reply_header)


async def test_before_people_talk_small_talk_is_answered_and_passed_on(flow: House, sara: User) -> None:
    await flow.handed_over(sara)
    for added, note in (("Thank you!", EN.thanks), ("2027", EN.follow_up)):
        assert [message["text"] for message in await flow.ask(sara, added)] == [note]
        assert added in flow.received(flow.staff)[-1]["text"]


async def test_while_nobody_has_replied_the_bot_still_answers_what_it_knows(flow: House, sara: User) -> None:
    await flow.handed_over(sara)
    (answer,) = await flow.ask(sara, LECTURERS["en"])
    assert "ActuIA" in answer["text"]
    assert LECTURERS["en"] in flow.received(flow.staff)[-1]["text"]


async def test_once_staff_replied_the_bot_stays_out_of_it(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    await flow.group(flow.marie, QUOTE, reply_to=card)
    (note,) = await flow.ask(sara, LECTURERS["en"])
    assert note["text"] == EN.hushed
    assert LECTURERS["en"] in flow.received(flow.staff)[-1]["text"]
    assert await flow.ask(sara, LECTURERS["en"]) == []


async def test_replies_to_follow_ups_and_to_staff_s_own_messages_arrive_too(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    await flow.ask(sara, "I would pay it myself, if that changes the price")
    added = flow.received(flow.staff)[-1]
    await flow.group(flow.paul, "To the follow-up.", reply_to=added)
    mine = flow.api.say(flow.marie, "To the card.", chat=flow.staff, reply_to=card)
    await flow.quiet()
    await flow.group(flow.marie, "To what I wrote before.", reply_to=mine)
    arrived = [message["text"].splitlines()[-1] for message in flow.received(sara)[-3:]]
    assert arrived == ["To the follow-up.", "To the card.", "To what I wrote before."]


async def test_each_reply_goes_to_its_own_candidate(flow: House) -> None:
    sara, karim = flow.candidate("Sara"), flow.candidate("Karim", "fr")
    first, second = await flow.handed_over(sara), await flow.handed_over(karim, PRICE["fr"])
    await flow.group(flow.marie, "pour Karim", reply_to=second)
    await flow.group(flow.marie, "for Sara", reply_to=first)
    assert [m["text"].splitlines()[-1] for m in (flow.received(sara)[-1], flow.received(karim)[-1])] == [
        "for Sara",
        "pour Karim",
    ]


async def test_a_reply_that_belongs_to_nobody_is_hinted_at_once(flow: House) -> None:
    (help_text,) = await flow.group(flow.marie, "/help")
    (hint,) = await flow.group(flow.marie, QUOTE, reply_to=help_text)
    assert hint["text"] == EN.staff_no_match
    assert hint["reply_to_message"]["text"] == QUOTE


async def test_talk_among_staff_is_none_of_the_bot_s_business(flow: House) -> None:
    said = flow.api.say(flow.paul, "Who is in tomorrow?", chat=flow.staff)
    assert await flow.group(flow.marie, "Me!", reply_to=said) == []
    assert await flow.group(flow.marie, "Nice weather") == []
    flow.api.send_media(flow.paul, "photo", chat=flow.staff)
    await flow.quiet()
    assert flow.received(flow.staff) == []


@pytest.mark.parametrize("command", ["", "/human "])
async def test_a_changed_question_changes_its_card(flow: House, sara: User, command: str) -> None:
    asked = flow.api.say(sara, f"{command}{PRICE['en']}")
    await flow.quiet()
    said = len(flow.received(sara))
    flow.api.edit(sara, asked, f"{command}How much does the course cost in 2027?")
    await flow.quiet()
    (card,) = flow.received(flow.staff)
    assert "\nHow much does the course cost in 2027?\n" in card["text"]
    assert PRICE["en"] not in card["text"]
    assert EN.card_edited in card["text"]
    assert EN.button_claim in buttons(card)
    assert len(flow.received(sara)) == said
    assert len(await flow.tickets()) == 1


async def test_a_question_changed_after_a_reply_is_the_team_s_turn_again(flow: House, sara: User) -> None:
    asked = flow.api.say(sara, PRICE["en"])
    await flow.quiet()
    (card,) = flow.received(flow.staff)
    await flow.group(flow.marie, QUOTE, reply_to=card)
    flow.api.edit(sara, asked, PRICE["en"], link_preview_options={"is_disabled": True})
    await flow.quiet()
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.WAITING]  # the words are the same
    flow.api.edit(sara, asked, "How much does the course cost in 2027?")
    await flow.quiet()
    (ticket,) = await flow.tickets()
    assert (ticket.state, ticket.asked_at is None) == (TicketState.CLAIMED, False)


async def test_a_question_changed_to_what_the_bot_knows_is_answered(flow: House, sara: User) -> None:
    asked = flow.api.say(sara, PRICE["en"])
    await flow.quiet()
    flow.api.edit(sara, asked, LECTURERS["en"])
    await flow.quiet()
    assert "ActuIA" in flow.received(sara)[-1]["text"]
    card, copied = flow.received(flow.staff)
    assert f"\n{LECTURERS['en']}\n" in card["text"]
    assert f"• {LECTURERS['en']} (" in card["text"]  # what is found for it now
    assert copied["reply_to_message"]["message_id"] == card["message_id"]


async def test_a_question_changed_once_its_ticket_is_closed_is_asked_anew(flow: House, sara: User) -> None:
    asked = flow.api.say(sara, PRICE["en"])
    await flow.quiet()
    (card,) = flow.received(flow.staff)
    await flow.group(flow.marie, "/close", reply_to=card)
    flow.api.edit(sara, asked, LECTURERS["en"])
    await flow.quiet()
    assert "ActuIA" in flow.received(sara)[-1]["text"]
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.CLOSED]


async def test_two_first_messages_at_once_open_one_ticket(flow: House, sara: User) -> None:
    flow.api.say(sara, "How much does it cost?")
    flow.api.say(sara, "When does the next session start?")
    await flow.quiet()
    assert len(await flow.tickets()) == 1
    card, added = flow.received(flow.staff)
    assert added["reply_to_message"]["message_id"] == card["message_id"]
    assert "When does the next session start?" in added["text"]


async def test_many_candidates_at_once_each_get_a_ticket(flow: House) -> None:
    people = [flow.candidate(f"P{number}") for number in range(8)]
    for person in people:
        flow.api.say(person, PRICE["en"])
    await flow.quiet()
    assert (len(await flow.tickets()), len(flow.cards())) == (8, 8)
    assert all(flow.received(person)[-1]["text"].startswith(EN.escalated) for person in people)


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_back_to_the_assistant(flow: House, language: Language) -> None:
    sara, words = flow.candidate(language=language), texts(language)
    card = await flow.handed_over(sara, PRICE[language])
    await flow.group(flow.marie, QUOTE, reply_to=card)
    letter = flow.received(sara)[-1]
    again, rate = await flow.press(sara, letter, words.button_bot_again)
    assert (rate["text"], buttons(rate)) == (words.rate_ask, list("12345"))
    assert again["text"] == words.bot_again
    *_, state, told, _offer = flow.received(flow.staff)
    assert EN.state_closed in state["text"]
    assert told["text"].endswith(EN.staff_handed_back.format(candidate=""))
    assert told["reply_to_message"]["message_id"] == card["message_id"]
    (answer,) = await flow.ask(sara, LECTURERS[language])
    assert "ActuIA" in answer["text"]
    (once_more,) = await flow.press(sara, letter, f"b:{(await flow.tickets())[0].id}", forged=True)
    assert once_more["text"] == words.greeting


async def test_close_ends_the_conversation(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    await flow.group(flow.marie, QUOTE, reply_to=card)
    told = [message["text"] for message in await flow.group(flow.marie, "/close", reply_to=card)]
    assert len(told) == 2  # the other one offers to make an entry of it
    assert EN.staff_closed in told
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.CLOSED]
    (answer,) = await flow.ask(sara, LECTURERS["en"])
    assert "ActuIA" in answer["text"]
    for replied in (card, None):
        (nothing,) = await flow.group(flow.marie, "/close@guichet_bot", reply_to=replied)
        assert nothing["text"] == EN.staff_nothing_to_close


async def test_a_reply_to_a_closed_card_takes_it_up_again(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    await flow.group(flow.marie, "/close", reply_to=card)
    await flow.group(flow.marie, QUOTE, reply_to=card)
    assert QUOTE in flow.received(sara)[-1]["text"]
    (note,) = await flow.ask(sara, "And in two instalments?")
    assert note["text"] == EN.hushed


async def test_a_reply_to_an_old_card_while_a_newer_one_is_open(flow: House, sara: User) -> None:
    old = await flow.handed_over(sara)
    await flow.group(flow.marie, "/close", reply_to=old)
    new = await flow.handed_over(sara, "When does the next session start?")
    await flow.group(flow.marie, "to the old card", reply_to=old)
    assert flow.received(sara)[-1]["text"].endswith("to the old card")
    assert reactions(flow, "to the old card") == ["👌"]
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.CLOSED, TicketState.OPEN]
    await flow.group(flow.marie, "to the new card", reply_to=new)
    assert flow.received(sara)[-1]["text"].endswith("to the new card")


async def test_commands_of_the_group(flow: House) -> None:
    for said, shown in (("/help", EN.staff_help), ("/start", EN.staff_help), ("/dance", EN.staff_unknown_command)):
        assert [message["text"] for message in await flow.group(flow.paul, said)] == [shown]
    assert await flow.group(flow.paul, "/help@another_bot") == []


async def test_what_is_written_as_a_channel_goes_nowhere_and_that_is_said(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    before = len(flow.received(sara))
    school = {"sender_chat": {"id": -1009, "type": "channel", "title": "School"}}
    for text in (QUOTE, "/close"):
        (said,) = await flow.group(flow.marie, text, reply_to=card, **school)
        assert (said["text"], said["reply_to_message"]["text"]) == (EN.staff_as_channel, text)
    talk = flow.api.say(flow.paul, "Lunch?", chat=flow.staff)
    assert await flow.group(flow.marie, "At one", reply_to=talk, **school) == []
    assert await flow.group(flow.marie, "News", reply_to=card, is_automatic_forward=True, **school) == []
    assert len(flow.received(sara)) == before
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.OPEN]


async def test_a_command_for_another_bot_goes_to_nobody(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    before = len(flow.received(sara))
    assert await flow.group(flow.marie, "/warn@GroupHelpBot rude", reply_to=card) == []
    assert len(flow.received(sara)) == before
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.OPEN]
    await flow.group(flow.marie, "/srv/data@school.example is where it is", reply_to=card)
    assert flow.received(sara)[-1]["text"].endswith("is where it is")


async def test_a_reply_may_be_faster_than_our_note_that_the_card_was_sent(
    flow: House, sara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    received, note = asyncio.Event(), Sender._record

    async def noting_late(self: Sender, letter: Letter, outcome: Outcome) -> None:
        if letter.group and letter.method == "sendMessage":
            await received.wait()
        await note(self, letter, outcome)

    monkeypatch.setattr(Sender, "_record", noting_late)
    flow.api.say(sara, PRICE["en"])
    (card,) = await flow.api.wait_for(lambda _: flow.cards())
    flow.api.say(flow.marie, QUOTE, chat=flow.staff, reply_to=card)
    await flow.api.wait_for(lambda api: not api.pending())
    asyncio.get_running_loop().call_later(0.3, received.set)
    await flow.quiet()
    assert QUOTE in flow.received(sara)[-1]["text"]
    assert [message["message_id"] for message in flow.received(flow.staff)] == [card["message_id"]]


async def test_a_deleted_card_does_not_hold_up_what_follows(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    flow.api.erase(card)
    (note,) = await flow.ask(sara, "I would pay it myself, if that changes the price")
    assert note["text"] == EN.follow_up
    added = flow.received(flow.staff)[-1]
    assert "pay it myself" in added["text"]
    await flow.group(flow.marie, QUOTE, reply_to=added)
    assert QUOTE in flow.received(sara)[-1]["text"]


async def test_a_deleted_question_does_not_hold_up_the_reply(flow: House, sara: User) -> None:
    asked = flow.api.say(sara, PRICE["en"])
    await flow.quiet()
    flow.api.erase(asked)
    await flow.group(flow.marie, QUOTE, reply_to=flow.cards()[0])
    assert QUOTE in flow.received(sara)[-1]["text"]


async def test_a_candidate_who_writes_again_can_be_reached_again(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    flow.api.block(sara)
    await flow.group(flow.marie, "lost", reply_to=card)
    flow.api.unblock(sara)
    await flow.ask(sara, "Sorry, I am back: how much?")
    await flow.group(flow.marie, QUOTE, reply_to=card)
    assert QUOTE in flow.received(sara)[-1]["text"]


async def test_replies_sent_at_once_keep_their_order(flow: House, sara: User) -> None:
    card: Json = await flow.handed_over(sara)
    for number in range(5):
        flow.api.say(flow.marie, f"part {number}", chat=flow.staff, reply_to=card)
    await asyncio.sleep(0)
    await flow.quiet()
    assert [message["text"][-1] for message in flow.received(sara)[-5:]] == list("01234")
