"""Users and chats as the Bot API shows them."""

from dataclasses import dataclass, field

from bot.sandbox.refusal import Json

# The rights that Telegram names for an administrator; a bot gets them all unless some are withheld.
RIGHTS = tuple(
    "can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members can_promote_members "
    "can_change_info can_invite_users can_pin_messages can_post_stories can_edit_stories can_delete_stories".split()
)


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot."""

    id: int
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None
    is_bot: bool = False

    def json(self) -> Json:
        """A User object."""
        return {"id": self.id, "is_bot": self.is_bot, **self._named()} | (
            {"language_code": self.language_code} if self.language_code else {}
        )

    def chat_json(self) -> Json:
        """The Chat object of the private chat with this person."""
        return {"id": self.id, "type": "private", **self._named()}

    def _named(self) -> Json:
        names = {"first_name": self.first_name, "last_name": self.last_name, "username": self.username}
        return {key: name for key, name in names.items() if name or key == "first_name"}  # a deleted account has ""


@dataclass(slots=True, eq=False)
class Topic:
    """A forum topic; its id is that of the service message that made it."""

    id: int
    name: str
    icon_color: int = 0x6FB9F0
    closed: bool = False


@dataclass(slots=True, eq=False)
class Chat:
    """A private chat, group or supergroup with all that was said in it."""

    id: int
    kind: str  # private | group | supergroup
    person: User | None = None
    title: str = ""
    forum: bool = False
    username: str | None = None
    # User id → creator | administrator | member | left | kicked. In a private chat the bot is
    # absent until the person wrote, and kicked once blocked.
    members: dict[int, str] = field(default_factory=dict)
    bot_lacks: frozenset[str] = frozenset()
    topics: dict[int, Topic] = field(default_factory=dict)
    messages: dict[int, Json] = field(default_factory=dict)
    # Message id → user id → emoji.
    reactions: dict[int, dict[int, list[str]]] = field(default_factory=dict)
    next_message_id: int = 1
    migrated_to: int | None = None

    def json(self) -> Json:
        """A Chat object."""
        if self.person:
            return self.person.chat_json()
        chat: Json = {"id": self.id, "type": self.kind, "title": self.title}
        if self.username:
            chat["username"] = self.username
        return chat | ({"is_forum": True} if self.forum else {})

    def is_admin(self, user_id: int) -> bool:
        """Whether that member runs the group."""
        return self.members.get(user_id) in {"creator", "administrator"}


def member_json(chat: Chat, user: User, bot_id: int) -> Json:
    """A ChatMember object."""
    status = chat.members.get(user.id, "left")
    member: Json = {"user": user.json(), "status": status}
    if status == "creator":
        return member | {"is_anonymous": False}
    if status == "kicked":
        return member | {"until_date": 0}
    if status == "administrator":
        lacks = chat.bot_lacks if user.id == bot_id else frozenset()
        names = (*RIGHTS, "can_manage_topics") if chat.forum else RIGHTS
        rights = {right: right not in lacks for right in names}
        return member | {"can_be_edited": False, "is_anonymous": False} | rights
    return member
