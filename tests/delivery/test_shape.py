from typing import Any

import pytest

from bot.delivery.shape import fault
from bot.sandbox.botapi import BotApi
from tests.flows.house import TOKEN

CHAT = {"id": 5, "type": "private", "first_name": "Sara"}
WHO = {"id": 5, "is_bot": False, "first_name": "Sara"}
MARK = {"type": "bold", "offset": 0, "length": 1}
GOOD: dict[str, Any] = {"message_id": 1, "date": 1, "chat": CHAT, "from": WHO, "text": "How long is a class?"}


@pytest.mark.parametrize(
    ("update", "said"),
    [
        ({"message": GOOD}, None),
        ({"channel_post": GOOD}, None),
        ({"channel_post": {"message_id": 1, "date": 1, "text": "/export"}}, "channel_post.chat is missing"),
        ({"edited_message": GOOD | {"text": 17}}, "edited_message.text is no text"),
        ({"message": GOOD | {"text": None}}, None),  # as if it were not there
        ({"message": GOOD | {"message_id": True}}, "message.message_id is no whole number"),
        ({"message": GOOD | {"message_id": 2**63}}, "message.message_id is no whole number"),
        ({"message": GOOD | {"message_id": 2**63 - 1}}, None),
        ({"message": GOOD | {"from": []}}, "message.from is no object"),
        ({"message": GOOD | {"entities": {}}}, "message.entities is no list"),
        ({"message": GOOD | {"entities": [MARK | {"offset": "x"}]}}, "message.entities[].offset is no whole number"),
        ({"message": GOOD | {"reply_to_message": GOOD | {"text": {}}}}, "message.reply_to_message.text is no text"),
        ({"message": GOOD | {"location": {"latitude": "x"}}}, "message.location.latitude is no number"),
        ({"message": GOOD | {"is_a_novelty": {"text": 17}}}, None),  # nobody reads it
        ({"callback_query": {"id": "1", "from": WHO, "data": 1.5}}, "callback_query.data is no text"),
        ({"message": {name: value for name, value in GOOD.items() if name != "chat"}}, "message.chat is missing"),
        ({"message": {name: value for name, value in GOOD.items() if name != "from"}}, None),  # a channel has none
        ({"message": GOOD | {"chat": {"id": 5}}}, "message.chat.type is missing"),
        ({"telepathy": 17}, None),
        ({"message": 17}, "message is no object"),
    ],
)  # fmt: skip
def test_what_a_handler_would_stumble_over_is_named(update: dict[str, Any], said: str | None) -> None:
    assert fault({"update_id": 1, **update}) == said


def test_what_telegram_sends_has_its_shape() -> None:
    api = BotApi(TOKEN)
    sara = api.user("Sara")
    shown = api.say(sara, "Hello /help <b>", entities=[{"type": "bold", "offset": 0, "length": 5}])
    api.say(sara, "A reply", reply_to=shown)
    api.edit(sara, shown, "Changed")
    assert [fault(update) for update in api.pending()] == [None, None, None]
