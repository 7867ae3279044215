"""What a whole conversation leaves in the log, at its most talkative."""

import json
import logging
from pathlib import Path

from bot.logs import Events, JsonEvents
from bot.sandbox.botapi import BotApi
from indexer.engine import Engine

from .house import LECTURERS, PRICE, TOKEN, VAGUE, house


class Everything(logging.Handler):
    """All lines, in both forms."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += [Events(None).format(record), JsonEvents(None).format(record)]


async def test_neither_texts_nor_ids_nor_the_token(engine: Engine, tmp_path: Path) -> None:
    api, everything, root = BotApi(TOKEN), Everything(), logging.getLogger()
    api.world.next_message_id = 88_000_001
    level = root.level
    root.addHandler(everything)
    root.setLevel(logging.DEBUG)
    try:
        async with house(engine, tmp_path, api=api, group={"supergroup": True}) as place:
            place.staff.next_message_id = 99_000_001
            sara = place.candidate(username="sara_of_lille", last_name="Delacroix")
            answer, *_ = await place.ask(sara, LECTURERS["en"])
            await place.press(sara, answer, "That helped")
            await place.ask(sara, VAGUE["fr"])
            card = await place.handed_over(sara, PRICE["en"])
            await place.group(place.marie, "The fee stands on page twelve.", reply_to=card)
            await place.ask(sara, "Merci infiniment, chère Marie")
            api.block(sara)
            await place.group(place.marie, "One thing more, about the deposit.", reply_to=card)
            place.trouble_expected = True
            api.push({"message": {"text": "a broken update, all in words"}})
            await place.quiet()
    finally:
        root.setLevel(level)
        root.removeHandler(everything)
    said = [message for chat in api.world.chats.values() for message in chat.messages.values()]
    secrets = {str(number) for number in (*api.world.users, *api.world.chats)}
    secrets |= {str(abs(number)) for number in api.world.chats}
    secrets |= {str(message["message_id"]) for message in said}
    secrets |= {text for message in said if len(text := message.get("text", "")) > 5}
    secrets |= {TOKEN, TOKEN.partition(":")[2], "sara_of_lille", "Delacroix", "a broken update", "deposit"}
    assert len(everything.lines) > 40
    assert not [(line, secret) for line in everything.lines for secret in secrets if secret in line]
    assert [json.loads(line) for line in everything.lines[1::2]]
