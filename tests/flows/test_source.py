"""Below every answer stands where it comes from; above one that exists in the other language only, that it does."""

from pathlib import Path

from bot.dialogue.texts import texts
from indexer.encoder import OnnxEncoder
from indexer.engine import index

from .house import PATIENCE, Json, buttons, house

ADDRESS = "https://pottery.example/leaflet"
FR = texts("fr")
QUESTION = "How hot does the kiln get?"  # in English only
SOURCE = "The workshop's leaflet, mars 2025"
BELOW = f"{FR.source.format(source=SOURCE)} · {FR.reviewed.format(date='1er septembre 2026')}"


def told_well(text: str, entities: list[Json]) -> None:
    """The answer is there with the notice above it, and below it source, date of review and link."""
    assert FR.other_language in text
    assert text.index(FR.other_language) < text.index("1,240")
    assert text.endswith(BELOW)
    (link,) = [one for one in entities if one["type"] == "text_link"]
    assert link["url"] == ADDRESS
    marked = text.encode("utf-16-le")[2 * link["offset"] : 2 * (link["offset"] + link["length"])]
    assert marked.decode("utf-16-le") == SOURCE


async def test_asked_tapped_or_offered_in_another_chat(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path) -> None:
    path = knowledge / "classes.en.md"
    written = path.read_text(encoding="utf-8")
    path.write_text(written.replace("source_date", f"address: {ADDRESS}\nsource_date", 1), encoding="utf-8")
    engine = index(knowledge, encoder, tmp_path / "index").engine
    async with house(engine, tmp_path, knowledge_dir=knowledge) as place:
        sara = place.candidate(language="fr")
        (asked,) = await place.ask(sara, "Quelle est la température du kiln ?")
        told_well(asked["text"], asked["entities"])
        (menu,) = await place.ask(sara, "/menu")
        for button in ("Cours", f"1. {QUESTION}"):
            await place.press(sara, menu, button)
            menu = next(one for one in place.received(sara) if one["message_id"] == menu["message_id"])
        assert FR.button_questions in buttons(menu)
        told_well(menu["text"], menu["entities"])
        typed = place.api.inline(sara, "température du kiln")
        offered = await place.api.wait_for(lambda api: api.answer_to(typed), PATIENCE)
        assert offered is not None
        (sent,) = [one["input_message_content"] for one in offered["results"] if one["title"] == QUESTION]
        told_well(sent["message_text"], sent["entities"])
