"""An index made live as /reindex and Publish do it."""

from datetime import date

from bot.publishing.live import Live
from indexer.engine import Engine
from indexer.store import Note


async def publish(live: Live) -> Engine:
    """Propose what has changed in the files, accept it, and give the engine that is live then."""
    proposed = await live.propose(date(2026, 3, 1), lambda *_: None, 0)
    assert proposed is not None
    await live.accept(proposed.proposal, Note("Marie", "published", reason="a test"), 5)
    return live.engine
