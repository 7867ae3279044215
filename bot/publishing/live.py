"""The live engine of a running bot: swapped whole when a new index is activated."""

import asyncio
import logging
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

from bot.publishing.gate import examination, limits_of
from bot.publishing.proposal import Proposal, Proposed, accept, discard, propose, waiting
from indexer import store
from indexer.engine import Engine, Indexed, Step, index, roll_back, with_live_snapshot
from indexer.snapshot import SnapshotError
from indexer.store import Note

log = logging.getLogger(__name__)


class Live:
    """Holds the engine and the thresholds that go with it. A turn takes them once and works with them to its end."""

    def __init__(self, engine: Engine, knowledge: Path, root: Path, most_wrong: float = 0.03) -> None:
        self._knowledge, self._root, self._most_wrong = knowledge, root, most_wrong
        self._indexing = asyncio.Lock()
        self._use(engine)

    def _use(self, engine: Engine) -> None:
        self.engine, self.limits = engine, limits_of(engine.snapshot, self._most_wrong)[0]

    @property
    def indexing(self) -> bool:
        """Whether an indexing run is under way."""
        return self._indexing.locked()

    async def reindex(self, progress: Step) -> Indexed:
        """Index the knowledge folder and answer from it at once; raises what `index` raises, and nothing changes."""
        async with self._indexing:
            examine = examination(self._knowledge, self._most_wrong, date.today(), progress)  # noqa: DTZ011  # entries' own days
            indexed = await asyncio.to_thread(
                index, self._knowledge, self.engine.encoder, self._root, progress, examine
            )
            self._use(indexed.engine)
        log.info("index live", extra={"snapshot": self.engine.snapshot.id})
        return indexed

    async def propose(self, today: date, progress: Step, shown: int) -> Proposed | None:
        """Build an index that waits for an admin's word; None if nothing has changed, raises what `index` raises."""
        async with self._indexing:
            where = self._knowledge, self.engine.encoder, self._root, self._most_wrong
            return await asyncio.to_thread(propose, *where, today, progress, shown)

    async def accept(self, proposal: Proposal, note: Note, kept: int) -> None:
        """Answer from the proposed index; raises SnapshotError, and nothing changes."""
        await self._change(partial(accept, self._root, proposal, self.engine.encoder, note, kept))

    async def discard(self) -> None:
        """Forget the index that waits."""
        async with self._indexing:
            await asyncio.to_thread(discard, self._root)

    async def roll_back(self, by: str) -> None:
        """Answer from the index that was live before; raises SnapshotError, and nothing changes."""
        await self._change(partial(roll_back, self.engine.encoder, self._root, None, by))

    async def _change(self, activate: Callable[[], Engine]) -> None:
        async with self._indexing:
            self._use(await asyncio.to_thread(activate))
        log.info("index live", extra={"snapshot": self.engine.snapshot.id})

    def proposal(self, snapshot_id: str = "") -> Proposal | None:
        """The index that waits, if it is this one."""
        return waiting(self._root, snapshot_id)

    async def follow(self, stop: asyncio.Event, seconds: float = 5) -> None:
        """Take over what another process activates, until `stop`; a snapshot that cannot be read is left alone."""
        refused = None
        while not stop.is_set():
            try:
                folder = store.live(self._root)
            except SnapshotError:  # the pointer cannot be read just now
                folder = None
            if folder and folder.name not in (self.engine.snapshot.id, refused):
                refused = await self._take(folder.name)
            try:
                await asyncio.wait_for(stop.wait(), seconds)
            except TimeoutError:
                continue

    async def _take(self, snapshot_id: str) -> str | None:
        """Open the live snapshot; gives its id if it cannot be used."""
        try:
            self._use(await asyncio.to_thread(with_live_snapshot, self.engine.encoder, self._root))
        except Exception:
            log.exception("snapshot refused", extra={"snapshot": snapshot_id})
            return snapshot_id
        log.info("index live", extra={"snapshot": snapshot_id})
        return None
