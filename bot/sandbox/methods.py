"""The Bot API's methods by name: those that the bot calls."""

from collections.abc import Callable
from functools import partial
from typing import Any

from bot.sandbox import changing, groups, media, profile, sending
from bot.sandbox.refusal import Json
from bot.sandbox.world import World

Method = Callable[[World, Json], Any]


METHODS: dict[str, Method] = {
    "getMe": profile.get_me,
    "getUpdates": profile.get_updates,
    "setWebhook": profile.set_webhook,
    "deleteWebhook": profile.delete_webhook,
    "getWebhookInfo": profile.get_webhook_info,
    "setMyCommands": profile.set_my_commands,
    "getMyCommands": profile.get_my_commands,
    "answerCallbackQuery": profile.answer_callback_query,
    "answerInlineQuery": profile.answer_inline_query,
    "getFile": profile.get_file,
    "sendMessage": sending.send_message,
    "sendLocation": sending.send_location,
    "sendMediaGroup": sending.send_media_group,
    "sendChatAction": sending.send_chat_action,
    "copyMessage": sending.copy_message,
    "copyMessages": sending.copy_messages,
    "editMessageText": changing.edit_message_text,
    "editMessageCaption": changing.edit_message_caption,
    "editMessageMedia": changing.edit_message_media,
    "editMessageLiveLocation": changing.edit_message_live_location,
    "stopMessageLiveLocation": changing.stop_message_live_location,
    "editMessageReplyMarkup": changing.edit_message_reply_markup,
    "deleteMessage": changing.delete_message,
    "deleteMessages": changing.delete_messages,
    "setMessageReaction": changing.set_message_reaction,
    "getChat": groups.get_chat,
    "getChatMember": groups.get_chat_member,
    "getChatAdministrators": groups.get_chat_administrators,
    "createForumTopic": groups.create_forum_topic,
    "editForumTopic": groups.edit_forum_topic,
    "closeForumTopic": partial(groups.turn_forum_topic, closed=True),
    "reopenForumTopic": partial(groups.turn_forum_topic, closed=False),
    "deleteForumTopic": groups.delete_forum_topic,
    # sendPhoto, sendVideoNote …
    **{f"send{kind.title().replace('_', '')}": partial(sending.send_file, kind=kind) for kind in media.FOLDERS},
}

# Telegram reads method names in any case.
BY_LOWER_NAME = {name.lower(): name for name in METHODS}


def counts_as_messages(name: str, params: Json) -> int:
    """How many messages a call costs under flood control."""
    if name in {"sendMediaGroup", "copyMessages"}:
        items = params.get("media") or params.get("message_ids")
        return max(len(items), 1) if isinstance(items, list) else 1
    return int(name.startswith(("send", "copy", "edit")) and name != "sendChatAction")
