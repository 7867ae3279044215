"""A learned entry and a file of an admin at the same time: neither takes the other along, or away."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.publishing.addition import Order, add, new_id, publish
from bot.publishing.live import Live, OthersWaitError
from bot.publishing.proposal import waiting
from indexer.engine import index, with_live_snapshot
from indexer.entries import Entry
from indexer.readers import read_knowledge
from indexer.snapshot import SnapshotError
from tests.indexer.examples import front, write
from tests.indexer.standin import WordEncoder

from .examples import TODAY, Machine, contents, first_index, put, while_building

OWL = Entry(
    "owl", "en", "pottery", "classes", "Classes", "May my owl watch?", (), "It may.", "The team", reviewed=TODAY
)
T = TypeVar("T")
ORDER = Order("Marie", TODAY, 5, "a test")


@pytest.fixture
def live(knowledge: Path, tmp_path: Path) -> Live:
    return Live(index(knowledge, WordEncoder(), tmp_path / "index").engine, knowledge, tmp_path / "index")


def begin(monkeypatch: pytest.MonkeyPatch, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
    """What comes of work that begins while an index is being built."""
    begun: asyncio.Future[asyncio.Task[T]] = asyncio.get_running_loop().create_future()

    async def start() -> None:
        begun.set_result(asyncio.create_task(work))
        await asyncio.sleep(0)  # its first step is taken

    async def outcome() -> T:
        return await (await begun)

    while_building(monkeypatch, start)
    return asyncio.ensure_future(outcome())


def test_a_draft_gives_way_below_line_breaks_that_word_processors_leave(knowledge: Path) -> None:
    one, three = "## One? {#one}\n\nAll\u2028of\u2028you.\n", "## Three? {#three}\n\nYes.\n"
    path = write(knowledge, "more.en.md", f"{front()}\n{one}\n## Owl? {{#owl}}\n\nTODO: ask.\n\n{three}")
    add(knowledge, [OWL])
    assert path.read_text(encoding="utf-8") == f"{front()}\n{one}\n{three}"
    assert {entry.id: entry.answer for entry in read_knowledge(knowledge).entries}["owl"] == "It may."


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("May my owl watch?", "may-my-owl-watch-2"),
        ("?!", "answer"),
        ("x" * 50, "x" * 40),
        ("Eight letters " * 9, "eight-letters-eight-letters-eight"),
    ],
)
def test_ids_tell_what_a_question_is_about(question: str, name: str) -> None:
    assert new_id(question, {"may-my-owl-watch"}) == name


async def test_a_file_that_comes_while_an_entry_is_published_waits_by_itself(
    live: Live, knowledge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = begin(monkeypatch, put(live))
    await publish(live, knowledge, [OWL], ORDER)
    assert live.engine.entry("owl", "en")
    proposal = await sent
    assert [edit.path for edit in proposal.edits] == ["dogs.en.md"]
    assert await live.proposal() == proposal
    assert proposal.base == live.engine.snapshot.id


async def test_an_entry_that_comes_while_a_file_is_read_is_refused_and_takes_nothing_away(
    live: Live, knowledge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(knowledge)
    learned = begin(monkeypatch, publish(live, knowledge, [OWL], ORDER))
    proposal = await put(live)
    with pytest.raises(OthersWaitError, match=r"dogs\.csv \(Marie"):
        await learned
    assert await live.proposal() == proposal
    assert contents(knowledge) == before


async def test_an_entry_that_cannot_go_live_leaves_nothing(
    live: Live, knowledge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(knowledge)

    def fail(*_: object) -> None:
        raise SnapshotError("the disk is full")

    monkeypatch.setattr("bot.publishing.live.accept", fail)
    with pytest.raises(SnapshotError, match="the disk is full"):
        await publish(live, knowledge, [OWL], ORDER)
    assert contents(knowledge) == before
    assert waiting(tmp_path / "index") is None


async def test_a_file_that_reaches_another_machine_meanwhile_is_not_taken_away(
    machines: tuple[Machine, Machine], knowledge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machines
    here = Live(await first_index(one, knowledge), knowledge, one.root, replica=one.replica)
    await two.replica.level()
    elsewhere = with_live_snapshot(WordEncoder(), two.root)
    there = Live(elsewhere, knowledge, two.root, replica=two.replica)
    before = contents(knowledge)
    while_building(monkeypatch, lambda: put(there))
    with pytest.raises(OthersWaitError, match=r"dogs\.csv \(Marie"):
        await publish(here, knowledge, [OWL], ORDER)
    assert contents(knowledge) == before
    waits = await here.proposal()
    assert waits
    assert "dogs.en.md" in [edit.path for edit in waits.edits]
