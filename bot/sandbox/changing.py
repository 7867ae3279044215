"""Methods that change what is in a chat already: edits, deletions, reactions, pins."""

from typing import Any

from bot.sandbox.keyboard import inline_keyboard
from bot.sandbox.media import FOLDERS
from bot.sandbox.people import Chat
from bot.sandbox.refusal import Json, Refusal, bad_request
from bot.sandbox.sending import album_item, caption_of, location_of, text_of
from bot.sandbox.world import World, parsed

# The emoji that Telegram lets bots react with.
_EMOJI = """
👍 👎 ❤ 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤️‍🔥
🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨
🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂️ 🤷 🤷‍♀️ 😡
"""
REACTIONS = frozenset(_EMOJI.split())
_UNCHANGED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
_REPLACEABLE = frozenset({"photo", "video", "document", "audio", "animation"})
_DAYS_2 = 48 * 3600


def edit_message_text(world: World, params: Json) -> Json:
    """editMessageText."""
    message = _own(world, params)
    if "text" not in message:
        raise bad_request("there is no text in the message to edit")
    try:
        content = text_of(params)
    except Refusal as refusal:
        if refusal.description.endswith("message is too long"):
            raise bad_request("MESSAGE_TOO_LONG") from None
        raise
    return _edit(world, message, content, ("text", "entities"), params)


def edit_message_caption(world: World, params: Json) -> Json:
    """editMessageCaption."""
    message = _own(world, params)
    if not message.keys() & {"photo", "video", "document", "audio", "animation", "voice"}:
        raise bad_request("there is no caption in the message to edit")
    return _edit(world, message, caption_of(params), ("caption", "caption_entities"), params)


def edit_message_media(world: World, params: Json) -> Json:
    """editMessageMedia: another file in the place of a file or a text."""
    message = _own(world, params)
    if not message.keys() & (_REPLACEABLE | {"text"}):
        raise bad_request("message can't be edited")
    item = parsed(params.get("media"), "InputMedia") or {}
    replaced = (*FOLDERS, "text", "entities", "caption", "caption_entities")
    return _edit(world, message, album_item(world, params, item, _REPLACEABLE), replaced, params)


def edit_message_live_location(world: World, params: Json) -> Json:
    """editMessageLiveLocation."""
    message = _live(world, params)
    period = {"live_period": message["location"]["live_period"]}
    return _edit(world, message, {"location": period | location_of(params)}, ("location",), params)


def stop_message_live_location(world: World, params: Json) -> Json:
    """stopMessageLiveLocation."""
    message = _live(world, params)
    stopped = {name: part for name, part in message["location"].items() if name != "live_period"}
    return _edit(world, message, {"location": stopped}, ("location",), params)


def _live(world: World, params: Json) -> Json:
    message = _own(world, params)
    if "live_period" not in message.get("location", {}):
        raise bad_request("message can't be edited")
    return message


def edit_message_reply_markup(world: World, params: Json) -> Json:
    """editMessageReplyMarkup."""
    message = _own(world, params)
    return _edit(world, message, {}, (), params)


def _own(world: World, params: Json) -> Json:
    chat = world.open_chat(params.get("chat_id"))
    message = world.message(chat, params.get("message_id"), "message to edit")
    if message["from"]["id"] != world.bot.id or "forum_topic_created" in message:
        raise bad_request("message can't be edited")
    return message


def _edit(world: World, message: Json, content: Json, replaced: tuple[str, ...], params: Json) -> Json:
    chat = world.chat(message["chat"]["id"])
    keyboard = inline_keyboard(params.get("reply_markup"))
    content = content | ({"reply_markup": keyboard} if keyboard else {})
    names = (*replaced, "reply_markup")
    if {name: message[name] for name in names if name in message} == content:
        raise bad_request(_UNCHANGED)
    kept = {name: part for name, part in message.items() if name not in names}
    edited: Json = kept | content | {"edit_date": int(world.now())}
    chat.messages[message["message_id"]] = edited
    world.feed.publish("edited", edited)
    return edited


def delete_message(world: World, params: Json) -> bool:
    """deleteMessage."""
    chat = world.open_chat(params.get("chat_id"))
    message = world.message(chat, params.get("message_id"), "message to delete")
    theirs = message["from"]["id"] != world.bot.id
    foreign = theirs and chat.person is None and not world.bot_may(chat, "can_delete_messages")
    # An administrator's right has no time limit in groups.
    old = world.now() - message["date"] > _DAYS_2 and not world.bot_may(chat, "can_delete_messages")
    if foreign or old:
        raise bad_request("message can't be deleted")
    remove(world, chat, message["message_id"])
    return True


def delete_messages(world: World, params: Json) -> bool:
    """deleteMessages: those that are not there are skipped."""
    chat = world.open_chat(params.get("chat_id"))
    wanted: list[Any] = parsed(params.get("message_ids"), "message identifiers") or []
    if not 1 <= len(wanted) <= 100:
        raise bad_request("message identifiers are not specified")
    for message_id in wanted:
        if message_id in chat.messages:
            delete_message(world, {"chat_id": chat.id, "message_id": message_id})
    return True


def remove(world: World, chat: Chat, message_id: int) -> None:
    """Take a message out of a chat."""
    del chat.messages[message_id]
    chat.reactions.pop(message_id, None)
    world.feed.publish("deleted", {"chat": chat.id, "message_id": message_id})


def set_message_reaction(world: World, params: Json) -> bool:
    """setMessageReaction."""
    chat = world.open_chat(params.get("chat_id"))
    message = world.message(chat, params.get("message_id"), "message to react")
    given: list[Json] = parsed(params.get("reaction"), "reaction") or []
    if any(reaction.get("emoji") not in REACTIONS for reaction in given):
        raise bad_request("REACTION_INVALID")
    if len(given) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    emoji = [reaction["emoji"] for reaction in given]
    chat.reactions.setdefault(message["message_id"], {})[world.bot.id] = emoji
    world.feed.publish("reaction", {"chat": chat.id, "message_id": message["message_id"], "emoji": emoji})
    return True
