"""Everything that people send goes both ways, and keeps its place on both sides."""

import pytest

from bot.dialogue.texts import texts
from bot.records.states import TicketState
from bot.sandbox import media
from bot.sandbox.people import User

from .house import LECTURERS, PRICE, House, Json, buttons

pytestmark = pytest.mark.asyncio(loop_scope="module")

EN = texts("en")
KINDS = ["photo", "video", "voice", "video_note", "document", "sticker", "animation", "audio", "location", "contact"]
VENUE = {"location": {"latitude": 50.3, "longitude": 3.1}, "title": "Campus", "address": "1 rue de l'École"}
POLL: Json = {
    "id": "1",
    "question": "Which day?",
    "options": [{"text": day, "voter_count": 0, "persistent_id": day} for day in ("Monday", "Friday")],
    "total_voter_count": 0,
    "is_closed": False,
    "is_anonymous": True,
    "type": "regular",
    "allows_multiple_answers": False,
    "allows_revoting": False,
    "members_only": False,
}
DICE = {"dice": {"emoji": "🎲", "value": 4}}


def last(flow: House, place: User | None = None) -> Json:
    """The bot's last message there; without a place in the staff's group."""
    return flow.received(place or flow.staff)[-1]


def another_photo(flow: House) -> Json:
    """A picture that somebody puts in the place of another."""
    return media.content(
        media.store(flow.api.world.files, "photo", media.Upload("b.jpg", b"another one", "image/jpeg"))
    )


@pytest.mark.parametrize("kind", KINDS)
async def test_whatever_staff_send_arrives_as_a_copy(flow: House, sara: User, kind: str) -> None:
    card = await flow.handed_over(sara)
    sent = flow.api.send_media(flow.marie, kind, chat=flow.staff, reply_to=card)
    await flow.quiet()
    arrived = last(flow, sara)
    assert arrived[kind] == sent[kind]
    assert arrived["reply_to_message"]["from"]["id"] == sara.id
    assert "forward_origin" not in arrived
    assert flow.api.reactions(sent) == ["👌"]
    assert [ticket.state for ticket in await flow.tickets()] == [TicketState.WAITING]


@pytest.mark.parametrize("kind", KINDS)
async def test_whatever_a_candidate_adds_arrives_below_the_card(flow: House, sara: User, kind: str) -> None:
    card = await flow.handed_over(sara)
    sent = flow.api.send_media(sara, kind)
    await flow.quiet()
    shown = last(flow)
    assert shown[kind] == sent[kind]
    assert shown["reply_to_message"]["message_id"] == card["message_id"]
    assert last(flow, sara)["text"] == EN.follow_up
    await flow.group(flow.paul, "Thank you for it", reply_to=shown)
    assert last(flow, sara)["reply_to_message"]["message_id"] == sent["message_id"]


