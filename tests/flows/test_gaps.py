"""What candidates ask that nothing answers: shown to staff, filled by an entry, or dismissed."""

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import matplotlib.image
import pytest

from bot.dialogue.texts import texts
from indexer.encoder import OnnxEncoder
from indexer.engine import index

from .house import House, Json, buttons, house

EN = texts("en")
WRITE, DISMISS = (button.format(number=1) for button in (EN.button_gap_write, EN.button_gap_dismiss))


@pytest.fixture
async def pottery(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A bot for a small course whose files may be written."""
    engine = index(knowledge, encoder, tmp_path / "index").engine
    async with house(engine, tmp_path, knowledge_dir=knowledge) as running:
        for name, language, text in (
            ("Sara", "en", "Which glazes may we use, I am Sara Benali?"),
            ("Ana", "en", "Which glazes may we use here?"),
            ("Luc", "fr", "Quels émaux sont permis ?"),
        ):
            await running.ask(running.candidate(name, language), f"/human {text}")
        yield running


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def shown(flow: House, command: str = "/gaps") -> Json:
    return (await flow.group(flow.paul, command))[-1]


async def test_a_picture_and_a_list_that_name_nobody(pottery: House) -> None:
    picture, listed = await pottery.group(pottery.paul, "/gaps all")
    file = pottery.api.world.files[picture["photo"][-1]["file_id"]].upload
    assert matplotlib.image.imread(BytesIO(file.content)).shape[1] == 1080
    assert "Which glazes may we use" in listed["text"]
    assert "Benali" not in listed["text"]
    (said,) = await pottery.group(pottery.paul, "/gaps yesterday")
    assert said["text"] == EN.gaps_which


async def test_from_a_gap_to_the_next_candidate_s_answer(pottery: House, knowledge: Path) -> None:
    listed, files = await shown(pottery), contents(knowledge)
    (card,) = await pottery.press_in_group(pottery.paul, listed, WRITE)
    assert EN.learn_no_answer in card["text"]
    assert buttons(card) == [EN.button_discard]
    assert await pottery.press_in_group(pottery.paul, listed, WRITE) == []  # begun already
    await pottery.press_in_group(pottery.marie, card, "e:p:1", forged=True)  # nothing to publish yet
    assert contents(knowledge) == files
    await pottery.group(pottery.paul, "EN\nAll those on the blue shelf.", reply_to=card)
    card = next(m for m in pottery.received(pottery.staff) if m["message_id"] == card["message_id"])
    assert "blue shelf" in card["text"]
    told = await pottery.press_in_group(pottery.marie, card, EN.button_publish)
    assert "Published as" in told[-1]["text"]
    (answer,) = await pottery.ask(pottery.candidate("Eva"), "Which glazes may we use here?")
    assert "blue shelf" in answer["text"]
    assert "glazes" not in (await shown(pottery))["text"].casefold()


async def test_what_is_not_a_gap_stays_away(pottery: House) -> None:
    listed = await shown(pottery)
    first = listed["text"]
    await pottery.press_in_group(pottery.paul, listed, DISMISS)
    listed = next(m for m in pottery.received(pottery.staff) if m["message_id"] == listed["message_id"])
    assert listed["text"] != first
    await pottery.ask(pottery.candidate("Eva"), "/human Which glazes may we use here?")
    assert "Which glazes may we use here?" not in (await shown(pottery))["text"]


async def test_the_table_is_for_admins_and_a_period_without_gaps_says_so(pottery: House) -> None:
    listed = await shown(pottery)
    assert await pottery.press_in_group(pottery.paul, listed, EN.button_gap_export) == []
    (sent,) = await pottery.press_in_group(pottery.marie, listed, EN.button_gap_export)
    content = pottery.api.world.files[sent["document"]["file_id"]].upload.content.decode("utf-8-sig")
    assert "émaux" in content
    assert "Benali" not in content
    empty = await shown(pottery, "/gaps 2020-01-01")
    assert EN.gaps_none in empty["text"]
    assert buttons(empty) == []


async def test_forgetting_empties_what_staff_were_shown(pottery: House) -> None:
    luc = pottery.candidate("Leo", "fr")
    await pottery.ask(luc, "/human Un zèbre peut-il suivre le cours ?")
    await shown(pottery)
    (ask,) = await pottery.ask(luc, "/forget")
    await pottery.press(luc, ask, texts("fr").button_yes)
    assert "zèbre" not in await pottery.everything_kept()
