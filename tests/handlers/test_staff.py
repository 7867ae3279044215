"""Which messages in a group are commands, and for whom."""

from datetime import UTC, datetime

import pytest
from telegram import Chat, Message

from bot.handlers.staff import _command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/close", "close"),
        ("/Close now", "close"),
        ("/close@guichet_bot", "close"),
        ("/close@GUICHET_BOT please", "close"),
        ("/close@another_bot", None),
        ("/", None),
        ("/@guichet_bot", None),
        ("close", None),
        ("see /close", None),
        ("", None),
        (None, None),
    ],
)
def test_a_command_is_one_for_this_bot(text: str | None, command: str | None) -> None:
    message = Message(1, datetime(2026, 1, 1, tzinfo=UTC), Chat(-5, "group"), text=text)
    assert _command(message, "guichet_bot") == command
