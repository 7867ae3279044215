"""Backups: one file with the database, the live index and the knowledge files, to be restored into any database."""

import asyncio
import errno
import json
import logging
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from gzip import BadGzipFile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from bot.delivery.processes import DEAD, at_work
from bot.publishing.replica import replica_of
from bot.records.dump import Dumped, NotEmptyError, dump, load
from bot.records.migrations import DatabaseTooNewError, migrate, standing
from bot.records.sessions import Database
from bot.settings import Settings
from indexer import store
from indexer.files import digest
from indexer.snapshot import SnapshotError

log = logging.getLogger(__name__)

FORMAT = 1
SUFFIX = ".tar.gz"
KEPT = 3  # backups made before migrations


class BackupError(Exception):
    """No backup could be made, or this one cannot be restored; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored; `aside` is where knowledge files lie that differ from those that are there."""

    rows: int
    snapshot: str | None
    aside: Path | None


async def bring_up_to_date(db: Database, settings: Settings) -> None:
    """Brings the tables up to this version of the code; what an older database holds is backed up before."""
    found = await standing(db)
    if found.revision and not (found.current or found.unknown):
        path = await make(db, settings, settings.backups / name(f"before-migration-of-{found.revision}"))
        log.info("backup made before a migration", extra={"file": path.name})
        thin_out(settings.backups, f"before-migration-*{SUFFIX}", KEPT)
    await migrate(db)


def name(kind: str = "guichet") -> str:
    """The file name of a backup made now."""
    return f"{kind}-{datetime.now(UTC):%Y%m%d-%H%M%S}{SUFFIX}"


def thin_out(folder: Path, pattern: str, kept: int) -> None:
    """Removes all but the newest backups of one kind."""
    for old in sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)[kept:]:
        old.unlink(missing_ok=True)


def remove_old(folder: Path, days: int, now: datetime) -> None:
    """Removes backups that are past their period, those made before migrations too; 0 days: none."""
    for path in folder.glob(f"*{SUFFIX}") if days else ():
        if datetime.fromtimestamp(path.stat().st_mtime, tz=UTC) < now - timedelta(days=days):
            path.unlink(missing_ok=True)


async def make(db: Database, settings: Settings, target: Path) -> Path:
    """Writes the backup at once and whole, readable by its owner alone; raises BackupError, and nothing is left."""
    with _plainly(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".backup-", dir=target.parent) as folder:
            inside = Path(folder) / "backup"
            (inside / "database").mkdir(parents=True)
            if (await standing(db)).revision is None:
                raise BackupError("the database has no tables yet: there is nothing to back up")
            dumped = await dump(db, inside / "database")
            snapshot = await _live_snapshot(db, settings)
            await asyncio.to_thread(_gather, inside, settings, snapshot)
            (inside / "manifest.json").write_text(json.dumps(_manifest(inside, dumped, snapshot), indent=1))
            await asyncio.to_thread(_pack, inside, Path(folder) / target.name)
            (Path(folder) / target.name).replace(target)
    return target


async def restore(db: Database, settings: Settings, source: Path, *, force: bool = False) -> Restored:
    """Puts everything back; raises BackupError, and the database is as it was, as it is while a bot works on it.

    `force` replaces a database that is not empty. Knowledge files that differ from those that are there are laid
    among the backups: the folder that holds them need not be writable, and in a container it goes with that.
    """
    with _plainly(settings.data_dir):
        settings.make_data_dir()
        with TemporaryDirectory(prefix=".restore-", dir=settings.data_dir) as folder:
            inside = Path(folder)
            manifest = await asyncio.to_thread(_unpack, source, inside)
            dumped = Dumped(**manifest["database"])
            await _nobody_at_work(db)
            try:
                await load(db, inside / "database", dumped, force=force)
            except NotEmptyError:
                raise BackupError(
                    "the database is not empty: stop the bot, and say --force if all in it is to be replaced"
                ) from None
            except DatabaseTooNewError as error:
                raise BackupError(str(error)) from error
            if snapshot := manifest["snapshot"]:
                await _restore_index(db, settings, inside / "index" / snapshot)
            aside = _restore_knowledge(inside / "knowledge", settings)
            return Restored(sum(dumped.rows.values()), snapshot, aside)


