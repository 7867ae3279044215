"""One call to the Bot API, and what its end means for the row it came from."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telegram import Bot, InputMedia
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError
from telegram.request import BaseRequest

from bot.delivery.retry import next_try, pause, place, reason

# What Telegram says it cannot take, and what to leave out then.
PLAINER = (
    (re.compile(r"parse entities|entity|entities_too_long"), ("entities", "caption_entities")),
    (re.compile(r"button|reply[ _]markup|keyboard"), ("reply_markup",)),
    (re.compile(r"repl(y|ied)\b.* not found|reply_message_id_invalid|quote"), ("reply_parameters",)),
)
# 400s by which a whole chat, not this message, is out of reach; every 403 says so.
OUT_OF_REACH = re.compile(r"chat not found|peer_id_invalid|chat_write_forbidden|rights to send")
UNCHANGED = "message is not modified"  # "…: … content and reply markup are exactly the same": nothing was refused
TOPIC = re.compile(r"message thread not found|topic_(deleted|closed|id_invalid)")


@dataclass(frozen=True, slots=True)
class Part:
    """The new text of a row whose message holds texts of other rows as well."""

    row_id: int
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """An outgoing row, ready to go, perhaps with the texts of others."""

    row_id: int
    chat_id: int
    method: str
    parameters: dict[str, Any]  # with Telegram's chat id
    attempts: int
    group: bool
    since: datetime  # when it could first have been sent
    ticket_id: int | None = None
    joins: bool = False  # may go as one message with others
    others: tuple[int, ...] = ()  # rows whose texts go with it
    edits: int | None = None  # the row whose message it edits
    part: Part | None = None

    @property
    def row_ids(self) -> tuple[int, ...]:
        """All rows that it carries."""
        return self.row_id, *self.others


@dataclass(frozen=True, slots=True)
class Sent:
    """Telegram took it; some methods give no message."""

    message_id: int | None
    message_ids: tuple[int, ...] = ()  # of an album


@dataclass(frozen=True, slots=True)
class Later:
    """To be tried again."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Paused:
    """Telegram wants silence in this chat; not the row's fault."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """The group has a new id in Telegram; to be sent there."""

    telegram_id: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Never to be sent."""

    reason: str
    unreachable: bool = False  # the whole chat is
    topic: bool = False  # the forum topic is closed or gone


Outcome = Sent | Later | Paused | Moved | Refused


async def call(bot: Bot, method: str, parameters: dict[str, Any], *, read_timeout: float | None = None) -> Any:
    """The raw result of a Bot API method; raises TelegramError."""
    # With its plain name the library warns at each call that it has a method of its own for it;
    # it drops the underscore when it makes the address.
    # What is called `media` and is no single one it takes for a sequence of its own objects.
    if isinstance(parameters.get("media"), list):
        parameters = parameters | {"media": [_part(item) for item in parameters["media"]]}
    longer = BaseRequest.DEFAULT_NONE if read_timeout is None else read_timeout
    return await bot.do_api_request(f"{method}_", api_kwargs=parameters, read_timeout=longer)


def _part(item: dict[str, Any]) -> InputMedia:
    more = {name: value for name, value in item.items() if name not in ("type", "media")}
    return InputMedia(item["type"], item["media"], api_kwargs=more)


async def deliver(bot: Bot, letter: Letter, now: Callable[[], datetime]) -> Outcome:
    """Sends, if need be without markup or without being a reply: a plain text is better than none."""
    parameters = letter.parameters
    while True:
        try:
            result = await call(bot, letter.method, parameters)
        except TelegramError as error:
            plainer = without_cause(letter.method, parameters, error)
            if plainer is None:
                return _outcome(error, letter, now())  # a call may take longer than the pause after it
            parameters = plainer
        except Exception as error:
            return Refused(place(error))
        else:
            return Sent(_message_id(result), _album(result))


def without_cause(method: str, parameters: dict[str, Any], error: TelegramError) -> dict[str, Any] | None:
    """The same call without what Telegram refused in it; None if nothing can be left out."""
    if not isinstance(error, BadRequest) or method == "editMessageReplyMarkup":
        return None
    said = error.message.lower()
    if UNCHANGED in said:
        return None
    causes = next((names for words, names in PLAINER if words.search(said)), ())
    plainer = {name: value for name, value in parameters.items() if name not in causes}
    return plainer if len(plainer) < len(parameters) else None


def _outcome(error: TelegramError, letter: Letter, now: datetime) -> Outcome:
    match error:
        case RetryAfter():
            return Paused(now + pause(error))
        case ChatMigrated():
            return Moved(error.new_chat_id)
        case Forbidden():
            return Refused(reason(error), unreachable=True)
        case BadRequest() if UNCHANGED in error.message.lower():
            return Sent(letter.parameters.get("message_id"))
        case BadRequest():
            said = error.message.lower()
            return Refused(reason(error), unreachable=bool(OUT_OF_REACH.search(said)), topic=bool(TOPIC.search(said)))
    at = next_try(error, letter.attempts, now)
    return Refused(reason(error)) if at is None else Later(at, reason(error))


def _message_id(result: Any) -> int | None:
    """Of a message, of the first of an album, or of a new topic, whose id is that of its first message."""
    first = result[0] if isinstance(result, list) and result else result
    if not isinstance(first, dict):
        return None
    found = first.get("message_id", first.get("message_thread_id"))
    return found if isinstance(found, int) else None


def _album(result: Any) -> tuple[int, ...]:
    """Of each message of an album, in its order."""
    return tuple(filter(None, map(_message_id, result))) if isinstance(result, list) else ()
