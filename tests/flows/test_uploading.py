"""An admin sends a file to the staff's group: shown as what it changes, published or discarded."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.delivery import timers
from bot.dialogue.texts import texts
from bot.handlers import uploading
from bot.publishing import proposal as proposals
from bot.sandbox.people import User
from indexer import store
from indexer.encoder import OnnxEncoder
from indexer.engine import index
from indexer.readers import read_knowledge
from indexer.snapshot import SnapshotError
from indexer.upload import LARGEST
from tests.indexer.sent import docx, xlsx

from .house import House, Json, buttons, house

EN = texts("en")
DOG = "Can I bring my dog?"
ROWS = [["Question", "Answer", "Language"], [DOG, "Well-behaved dogs may lie under the table.", "en"]]
CSV = f"Question;Answer\n{DOG};Well-behaved dogs may lie under the table.\n".encode("cp1252")


@pytest.fixture
async def pottery(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A bot for a small course whose files may be written."""
    engine = index(knowledge, encoder, tmp_path / "index").engine
    async with house(engine, tmp_path, knowledge_dir=knowledge) as running:
        yield running


async def send(flow: House, name: str, data: bytes, person: User | None = None, **more: Any) -> list[Json]:
    """Somebody sends a file to the group; all that the bot then writes there."""
    before = len(flow.received(flow.staff))
    flow.api.send_media(person or flow.marie, "document", name=name, data=data, chat=flow.staff, **more)
    await flow.quiet()
    return flow.received(flow.staff)[before:]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_from_a_spreadsheet_to_the_next_candidate_s_answer(pottery: House, knowledge: Path) -> None:
    before = contents(knowledge)
    (shown,) = await send(pottery, "Dogs 2026.xlsx", xlsx(ROWS))
    assert shown["text"].startswith(f"Dogs 2026.xlsx\n{EN.upload_read.format(count=1)}")
    assert f"{DOG} [en, dogs-2026.en.md:" in shown["text"]
    assert buttons(shown) == [EN.button_publish, EN.button_discard]
    assert contents(knowledge) == before
    (note,) = await pottery.ask(pottery.candidate(), DOG)
    assert "under the table" not in note["text"]
    said = await pottery.press_in_group(pottery.marie, shown, EN.button_publish)
    assert said[-1]["text"].startswith(EN.reindex_done.split("\n")[0])
    (answer,) = await pottery.ask(pottery.candidate("Karim"), DOG)
    assert "Well-behaved dogs" in answer["text"]
    assert "Dogs 2026" in answer["text"]
    (entry,) = [one for one in read_knowledge(knowledge).entries if one.question == DOG]
    today = pottery.bot.deps.local_now.date()
    assert (entry.source, entry.source_date, entry.reviewed) == ("Dogs 2026", today.isoformat(), today)
    (unchanged,) = await pottery.group(pottery.marie, "/reindex")
    assert unchanged["text"] == EN.reindex_unchanged
    (nothing_new,) = await send(pottery, "Dogs 2026.xlsx", xlsx(ROWS))
    assert nothing_new["text"].endswith(EN.upload_nothing_new)


async def test_a_known_entry_is_changed_where_it_stands(pottery: House, knowledge: Path) -> None:
    table = [["id", "Langue", "Question", "Réponse"], ["kiln", "anglais", "How hot does the kiln get?", "1,300 now."]]
    (shown,) = await send(pottery, "kiln.xlsx", xlsx(table))
    assert EN.changes_changed in shown["text"]
    await pottery.press_in_group(pottery.marie, shown, EN.button_publish)
    text = (knowledge / "classes.en.md").read_text(encoding="utf-8")
    assert "## How hot does the kiln get? {#kiln}\n\n1,300 now.\n" in text
    (answer,) = await pottery.ask(pottery.candidate(), "How hot does the kiln get?")
    assert "1,300 now." in answer["text"]


