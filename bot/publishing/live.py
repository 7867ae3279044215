"""The live engine of a running bot: swapped whole when a new index is activated."""

import asyncio
import logging
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from bot.delivery.wake import wait
from bot.publishing import pending
from bot.publishing.gate import Verdict, limits_of, verdict
from bot.publishing.proposal import Brought, Origin, Proposal, Proposed, accept, forget, propose, waiting
from bot.publishing.replica import OvertakenError, Replica
from indexer import store
from indexer.edits import put_back
from indexer.engine import Engine, Step, roll_back, with_live_snapshot
from indexer.snapshot import SnapshotError
from indexer.store import Note

log = logging.getLogger(__name__)
TRIES = 3  # to propose something while other machines do
LONGEST_PAUSE = 300  # seconds between two tries to fetch what arrived damaged
Restore = Callable[[], None]  # undoes what was written


class OthersWaitError(SnapshotError):
    """Other changes wait for an admin's word."""

    def __init__(self, waits: Proposal) -> None:
        whose = f" ({', '.join(map(str, waits.origins))})" if waits.origins else ""
        super().__init__(f"other changes wait for an admin's word{whose}: publish or discard them first")


class Live:
    """Holds the engine and the thresholds that go with it. A turn takes them once and works with them to its end.

    With a replica the database says which snapshot is live, for all machines; without one, the local folder does.
    """

    def __init__(
        self, engine: Engine, knowledge: Path, root: Path, most_wrong: float = 0.03, replica: Replica | None = None
    ) -> None:
        self._knowledge, self._root, self._most_wrong, self._replica = knowledge, root, most_wrong, replica
        self._indexing = asyncio.Lock()
        self._use(engine)

    def _use(self, engine: Engine) -> None:
        self.engine, self.limits = engine, limits_of(engine.snapshot, self._most_wrong)[0]

    @property
    def indexing(self) -> bool:
        """Whether an indexing run is under way."""
        return self._indexing.locked()

    async def propose(
        self,
        today: date,
        progress: Step,
        shown: int,
        brought: Brought | None = None,
        origin: Origin | None = None,
    ) -> Proposed | None:
        """Build an index that waits for an admin's word; None if nothing has changed, raises what `index` raises.

        With a file that was brought, what it changes is in it; raises UploadError.
        """
        build = partial(propose, brought=brought, origin=origin)
        async with self._indexing:
            return await self._propose(build, today, progress, shown)

    async def _propose(
        self, build: Callable[..., Proposed | None], today: date, progress: Step, shown: int, *, alone: bool = False
    ) -> Proposed | None:
        """Add what `build` proposes to what waits; if it must be `alone`, raise OthersWaitError instead."""

        def examine(new: Engine, live: Engine | None, folder: Path) -> Verdict:
            return verdict(new, live, folder, self._most_wrong, today, progress)

        where = self._knowledge, self.engine.encoder, self._root
        build = partial(build, *where, examine, progress, shown)
        for _ in range(TRIES):
            before = await self._waits()
            if before and alone:
                raise OthersWaitError(before)
            proposed = await asyncio.to_thread(build, waits=before)
            if self._replica is None or await pending.share(self._replica, before):
                return proposed
        raise OvertakenError

    async def accept(self, proposal: Proposal, note: Note, kept: int) -> None:
        """Answer from the proposed index; raises SnapshotError, and nothing changes."""
        async with self._indexing:
            await self._accept(proposal, note, kept)

    async def _accept(self, proposal: Proposal, note: Note, kept: int) -> None:
        try:
            await self._change(partial(accept, self._root, proposal, self.engine.encoder, note, kept, self._knowledge))
        except OvertakenError:
            await asyncio.to_thread(put_back, self._knowledge, proposal.edits)
            raise

    async def at_once(
        self, write: Callable[[], Restore], refuse: Callable[[Proposed], None], today: date, note: Note, kept: int
    ) -> None:
        """Write to the knowledge files and answer from that, without any other change in between.

        Raises OthersWaitError, or what `write`, indexing or `refuse` raise; files and index are then as they were.
        """
        async with self._indexing:
            if waits := await self._waits():
                raise OthersWaitError(waits)
            restore, proposed = await asyncio.to_thread(write), None
            try:
                proposed = await self._propose(propose, today, lambda *_: None, 0, alone=True)
                if proposed:  # else live already: the process died between that and noting it
                    refuse(proposed)
                    await self._accept(proposed.proposal, note, kept)
            except BaseException:
                await asyncio.to_thread(restore)
                if proposed:
                    await self._discard(proposed.proposal.snapshot)
                raise

    async def discard(self, snapshot_id: str) -> bool:
        """Forget the index that waits; False if it is not this one."""
        async with self._indexing:
            return await self._discard(snapshot_id)

    async def _discard(self, snapshot_id: str) -> bool:
        waits = await self._waits()
        if waits is None or waits.snapshot != snapshot_id:
            return False
        await asyncio.to_thread(put_back, self._knowledge, waits.edits)
        await asyncio.to_thread(forget, self._root)
        return self._replica is None or await pending.share(self._replica, waits)

    async def roll_back(self, by: str) -> None:
        """Answer from the index that was live before; raises SnapshotError, and nothing changes."""
        async with self._indexing:
            await self._change(partial(roll_back, self.engine.encoder, self._root, None, by))

    async def _change(self, activate: Callable[[], Engine]) -> None:
        before, waits = await self._level()
        engine = await asyncio.to_thread(activate)
        if self._replica:
            await self._replica.share(engine.snapshot.folder, before)
            await pending.share(self._replica, waits)
        self._use(engine)
        log.info("index live", extra={"snapshot": self.engine.snapshot.id})

    async def proposal(self, snapshot_id: str = "") -> Proposal | None:
        """The index that waits, on whichever machine, if it is this one."""
        if self._replica is None:
            return waiting(self._root, snapshot_id)
        found = await pending.pending(self._replica)
        return found if found and snapshot_id in ("", found.snapshot) else None

    async def _waits(self) -> Proposal | None:
        """The index that waits, even if its snapshot cannot be had; otherwise the same is here as on all machines."""
        await self._level()
        return await self.proposal()

    async def _level(self) -> tuple[str | None, Proposal | None]:
        """What is live here, and what waits, is what all machines have; the snapshot's id and the proposal."""
        if self._replica is None:
            return None, None
        return await self._replica.level(), await pending.take(self._replica)

    async def follow(self, stop: asyncio.Event, seconds: float = 5) -> None:
        """Take over what another process activates, until `stop`; a snapshot that cannot be used is left alone.

        One that comes from the database is tried again, since it may have been damaged on its way.
        """
        refused, failures, again = "", 0, 0.0
        while not stop.is_set():
            news = self._replica.db.news.snapshot.next() if self._replica else stop
            wanted = await self._wanted()
            if wanted and wanted != self.engine.snapshot.id and (wanted != refused or monotonic() >= again):
                failures = failures if wanted == refused else 0
                if await self._take(wanted):
                    refused = ""
                else:
                    pause = min(seconds * 2**failures, LONGEST_PAUSE) if self._replica else float("inf")
                    refused, failures, again = wanted, failures + 1, monotonic() + pause
            await wait(news, seconds)

    async def _wanted(self) -> str | None:
        """The id of the snapshot to answer from; None if that cannot be told just now."""
        try:
            if self._replica:
                return await self._replica.active()
            folder = store.live(self._root)
        except (SnapshotError, SQLAlchemyError, OSError):
            return None
        return folder.name if folder else None

    async def _take(self, snapshot_id: str) -> bool:
        """Answer from this snapshot from now on; False if it cannot be used."""
        encoder = self.engine.encoder
        try:
            if self._replica:
                self._use(await self._replica.take(snapshot_id, encoder))
            else:
                self._use(await asyncio.to_thread(with_live_snapshot, encoder, self._root))
        except Exception:
            log.exception("snapshot refused", extra={"snapshot": snapshot_id})
            return False
        log.info("index live", extra={"snapshot": snapshot_id})
        return True
