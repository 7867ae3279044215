"""The live engine, apart from any bot: taken over from another process, or left as it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest

from bot.publishing.live import Live
from indexer import store
from indexer.engine import index
from indexer.entries import KnowledgeError
from tests.flows.house import Log
from tests.indexer.standin import WordEncoder

from .examples import publish, put, while_building

NEW = "\n## Can I bring my dog? {#dog}\n\nWell-behaved dogs may.\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def live(knowledge: Path, root: Path) -> Live:
    return Live(index(knowledge, WordEncoder(), root).engine, knowledge, root)


def add(knowledge: Path) -> None:
    with (knowledge / "classes.en.md").open("a", encoding="utf-8") as file:
        file.write(NEW)


@asynccontextmanager
async def following(live: Live) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(live.follow(stop, seconds=0.01))
    yield
    stop.set()
    await asyncio.wait_for(task, 120)


@pytest.fixture
def log() -> Iterator[Log]:
    with Log().listening() as log:
        yield log


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Awaitable[None]]:
    """Waits until the pointer has been looked at three times more."""
    seen, real = asyncio.Semaphore(0), store.live

    def look(root: Path) -> Path | None:
        seen.release()
        return real(root)

    async def three_more() -> None:
        while not seen.locked():
            await seen.acquire()
        for _ in range(3):
            await asyncio.wait_for(seen.acquire(), 120)

    monkeypatch.setattr("bot.publishing.live.store.live", look)
    return three_more


async def test_reindexing_swaps_the_engine_whole(live: Live, knowledge: Path) -> None:
    before = live.engine
    add(knowledge)
    published = await publish(live)
    assert live.engine is published is not before
    assert (before.entry("dog", "en"), live.engine.entry("dog", "en") is None) == (None, False)


async def test_what_cannot_be_indexed_changes_nothing(live: Live, knowledge: Path) -> None:
    before = live.engine
    (knowledge / "broken.en.md").write_text("## No id\n\nText\n", encoding="utf-8")
    with pytest.raises(KnowledgeError):
        await publish(live)
    assert live.engine is before
    assert not live.indexing


async def test_runs_wait_for_one_another(live: Live, knowledge: Path) -> None:
    add(knowledge)
    runs = [asyncio.create_task(live.propose(date(2026, 3, 1), lambda *_: None, shown)) for shown in (1, 2)]
    await asyncio.sleep(0)
    assert live.indexing
    proposed = await asyncio.gather(*runs)
    assert await live.proposal() == (proposed[1] and proposed[1].proposal)
    assert [one and one.proposal.shown for one in proposed] == [1, 2]


async def test_discarding_what_waits_no_more_leaves_what_took_its_place(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await put(live)
    pressed: list[asyncio.Task[bool]] = []

    async def press() -> None:
        pressed.append(asyncio.create_task(live.discard(first.snapshot)))
        await asyncio.sleep(0)  # it waits for its turn

    while_building(monkeypatch, press)
    second = await put(live, "cats")
    assert not await pressed[0]
    assert await live.proposal() == second
    assert await live.discard(second.snapshot)
    assert await live.proposal() is None


async def test_another_process_s_index_is_taken_over(live: Live, knowledge: Path, root: Path, log: Log) -> None:
    async with following(live):
        add(knowledge)
        built = index(knowledge, WordEncoder(), root)
        await log.heard("index live")
    assert live.engine.snapshot.id == built.engine.snapshot.id


async def test_an_index_of_another_model_is_left_alone_and_complained_of_once(
    live: Live, knowledge: Path, root: Path, log: Log, looks: Callable[[], Awaitable[None]]
) -> None:
    before = live.engine
    async with following(live):
        index(knowledge, WordEncoder("other@1"), root)
        await log.heard("snapshot refused")
        await looks()
    assert live.engine is before
    assert sum("snapshot refused" in line for line in log.lines) == 1


async def test_a_pointer_that_cannot_be_read_ends_nothing(
    live: Live, knowledge: Path, root: Path, log: Log, looks: Callable[[], Awaitable[None]]
) -> None:
    before = live.engine
    (root / "current").unlink()
    (root / "current").mkdir()
    async with following(live):
        await looks()
        assert live.engine is before
        (root / "current").rmdir()
        add(knowledge)
        index(knowledge, WordEncoder(), root)
        await log.heard("index live")
    assert live.engine is not before