async def test_what_is_discarded_leaves_no_trace(pottery: House, knowledge: Path, tmp_path: Path) -> None:
    before = contents(knowledge)
    (shown,) = await send(pottery, "dogs.docx", docx(("h2", DOG), ("p", "They may.")))
    said = await pottery.press_in_group(pottery.marie, shown, EN.button_discard)
    assert said[-1]["text"] == EN.reindex_discarded
    assert contents(knowledge) == before
    assert len(store.history(tmp_path / "index")) == 1
    again = await pottery.press_in_group(pottery.marie, shown, f"i:p:{'x' * 20}", forged=True)
    assert again[-1]["text"] == EN.reindex_gone


async def test_several_files_add_up(pottery: House, knowledge: Path) -> None:
    for name in ("dogs", "cats"):
        table = f"Question,Answer\nMay I bring {name}?,Some {name}.\n".encode()
        more: Json = {"name": f"{name}.csv", "data": table, "group_id": "album", "chat": pottery.staff}
        pottery.api.send_media(pottery.marie, "document", **more)
    await pottery.quiet()
    # They are read at the same time, so either may be the first.
    first, second = sorted(pottery.received(pottery.staff), key=lambda message: len(buttons(message)))
    assert buttons(first) == []
    assert "dogs?" in second["text"]
    assert "cats?" in second["text"]
    await pottery.press_in_group(pottery.marie, second, EN.button_publish)
    assert {"dogs.en.md", "cats.en.md"} <= contents(knowledge).keys()


async def test_reindexing_loses_no_file_that_waits(pottery: House, knowledge: Path) -> None:
    await send(pottery, "dogs.csv", CSV)
    path = knowledge / "classes.en.md"
    path.write_text(path.read_text(encoding="utf-8").replace("1,240", "1,250"), encoding="utf-8")
    before = len(pottery.received(pottery.staff))
    both = (await pottery.group(pottery.marie, "/reindex"))[-1]
    assert len(pottery.received(pottery.staff)) == before + 1
    waited = EN.reindex_together.format(waits="dogs.csv (Marie, ")
    assert waited.removesuffix(")") in both["text"]
    assert DOG in both["text"]
    assert "classes.en.md" in both["text"]
    assert buttons(pottery.received(pottery.staff)[before - 1]) == []  # decided in one place only
    await pottery.press_in_group(pottery.marie, both, EN.button_publish)
    assert "dogs.en.md" in contents(knowledge)
    (answer,) = await pottery.ask(pottery.candidate(), DOG)
    assert "Well-behaved dogs" in answer["text"]


async def test_members_who_are_no_admins_are_told_so(pottery: House, knowledge: Path) -> None:
    (said,) = await send(pottery, "dogs.csv", CSV, pottery.paul)
    assert said["text"] == EN.upload_admins_only
    assert said["reply_to_message"]["document"]["file_name"] == "dogs.csv"
    (shown,) = await send(pottery, "dogs.csv", CSV)
    before = contents(knowledge)
    await pottery.press_in_group(pottery.paul, shown, EN.button_publish)
    assert contents(knowledge) == before


async def test_a_file_for_a_candidate_stays_one(pottery: House) -> None:
    sara = pottery.candidate()
    await pottery.ask(sara, "/human Which glazes may we use?")
    (card,) = pottery.cards()
    before = len(pottery.received(sara))
    assert await send(pottery, "glazes.pdf", b"%PDF-1.4", reply_to=card) == []
    assert pottery.received(sara)[before:][-1]["document"]["file_name"] == "glazes.pdf"


@pytest.mark.parametrize(
    ("name", "more"),
    [("photo.zip", {}), ("notes.md", {"caption": "// for us"}), ("noname", {})],
)
async def test_other_files_are_talk_among_people(pottery: House, name: str, more: Json) -> None:
    assert await send(pottery, name, CSV, **more) == []


