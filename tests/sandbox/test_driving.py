import asyncio
import subprocess
import sys
from typing import Any

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    MessageEntity,
)

from bot.sandbox.botapi import BotApi
from bot.sandbox.people import User


def update_kinds(api: BotApi) -> list[str]:
    return [[*update][1] for update in api.pending()]


async def test_what_is_in_the_chat_now(bot: Bot, api: BotApi, alice: User) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("More", callback_data="more")]])
    sent = await bot.send_message(alice.id, "short", reply_markup=keyboard)
    shown = api.messages(alice)[-1]
    edited = await bot.edit_message_text("long", alice.id, sent.message_id)
    assert shown["text"] == "short"
    assert [message["text"] for message in api.messages(alice)] == ["Bonjour", "long"]
    assert not isinstance(edited, bool)
    assert (edited.edit_date is not None, edited.reply_markup) == (True, None)


async def test_buttons_by_text_data_and_place(bot: Bot, api: BotApi, alice: User) -> None:
    rows = [[InlineKeyboardButton("A", callback_data="a")], [InlineKeyboardButton("B", callback_data="b")]]
    await bot.send_message(alice.id, "choose", reply_markup=InlineKeyboardMarkup(rows))
    shown = api.messages(alice)[-1]
    assert [api.press(alice, shown, button)["data"] for button in ("B", "b", (1, 0))] == ["b", "b", "b"]
    assert api.press(alice, shown, "claim:1", forged=True)["data"] == "claim:1"
    with pytest.raises(LookupError, match="no button 'C' among"):
        api.press(alice, shown, "C")
    api.erase(shown)
    assert api.press(alice, shown, "A")["message"]["date"] == 0


async def test_a_reply_in_a_supergroup_carries_its_thread(bot: Bot, api: BotApi) -> None:
    zoe = api.user("Zoé")
    staff = api.group("Staff", supergroup=True, members=[zoe])
    card = await bot.send_message(staff.id, "card")
    first = api.say(zoe, "an answer", staff, reply_to=card.message_id)
    second = api.say(zoe, "more", staff, reply_to=first)
    assert first["reply_to_message"]["text"] == "card"
    assert first["message_thread_id"] == second["message_thread_id"] == card.message_id
    assert "reply_to_message" not in second["reply_to_message"]


def test_in_a_topic_messages_look_like_replies_to_its_beginning(api: BotApi) -> None:
    zoe = api.user("Zoé")
    forum = api.group("Desk", forum=True, members=[zoe])
    thread = api.topic(zoe, forum, "Someone")
    said = api.say(zoe, "hello", forum, thread=thread)
    assert said["is_topic_message"]
    assert said["reply_to_message"]["forum_topic_created"]["name"] == "Someone"


def test_ids_count_as_in_telegram(api: BotApi, alice: User) -> None:
    zoe = api.user("Zoé")
    small, large = api.group("Small"), api.group("Large", supergroup=True)
    ids = [api.say(zoe, "x", chat)["message_id"] for chat in (None, small, large)]
    assert ids == [2, 3, 1]
    assert api.say(alice, "x")["message_id"] == 4
    assert -1_000_000_000_000 < small.id < 0
    assert large.id < -1_000_000_000_000


@pytest.mark.parametrize(
    ("text", "admin", "privacy", "seen"),
    [
        ("chatter", False, True, False),
        ("chatter", True, True, True),
        ("chatter", False, False, True),
        ("/reindex", False, True, True),
        ("/reindex@guichet_bot", False, True, True),
        ("/reindex@other_bot", False, True, False),
    ],
)
def test_privacy_mode(text: str, admin: bool, privacy: bool, seen: bool) -> None:
    api = BotApi(privacy=privacy)
    api.say(api.user("Zoé"), text, api.group("Staff", bot_admin=admin))
    assert bool(api.pending()) == seen


def test_what_befalls_chats_reaches_the_bot(api: BotApi, alice: User) -> None:
    staff = api.group("Staff", members=[alice])
    api.block(alice)
    api.unblock(alice)
    large = api.migrate(staff)
    api.remove_bot(large)
    api.say(alice, "unheard", large)
    assert update_kinds(api) == ["my_chat_member", "my_chat_member", "message", "message", "my_chat_member"]
    blocked, _, migrated, _, removed = (next(iter([*update.values()][1:])) for update in api.pending())
    assert blocked["new_chat_member"]["status"] == "kicked"
    assert migrated["migrate_to_chat_id"] == large.id
    assert removed["chat"]["id"] == large.id


