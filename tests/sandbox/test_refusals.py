"""Each refusal of Telegram's that the project has to live with, seen through the real client."""

from typing import Any

import httpx
import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.sandbox.botapi import BotApi, serve
from bot.sandbox.changing import REACTIONS
from bot.sandbox.people import User


async def refusal(bot: Bot, method: str, **params: Any) -> str:
    with pytest.raises(TelegramError) as refused:
        # In lower case, the client does not recommend its own method instead.
        await bot.do_api_request(method.lower(), api_kwargs=params)
    return refused.value.message


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"text": ""}, "Message text is empty"),
        ({"text": " \n "}, "Text must be non-empty"),
        ({"text": "x" * 4097}, "Message is too long"),
        ({"text": "😀" * 2049}, "Message is too long"),
        ({"text": "<p>", "parse_mode": "HTML"}, "Can't parse entities: this server knows no markup"),
        (
            {"text": "x", "entities": [{"type": "bold", "offset": 0, "length": 2}]},
            "Entity beginning at utf-16 offset 0 ends after the end of the text at utf-16 offset 2",
        ),
        ({"text": "x", "reply_parameters": {"message_id": 999}}, "Message to be replied not found"),
        ({"text": "x", "message_thread_id": 77}, "Message thread not found"),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "b", "callback_data": "é" * 33}]]}},
            "Button_data_invalid",
        ),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "b", "url": "no address"}]]}},
            "Button_url_invalid",
        ),
        ({"text": "x", "chat_id": 5}, "Chat not found"),
    ],
)
async def test_messages_that_telegram_refuses(
    bot: Bot, api: BotApi, alice: User, params: dict[str, Any], why: str
) -> None:
    said = await refusal(bot, "sendMessage", **{"chat_id": alice.id} | params)
    assert said.lower() == why.lower()
    assert len(api.messages(alice)) == 1


async def test_longest_text_and_callback_data_pass(bot: Bot, alice: User) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("b", callback_data="x" * 64)]])
    message = await bot.send_message(alice.id, "x" * 4096, reply_markup=keyboard)
    assert message.reply_markup == keyboard


async def test_a_missing_message_may_be_replied_to_if_allowed(bot: Bot, alice: User) -> None:
    message = await bot.send_message(alice.id, "x", reply_to_message_id=999, allow_sending_without_reply=True)
    assert message.reply_to_message is None


async def test_blocked(bot: Bot, api: BotApi, alice: User) -> None:
    api.block(alice)
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(alice.id, "x")
    api.unblock(alice)
    await bot.send_message(alice.id, "x")


async def test_a_person_who_never_wrote(bot: Bot, api: BotApi) -> None:
    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_message(api.user("Bob").id, "x")


@pytest.mark.parametrize(("supergroup", "kind"), [(False, "group"), (True, "supergroup")])
async def test_bot_outside_the_group(bot: Bot, api: BotApi, supergroup: bool, kind: str) -> None:
    staff = api.group("Staff", supergroup=supergroup, members=[api.user("Zoé")])
    staff.members[api.bot.id] = "left"
    with pytest.raises(Forbidden, match=f"bot is not a member of the {kind} chat"):
        await bot.send_message(staff.id, "x")
    api.remove_bot(staff)
    with pytest.raises(Forbidden, match=f"bot was kicked from the {kind} chat"):
        await bot.send_message(staff.id, "x")


async def test_migrated_group(bot: Bot, api: BotApi) -> None:
    staff = api.group("Staff", members=[api.user("Zoé")])
    large = api.migrate(staff)
    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(staff.id, "x")
    assert moved.value.new_chat_id == large.id
    assert (await bot.send_message(large.id, "x")).chat.type == "supergroup"


async def test_edits_that_telegram_refuses(bot: Bot, api: BotApi, alice: User) -> None:
    theirs = api.messages(alice)[0]["message_id"]
    mine = await bot.send_message(alice.id, "same")
    photo = await bot.send_photo(alice.id, b"picture")
    for message_id, text, why in [
        (mine.message_id, "same", "Message is not modified"),
        (theirs, "new", "Message can't be edited"),
        (999, "new", "Message to edit not found"),
        (photo.message_id, "new", "There is no text in the message to edit"),
        (mine.message_id, "x" * 4097, "Message_too_long"),
    ]:
        with pytest.raises(BadRequest, match=why):
            await bot.edit_message_text(text, alice.id, message_id)
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.edit_message_caption(alice.id, photo.message_id, caption="x" * 1025)


async def test_only_the_listed_reactions(bot: Bot, api: BotApi, alice: User) -> None:
    message = api.messages(alice)[0]
    await bot.set_message_reaction(alice.id, message["message_id"], "👌")
    assert api.reactions(message) == ["👌"]
    with pytest.raises(BadRequest, match="Reaction_invalid"):
        await bot.set_message_reaction(alice.id, message["message_id"], "✅")


def test_the_reactions_are_those_that_the_client_knows() -> None:
    from telegram.constants import ReactionEmoji

    assert {emoji.value for emoji in ReactionEmoji} == REACTIONS


async def test_topics(bot: Bot, api: BotApi) -> None:
    forum = api.group("Desk", forum=True)
    topic = await bot.create_forum_topic(forum.id, "C-7KQ4M")
    thread = topic.message_thread_id
    sent = await bot.send_message(forum.id, "x", message_thread_id=thread)
    assert (sent.is_topic_message, sent.message_thread_id) == (True, thread)
    await bot.close_forum_topic(forum.id, thread)
    await bot.send_message(forum.id, "an administrator may", message_thread_id=thread)
    api.delete_topic(forum, thread)
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(forum.id, "x", message_thread_id=thread)
    with pytest.raises(BadRequest, match="Topic_id_invalid"):
        await bot.reopen_forum_topic(forum.id, thread)


async def test_a_closed_topic_refuses_a_bot_without_the_right(bot: Bot, api: BotApi) -> None:
    zoe = api.user("Zoé")
    forum = api.group("Desk", forum=True, bot_lacks=["can_manage_topics"], admins=[zoe])
    thread = api.topic(zoe, forum, "Someone")
    api.close_topic(zoe, forum, thread)
    with pytest.raises(BadRequest, match="Topic_closed"):
        await bot.send_message(forum.id, "x", message_thread_id=thread)
    with pytest.raises(BadRequest, match="Not enough rights to manage topics"):
        await bot.create_forum_topic(forum.id, "Other")


async def test_a_query_is_answered_once(bot: Bot, api: BotApi, alice: User) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("b", callback_data="d")]])
    await bot.send_message(alice.id, "x", reply_markup=keyboard)
    query = api.press(alice, api.messages(alice)[-1], "b")
    await bot.answer_callback_query(query["id"], "thanks")
    assert (api.answer_to(query) or {})["text"] == "thanks"
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(query["id"])


@pytest.mark.parametrize("method", ["deleteMessage", "copyMessage", "setMessageReaction"])
async def test_messages_that_are_not_there(bot: Bot, alice: User, method: str) -> None:
    why = await refusal(bot, method, chat_id=alice.id, from_chat_id=alice.id, message_id=999)
    assert why.startswith("Message to ")
    assert why.endswith("not found")


async def test_others_messages_are_deleted_by_administrators_only(bot: Bot, api: BotApi) -> None:
    zoe = api.user("Zoé")
    plain, run = api.group("A", members=[zoe], bot_admin=False), api.group("B", members=[zoe])
    first, second = api.say(zoe, "x", plain), api.say(zoe, "x", run)
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await bot.delete_message(plain.id, first["message_id"])
    await bot.delete_message(run.id, second["message_id"])
    assert api.messages(run) == []


async def test_wrong_token_and_unknown_method(api: BotApi) -> None:
    async with serve(api) as base_url, httpx.AsyncClient() as http:
        wrong = await http.get(f"{base_url}999:WRONG/getMe")
        unknown = await http.post(f"{base_url}{api.token}/sendTelepathy", json={})
        assert wrong.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}
        assert (wrong.status_code, unknown.status_code) == (401, 404)
        assert unknown.json() == {"ok": False, "error_code": 404, "description": "Not Found"}
        with pytest.raises(InvalidToken):
            await Bot("999:WRONG", base_url=base_url).initialize()


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (429, RetryAfter),
        (500, NetworkError),
        ("Bad Request: message thread not found", BadRequest),
        ("Forbidden: bot was blocked by the user", Forbidden),
        ("drop_before", NetworkError),
    ],
)
async def test_failures_on_purpose(
    bot: Bot, api: BotApi, alice: User, error: int | str, raised: type[TelegramError]
) -> None:
    api.fail("sendMessage", error, times=1, when=lambda params: params["chat_id"] == alice.id)
    with pytest.raises(raised):
        await bot.send_message(alice.id, "first")
    await bot.send_message(alice.id, "second")
    assert [message["text"] for message in api.messages(alice)[1:]] == ["second"]
    assert [call.ok for call in api.calls("sendMessage")] == [False, True]


async def test_an_answer_that_is_lost_after_the_call_was_carried_out(bot: Bot, api: BotApi, alice: User) -> None:
    api.fail("sendMessage", "drop_after")
    with pytest.raises(NetworkError):
        await bot.send_message(alice.id, "arrived")
    assert api.messages(alice)[-1]["text"] == "arrived"
    assert api.calls("sendMessage")[0].carried_out


async def test_rights_and_members(bot: Bot, api: BotApi) -> None:
    zoe, max_ = api.user("Zoé"), api.user("Max")
    staff = api.group("Staff", supergroup=True, admins=[zoe], members=[max_])
    admins = {member.user.id for member in await bot.get_chat_administrators(staff.id)}
    assert admins == {zoe.id, api.bot.id}
    assert (await bot.get_chat_member(staff.id, max_.id)).status == "member"
    assert (await bot.get_chat(staff.id)).title == "Staff"
