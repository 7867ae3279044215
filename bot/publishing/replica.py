"""Index snapshots in the database: what one machine activates, all fetch, verify and answer from.

Only with PostgreSQL; with SQLite the local folder is the truth.
"""

import asyncio
import json
import logging
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.publishing.pointers import move, pointer
from bot.records.news import tell
from bot.records.sessions import Database
from bot.records.tables import ACTIVE_SNAPSHOT, WAITING_PROPOSAL, SnapshotFile, StoredActivation, StoredSnapshot
from bot.records.upsert import insert_new
from indexer import store
from indexer.encoder import Encoder
from indexer.engine import Engine, engine_of, refuse_other_model
from indexer.files import digest
from indexer.snapshot import SnapshotError, damage, load
from indexer.store import Activation

log = logging.getLogger(__name__)

CHUNK = 1 << 20  # bytes


class OvertakenError(SnapshotError):
    """Another machine was faster; for the others nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            "another machine has made an index live meanwhile: look at that one, and index again if need be"
        )


@dataclass(frozen=True, slots=True)
class Replica:
    """The store of one machine, and the database that it shares with the others."""

    db: Database
    root: Path
    kept: int = store.KEPT  # snapshots, here and in the database

    async def active(self) -> str | None:
        """The id of the snapshot that all should answer from; None before the first."""
        async with self.db.read() as tx:
            return await pointer(tx, ACTIVE_SNAPSHOT)

    async def publish(self, folder: Path, before: str | None) -> None:
        """Store a finished snapshot and make it active for all, in one transaction.

        `before` is the active one that it was compared with; raises OvertakenError if that is not active any more, and
        SnapshotError if the snapshot is damaged.
        """
        await asyncio.to_thread(_verify, folder)
        async with self.db.begin() as tx:
            await keep_snapshot(tx, folder)
            if not await move(tx, ACTIVE_SNAPSHOT, before, folder.name):
                raise OvertakenError
            tell(tx, "snapshot")
            tx.add_all(await asyncio.to_thread(_noted, self.root, folder.name))
            await _prune(tx, folder.name, self.kept)
        log.info("index shared", extra={"snapshot": folder.name})

    async def history(self) -> list[Activation]:
        """What went live when and by whom, on whichever machine, newest first."""
        async with self.db.read() as tx:
            rows = await tx.execute(select(StoredActivation.noted).order_by(StoredActivation.id.desc()))
            return [store.ACTIVATION.validate_python(noted) for noted in rows.scalars()]

    async def share(self, folder: Path, before: str | None) -> None:
        """`publish`, unless this snapshot is the active one already."""
        if folder.name != before:
            await self.publish(folder, before)

    async def fetch(self, snapshot_id: str) -> Path:
        """The snapshot's folder in the local store, downloaded and verified unless it is there; else SnapshotError."""
        folder = store.snapshot_folder(self.root) / snapshot_id
        if await asyncio.to_thread(_undamaged, folder):
            return folder
        # A name with a dot is an unfinished snapshot's: what a killed download leaves is removed like a killed build.
        draft = folder.with_name(f".{snapshot_id}-{secrets.token_hex(4)}")
        try:
            with store.writing(self.root):
                await self._download(snapshot_id, draft)
                await asyncio.to_thread(_verify, draft)
                await asyncio.to_thread(_move, draft, folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
        log.info("index fetched", extra={"snapshot": snapshot_id})
        return folder

    async def _download(self, snapshot_id: str, draft: Path) -> None:
        pieces = select(SnapshotFile.name, SnapshotFile.sha256, SnapshotFile.data)
        ordered = pieces.where(SnapshotFile.snapshot_id == snapshot_id).order_by(SnapshotFile.name, SnapshotFile.chunk)
        digests: dict[str, str] = {}
        async with self.db.read() as tx:
            async for name, sha256, data in await tx.stream(ordered.execution_options(yield_per=4)):
                digests[name] = sha256
                await asyncio.to_thread(_append, draft, name, data)
        for name, sha256 in digests.items():
            if await asyncio.to_thread(digest, draft / name) != sha256:
                raise SnapshotError(f"the index {snapshot_id} arrived damaged from the database: {name}")

    async def take(self, snapshot_id: str, encoder: Encoder) -> Engine:
        """Fetch the snapshot, open it, and make it the live one of this machine; raises SnapshotError if unusable."""
        folder = await self.fetch(snapshot_id)
        snapshot = await asyncio.to_thread(load, folder)
        refuse_other_model(snapshot, encoder.identity)
        engine = await asyncio.to_thread(engine_of, snapshot, encoder)
        await asyncio.to_thread(_make_live, self.root, snapshot_id, self.kept)
        return engine

    async def level(self) -> str | None:
        """Make the database's active snapshot the local live one; if it has none, share the local one, if any.

        Returns the id of the active one, even if it cannot be had: then the local one stays, and the log says why.
        Raises UnwritableError where there is none, and none can be written.
        """
        active, local = await self.active(), store.live(self.root)
        if active is None and local is not None:
            try:
                await self.publish(local, None)
            except OvertakenError:
                return await self.level()
            return local.name
        if active is not None and (local is None or local.name != active):
            try:
                await self.fetch(active)
                await asyncio.to_thread(_make_live, self.root, active, self.kept)
            except SnapshotError as error:
                if local is None and isinstance(error, store.UnwritableError):
                    raise  # nor could one be built here
                log.error("active index not usable", extra={"snapshot": active, "error": str(error)})  # noqa: TRY400  its text says all
        return active


def replica_of(db: Database, root: Path, kept: int = store.KEPT) -> Replica | None:
    """The replica where the database is shared between machines; None with SQLite."""
    return Replica(db, root, kept) if db.engine.dialect.name == "postgresql" else None


async def keep_snapshot(tx: AsyncSession, folder: Path) -> None:
    """Keeps the snapshot's files, unless they are there already."""
    manifest = json.loads(await asyncio.to_thread((folder / "manifest.json").read_text, encoding="utf-8"))
    by = f"{socket.gethostname()}/{os.getpid()}"[-100:]
    new = await insert_new(tx, StoredSnapshot, StoredSnapshot.id, id=folder.name, manifest=manifest, stored_by=by)
    pieces = _pieces(folder) if new else iter(())
    while piece := await asyncio.to_thread(next, pieces, None):
        await tx.execute(insert(SnapshotFile).values(snapshot_id=new, **piece))


def _noted(root: Path, snapshot_id: str) -> list[StoredActivation]:
    """What this machine noted when it made the snapshot live; a full disk may have kept it from that."""
    newest = next((one for one in store.activations(root) if one.snapshot == snapshot_id), None)
    return [StoredActivation(noted=asdict(newest))] if newest else []


async def _prune(tx: AsyncSession, active: str, kept: int) -> None:
    newest = select(StoredSnapshot.id).order_by(StoredSnapshot.id.desc()).limit(kept)
    waits = await pointer(tx, WAITING_PROPOSAL)
    old = StoredSnapshot.id.not_in(newest) & StoredSnapshot.id.not_in([active, store.named(waits or "")])
    await tx.execute(delete(StoredSnapshot).where(old))


def _pieces(folder: Path) -> Iterator[dict[str, Any]]:
    """All files as rows; an empty one has an empty piece, so that it exists elsewhere too."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        facts = {"name": path.relative_to(folder).as_posix(), "sha256": digest(path)}
        with path.open("rb") as file:
            yield facts | {"chunk": 0, "data": file.read(CHUNK)}
            for number in count(1):
                if not (data := file.read(CHUNK)):
                    break
                yield facts | {"chunk": number, "data": data}


def _append(folder: Path, name: str, data: bytes) -> None:
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts:
        raise SnapshotError(f"a snapshot in the database has a file outside its folder: {name!r}")
    path = folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(data)


def _verify(folder: Path) -> None:
    """Raises SnapshotError unless the folder holds all that its manifest names, unchanged."""
    name = folder.name.lstrip(".")
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        faults = damage(folder, manifest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SnapshotError(f"the index {name} has no readable manifest: run 'guichet index'") from error
    if faults:
        raise SnapshotError(f"the index {name} is damaged: {'; '.join(faults)}: run 'guichet index'")


def _undamaged(folder: Path) -> bool:
    try:
        _verify(folder)
    except SnapshotError:
        return False
    return True


def _move(draft: Path, folder: Path) -> None:
    """Into place at once, unless another process of this machine was faster; a damaged one makes room."""
    if folder.is_dir() and not _undamaged(folder):
        shutil.rmtree(folder)
    try:
        draft.rename(folder)
    except OSError:
        if not _undamaged(folder):
            raise


def _make_live(root: Path, snapshot_id: str, kept: int) -> None:
    """The pointer follows the database; old ones go, unless an indexing run is under way here, which does it."""
    with store.writing(root):
        store.activate(root, snapshot_id)
        with suppress(Timeout), FileLock(root / "index.lock", timeout=0):
            store.prune(root, kept)