def test_who_blocked_the_bot_does_not_write(api: BotApi, alice: User) -> None:
    api.block(alice)
    with pytest.raises(ValueError, match="unblock first"):
        api.say(alice, "hello?")


async def test_files_go_both_ways(bot: Bot, api: BotApi, alice: User) -> None:
    picture = b"\x89PNG\r\n--\r\n\r\n\x00"
    sent = await bot.send_photo(alice.id, picture, caption="c", caption_entities=[MessageEntity("italic", 0, 1)])
    assert sent.caption_entities[0].type == "italic"
    file = await bot.get_file(sent.photo[-1].file_id)
    assert bytes(await file.download_as_bytearray()) == picture
    theirs = api.send_media(alice, "document", data=b"text", name="cv.txt", caption="my CV")
    again = await bot.send_document(alice.id, theirs["document"]["file_id"])
    assert (again.document is not None and again.document.file_name) == "cv.txt"


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("photo", "photo"),
        ("video", "video"),
        ("voice", "voice"),
        ("video_note", "video_note"),
        ("sticker", "sticker"),
        ("animation", "animation"),
        ("audio", "audio"),
        ("location", "location"),
        ("contact", "contact"),
    ],
)
async def test_every_kind_is_copied(bot: Bot, api: BotApi, alice: User, kind: str, shown: str) -> None:
    theirs = api.send_media(alice, kind)
    copy = await bot.copy_message(alice.id, alice.id, theirs["message_id"])
    message = api.messages(alice)[-1]
    assert (message["message_id"], message["from"]["id"]) == (copy.message_id, api.bot.id)
    assert message[shown] == theirs[shown]


async def test_albums(bot: Bot, api: BotApi, alice: User) -> None:
    album = [InputMediaPhoto(b"one", caption="first"), InputMediaPhoto(b"two")]
    sent = await bot.send_media_group(alice.id, album)
    assert len({message.media_group_id for message in sent}) == 1
    theirs = [api.send_media(alice, "photo", group_id="g", caption=caption) for caption in ("a", None)]
    copies = await bot.copy_messages(alice.id, alice.id, [message["message_id"] for message in theirs])
    shown = api.messages(alice)[-2:]
    assert [message["message_id"] for message in shown] == [copy.message_id for copy in copies]
    assert shown[0]["media_group_id"] == shown[1]["media_group_id"] != "g"
    files = [InputMediaDocument(b"x", filename="a.txt"), InputMediaDocument(b"y", filename="b.txt")]
    assert len(await bot.send_media_group(alice.id, files)) == 2


async def test_commands_by_scope_and_language(bot: Bot, alice: User) -> None:
    from telegram import BotCommandScopeChat

    scope = BotCommandScopeChat(alice.id)
    await bot.set_my_commands([("help", "Help")])
    await bot.set_my_commands([("aide", "Aide")], scope=scope, language_code="fr")
    assert [command.command for command in await bot.get_my_commands()] == ["help"]
    assert [command.command for command in await bot.get_my_commands(scope, "fr")] == ["aide"]


async def test_inline_queries(bot: Bot, api: BotApi, alice: User) -> None:
    from telegram import InlineQueryResultArticle, InputTextMessageContent

    query = api.inline(alice, "funding")
    await bot.answer_inline_query(query["id"], [InlineQueryResultArticle("1", "T", InputTextMessageContent("x"))])
    answer: dict[str, Any] = api.answer_to(query) or {}
    assert [result["title"] for result in answer["results"]] == ["T"]


async def test_waiting_names_what_was_there_instead(api: BotApi, alice: User) -> None:
    with pytest.raises(AssertionError, match="Alice: Bonjour"):
        await api.wait_for(lambda api: api.calls("sendMessage"), timeout=0.01)


async def test_the_feed_tells_changes_in_order(api: BotApi, alice: User) -> None:
    start, seen = api.events.latest, []

    async def follow() -> None:
        async for event in api.events.since(start):
            seen.append(event)
            if len(seen) == 4:
                return

    following = asyncio.create_task(follow())
    api.say(alice, "one")
    await asyncio.sleep(0)
    api.say(alice, "two")
    await asyncio.wait_for(following, 120)
    assert [event.kind for event in seen] == ["message", "update", "message", "update"]
    assert [event.seq for event in seen] == [start + 1, start + 2, start + 3, start + 4]


def test_importing_it_is_light() -> None:
    check = "import sys, bot.sandbox.botapi; sys.exit(bool({'telegram', 'sqlalchemy', 'indexer'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
