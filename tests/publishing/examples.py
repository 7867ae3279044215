"""What tests of publishing share: an index made live as /reindex and Publish do it, and the files as they are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.publishing.live import Live
from bot.publishing.replica import Replica
from indexer import store
from indexer.engine import Engine, index
from indexer.store import Note
from tests.flows.house import Log
from tests.indexer.standin import WordEncoder

NEW = "\n## Can I bring dog number {0}? {{#dog{0}}}\n\nWell-behaved dogs may, says rule {0}.\n"


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


async def publish(live: Live) -> Engine:
    """Propose what has changed in the files, accept it, and give the engine that is live then."""
    proposed = await live.propose(date(2026, 3, 1), lambda *_: None, 0)
    assert proposed is not None
    await live.accept(proposed.proposal, Note("Marie", "published", reason="a test"), 5)
    return live.engine


@dataclass(frozen=True, slots=True)
class Machine:
    """A local store, and connections of its own."""

    replica: Replica

    @property
    def root(self) -> Path:
        return self.replica.root

    def build(self, knowledge: Path) -> Engine:
        return index(knowledge, WordEncoder(), self.root).engine

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
        await asyncio.wait_for(task, 10)


async def first_index(machine: Machine, knowledge: Path) -> Engine:
    """Built on this machine, and active for all."""
    engine = machine.build(knowledge)
    await machine.replica.publish(engine.snapshot.folder, None)
    return engine