async def test_places_and_polls_without_votes_go_both_ways(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    for content in ({"venue": VENUE, "location": VENUE["location"]}, {"poll": POLL}):
        (kind, *_) = content
        flow.api.post(sara, content)
        await flow.quiet()
        assert kind in last(flow)
        flow.api.post(flow.marie, content, chat=flow.staff, reply_to=card)
        await flow.quiet()
        assert kind in last(flow, sara)


async def test_what_cannot_be_carried_is_said_to_who_sent_it(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    for content in (DICE, {"poll": POLL | {"total_voter_count": 3}}):
        flow.api.post(sara, content)
        await flow.quiet()
        assert last(flow, sara)["text"] == EN.cannot_carry
        flow.api.post(flow.marie, content, chat=flow.staff, reply_to=card)
        await flow.quiet()
        assert last(flow)["text"] == EN.staff_unsupported


async def test_formatting_is_kept_both_ways_without_naming_anybody(flow: House, sara: User) -> None:
    marks = [{"type": "bold", "offset": 3, "length": 4}, {"type": "text_mention", "offset": 0, "length": 2}]
    marks[1]["user"] = sara.json()
    card = await flow.handed_over(sara)
    await flow.group(flow.marie, "😀 read this", reply_to=card, entities=marks[:1])
    letter = last(flow, sara)
    assert {"type": "bold", "offset": len(EN.reply_header) + 5, "length": 4} in letter["entities"]
    await flow.ask(sara, "😀 read this", entities=marks)
    shown = last(flow)
    head = EN.staff_follow_up.format(candidate=(await flow.tickets())[0].candidate_id)
    assert shown["text"] == f"{head}\n😀 read this"
    assert {"type": "bold", "offset": len(head) + 4, "length": 4} in shown["entities"]
    assert all(mark["type"] != "text_mention" for mark in shown["entities"])


@pytest.mark.parametrize("to_staff", [True, False])
async def test_what_is_not_seen_is_left_out_of_captions(flow: House, sara: User, to_staff: bool) -> None:
    card = await flow.handed_over(sara)
    marks = [{"type": "bold", "offset": 5, "length": 3}]
    author = sara if to_staff else flow.marie
    where: Json = {} if to_staff else {"chat": flow.staff, "reply_to": card}
    flow.api.send_media(author, "photo", caption="evil\u202etxt\u200b", caption_entities=marks, **where)
    await flow.quiet()
    shown = last(flow) if to_staff else last(flow, sara)
    assert shown["caption"] == "eviltxt"
    assert shown["caption_entities"] == [{"type": "bold", "offset": 4, "length": 3}]


@pytest.mark.parametrize("to_staff", [True, False])
async def test_an_album_stays_one_with_its_captions(flow: House, sara: User, to_staff: bool) -> None:
    card = await flow.handed_over(sara)
    author = sara if to_staff else flow.marie
    where: Json = {} if to_staff else {"chat": flow.staff, "reply_to": card}
    sent = [
        flow.api.send_media(author, kind, group_id=f"album-{to_staff}", caption=text, **where)
        for kind, text in (("photo", "my diploma"), ("photo", None), ("video", "and myself"))
    ]
    await flow.quiet()
    place = flow.staff if to_staff else sara
    album = [message for message in flow.received(place) if "media_group_id" in message]
    assert [message.get("caption") for message in album] == ["my diploma", None, "and myself"]
    assert len({message["media_group_id"] for message in album}) == 1
    assert [kind for message in album for kind in ("photo", "video") if kind in message] == ["photo", "photo", "video"]
    # A reply to any of them finds the same one on the other side.
    if to_staff:
        assert [message["text"] for message in flow.received(sara)].count(EN.follow_up) == 1
        await flow.group(flow.paul, "The second, please", reply_to=album[1])
        assert last(flow, sara)["reply_to_message"]["message_id"] == sent[1]["message_id"]
    else:
        assert flow.api.reactions(sent[0]) == ["👌"]
        await flow.ask(sara, "What is the last one?", reply_to=album[2])
        assert last(flow)["reply_to_message"]["message_id"] == sent[2]["message_id"]
    flow.api.edit(author, sent[2], "and me")
    await flow.quiet()
    assert [message.get("caption") for message in flow.received(place) if "media_group_id" in message][2] == "and me"


async def test_of_several_in_a_row_one_word_is_said_and_each_is_seen_to_arrive(flow: House, sara: User) -> None:
    await flow.handed_over(sara)
    before = len(flow.received(sara))
    first = flow.api.send_media(sara, "photo")
    await flow.quiet()
    others = [flow.api.send_media(sara, "document"), flow.api.say(sara, "My diploma and my letter")]
    await flow.quiet()
    assert [message["text"] for message in flow.received(sara)[before:]] == [EN.follow_up]
    assert [flow.api.reactions(one) for one in (first, *others)] == [[], ["👌"], ["👌"]]


async def test_a_single_picture_of_an_album_arrives_as_one(flow: House, sara: User) -> None:
    await flow.handed_over(sara)
    flow.api.send_media(sara, "document", group_id="lonely", caption="my CV")
    await flow.quiet()
    assert last(flow)["caption"] == "my CV"


async def test_replies_keep_their_place_both_ways(flow: House, sara: User) -> None:
    asked = flow.api.say(sara, "How much does the course cost?")
    await flow.quiet()
    card = flow.received(flow.staff)[-1]
    second = flow.api.say(sara, "And how long does it take to repay?")
    await flow.quiet()
    added = last(flow)
    mine = flow.api.say(flow.marie, "To the second.", chat=flow.staff, reply_to=added)
    await flow.quiet()
    letter = last(flow, sara)
    assert letter["reply_to_message"]["message_id"] == second["message_id"]
    await flow.group(flow.marie, "To the first.", reply_to=card)
    assert last(flow, sara)["reply_to_message"]["message_id"] == asked["message_id"]
    await flow.ask(sara, "Are you sure?", reply_to=letter)
    assert last(flow)["reply_to_message"]["message_id"] == mine["message_id"]
    await flow.ask(sara, "I mean this.", reply_to=second)
    assert last(flow)["reply_to_message"]["message_id"] == added["message_id"]
    await flow.group(flow.paul, "To my colleague's.", reply_to=mine)
    assert last(flow, sara)["reply_to_message"]["message_id"] == letter["message_id"]


async def test_staff_s_edits_are_carried_over(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    said = flow.api.say(flow.marie, "It cost 1500 euros", chat=flow.staff, reply_to=card)
    shown = flow.api.send_media(flow.marie, "photo", caption="prices", chat=flow.staff, reply_to=card)
    await flow.quiet()
    before = len(flow.received(sara))
    flow.api.edit(flow.marie, said, "It costs 2500 euros", entities=[{"type": "bold", "offset": 9, "length": 4}])
    flow.api.edit(flow.marie, shown, "new prices")
    await flow.quiet()
    letter, picture = flow.received(sara)[-2:]
    assert letter["text"].endswith("It costs 2500 euros")
    assert {"type": "bold", "offset": len(EN.reply_header) + 11, "length": 4} in letter["entities"]
    assert picture["caption"] == "new prices"
    assert all("reply_markup" in message for message in (letter, picture))
    flow.api.edit(flow.marie, shown, "2027", **another_photo(flow))
    await flow.quiet()
    assert last(flow, sara)["photo"] == flow.api.messages(flow.staff)[-1]["photo"]
    assert last(flow, sara)["caption"] == "2027"
    assert len(flow.received(sara)) == before
    assert flow.received(flow.staff)[1:] == []


async def test_an_edit_that_telegram_refuses_is_said(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    said = flow.api.say(flow.marie, "It cost 1500 euros", chat=flow.staff, reply_to=card)
    await flow.quiet()
    flow.api.erase(last(flow, sara))
    flow.api.edit(flow.marie, said, "It costs 2500 euros")
    await flow.quiet()
    assert last(flow)["text"] == EN.edit_failed
    flow.api.edit(flow.marie, said, "x" * 4096)
    await flow.quiet()
    assert last(flow)["text"] == EN.staff_edited


async def test_a_candidate_s_edits_are_carried_over(flow: House, sara: User) -> None:
    await flow.handed_over(sara)
    said = flow.api.say(sara, "I graduated in 2018")
    await flow.quiet()
    before = len(flow.received(sara)), len(flow.received(flow.staff))
    flow.api.edit(sara, said, "I graduated in 2019")
    await flow.quiet()
    assert last(flow)["text"].endswith("I graduated in 2019")
    shown = flow.api.send_media(sara, "document", caption="CV")
    await flow.quiet()
    flow.api.edit(sara, shown, "my CV")
    await flow.quiet()
    assert last(flow)["caption"] == "my CV"
    assert (len(flow.received(sara)), len(flow.received(flow.staff))) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize("kind", ["text", "photo"])
async def test_what_a_candidate_changes_is_shown_anew_if_its_copy_was_deleted_by_hand(
    flow: House, sara: User, kind: str
) -> None:
    await flow.handed_over(sara)
    if kind == "text":
        said = flow.api.say(sara, "I graduated in 2018")
    else:
        said = flow.api.send_media(sara, "photo", caption="I graduated in 2018")
    await flow.quiet()
    flow.api.erase(last(flow))
    before = len(flow.received(flow.staff)), len(flow.received(sara))
    for year in (2019, 2020):
        flow.api.edit(sara, said, f"I graduated in {year}")
        await flow.quiet()
        shown = last(flow)
        assert (shown.get("text") or shown["caption"]).endswith(f"I graduated in {year}")
    assert (len(flow.received(flow.staff)), len(flow.received(sara))) == (before[0] + 1, before[1])
    await flow.group(flow.marie, "Thank you", reply_to=shown)
    assert last(flow, sara)["reply_to_message"]["message_id"] == said["message_id"]


async def test_a_changed_question_has_a_new_card_if_its_card_was_deleted_by_hand(flow: House, sara: User) -> None:
    said = flow.api.say(sara, PRICE["en"])
    await flow.quiet()
    flow.api.erase(last(flow))
    flow.api.edit(sara, said, "How much does the course cost for two people?")
    await flow.quiet()
    (card,) = flow.received(flow.staff)
    assert "for two people?" in card["text"]
    assert EN.button_claim in buttons(card)
    flow.api.press(flow.marie, card, EN.button_claim)
    await flow.quiet()
    assert EN.button_claim not in buttons(last(flow))
    await flow.group(flow.marie, "2,000 euros", reply_to=card)
    assert last(flow, sara)["reply_to_message"]["message_id"] == said["message_id"]


async def test_a_location_that_moves_moves_on_the_other_side(flow: House, sara: User) -> None:
    await flow.handed_over(sara)
    here = {"latitude": 50.37, "longitude": 3.08}
    said = flow.api.post(sara, {"location": here | {"live_period": 900}})
    await flow.quiet()
    assert last(flow)["location"]["live_period"] == 900
    flow.api.edit(sara, said, location=here | {"latitude": 50.38, "live_period": 900})
    await flow.quiet()
    assert last(flow)["location"]["latitude"] == 50.38
    flow.api.edit(sara, said, location=here)
    await flow.quiet()
    assert "live_period" not in last(flow)["location"]


@pytest.mark.parametrize("by_staff", [True, False])
async def test_delete_removes_the_pair(flow: House, sara: User, by_staff: bool) -> None:
    card = await flow.handed_over(sara)
    author, place = (flow.marie, flow.staff) if by_staff else (sara, None)
    said = flow.api.say(author, "My number is 06 12 34 56 78", chat=place, reply_to=card if by_staff else None)
    await flow.quiet()
    wish = flow.api.say(author, "/delete", chat=place, reply_to=said)
    await flow.quiet()
    shown = [*flow.api.messages(sara), *flow.api.messages(flow.staff)]
    assert not [message for message in shown if "06 12 34" in message.get("text", "")]
    assert flow.api.reactions(wish) == ["👌"]


async def test_staff_delete_what_a_candidate_should_not_have_sent(flow: House, sara: User) -> None:
    await flow.handed_over(sara)
    for part in range(2):
        flow.api.send_media(sara, "photo", group_id="passport", caption=f"passport {part}")
    await flow.quiet()
    await flow.group(flow.paul, "/delete", reply_to=last(flow))
    shown = [*flow.api.messages(sara), *flow.api.messages(flow.staff)]
    assert not [message for message in shown if "passport" in message.get("caption", "")]


async def test_delete_says_what_telegram_refuses_and_what_is_no_pair(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    said = flow.api.say(flow.marie, "old", chat=flow.staff, reply_to=card)
    await flow.quiet()
    letter = last(flow, sara)
    flow.api.world.chats[sara.id].messages[letter["message_id"]]["date"] -= 49 * 3600
    for reply_to, answer in ((said, EN.delete_refused), (card, EN.delete_nothing), (None, EN.delete_nothing)):
        (told,) = await flow.group(flow.marie, "/delete", reply_to=reply_to)
        assert told["text"] == answer
    (told,) = await flow.ask(sara, "/delete", reply_to=letter)
    assert told["text"] == EN.delete_nothing_own


async def test_where_the_bot_may_not_delete_staff_are_asked_to(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    said = flow.api.say(flow.marie, "a mistake", chat=flow.staff, reply_to=card)
    await flow.quiet()
    flow.api.fail(
        "deleteMessage", "Bad Request: message can't be deleted", when=lambda it: it["chat_id"] == flow.staff.id
    )
    (told,) = await flow.group(flow.marie, "/delete", reply_to=said)
    assert told["text"] == EN.delete_half
    assert "a mistake" not in last(flow, sara)["text"]


async def test_notes_stay_among_staff(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    before = len(flow.received(sara))
    note = flow.api.say(flow.marie, "// what do we say?", chat=flow.staff, reply_to=card)
    await flow.group(flow.paul, "/note I would say no", reply_to=card)
    reply = flow.api.say(flow.paul, "Ask Karim first", chat=flow.staff, reply_to=note)
    await flow.group(flow.marie, "Done", reply_to=reply)
    flow.api.edit(flow.marie, note, "what shall we say?")
    flow.api.edit(flow.paul, reply, "Ask Karim and Lea first")
    await flow.quiet()
    assert len(flow.received(sara)) == before
    assert [m["text"] for m in flow.received(flow.staff)[1:]] == [EN.staff_note_edited]
    assert last(flow)["reply_to_message"]["message_id"] == note["message_id"]


async def test_a_reply_that_becomes_a_note_is_not_changed_for_the_candidate(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    said = flow.api.say(flow.marie, "It costs 1,500 euros", chat=flow.staff, reply_to=card)
    await flow.quiet()
    flow.api.edit(flow.marie, said, "// or shall we say 1,400?")
    await flow.quiet()
    assert last(flow)["text"] == EN.staff_edit_aside
    assert last(flow, sara)["text"].endswith("It costs 1,500 euros")
    flow.api.edit(flow.marie, said, "It costs 1,450 euros")
    await flow.quiet()
    assert last(flow, sara)["text"].endswith("It costs 1,450 euros")


async def test_an_edit_of_what_did_not_arrive_does_not_arrive_either(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    flow.api.block(sara)
    said = flow.api.say(flow.marie, "It costs 1,500 euros", chat=flow.staff, reply_to=card)
    await flow.quiet()
    flow.api.edit(flow.marie, said, "It costs 1,600 euros")
    await flow.quiet()
    assert last(flow)["text"] == EN.edit_undelivered
    assert last(flow)["reply_to_message"]["message_id"] == said["message_id"]


@pytest.mark.parametrize(("kind", "captioned"), [("photo", 0), ("document", 2)])
async def test_an_album_with_a_note_as_its_caption_stays_among_staff(
    flow: House, sara: User, kind: str, captioned: int
) -> None:
    card = await flow.handed_over(sara)
    before = len(flow.received(sara))
    sent = [
        flow.api.send_media(
            flow.marie,
            kind,
            caption="// only for us" if part == captioned else None,
            group_id=f"note-{kind}",
            chat=flow.staff,
            reply_to=card,
        )
        for part in range(3)
    ]
    await flow.quiet()
    for part in sent:
        await flow.group(flow.paul, "Ask Karim first", reply_to=part)
    assert len(flow.received(sara)) == before
    assert [flow.api.reactions(part) for part in sent] == [[], [], []]
    (ticket,) = await flow.tickets()
    assert (ticket.asked_at is None, ticket.replied_at) == (False, None)
    await flow.group(flow.marie, "1,500 euros.", reply_to=card)
    flow.api.send_media(flow.marie, kind, group_id=f"more-{kind}", chat=flow.staff, reply_to=card)
    flow.api.send_media(flow.marie, kind, caption="/note", group_id=f"more-{kind}", chat=flow.staff, reply_to=card)
    await flow.quiet()
    assert last(flow, sara)["text"].endswith("1,500 euros.")
    assert [one.state for one in await flow.tickets()] == [TicketState.WAITING]


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ("Forbidden: bot was blocked by the user", EN.failed_blocked),
        ("Bad Request: file is too big", EN.failed_too_big),
        ("Bad Request: message to copy not found", EN.failed_gone),
        ("Bad Request: VOICE_MESSAGES_FORBIDDEN", EN.failed_voice),
        ("Bad Request: something new", EN.delivery_failed),
    ],
)
async def test_staff_hear_why_something_did_not_arrive(flow: House, sara: User, refusal: str, said: str) -> None:
    card = await flow.handed_over(sara)
    flow.api.fail("copyMessage", refusal)
    sent = flow.api.send_media(flow.marie, "voice", chat=flow.staff, reply_to=card)
    await flow.quiet()
    assert last(flow)["text"] == said
    assert last(flow)["reply_to_message"]["message_id"] == sent["message_id"]
    assert flow.api.reactions(sent) == []


async def test_protected_messages_are_refused_with_the_reason(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    flow.api.send_media(flow.marie, "voice", chat=flow.staff, reply_to=card, has_protected_content=True)
    await flow.quiet()
    assert last(flow)["text"] == EN.failed_protected
    flow.api.send_media(sara, "voice", has_protected_content=True)
    await flow.quiet()
    assert EN.not_carried in [message["text"] for message in flow.received(sara)]
    assert EN.team_unreachable not in [message["text"] for message in flow.received(sara)]


async def test_what_cannot_be_read_may_be_shown_to_a_person(flow: House, sara: User) -> None:
    sent = flow.api.send_media(sara, "voice")
    await flow.quiet()
    (offer,) = flow.received(sara)
    assert offer["text"] == EN.unsupported
    assert await flow.tickets() == []
    await flow.press(sara, offer, EN.button_person)
    assert last(flow, sara)["text"].startswith(EN.unsupported_handed_over)
    card, voice = flow.received(flow.staff)
    assert EN.card_not_text in card["text"]
    assert voice["voice"] == sent["voice"]
    assert voice["reply_to_message"]["message_id"] == card["message_id"]
    await flow.group(flow.marie, "I listened to it", reply_to=voice)
    assert last(flow, sara)["reply_to_message"]["message_id"] == sent["message_id"]


async def test_a_yes_to_whether_a_person_shall_look_shows_it(flow: House) -> None:
    ines = flow.candidate("Inès", "fr")
    sent = flow.api.send_media(ines, "voice")
    await flow.quiet()
    (said,) = await flow.ask(ines, "oui")
    assert said["text"].startswith(texts("fr").unsupported_handed_over)
    assert [message["voice"] for message in flow.received(flow.staff) if "voice" in message] == [sent["voice"]]


async def test_an_album_is_asked_about_once_and_shown_whole(flow: House, sara: User) -> None:
    for _ in range(3):
        flow.api.send_media(sara, "photo", group_id="unread")
    await flow.quiet()
    (offer,) = flow.received(sara)
    await flow.press(sara, offer, EN.button_person)
    _, *pictures = flow.received(flow.staff)
    assert len(pictures) == 3
    assert len({picture["media_group_id"] for picture in pictures}) == 1


async def test_a_picture_that_comes_long_after_its_album_is_asked_about_as_well(flow: House, sara: User) -> None:
    for _ in range(2):
        flow.api.send_media(sara, "photo", group_id="slow")
        await flow.quiet()
    assert [message["text"] for message in flow.received(sara)] == [EN.unsupported] * 2


@pytest.mark.parametrize(
    ("caption", "buttons"),
    [
        ("project", (EN.button_none,)),
        ("Who are the lecturers?", (EN.button_person,)),
        ("Who are the lecturers?", (EN.button_not_mine, EN.button_person)),
    ],
)
async def test_what_was_sent_with_a_question_goes_to_the_team_with_it(
    flow: House, sara: User, caption: str, buttons: tuple[str, ...]
) -> None:
    sent = flow.api.send_media(sara, "document", caption=caption, name="cv.pdf")
    await flow.quiet()
    for button in buttons:
        said = last(flow, sara)
        assert said["reply_to_message"]["message_id"] == sent["message_id"]
        await flow.press(sara, said, button)
    card, file = flow.received(flow.staff)
    assert caption in card["text"]
    assert file["document"] == sent["document"]
    assert file["reply_to_message"]["message_id"] == card["message_id"]


async def test_a_question_below_a_picture_goes_with_the_picture(flow: House, sara: User) -> None:
    flow.api.send_media(sara, "photo", caption="How much does the course cost?")
    await flow.quiet()
    card, picture = flow.received(flow.staff)
    assert "How much" in card["text"]
    assert "photo" in picture


async def test_a_changed_question_below_a_picture_changes_on_the_card_and_below_the_picture(
    flow: House, sara: User
) -> None:
    said = flow.api.send_media(sara, "photo", caption="How much does the course cost?")
    await flow.quiet()
    card, picture = flow.received(flow.staff)
    flow.api.edit(sara, said, "How much does the course cost for two people?")
    await flow.quiet()
    chat = flow.api.world.chats[flow.staff.id].messages
    assert "for two people?" in chat[card["message_id"]]["text"]
    assert chat[picture["message_id"]]["caption"] == "How much does the course cost for two people?"


async def test_a_question_below_a_picture_that_changes_after_the_ticket_s_end_is_answered(
    flow: House, sara: User
) -> None:
    said = flow.api.send_media(sara, "photo", caption="How much does the course cost?")
    await flow.quiet()
    card, _ = flow.received(flow.staff)
    await flow.group(flow.marie, "/close", reply_to=card)
    flow.api.edit(sara, said, LECTURERS["en"])
    await flow.quiet()
    assert any("ActuIA" in one.get("text", "") for one in flow.api.messages(sara))


async def test_a_picture_with_a_question_is_taken_back_while_the_card_stays(flow: House, sara: User) -> None:
    said = flow.api.send_media(sara, "photo", caption="How much does the course cost?")
    await flow.quiet()
    card, picture = flow.received(flow.staff)
    await flow.ask(sara, "/delete", reply_to=said)
    left = flow.api.world.chats[flow.staff.id].messages
    assert card["message_id"] in left
    assert picture["message_id"] not in left
    assert said["message_id"] not in flow.api.world.chats[sara.id].messages


async def test_staff_who_write_to_nobody_are_told_and_nothing_is_lost(flow: House, sara: User) -> None:
    (help_text,) = await flow.group(flow.marie, "/help")
    sent = flow.api.send_media(flow.marie, "document", chat=flow.staff, reply_to=help_text)
    await flow.quiet()
    assert last(flow)["text"] == EN.staff_no_match
    assert last(flow)["reply_to_message"]["message_id"] == sent["message_id"]
    assert flow.received(sara) == []


async def test_a_candidate_who_writes_while_closed_is_answered_by_the_bot(flow: House, sara: User) -> None:
    card = await flow.handed_over(sara)
    await flow.group(flow.marie, "/close", reply_to=card)
    before = len(flow.received(flow.staff))
    flow.api.send_media(sara, "photo")
    await flow.quiet()
    assert last(flow, sara)["text"] == EN.unsupported
    assert len(flow.received(flow.staff)) == before
