"""Methods about chats, their members and forum topics."""

from bot.sandbox.people import Chat, Topic, User, member_json
from bot.sandbox.refusal import Json, bad_request
from bot.sandbox.world import World, number_of


def get_chat(world: World, params: Json) -> Json:
    """getChat."""
    chat = world.open_chat(params.get("chat_id"))
    gifts = dict.fromkeys(
        ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"),
        False,
    )
    return chat.json() | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}


def get_chat_member(world: World, params: Json) -> Json:
    """getChatMember."""
    chat = world.open_chat(params.get("chat_id"))
    return member_json(chat, _user(world, params), world.bot.id)


def get_chat_administrators(world: World, params: Json) -> list[Json]:
    """getChatAdministrators."""
    chat = _group(world, params)
    return [member_json(chat, world.users[user], world.bot.id) for user in chat.members if chat.is_admin(user)]


def _group(world: World, params: Json) -> Chat:
    chat = world.open_chat(params.get("chat_id"))
    if chat.person:
        raise bad_request("method is available only for group and supergroup chats")
    return chat


def _user(world: World, params: Json) -> User:
    if (user := world.users.get(number_of(params.get("user_id")))) is None:
        raise bad_request("user not found")
    return user


def create_forum_topic(world: World, params: Json) -> Json:
    """createForumTopic."""
    chat = _forum(world, params)
    name = _topic_name(params)
    topic = world.make_topic(chat, world.bot, name, number_of(params.get("icon_color"), 0x6FB9F0))
    return {"message_thread_id": topic.id, "name": name, "icon_color": topic.icon_color}


def edit_forum_topic(world: World, params: Json) -> bool:
    """editForumTopic: only the name is kept; icons are accepted and forgotten."""
    chat = _forum(world, params)
    topic = _topic(chat, params)
    if params.get("name"):
        if params["name"] == topic.name:
            raise bad_request("TOPIC_NOT_MODIFIED")
        topic.name = _topic_name(params)
        world.post(chat, world.bot, {"forum_topic_edited": {"name": topic.name}}, thread=topic.id)
    return True


def turn_forum_topic(world: World, params: Json, *, closed: bool) -> bool:
    """closeForumTopic and reopenForumTopic."""
    chat = _forum(world, params)
    set_closed(world, chat, _topic(chat, params), world.bot, closed=closed)
    return True


def set_closed(world: World, chat: Chat, topic: Topic, who: User, *, closed: bool) -> Json:
    """Close or reopen a topic; its service message; raises Refusal when it is so already."""
    if topic.closed == closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    topic.closed = closed
    word = "forum_topic_closed" if closed else "forum_topic_reopened"
    return world.post(chat, who, {word: {}}, thread=topic.id)


def delete_forum_topic(world: World, params: Json) -> bool:
    """deleteForumTopic."""
    chat = _forum(world, params)
    topic = _topic(chat, params)
    if not world.bot_may(chat, "can_delete_messages"):
        raise bad_request("not enough rights to delete the topic")
    world.remove_topic(chat, topic.id)
    return True


def _forum(world: World, params: Json) -> Chat:
    chat = world.open_chat(params.get("chat_id"))
    if not chat.forum:
        raise bad_request("the chat is not a forum")
    if not world.bot_may(chat, "can_manage_topics"):
        raise bad_request("not enough rights to manage topics")
    return chat


def _topic(chat: Chat, params: Json) -> Topic:
    if (topic := chat.topics.get(number_of(params.get("message_thread_id")))) is None:
        raise bad_request("TOPIC_ID_INVALID")
    return topic


def _topic_name(params: Json) -> str:
    name = str(params.get("name") or "").strip()
    if not name:
        raise bad_request("topic name must be non-empty")
    if len(name) > 128:
        raise bad_request("topic name is too long")
    return name
