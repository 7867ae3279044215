"""Staff keep canned replies in the chat, in both languages."""

import pytest

from bot.dialogue.texts import texts

from .house import PRICE, House, buttons

EN = texts("en")
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_canned_reply_is_added_sent_changed_and_deleted(flow: House) -> None:
    (none,) = await flow.group(flow.paul, "/canned")
    assert none["text"].startswith(EN.canned_none)
    (shown,) = await flow.group(flow.paul, "/canned add Fees page")
    (kept,) = await flow.group(flow.paul, "FR\nLes frais sont sur la page.\nEN\nFees are on the page.", reply_to=shown)
    assert kept["text"] == EN.canned_kept
    (listed,) = await flow.group(flow.paul, "/canned list")
    assert "Fees page (FR, EN)" in listed["text"]

    luc = flow.candidate("Luc", "fr")
    card = await flow.handed_over(luc, PRICE["fr"])
    (choice,) = await flow.press_in_group(flow.paul, card, EN.button_canned)
    (preview,) = await flow.press_in_group(flow.paul, choice, "Fees page")
    await flow.press_in_group(flow.paul, preview, EN.button_send)
    assert "Les frais sont sur la page." in flow.received(luc)[-1]["text"]

    number = shown["text"].partition(".")[0]
    (again,) = await flow.group(flow.paul, f"/canned {number}")
    await flow.group(flow.paul, "See the fees page.", reply_to=again)  # in the staff's language; French stays
    (again,) = await flow.group(flow.paul, f"/canned {number}")
    assert "See the fees page." in again["text"]
    assert "Les frais" in again["text"]
    (gone,) = await flow.press_in_group(flow.marie, again, EN.button_delete)
    assert gone["text"] == EN.canned_deleted.format(title="Fees page")
    (said,) = await flow.group(flow.paul, "EN\nToo late", reply_to=again)
    assert said["text"] == EN.canned_gone
    (said,) = await flow.group(flow.paul, f"/canned {number}")
    assert said["text"] == EN.canned_gone


async def test_a_canned_reply_needs_a_short_title_and_a_candidate_deletes_none(flow: House) -> None:
    (said,) = await flow.group(flow.paul, "/canned add")
    assert said["text"] == EN.canned_title.format(most=60)
    (said,) = await flow.group(flow.paul, f"/canned add {'x' * 61}")
    assert said["text"] == EN.canned_title.format(most=60)
    (shown,) = await flow.group(flow.paul, "/canned add Dates")
    number = shown["text"].partition(".")[0]
    sara = flow.candidate("Sara")
    (note,) = await flow.ask(sara, PRICE["en"])
    await flow.press(sara, note, f"n:d:{number}", forged=True)
    (again,) = await flow.group(flow.paul, f"/canned {number}")
    assert EN.button_delete in buttons(again)
