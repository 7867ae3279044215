"""The file of a SQLite database: whether one process alone has it, and whether it is still where it was."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from bot.delivery.wake import wait
from bot.records.sessions import Database
from bot.records.tables import utc_now

LOOK = 3.0  # seconds between two looks at the file


class FileGoneError(RuntimeError):
    """What this process writes to its SQLite file is no longer found where the file was."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} was moved, removed or replaced while the bot worked on it, and what it wrote since is in the old "
            "file alone: stop the bot before, and use 'guichet restore'"
        )


@contextmanager
def only_process(db: Database) -> Iterator[datetime | None]:
    """Since when no other process works on this SQLite file; None if one does, or may.

    The system forgets the mark when the process dies.
    """
    if not (path := _file(db)):
        yield None
        return
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        yield None
        return
    try:
        yield utc_now()
    finally:
        lock.release()


def _file(db: Database) -> str:
    """The path of a SQLite file; empty if the database is none."""
    path = "" if db.postgresql else db.engine.url.database or ""
    return "" if path == ":memory:" else path


async def see_to_file(db: Database, stop: asyncio.Event) -> None:
    """Until `stop`; raises FileGoneError once another file than now, or none, is where the SQLite file was."""
    path = _file(db)
    opened = _identity(path)
    while path and not stop.is_set():
        await wait(stop, LOOK)
        with suppress(OSError):  # which file it is cannot be told just now
            if _identity(path) != opened:
                raise FileGoneError(path)


def _identity(path: str) -> tuple[int, int] | None:
    """Which file it is, as SQLite itself would tell; None if there is none."""
    try:
        found = Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino
