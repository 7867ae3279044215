"""The life of a ticket: claimed once, sent from the card, handed back, closed, rated, opened again; and rights."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from bot.dialogue.texts import texts
from bot.records.states import TicketState
from bot.records.tables import Candidate, Canned
from bot.sandbox.people import User
from indexer.engine import Engine
from indexer.entries import Language

from .house import LECTURERS, PRICE, House, Json, buttons, house

pytestmark = pytest.mark.asyncio(loop_scope="module")

EN = texts("en")
ANSWER = "It was 1,500 euros in 2022."


def now(flow: House, message: Json) -> Json:
    """A message of the staff's group as it is shown by now."""
    (found,) = [one for one in flow.api.messages(flow.staff) if one["message_id"] == message["message_id"]]
    return found


def alert(flow: House, query: Json) -> str:
    """What the bot said above the chat to who pressed."""
    return str((flow.api.answer_to(query) or {}).get("text", ""))


async def pressed(flow: House, who: User, message: Json, button: str, *, forged: bool = False) -> str:
    """Somebody presses a button; what is said above the chat."""
    query = flow.api.press(who, message, button, forged=forged)
    await flow.quiet()
    return alert(flow, query)


async def states(flow: House) -> list[TicketState]:
    return [ticket.state for ticket in await flow.tickets()]


