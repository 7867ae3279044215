"""Methods that put messages into a chat."""

import copy
from collections.abc import Collection
from typing import Any

from bot.sandbox import media
from bot.sandbox.keyboard import inline_keyboard
from bot.sandbox.markup import formatted
from bot.sandbox.people import Chat
from bot.sandbox.refusal import Json, Refusal, bad_request
from bot.sandbox.world import World, flag, number_of, parsed

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
# What a copy of a message keeps.
_CONTENT = {*media.FOLDERS, *"text entities caption caption_entities location venue contact poll".split()}
_IN_ALBUMS = frozenset({"photo", "video", "document", "audio"})
_NO_CAPTION = {"sticker", "video_note"}
_ACTIONS = set(
    "typing upload_photo record_video upload_video record_voice upload_voice upload_document choose_sticker "
    "find_location record_video_note upload_video_note".split()
)


def text_of(params: Json) -> Json:
    """Text and entities of a message to be sent or edited; raises Refusal when there is none."""
    if not params.get("text"):
        raise bad_request("message text is empty")
    text, entities = formatted(params, "text", TEXT_LIMIT, "message is too long")
    if not text:
        raise bad_request("text must be non-empty")
    return {"text": text} | ({"entities": entities} if entities else {})


def caption_of(params: Json) -> Json:
    """Caption and its entities, nothing without a caption."""
    caption, entities = formatted(params, "caption", CAPTION_LIMIT, "message caption is too long")
    shown: Json = {"caption": caption} if caption else {}
    return shown | ({"caption_entities": entities} if entities else {})


def place(world: World, params: Json, content: Json) -> Json:
    """Send content to the chat, thread and message that the parameters name; the new message."""
    chat = world.open_chat(params.get("chat_id"))
    topic = world.topic(chat, params.get("message_thread_id"))
    reply_to = _reply_to(world, chat, params)
    keyboard = inline_keyboard(params.get("reply_markup"))
    extra: Json = {"reply_markup": keyboard} if keyboard else {}
    if flag(params, "protect_content"):
        extra["has_protected_content"] = True
    return world.post(chat, world.bot, content | extra, reply_to=reply_to, thread=topic.id if topic else None)


def _reply_to(world: World, chat: Chat, params: Json) -> int | None:
    given = parsed(params.get("reply_parameters"), "reply parameters") or {
        "message_id": params.get("reply_to_message_id"),
        "allow_sending_without_reply": flag(params, "allow_sending_without_reply"),
    }
    if not given.get("message_id"):
        return None
    try:
        original = world.message(chat, given["message_id"], "message to be replied")
    except Refusal:
        if given.get("allow_sending_without_reply"):
            return None
        raise
    return int(original["message_id"])


def send_message(world: World, params: Json) -> Json:
    """sendMessage."""
    world.open_chat(params.get("chat_id"))
    content = text_of(params)
    preview = parsed(params.get("link_preview_options"), "link preview options")
    return place(world, params, content | ({"link_preview_options": preview} if preview else {}))


def send_file(world: World, params: Json, *, kind: str) -> Json:
    """sendPhoto, sendDocument and the like, for one kind of file."""
    world.open_chat(params.get("chat_id"))
    file = media.find(world.files, kind, params, params.get(kind))
    caption = {} if kind in _NO_CAPTION else caption_of(params)
    return place(world, params, media.content(file) | caption)


def location_of(params: Json) -> Json:
    """A location; one that moves has a period."""
    try:
        location: Json = {name: float(params[name]) for name in ("latitude", "longitude")}
    except (KeyError, TypeError, ValueError):
        raise bad_request("location is invalid") from None
    if period := number_of(params.get("live_period")):
        location["live_period"] = period
    return location


def send_location(world: World, params: Json) -> Json:
    """sendLocation."""
    return place(world, params, {"location": location_of(params)})


def send_media_group(world: World, params: Json) -> list[Json]:
    """sendMediaGroup."""
    world.open_chat(params.get("chat_id"))
    items = parsed(params.get("media"), "media") or []
    if not isinstance(items, list) or not 2 <= len(items) <= 10:
        raise bad_request("there must be 2-10 items in an album")
    contents = [album_item(world, params, item) for item in items]
    album = {"media_group_id": f"9{world.next_message_id:012d}"}
    return [place(world, params, content | album) for content in contents]


def album_item(world: World, params: Json, item: Json, kinds: Collection[str] = _IN_ALBUMS) -> Json:
    """An InputMedia as a message shows it; raises Refusal for other kinds."""
    kind = str(item.get("type"))
    if kind not in kinds:
        raise bad_request("can't parse InputMedia: unsupported type specified")
    file = media.find(world.files, kind, params, item.get("media"))
    return media.content(file) | caption_of(item)


def copy_message(world: World, params: Json) -> Json:
    """copyMessage."""
    source = world.open_chat(params.get("from_chat_id"))
    original = world.message(source, params.get("message_id"), "message to copy")
    content = _copied(original)
    if params.get("caption") is not None and "text" not in content:
        content = {key: part for key, part in content.items() if "caption" not in key} | caption_of(params)
    return {"message_id": place(world, params, content)["message_id"]}


def copy_messages(world: World, params: Json) -> list[Json]:
    """copyMessages: those that cannot be copied are left out, albums stay albums; replies and buttons are not known."""
    params = {name: value for name, value in params.items() if name not in ("reply_parameters", "reply_markup")}
    source = world.open_chat(params.get("from_chat_id"))
    wanted: list[Any] = parsed(params.get("message_ids"), "message identifiers") or []
    if not wanted:
        raise bad_request("message identifiers are not specified")
    originals = [source.messages.get(number_of(message_id)) for message_id in wanted]
    found = [message for message in originals if message and _CONTENT & message.keys()]
    if not found:
        raise bad_request("message to copy not found")
    return [{"message_id": place(world, params, _copied(message))["message_id"]} for message in found]


def _copied(message: Json) -> Json:
    content = {key: copy.deepcopy(part) for key, part in message.items() if key in _CONTENT}
    if not content or message.get("has_protected_content"):
        raise bad_request("message can't be copied")
    # A copy of a location that moves stays where it was.
    if "location" in content:
        content["location"].pop("live_period", None)
    group = message.get("media_group_id")
    return content | ({"media_group_id": f"{group}-copy"} if group else {})


def send_chat_action(world: World, params: Json) -> bool:
    """sendChatAction."""
    chat = world.open_chat(params.get("chat_id"))
    if params.get("action") not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    world.feed.publish("action", {"chat": chat.id, "action": params["action"]})
    return True
