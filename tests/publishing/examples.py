"""What tests of publishing share: an index made live as /reindex and Publish do it, and the files as they are."""

from datetime import date
from pathlib import Path

from bot.publishing.live import Live
from indexer.engine import Engine
from indexer.store import Note


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


async def publish(live: Live) -> Engine:
    """Propose what has changed in the files, accept it, and give the engine that is live then."""
    proposed = await live.propose(date(2026, 3, 1), lambda *_: None, 0)
    assert proposed is not None
    await live.accept(proposed.proposal, Note("Marie", "published", reason="a test"), 5)
    return live.engine
