"""Which snapshot is live: a pointer file, changed by a rename, so that readers see the old one or the new one."""

import os
import shutil
from pathlib import Path

from indexer.snapshot import SnapshotError

KEPT = 5


def snapshot_folder(root: Path) -> Path:
    """Where snapshots lie."""
    return root / "snapshots"


def live(root: Path) -> Path | None:
    """The live snapshot's folder; None before the first activation."""
    try:
        name = (root / "current").read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SnapshotError(f"{root / 'current'} cannot be read ({error.strerror}): check its rights") from error
    return snapshot_folder(root) / name


def activate(root: Path, snapshot_id: str) -> None:
    """Make this snapshot live; raises SnapshotError if it is not there."""
    if not (snapshot_folder(root) / snapshot_id / "manifest.json").is_file():
        raise SnapshotError(f"there is no snapshot {snapshot_id!r} in {snapshot_folder(root)}")
    draft = root / f".current-{os.getpid()}"
    with draft.open("w", encoding="utf-8") as file:
        file.write(snapshot_id)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(root / "current")


def history(root: Path) -> list[Path]:
    """All finished snapshots, newest first."""
    if not snapshot_folder(root).is_dir():
        return []
    return sorted((p for p in snapshot_folder(root).iterdir() if not p.name.startswith(".")), reverse=True)


def prune(root: Path, kept: int = KEPT) -> None:
    """Remove all but the newest snapshots, never the live one, and what killed builds left."""
    current = live(root)
    for folder in history(root)[kept:]:
        if folder != current:
            shutil.rmtree(folder, ignore_errors=True)
    for folder in snapshot_folder(root).glob(".*"):
        shutil.rmtree(folder, ignore_errors=True)
