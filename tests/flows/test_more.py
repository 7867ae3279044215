"""Of a long answer a part is shown first: what is nearest to the question, or its beginning; the rest opens there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.dialogue.texts import texts
from indexer.encoder import OnnxEncoder
from indexer.engine import index

from .house import House, Json, buttons, house

EN = texts("en")
LONG = """
## What happens on the first day? {#first-day}

We meet at nine in the courtyard and have coffee together. Then everybody shows the piece that they brought along, and
says what they would like to learn from the others during the season. After lunch the potters explain how the wheels are
shared and cleaned. The kiln is never opened before it has cooled for two days. In the afternoon each of you chooses a
place at the long tables, and the keys of the lockers are handed out against a small signature. Those who come by train
may leave their bags in the office behind the shop. At five we walk down to the clay pit, where the valley's stoneware
has been dug since the mill closed, and everybody takes home a bucket of it to try things out in the evenings.
"""


@pytest.fixture
async def place(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A bot whose knowledge has a long answer."""
    path = knowledge / "classes.en.md"
    path.write_text(path.read_text(encoding="utf-8") + LONG, encoding="utf-8")
    async with house(index(knowledge, encoder, tmp_path / "index").engine, tmp_path, knowledge_dir=knowledge) as place:
        yield place


async def test_the_rest_of_a_long_answer_opens_in_its_place(place: House) -> None:
    sara, karim = place.candidate(), place.candidate("Karim")
    (gist,) = await place.ask(sara, "What happens on the first day, and when may I open the kiln?")
    question = "What happens on the first day?"
    heading, told, _source = gist["text"].split("\n\n")
    assert heading == question
    told = told.removesuffix(" …")
    assert told in " ".join(LONG.split())
    assert len(told) < 400
    await place.press(sara, gist, EN.button_more)
    whole = place.received(sara)[-1]
    assert whole["message_id"] == gist["message_id"]
    assert whole["text"].startswith(f"{question}\n\nWe meet at nine")
    assert whole["entities"][0]["type"] == "bold"
    assert "in the evenings." in whole["text"]
    offered = [button["text"] for row in whole["reply_markup"]["inline_keyboard"] for button in row]
    assert EN.button_more not in offered
    assert EN.button_person in offered
    # Somebody else's button opens nothing.
    (mine,) = await place.ask(karim, "What happens on the first day?")
    forged = f"m:{gist['reply_markup']['inline_keyboard'][0][0]['callback_data'].partition(':')[2]}"
    await place.press(karim, mine, forged, forged=True)
    assert place.received(karim)[-1]["text"] == EN.choice_gone


async def test_what_is_tapped_in_the_menu_begins_as_short(place: House) -> None:
    sara = place.candidate()

    async def tap(message: Json, button: str) -> Json:
        await place.press(sara, message, button)
        return next(one for one in place.received(sara) if one["message_id"] == message["message_id"])

    (first,) = await place.ask(sara, "/menu")
    listed = await tap(first, "Classes")
    title = next(line for line in listed["text"].splitlines() if "on the first day" in line)
    begun = await tap(listed, title)
    heading, told, _source = begun["text"].split("\n\n")
    assert heading == "What happens on the first day?"
    assert told.startswith("We meet at nine in the courtyard")
    assert told.endswith("during the season. …")
    whole = await tap(begun, EN.button_more)
    assert whole["text"].startswith(f"{heading}\n\nWe meet at nine")
    assert "in the evenings." in whole["text"]
    # The way back stays.
    assert set(buttons(begun)) - set(buttons(whole)) == {EN.button_more}
    assert (await tap(whole, EN.button_questions))["text"] == listed["text"]
