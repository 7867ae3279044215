import asyncio
from pathlib import Path

from bot.publishing.live import Live
from indexer.engine import index
from tests.indexer.examples import front
from tests.indexer.standin import WordEncoder

from .examples import publish

PAGE = f"""\
{front()}
## How hot is the kiln? {{#kiln}}

Edition 0.

## Which clay do we use? {{#clay}}

Edition 0.
"""


async def test_questions_during_rebuilds_are_all_answered_and_none_from_two_indexes(tmp_path: Path) -> None:
    folder, root = tmp_path / "knowledge", tmp_path / "index"
    folder.mkdir()
    (folder / "classes.en.md").write_text(PAGE, encoding="utf-8")
    live = Live(index(folder, WordEncoder(), root).engine, folder, root)
    edition_of = {live.engine.snapshot.id: "Edition 0."}
    answers: list[tuple[str, set[str]]] = []
    stop, answered = asyncio.Event(), asyncio.Queue[None]()

    async def ask() -> None:
        while not stop.is_set():
            engine = live.engine
            hits = await asyncio.to_thread(engine.find, "How hot is the kiln, and which clay do we use?", "en")
            answered.put_nowait(None)
            answers.append((engine.snapshot.id, {hit.entry.answer for hit in hits}))

    asking = [asyncio.create_task(ask()) for _ in range(4)]
    for edition in range(1, 6):
        text = PAGE.replace("Edition 0", f"Edition {edition}")
        await asyncio.to_thread((folder / "classes.en.md").write_text, text, encoding="utf-8")
        published = await publish(live)
        edition_of[published.snapshot.id] = f"Edition {edition}."
        while not answered.empty():
            answered.get_nowait()
        for _ in range(8):  # each edition answers some questions before the next
            await answered.get()
    stop.set()
    await asyncio.gather(*asking)
    assert all(said == {edition_of[snapshot]} for snapshot, said in answers)
    assert {snapshot for snapshot, _ in answers} == set(edition_of)
