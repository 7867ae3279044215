"""Which snapshot is live: a pointer file, changed by a rename, so that readers see the old one or the new one."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from indexer.snapshot import SnapshotError

KEPT = 5
HISTORY = "history.jsonl"
WAITING = "proposal.json"  # names a snapshot that is not live, but may become so


class UnwritableError(SnapshotError):
    """The file system takes no index; the message names the folder, the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Note:
    """Who made an index live, by which act, what that changed, and why the gate was overruled, if it was."""

    by: str = ""
    act: str = "indexed"
    changes: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation(Note):
    """A line of the history: when which snapshot went live, which one was before, and what was noted."""

    at: str
    snapshot: str
    before: str | None


NO_NOTE = Note()
ACTIVATION = TypeAdapter(Activation)


def snapshot_folder(root: Path) -> Path:
    """Where snapshots lie."""
    return root / "snapshots"


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """What the file system refuses meanwhile is told as UnwritableError."""
    try:
        yield
    except OSError as error:
        raise UnwritableError(
            f"{root}: the index could not be written ({error.strerror or error}): check free space and rights. "
            "The index that was live still is"
        ) from error


def live(root: Path) -> Path | None:
    """The live snapshot's folder; None before the first activation."""
    try:
        name = (root / "current").read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SnapshotError(f"{root / 'current'} cannot be read ({error.strerror}): check its rights") from error
    return snapshot_folder(root) / name


def activate(root: Path, snapshot_id: str, note: Note = NO_NOTE) -> None:
    """Make this snapshot live and note it in the history; raises SnapshotError if it is not there."""
    if not (snapshot_folder(root) / snapshot_id / "manifest.json").is_file():
        raise SnapshotError(f"there is no snapshot {snapshot_id!r} in {snapshot_folder(root)}")
    before = live(root)
    draft = root / f".current-{os.getpid()}"
    with draft.open("w", encoding="utf-8") as file:
        file.write(snapshot_id)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(root / "current")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    _append(root, Activation(**asdict(note), at=now, snapshot=snapshot_id, before=before.name if before else None))


def _append(root: Path, activation: Activation) -> None:
    """One line at the end, whole or not at all; the index is live already, so a full disk must not undo that."""
    line = json.dumps(asdict(activation), ensure_ascii=False)
    with suppress(OSError), (root / HISTORY).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def activations(root: Path) -> list[Activation]:
    """What went live when and by whom, newest first; a line that a crash cut off is left out."""
    try:
        lines = (root / HISTORY).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        with suppress(ValidationError):
            found.append(ACTIVATION.validate_json(line))
    return found[::-1]


def previous(root: Path) -> str | None:
    """The newest snapshot kept that was live before the one that is, so that going back twice goes back two steps."""
    current = live(root)
    names = [folder.name for folder in history(root)]
    known = {activation.snapshot for activation in activations(root)} or set(names)
    return next((name for name in names if name in known and (current is None or name < current.name)), None)


def history(root: Path) -> list[Path]:
    """All finished snapshots, newest first."""
    if not snapshot_folder(root).is_dir():
        return []
    return sorted((p for p in snapshot_folder(root).iterdir() if not p.name.startswith(".")), reverse=True)


def prune(root: Path, kept: int = KEPT) -> None:
    """Remove all but the newest snapshots, never the live one or one that waits, and what killed builds left."""
    spared = live(root), _waiting(root)
    for folder in history(root)[kept:]:
        if folder not in spared:
            with suppress(OSError):  # one that is killed while it removes leaves nothing that looks finished
                folder.rename(folder.with_name(f".{folder.name}"))
    for folder in snapshot_folder(root).glob(".*"):
        shutil.rmtree(folder, ignore_errors=True)


def _waiting(root: Path) -> Path | None:
    try:
        return snapshot_folder(root) / named((root / WAITING).read_bytes())
    except OSError:
        return None


def named(proposal: str | bytes) -> str:
    """The id of the snapshot that a stored proposal is about; empty if it cannot be told.

    >>> named('{"snapshot": "20260301-120000-abcd"}')
    '20260301-120000-abcd'
    """
    try:
        return str(json.loads(proposal)["snapshot"])
    except (ValueError, KeyError, TypeError):
        return ""
