"""Staff ask how it goes; admins take the questions with them."""

from io import BytesIO

import matplotlib.image
import pytest

from bot.dialogue.texts import texts

from .house import LECTURERS, PRICE, VAGUE, House

EN = texts("en")
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_period_as_a_picture_with_its_numbers(flow: House) -> None:
    sara = flow.candidate("Sara")
    await flow.ask(sara, LECTURERS["en"])
    await flow.ask(sara, PRICE["en"])
    await flow.ask(flow.candidate("Luc", "fr"), PRICE["fr"])
    (shown,) = await flow.group(flow.paul, "/stats all")
    assert f"{EN.stats_handed_over}: 2" in shown["caption"]
    assert EN.stats_themes in shown["caption"]
    file = flow.api.world.files[shown["photo"][-1]["file_id"]].upload
    assert matplotlib.image.imread(BytesIO(file.content)).shape[1] == 1080


async def test_a_period_that_means_nothing_is_explained(flow: House) -> None:
    (said,) = await flow.group(flow.paul, "/stats yesterday")
    assert said["text"] == EN.stats_which


async def test_admins_alone_export_and_nobody_is_named(flow: House) -> None:
    await flow.ask(flow.candidate("Sara"), f"{VAGUE['en']}, my name is Sara Benali")
    (refused,) = await flow.group(flow.paul, "/export")
    assert refused["text"] == EN.admins_only
    (sent,) = await flow.group(flow.marie, "/export all")
    content = flow.api.world.files[sent["document"]["file_id"]].upload.content.decode("utf-8-sig")
    assert sent["document"]["file_name"].endswith(".csv")
    assert VAGUE["en"] in content
    assert "Benali" not in content