async def _nobody_at_work(db: Database) -> None:
    if names := await at_work(db):
        raise BackupError(
            f"a bot works on this database ({', '.join(names)}): stop it and try again; "
            f"one that was killed counts as gone {DEAD.seconds} seconds later. Nothing was changed"
        )


@contextmanager
def _plainly(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remedy = "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else "check its rights"
        raise BackupError(f"{place}: {error.strerror or error}: {remedy}. Nothing half-made is left") from error
    except SQLAlchemyError as error:
        why = type(error.__cause__ or error).__name__
        raise BackupError(f"the database cannot be used ({why}): see 'guichet doctor'") from error


async def _live_snapshot(db: Database, settings: Settings) -> Path | None:
    """The live index's folder; it is fetched where the database says which one is live."""
    replica = replica_of(db, settings.index_root, settings.kept_indexes)
    try:
        active = await replica.active() if replica and (await standing(db)).current else None
        return await replica.fetch(active) if replica and active else store.live(settings.index_root)
    except SnapshotError:
        log.warning("backup without an index: it cannot be read")
        return None


def _gather(inside: Path, settings: Settings, snapshot: Path | None) -> None:
    if snapshot and snapshot.is_dir():
        _copy(snapshot, inside / "index" / snapshot.name)
    if settings.knowledge_dir.is_dir():
        _copy(settings.knowledge_dir, inside / "knowledge")


def _manifest(inside: Path, dumped: Dumped, snapshot: Path | None) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "snapshot": snapshot.name if snapshot and snapshot.is_dir() else None,
        "database": asdict(dumped),
        "files": {path.relative_to(inside).as_posix(): digest(path) for path in _files(inside)},
    }


def _copy(folder: Path, to: Path) -> None:
    for path in _files(folder):
        target = to / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _pack(inside: Path, draft: Path) -> None:
    with draft.open("xb") as file:
        draft.chmod(0o600)
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
            for path in _files(inside):
                archive.add(path, path.relative_to(inside).as_posix(), recursive=False)
        file.flush()
        os.fsync(file.fileno())


def _unpack(source: Path, inside: Path) -> dict[str, Any]:
    """Everything in the folder, verified; the manifest."""
    try:
        with tarfile.open(source) as archive:
            archive.extractall(inside, filter="data")
        manifest: dict[str, Any] = json.loads((inside / "manifest.json").read_text())
        wrong = _wrong(inside, manifest["files"])
    except FileNotFoundError as error:
        raise BackupError(f"{source}: there is no such file, or no backup in it") from error
    except IsADirectoryError as error:
        raise BackupError(f"{source} is a folder: give the file that 'guichet backup' wrote") from error
    except (tarfile.TarError, BadGzipFile, zlib.error, EOFError, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{source} is damaged or no backup: nothing was changed") from error
    if manifest["format"] != FORMAT:
        raise BackupError(f"{source} was made by another version of Guichet: restore it with that one")
    if wrong:
        raise BackupError(f"{source} is damaged ({', '.join(sorted(wrong)[:5])}): nothing was changed")
    return manifest


def _wrong(inside: Path, wanted: dict[str, str]) -> set[str]:
    """The names of files that are missing, changed, or not to be there."""
    found = {path.relative_to(inside).as_posix() for path in _files(inside)} - {"manifest.json"}
    return (found ^ set(wanted)) | {name for name in found & set(wanted) if digest(inside / name) != wanted[name]}


async def _restore_index(db: Database, settings: Settings, folder: Path) -> None:
    """The index goes live here and, where the database is shared, for all."""
    place = store.snapshot_folder(settings.index_root) / folder.name
    if not place.is_dir():
        await asyncio.to_thread(_copy, folder, place)
    store.activate(settings.index_root, folder.name)
    if replica := replica_of(db, settings.index_root, settings.kept_indexes):
        await replica.share(place, await replica.active())


def _restore_knowledge(kept: Path, settings: Settings) -> Path | None:
    """Where the files had to be laid because others are here; None if they are in place."""
    here = settings.knowledge_dir
    if not kept.is_dir() or _same(kept, here):
        return None
    if not here.is_dir() or not any(here.iterdir()):
        _copy(kept, here)
        return None
    aside = settings.backups / f"knowledge-restored-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    _copy(kept, aside)
    return aside


def _same(one: Path, two: Path) -> bool:
    def content(folder: Path) -> dict[str, str]:
        return {path.relative_to(folder).as_posix(): digest(path) for path in _files(folder)}

    return content(one) == content(two)