async def test_two_claims_at_once_are_settled_and_the_second_learns_who_has_it(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    queries = {who.first_name: flow.api.press(who, card, EN.button_claim) for who in (flow.marie, flow.paul)}
    await flow.quiet()
    said = {name: alert(flow, query) for name, query in queries.items()}
    (owner,) = [name for name, text in said.items() if not text]
    (other,) = [text for text in said.values() if text]
    assert other == EN.staff_has_it.format(owner=owner)
    shown = now(flow, card)
    assert EN.state_claimed.format(owner=owner) in shown["text"]
    assert EN.button_claim not in buttons(shown)
    assert await states(flow) == [TicketState.CLAIMED]


async def test_who_writes_in_a_colleague_s_ticket_is_told_once_and_heard_every_time(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    await pressed(flow, flow.marie, card, EN.button_claim)
    (warned,) = await flow.group(flow.paul, "first", reply_to=card)
    assert warned["text"] == EN.staff_collision.format(owner="Marie")
    assert await flow.group(flow.paul, "second", reply_to=card) == []
    arrived = [message["text"].splitlines()[-1] for message in flow.received(sara)[-2:]]
    assert arrived == ["first", "second"]
    assert EN.state_waiting.format(owner="Marie") in now(flow, card)["text"]


async def test_an_answer_is_chosen_seen_once_more_and_sent(flow: House, sara: User) -> None:
    await flow.ask(sara, LECTURERS["en"])
    card = await flow.handed_over(sara, f"/human {LECTURERS['en']}")
    assert f"• {LECTURERS['en']}\n→ " in card["text"]
    await flow.press(flow.marie, card, EN.button_send_answer)
    choice = flow.received(flow.staff)[-1]
    assert choice["text"] == EN.staff_choose_answer
    await flow.press(flow.marie, choice, (0, 0))
    preview = flow.received(flow.staff)[-1]
    assert EN.staff_preview in preview["text"]
    before = len(flow.received(sara))
    await asyncio.gather(*(flow.press(who, preview, EN.button_send) for who in (flow.marie, flow.paul)))
    (letter,) = flow.received(sara)[before:]
    assert letter["text"].startswith(EN.reply_header)
    assert "ActuIA" in letter["text"]
    sent = now(flow, preview)
    assert sent["text"].partition(" ")[2].startswith(EN.staff_sent_by.partition(" ")[2])
    assert buttons(sent) == []
    assert await states(flow) == [TicketState.WAITING]


async def ready_reply(flow: House, sara: User) -> tuple[Json, Json]:
    """An answer that staff chose and sent: what they see of it, and what the candidate got."""
    await flow.ask(sara, LECTURERS["en"])
    card = await flow.handed_over(sara, f"/human {LECTURERS['en']}")
    await flow.press(flow.paul, card, EN.button_send_answer)
    await flow.press(flow.paul, flow.received(flow.staff)[-1], (0, 0))
    preview = flow.received(flow.staff)[-1]
    await flow.press(flow.paul, preview, EN.button_send)
    return preview, flow.received(sara)[-1]


async def test_a_reply_that_has_changed_since_it_was_shown_is_not_sent(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    async with flow.bot.deps.db.begin() as tx:
        await tx.execute(delete(Canned))
        tx.add(Canned(title="Price", en="It is 1,500 euros."))
    await flow.press(flow.paul, card, EN.button_canned)
    await flow.press(flow.paul, flow.received(flow.staff)[-1], "Price")
    preview, said = flow.received(flow.staff)[-1], len(flow.received(sara))
    async with flow.bot.deps.db.begin() as tx:
        await tx.execute(update(Canned).values(en="It is 2,500 euros."))
    assert await pressed(flow, flow.paul, preview, EN.button_send) == EN.staff_gone
    assert len(flow.received(sara)) == said


async def test_replies_to_a_ready_reply_keep_their_place_both_ways(flow: House, sara: User) -> None:
    preview, letter = await ready_reply(flow, sara)
    await flow.ask(sara, "All of them?", reply_to=letter)
    assert flow.received(flow.staff)[-1]["reply_to_message"]["message_id"] == preview["message_id"]
    await flow.group(flow.paul, "Yes, all.", reply_to=preview)
    assert flow.received(sara)[-1]["reply_to_message"]["message_id"] == letter["message_id"]


async def test_a_ready_reply_is_taken_back_on_both_sides(flow: House, sara: User) -> None:
    preview, letter = await ready_reply(flow, sara)
    await flow.group(flow.marie, "/delete", reply_to=preview)
    for place, message in ((sara, letter), (flow.staff, preview)):
        assert message["message_id"] not in [one["message_id"] for one in flow.api.messages(place)]


async def test_an_answer_in_staff_s_own_words_is_a_reply_to_the_preview(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    await flow.press(flow.marie, card, EN.button_send_answer)
    await flow.press(flow.marie, flow.received(flow.staff)[-1], (0, 0))
    preview = flow.received(flow.staff)[-1]
    await flow.group(flow.marie, ANSWER, reply_to=preview)
    assert flow.received(sara)[-1]["text"].endswith(ANSWER)


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_canned_reply_in_the_candidate_s_language(flow: House, language: Language) -> None:
    sara = flow.candidate(language=language)
    card = await flow.handed_over(sara, PRICE[language])
    async with flow.bot.deps.db.begin() as tx:
        await tx.execute(delete(Canned))
    assert await pressed(flow, flow.paul, card, EN.button_canned) == EN.staff_no_canned
    async with flow.bot.deps.db.begin() as tx:
        tx.add(Canned(title="Price", fr="Le prix arrive.", en="The price is coming."))
    await flow.press(flow.paul, card, EN.button_canned)
    await flow.press(flow.paul, flow.received(flow.staff)[-1], "Price")
    await flow.press(flow.paul, flow.received(flow.staff)[-1], EN.button_send)
    assert flow.received(sara)[-1]["text"].endswith({"en": "The price is coming.", "fr": "Le prix arrive."}[language])


async def test_released_the_bot_answers_again_and_staff_see_it(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    await flow.group(flow.marie, ANSWER, reply_to=card)
    (released,) = await flow.group(flow.paul, "/release", reply_to=card)
    assert released["text"] == EN.staff_released
    assert EN.state_open in now(flow, card)["text"]
    (answer,) = await flow.ask(sara, LECTURERS["en"])
    assert "ActuIA" in answer["text"]
    copied = flow.received(flow.staff)[-1]
    assert EN.staff_bot_answered.format(candidate=(await flow.tickets())[0].candidate_id) in copied["text"]
    (nothing,) = await flow.group(flow.paul, "/release", reply_to=card)
    assert nothing["text"] == EN.staff_nothing_to_release


async def test_assigned_by_name_by_choice_or_to_nobody_known(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    await flow.group(flow.paul, "/help")  # seen
    for said, shown in (
        ("/assign Paul", EN.staff_assigned.format(owner="Paul")),
        ("/assign @nobody", EN.staff_assign_unknown),
    ):
        assert [message["text"] for message in await flow.group(flow.marie, said, reply_to=card)] == [shown]
    (choice,) = await flow.group(flow.marie, "/assign", reply_to=card)
    await flow.press(flow.marie, choice, "Marie")
    assert EN.state_claimed.format(owner="Marie") in now(flow, card)["text"]
    (which,) = await flow.group(flow.marie, "/assign Paul")
    assert which["text"] == EN.staff_which_card


async def test_administrators_can_be_given_a_question_before_they_have_written_anything(
    flow: House, sara: User
) -> None:
    card, nora = await flow.handed_over(sara), flow.api.user("Nora Silent")
    flow.staff.members[nora.id] = "administrator"
    (said,) = await flow.group(flow.paul, "/assign Nora Silent", reply_to=card)
    assert said["text"] == EN.staff_assigned.format(owner="Nora Silent")
    assert EN.state_claimed.format(owner="Nora Silent") in now(flow, card)["text"]


async def test_closed_rated_with_a_line_and_opened_again(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    await flow.group(flow.marie, ANSWER, reply_to=card)
    assert await pressed(flow, flow.marie, card, f"t:x:{(await flow.tickets())[0].id}", forged=True) == EN.staff_closed
    closed, rate = flow.received(sara)[-2:]
    assert buttons(now(flow, card)) == []
    (thanks,) = await flow.press(sara, rate, "4")
    assert thanks["text"] == EN.rated
    (noted,) = await flow.ask(sara, "Quick and kind", reply_to=thanks)
    assert noted["text"] == EN.remark_thanks
    (ticket,) = await flow.tickets()
    assert (ticket.rating, ticket.remark) == (4, "Quick and kind")
    assert "4/5" in now(flow, card)["text"]
    assert flow.received(flow.staff)[-1]["text"].endswith("Quick and kind")
    (again,) = await flow.press(sara, closed, EN.button_not_solved)
    assert again["text"] == EN.reopened
    assert EN.state_claimed.format(owner="Marie") in now(flow, card)["text"]
    (not_twice,) = await flow.press(sara, closed, f"o:{ticket.id}", forged=True)
    assert not_twice["text"] == EN.reopened_not


async def rated(flow: House, sara: User) -> Json:
    """A conversation answered, closed and rated: what asks the candidate for a line."""
    card = await flow.handed_over(sara)
    await flow.group(flow.marie, ANSWER, reply_to=card)
    await flow.group(flow.marie, "/close", reply_to=card)
    (thanks,) = await flow.press(sara, flow.received(sara)[-1], "5")
    assert thanks["text"] == EN.rated
    return thanks


async def test_a_changed_remark_changes_for_staff_and_opens_nothing(flow: House, sara: User) -> None:
    sent = flow.api.say(sara, "Thank you Mary, very clear", reply_to=await rated(flow, sara))
    await flow.quiet()
    shown, said = flow.received(flow.staff)[-1], len(flow.received(sara))
    flow.api.edit(sara, sent, "Thank you Marie, very clear")
    await flow.quiet()
    (ticket,) = await flow.tickets()
    told = EN.staff_remark.format(candidate=ticket.candidate_id)
    assert now(flow, shown)["text"] == f"{told}\nThank you Marie, very clear"
    assert (ticket.state, ticket.remark) == (TicketState.CLOSED, "Thank you Marie, very clear")
    assert len(flow.received(sara)) == said
    await flow.ask(sara, "/delete", reply_to=sent)
    assert shown["message_id"] not in [one["message_id"] for one in flow.received(flow.staff)]
    assert [ticket.remark for ticket in await flow.tickets()] == [None]


@pytest.mark.parametrize("kind", ["text", "photo"])
async def test_a_remark_that_the_group_could_not_take_is_sent_again(flow: House, sara: User, kind: str) -> None:
    flow.trouble_expected = True
    thanks, said = await rated(flow, sara), len(flow.received(sara))
    flow.api.remove_bot(flow.staff)
    if kind == "text":
        flow.api.say(sara, "Very clear", reply_to=thanks)
    else:
        flow.api.send_media(sara, kind, caption="Very clear", reply_to=thanks)
    await flow.quiet()
    assert [message["text"] for message in flow.received(sara)[said:]] == [EN.remark_thanks]
    flow.api.add_bot(flow.staff)
    await flow.quiet()
    assert "Very clear" in str(flow.received(flow.staff)[-1])
    assert [message["text"] for message in flow.received(sara)[said:]] == [EN.remark_thanks]
    assert await states(flow) == [TicketState.CLOSED]


@pytest.mark.parametrize("kind", ["sticker", "voice", "photo"])
async def test_a_remark_need_not_be_words(flow: House, sara: User, kind: str) -> None:
    thanks = await rated(flow, sara)
    flow.api.send_media(sara, kind, reply_to=thanks)
    await flow.quiet()
    assert kind in flow.received(flow.staff)[-1]
    assert flow.received(sara)[-1]["text"] == EN.remark_thanks
    assert await states(flow) == [TicketState.CLOSED]


async def test_pictures_sent_together_as_a_remark_are_thanked_for_once(flow: House, sara: User) -> None:
    thanks, said = await rated(flow, sara), len(flow.received(sara))
    first, _ = (
        flow.api.send_media(sara, "photo", caption=caption, group_id=f"two{sara.id}", reply_to=thanks)
        for caption in ("The two of us", None)
    )
    await flow.quiet()
    assert [message["text"] for message in flow.received(sara)[said:]] == [EN.remark_thanks]
    assert len([one for one in flow.received(flow.staff) if "media_group_id" in one]) == 2
    assert [ticket.remark for ticket in await flow.tickets()] == ["The two of us"]
    await flow.ask(sara, "/delete", reply_to=first)
    assert [ticket.remark for ticket in await flow.tickets()] == [None]


@pytest.mark.parametrize("by_staff", [False, True])
async def test_of_a_remark_its_words_go_with_the_message_that_has_them(flow: House, sara: User, by_staff: bool) -> None:
    thanks = await rated(flow, sara)

    async def take_back(message: Json, shown: Json) -> None:
        if by_staff:
            await flow.group(flow.marie, "/delete", reply_to=shown)
        else:
            await flow.ask(sara, "/delete", reply_to=message)

    async def remember(words: str | None, kind: str = "photo") -> tuple[Json, Json]:
        if kind == "text":
            sent = flow.api.say(sara, words or "", reply_to=thanks)
        else:
            sent = flow.api.send_media(sara, kind, caption=words, reply_to=thanks)
        await flow.quiet()
        return sent, flow.received(flow.staff)[-1]

    async def remembered() -> str | None:
        return (await flow.tickets())[0].remark

    said = await remember("Quick and kind\n\n\n\nThank you", "text")
    await take_back(*await remember(None))
    assert await remembered() == "Quick and kind\n\nThank you"
    captioned = await remember("And this is me")
    await take_back(*said)
    await take_back(*await remember(None))
    assert await remembered() == "And this is me"
    flow.api.edit(sara, captioned[0], "And that is me")
    await flow.quiet()
    await take_back(*captioned)
    assert await remembered() is None
    await take_back(*await remember("word " * 150 + "the end", "text"))
    assert await remembered() is None


async def test_what_cannot_be_carried_is_no_remark(flow: House, sara: User) -> None:
    flow.api.post(sara, {"dice": {"emoji": "🎲", "value": 4}}, reply_to=await rated(flow, sara))
    await flow.quiet()
    assert flow.received(sara)[-1]["text"] == EN.cannot_carry
    assert await states(flow) == [TicketState.CLOSED]


@pytest.mark.parametrize("asked", ["And when does the next session start?", "I would like to speak to a person"])
async def test_a_question_as_a_remark_is_a_question_too(flow: House, sara: User, asked: str) -> None:
    thanks = await rated(flow, sara)
    said = [message["text"] for message in await flow.ask(sara, asked, reply_to=thanks)]
    assert said[-1] not in {EN.remark_thanks, EN.rated}
    assert await states(flow) == [TicketState.CLOSED, TicketState.OPEN]


async def test_staff_read_a_long_remark_to_its_end(flow: House, sara: User) -> None:
    await flow.ask(sara, "word " * 150 + "the end", reply_to=await rated(flow, sara))
    assert flow.received(flow.staff)[-1]["text"].endswith("the end")
    (ticket,) = await flow.tickets()
    assert len(ticket.remark or "") <= 500


async def test_a_reply_to_what_staff_wrote_opens_the_ticket_again(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    await flow.group(flow.marie, ANSWER, reply_to=card)
    letter = flow.received(sara)[-1]
    await flow.group(flow.marie, "/close", reply_to=card)
    (answer,) = await flow.ask(sara, LECTURERS["en"])
    assert "ActuIA" in answer["text"]
    await flow.ask(sara, "That was not what I meant", reply_to=letter)
    assert await states(flow) == [TicketState.CLAIMED]
    assert any("not what I meant" in message["text"] for message in flow.received(flow.staff))


@pytest.mark.parametrize("taken", [True, False])
async def test_an_older_way_back_to_the_assistant_leads_there_too(flow: House, sara: User, taken: bool) -> None:
    card = await flow.handed_over(sara)
    await flow.group(flow.marie, ANSWER, reply_to=card)
    letter = flow.received(sara)[-1]
    await flow.group(flow.marie, "/close", reply_to=card)
    newer = await flow.handed_over(sara, "When does the next session start?")
    if taken:
        await pressed(flow, flow.marie, newer, EN.button_claim)
    said = await flow.press(sara, letter, EN.button_bot_again)
    # What nobody has taken does not keep the assistant from answering, and need not be withdrawn.
    assert said[0]["text"].startswith(EN.bot_again if taken else EN.greeting)
    assert (await states(flow))[-1] is (TicketState.CLOSED if taken else TicketState.OPEN)


async def test_status_and_cancel(flow: House, sara: User) -> None:
    async def said(command: str) -> str:
        return str((await flow.ask(sara, command))[0]["text"])

    assert await said("/status") == EN.status_none
    assert await said("/cancel") == EN.human_none
    card = await flow.handed_over(sara)
    assert (await said("/status")).startswith(EN.status_open.partition("{")[0])
    await pressed(flow, flow.marie, card, EN.button_claim)
    assert (await said("/status")).startswith(EN.status_claimed.partition("{")[0])
    await flow.group(flow.marie, ANSWER, reply_to=card)
    assert (await said("/status")).startswith(EN.status_waiting.partition("{")[0])
    assert await said("/cancel") == EN.human_cancelled
    assert EN.state_closed in now(flow, card)["text"]


async def test_a_banned_candidate_reaches_nobody_until_the_ban_is_lifted(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    await flow.press(flow.marie, card, EN.button_ban)
    asked = flow.received(flow.staff)[-1]
    await flow.press(flow.marie, asked, EN.button_ban_yes)
    assert flow.received(sara)[-1]["text"] == EN.banned
    shown = len(flow.received(flow.staff))
    assert await flow.ask(sara, PRICE["en"]) == []
    assert [message["text"] for message in await flow.ask(sara, "/human")] == [EN.banned]
    assert len(flow.received(flow.staff)) == shown
    name = (await flow.tickets())[0].candidate_id
    (freed,) = await flow.group(flow.paul, f"/unban {name.lower()}")
    assert freed["text"].startswith(name)
    assert freed["text"].endswith("is no longer banned.")
    (answer,) = await flow.ask(sara, LECTURERS["en"])
    assert "ActuIA" in answer["text"]


async def ban(flow: House, card: Json) -> None:
    """Marie bans a card's candidate."""
    (asked,) = await flow.press_in_group(flow.marie, card, EN.button_ban)
    await flow.press_in_group(flow.marie, asked, EN.button_ban_yes)


async def test_a_ban_asked_for_on_an_older_card_also_ends_the_newer_question(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    (asked,) = await flow.press_in_group(flow.marie, card, EN.button_ban)
    await flow.group(flow.paul, "/close", reply_to=card)
    newer = await flow.handed_over(sara, "When does the next session start?")
    await flow.press_in_group(flow.marie, asked, EN.button_ban_yes)
    assert await states(flow) == [TicketState.CLOSED, TicketState.CLOSED]
    assert EN.state_closed in now(flow, newer)["text"]


async def test_a_reply_to_somebody_banned_arrives_without_opening_anything(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    await ban(flow, card)
    name = (await flow.tickets())[0].candidate_id
    (told,) = await flow.group(flow.paul, "We are sorry.", reply_to=card)
    assert told["text"] == EN.staff_replied_banned.format(candidate=name)
    letter = flow.received(sara)[-1]
    assert letter["text"].endswith("We are sorry.")
    assert buttons(letter) == []
    assert await states(flow) == [TicketState.CLOSED]


async def test_a_name_is_shown_to_staff_only_if_it_is_shared(flow: House) -> None:
    sara = flow.candidate("Sara Lopez")
    card = await flow.handed_over(sara)
    assert "Sara" not in card["text"]
    (said,) = await flow.press(sara, flow.received(sara)[-1], EN.button_share_name)
    assert said["text"] == EN.name_shared.format(name="Sara Lopez")
    assert f"Sara Lopez ({(await flow.tickets())[0].candidate_id})" in now(flow, card)["text"]


async def test_lists_of_what_is_open_whose_it_is_and_what_was_asked(flow: House) -> None:
    asked = ("Combien coûte la formation à Zanzibar ?", "Combien coûte la formation à Zanzibar, hébergement inclus ?")
    cards = [await flow.handed_over(flow.candidate(), text) for text in asked]
    await pressed(flow, flow.marie, cards[1], EN.button_claim)
    (mine,) = await flow.group(flow.marie, "/mine")
    assert [text in mine["text"] for text in asked] == [False, True]
    (found,) = await flow.group(flow.paul, "/find COUTE zanzibar")
    assert [text in found["text"] for text in asked] == [True, True]
    (ticket, other) = await flow.tickets()
    assert all(one.candidate_id in found["text"] for one in (ticket, other))
    (by_name,) = await flow.group(flow.paul, f"/find {other.candidate_id.upper()}")
    assert [text in by_name["text"] for text in asked] == [False, True]
    await flow.press(flow.paul, found, f"#{ticket.id}")
    assert flow.received(flow.staff)[-1]["reply_to_message"]["message_id"] == cards[0]["message_id"]
    for said, shown in (
        ("/find xyzzy", EN.staff_found_nothing),
        ("/find", EN.staff_find_what),
        ("/ask", EN.staff_ask_what),
    ):
        assert [message["text"] for message in await flow.group(flow.paul, said)] == [shown]


async def test_what_the_assistant_would_answer(flow: House) -> None:
    (would,) = await flow.group(flow.paul, f"/ask {LECTURERS['en']}")
    assert would["text"].startswith(EN.ask_answer)
    assert "% sure" in would["text"]
    (would,) = await flow.group(flow.paul, f"/ask {PRICE['en']}")
    assert would["text"].startswith(EN.ask_escalate)
    assert would["text"].endswith(EN.card_nothing_found)  # what hardly comes near tells staff nothing
    (would,) = await flow.group(flow.paul, "/ask Thank you!")
    assert would["text"].endswith(EN.thanks)
    assert await flow.questions() == []


VERBS = "crxapskvqbynwg"


async def test_forged_data_from_a_private_chat_and_from_another_group_does_nothing(flow: House, sara: User) -> None:
    await flow.handed_over(sara)
    (ticket,) = await flow.tickets()
    note, other = flow.received(sara)[-1], flow.api.group("Elsewhere", members=[sara])
    flow.api.say(sara, "/start", chat=other)
    await flow.quiet()
    (elsewhere,) = flow.received(other)
    shown = flow.api.messages(flow.staff)
    for verb in VERBS:
        for message in (note, elsewhere):
            flow.api.press(sara, message, f"t:{verb}:{ticket.id}:0", forged=True)
    query = flow.api.press(sara, elsewhere, "l:all:0", forged=True)
    await flow.quiet()
    assert flow.api.messages(flow.staff) == shown
    assert await states(flow) == [TicketState.OPEN]
    assert len(flow.received(other)) == 1
    assert alert(flow, query) == EN.staff_members_only
    async with flow.bot.deps.db.read() as tx:
        assert (await tx.get_one(Candidate, ticket.candidate_id)).banned_at is None


@pytest.mark.parametrize(
    "data", ["t", "t:", "t:c", "t:c:", "t:c:-1", "t:p:1:99999", "t:zz:1", "t:c:" + "9" * 40, "l:all:x"]
)
async def test_made_up_data_in_the_staff_s_group_does_no_harm(flow: House, data: str) -> None:
    (help_text,) = await flow.group(flow.marie, "/help")
    said = await pressed(flow, flow.marie, help_text, data, forged=True)
    assert said in {EN.staff_gone, EN.staff_no_answers} or said.endswith("has this question.")


async def test_another_candidate_s_ticket_is_out_of_reach(flow: House, sara: User) -> None:
    karim = flow.candidate("Karim")
    card = await flow.handed_over(sara)
    await flow.group(flow.marie, ANSWER, reply_to=card)
    (ticket,) = await flow.tickets()
    (hello,) = await flow.ask(karim, "Hello")
    for data in (f"r:{ticket.id}:1", f"o:{ticket.id}", f"b:{ticket.id}", f"r:{ticket.id}:9"):
        await flow.press(karim, hello, data, forged=True)
    (ticket,) = await flow.tickets()
    assert (ticket.state, ticket.rating) == (TicketState.WAITING, None)


async def test_forty_tickets_are_all_there_oldest_first(engine: Engine, tmp_path: Path) -> None:
    async with house(engine, tmp_path) as flow:
        people = [flow.candidate(f"P{number}") for number in range(40)]
        for number, person in enumerate(people):
            flow.api.say(person, f"How much is place number {number} in euros?")
        await flow.quiet()
        assert (len(await flow.tickets()), len(flow.cards())) == (40, 40)
        (listed,) = await flow.group(flow.marie, "/tickets")
        assert listed["text"].startswith(EN.staff_list.format(count=40))
        first = [ticket.id for ticket in await flow.tickets()][:8]
        assert buttons(listed) == [*(f"#{number}" for number in first), EN.button_next]
        await flow.press(flow.marie, listed, EN.button_next)
        assert buttons(now(flow, listed))[-2:] == [EN.button_previous, EN.button_next]