async def test_a_file_that_answers_a_colleague_is_talk(pottery: House) -> None:
    asked = pottery.api.say(pottery.paul, "Do you have the list?", chat=pottery.staff)
    assert await send(pottery, "list.csv", CSV, reply_to=asked) == []


async def test_refusals_say_why_and_what_to_do(pottery: House, knowledge: Path) -> None:
    before = contents(knowledge)
    refused = {
        "a.xlsm": EN.upload_macros,
        "a.doc": EN.upload_old,
        "a.csv": EN.upload_columns,
        "a.pdf": EN.upload_broken,
        "a.txt": EN.upload_questions,
    }
    for name, why in refused.items():
        (said,) = await send(pottery, name, b"nothing, of any use")
        assert said["text"] == EN.upload_refused.format(why=why)
    (corrected,) = await send(pottery, "a.csv", CSV, reply_to=said)
    assert DOG in corrected["text"]
    assert contents(knowledge) == before


async def test_a_huge_file_is_not_even_fetched(pottery: House) -> None:
    (said,) = await send(pottery, "a.pdf", b"%PDF" + bytes(LARGEST))
    assert said["text"] == EN.upload_refused.format(why=EN.upload_big.format(detail=10))
    assert pottery.api.calls("getFile") == []


async def test_a_file_that_telegram_lost_is_asked_for_again(pottery: House) -> None:
    pottery.api.fail("getFile", "Bad Request: wrong file_id or the file is temporarily unavailable")
    (said,) = await send(pottery, "dogs.csv", CSV)
    assert said["text"] == EN.upload_refused.format(why=EN.upload_gone)


async def test_two_places_for_one_question_are_named(pottery: House) -> None:
    (said,) = await send(pottery, "dogs.csv", CSV + f"{DOG};Never.\n".encode())
    assert f"3: {DOG!r} stands at 2 already" in said["text"]


async def test_a_publication_that_fails_leaves_files_and_index(
    pottery: House, knowledge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(knowledge)
    (shown,) = await send(pottery, "dogs.csv", CSV)

    def fail(*_: object) -> None:
        raise SnapshotError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(proposals, "publish", fail)
        said = await pottery.press_in_group(pottery.marie, shown, EN.button_publish)
    assert "the disk is full" in said[-1]["text"]
    assert contents(knowledge) == before


async def test_a_knowledge_file_that_changed_meanwhile_is_not_overwritten(pottery: House, knowledge: Path) -> None:
    table = [["id", "Language", "Question", "Answer"], ["kiln", "en", "How hot does the kiln get?", "1,300 now."]]
    (shown,) = await send(pottery, "kiln.xlsx", xlsx(table))
    path = knowledge / "classes.en.md"
    path.write_text(path.read_text(encoding="utf-8").replace("1,240", "1,250"), encoding="utf-8")
    said = await pottery.press_in_group(pottery.marie, shown, EN.button_publish)
    assert "classes.en.md has been changed meanwhile" in said[-1]["text"]
    assert "1,250" in path.read_text(encoding="utf-8")


async def test_what_a_crash_interrupted_is_asked_for_again(pottery: House, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def for_ever(*_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    deps = pottery.bot.deps
    with monkeypatch.context() as slow:
        slow.setattr(uploading, "read_upload", for_ever)
        pottery.api.send_media(pottery.marie, "document", name="dogs.csv", data=CSV, chat=pottery.staff)
        await begun.wait()
        for task in deps.tasks:  # as when the process ends
            task.cancel()
    await pottery.quiet()
    assert pottery.received(pottery.staff)[-1]["text"] == EN.upload_reading.format(name="dogs.csv")
    async with deps.db.begin() as tx:
        await timers.hurry(tx, [uploading.READING], deps.now())
    deps.db.news.timers.ring()
    await pottery.api.wait_for(lambda _: pottery.received(pottery.staff)[-1]["text"] == EN.upload_interrupted)
