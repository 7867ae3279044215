"""What tests of publishing share: an index made live as /reindex and Publish do it, and the files as they are."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.publishing import live as lives
from bot.publishing.live import Live
from bot.publishing.proposal import Brought, Origin, Proposal, Proposed, propose
from bot.publishing.replica import Replica
from bot.records.tables import utc_now
from indexer import store
from indexer.engine import Engine, index
from indexer.store import Note
from indexer.tables import Found
from indexer.upload import Sent, Upload
from tests.flows.house import Log
from tests.indexer.standin import WordEncoder

TODAY = date(2026, 3, 1)
NEW = "\n## Can I bring dog number {0}? {{#dog{0}}}\n\nWell-behaved dogs may, says rule {0}.\n"


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


async def publish(live: Live) -> Engine:
    """Propose what has changed in the files, accept it, and give the engine that is live then."""
    proposed = await live.propose(TODAY, lambda *_: None, 0)
    assert proposed is not None
    await live.accept(proposed.proposal, Note("Marie", "published", reason="a test"), 5)
    return live.engine


async def put(live: Live, name: str = "dogs") -> Proposal:
    """An admin's file with one question is proposed."""
    upload = Upload(found=(Found(f"May I bring {name}?", "They may.", 2, language="en"),))
    origin = Origin("Marie", utc_now(), f"{name}.csv")
    brought = Brought(upload, Sent(f"{name}.csv", TODAY))
    proposed = await live.propose(TODAY, lambda *_: None, 7, brought, origin)
    assert proposed
    return proposed.proposal


def while_building(monkeypatch: pytest.MonkeyPatch, then: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Once, after it is known what waits and before an index is built, `then` is called."""
    loop, late = asyncio.get_running_loop(), [then]

    def slowly(*args: Any, **more: Any) -> Proposed | None:
        if late:
            asyncio.run_coroutine_threadsafe(late.pop()(), loop).result(60)
        return propose(*args, **more)

    monkeypatch.setattr(lives, "propose", slowly)


@dataclass(frozen=True, slots=True)
class Machine:
    """A local store, and connections of its own."""

    replica: Replica

    @property
    def root(self) -> Path:
        return self.replica.root

    def build(self, knowledge: Path, kept: int = store.KEPT) -> Engine:
        return index(knowledge, WordEncoder(), self.root, kept=kept).engine

    def files(self) -> dict[str, bytes]:
        """The live snapshot's content."""
        folder = store.live(self.root)
        assert folder
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def add(knowledge: Path, number: int = 1) -> None:
    with (knowledge / "classes.en.md").open("a", encoding="utf-8") as file:
        file.write(NEW.format(number))


@asynccontextmanager
async def following(live: Live) -> AsyncIterator[Log]:
    stop = asyncio.Event()
    with Log().listening() as log:
        task = asyncio.create_task(live.follow(stop, seconds=0.02))
        yield log
        stop.set()
        await asyncio.wait_for(task, 120)


async def first_index(machine: Machine, knowledge: Path) -> Engine:
    """Built on this machine, and active for all."""
    engine = machine.build(knowledge)
    await machine.replica.publish(engine.snapshot.folder, None)
    return engine
