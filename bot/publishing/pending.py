"""The proposal that waits, as all machines of a database see it: whichever one a press reaches can act on it."""

import asyncio
import logging

from pydantic import ValidationError
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from bot.publishing.pointers import move, pointer
from bot.publishing.proposal import PROPOSAL, Proposal, forget, keep, waiting
from bot.publishing.replica import Replica, keep_snapshot
from bot.records.tables import ACTIVE_SNAPSHOT, WAITING_PROPOSAL, StoredSnapshot
from indexer.snapshot import SnapshotError
from indexer.store import snapshot_folder

log = logging.getLogger(__name__)


async def pending(replica: Replica) -> Proposal | None:
    """What waits in the database; None for what is active already.

    Before anything was ever stored there, it is what waits here: the version before knew no other place.
    """
    async with replica.db.read() as tx:
        stored = await pointer(tx, WAITING_PROPOSAL)
        found = await asyncio.to_thread(waiting, replica.root) if stored is None else _read(stored)
        return found if found and found.snapshot != await pointer(tx, ACTIVE_SNAPSHOT) else None


async def take(replica: Replica) -> Proposal | None:
    """Have the same wait here as in the database; one whose snapshot cannot be had is forgotten here, and logged."""
    shared = await pending(replica)
    here = await asyncio.to_thread(waiting, replica.root)
    if shared == here:
        return shared
    await asyncio.to_thread(forget, replica.root)
    if shared is None:
        return None
    try:
        await replica.fetch(shared.snapshot)
    except SnapshotError as error:
        log.error("proposed index not usable", extra={"snapshot": shared.snapshot, "error": str(error)})  # noqa: TRY400  its text says all
        return None
    await asyncio.to_thread(keep, replica.root, shared)
    return shared


async def share(replica: Replica, before: Proposal | None) -> bool:
    """Have what waits here, or nothing, wait for all in place of `before`; False if another machine was faster."""
    here = await asyncio.to_thread(waiting, replica.root)
    if here == before:
        return True
    async with replica.db.begin() as tx:
        if not await _replace(tx, before, here):
            return False
        if here:
            await keep_snapshot(tx, snapshot_folder(replica.root) / here.snapshot)
        if before and before.snapshot != await pointer(tx, ACTIVE_SNAPSHOT):
            await tx.execute(delete(StoredSnapshot).where(StoredSnapshot.id == before.snapshot))
    return True


def _read(stored: str | None) -> Proposal | None:
    try:
        return PROPOSAL.validate_json(stored) if stored else None
    except ValidationError:  # another version's
        return None


async def _replace(tx: AsyncSession, before: Proposal | None, after: Proposal | None) -> bool:
    """False if something else waits than `before`."""
    stored = await pointer(tx, WAITING_PROPOSAL)
    waits = _read(stored)
    if waits and waits.snapshot == await pointer(tx, ACTIVE_SNAPSHOT) and before is None:
        waits = None  # published, and its machine died before it could note that
    value = PROPOSAL.dump_json(after).decode() if after else ""
    return (stored is None or waits == before) and await move(tx, WAITING_PROPOSAL, stored, value)
