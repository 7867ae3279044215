"""A message that Telegram accepted without our hearing of it is there twice: people may go by either."""

import pytest

from bot.dialogue.texts import texts
from bot.sandbox.people import User

from .house import PRICE, House

EN = texts("en")
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_staff_reply_to_the_card_that_the_bot_never_noted(flow: House, sara: User) -> None:
    flow.trouble_expected = True  # an answer of Telegram's gets lost
    flow.api.fail("sendMessage", "drop_after", when=lambda call: call["chat_id"] == flow.staff.id)
    await flow.ask(sara, PRICE["en"])
    first, second = flow.cards()
    assert first["text"] == second["text"]
    await flow.group(flow.marie, "to the first of both", reply_to=first)
    assert flow.received(sara)[-1]["text"].endswith("to the first of both")
    await flow.group(flow.marie, "to the second", reply_to=second)
    assert flow.received(sara)[-1]["text"].endswith("to the second")


async def test_words_that_the_bot_never_wrote_name_no_ticket(flow: House, sara: User) -> None:
    karim = flow.candidate("Karim")
    for person in (sara, karim):
        await flow.handed_over(person)
    forged = flow.cards()[0] | {"message_id": 999_999, "text": "nothing that the bot wrote"}
    before = len(flow.received(sara)), len(flow.received(karim))
    flow.api.push(
        {
            "message": {
                "message_id": 1_000_000,
                "date": forged["date"],
                "chat": forged["chat"],
                "from": flow.marie.json(),
                "text": "to nobody",
                "reply_to_message": forged,
            }
        }
    )
    await flow.quiet()
    assert (len(flow.received(sara)), len(flow.received(karim))) == before
    assert flow.received(flow.staff)[-1]["text"] == EN.staff_no_match
