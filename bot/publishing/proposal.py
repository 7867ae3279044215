"""A new index that waits for an admin: built, examined, not live. One at a time, on disk: a restart keeps it.

What uploads would change in the knowledge files waits with it, and is written when it goes live. Whoever proposes next,
by a file or by /reindex, adds to what waits.
"""

import errno
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import TypeAdapter, ValidationError

from bot.publishing.gate import Verdict
from indexer import store
from indexer.diff import Diff, diff
from indexer.edits import ChangedMeanwhileError, Edit, applied, edits_of, joined, put_back, still_fit, write_all
from indexer.encoder import Encoder
from indexer.engine import Engine, Step, prepare_aside, publish, with_live_snapshot
from indexer.files import write
from indexer.snapshot import SnapshotError
from indexer.store import Note
from indexer.upload import Sent, Upload

FILE = store.WAITING


@dataclass(frozen=True, slots=True)
class Origin:
    """Who proposed something, when, and the name of the file; empty for what was changed in the knowledge itself."""

    by: str
    at: datetime
    file: str = ""

    def __str__(self) -> str:
        return f"{self.file or '/reindex'} ({self.by}, {self.at:%d/%m %H:%M})"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A snapshot that may go live, the live one that it was compared with, and what speaks against it.

    `shown` is the outbox row of the message that shows it: an admin's reply to that is the reason to overrule.
    `edits` are what uploads change in the knowledge files, `origins` who proposed what.
    """

    snapshot: str
    base: str | None
    changes: str
    refusals: tuple[str, ...]
    shown: int
    edits: tuple[Edit, ...] = ()
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that an admin has sent, as it was read."""

    upload: Upload
    sent: Sent


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal with all that people want to see of it, and the one whose place it takes."""

    proposal: Proposal
    diff: Diff
    verdict: Verdict
    before: Proposal | None = None


PROPOSAL = TypeAdapter(Proposal)
Examine = Callable[[Engine, Engine | None, Path], Verdict]  # a new engine beside the live one, and its knowledge


def propose(  # noqa: PLR0913  what there is, and what comes to it
    knowledge: Path,
    encoder: Encoder,
    root: Path,
    examine: Examine,
    progress: Step,
    shown: int,
    *,
    brought: Brought | None = None,
    origin: Origin | None = None,
    waits: Proposal | None = None,
) -> Proposed | None:
    """Build and examine what the knowledge files, uploads that wait and the file brought change together.

    `waits` is what waits, where its snapshot cannot be had here.

    None if nothing has changed. Takes the place of the proposal before; raises what `index` does, or UploadError, and
    that still waits.
    """
    before = waits or waiting(root)
    with TemporaryDirectory(prefix="guichet-") as aside:
        edits = _all_edits(knowledge, before, brought, Path(aside) / "before")
        folder = Path(aside) / "after" if edits else knowledge
        if edits:
            applied(knowledge, edits, folder)
        prepared = prepare_aside(folder, encoder, root, progress)
        if prepared.built is None:
            if edits == (before.edits if before else ()):  # all of it is live by now, so the files keep it
                forget(root)
            return None
        try:
            judged = examine(prepared.engine, prepared.live, folder)
        except BaseException:
            shutil.rmtree(prepared.built.folder, ignore_errors=True)
            raise
    found = diff(prepared.live.snapshot.entries if prepared.live else (), prepared.engine.snapshot.entries)
    base, name = store.live(root), prepared.built.snapshot_id
    files = tuple(one for one in before.origins if one.file) if before else ()
    origins = (*files, origin) if origin else files
    proposal = Proposal(name, base.name if base else None, str(found), judged.refusals, shown, edits, origins)
    discard(root, knowledge)
    keep(root, proposal)
    return Proposed(proposal, found, judged, before)


def _all_edits(knowledge: Path, before: Proposal | None, brought: Brought | None, aside: Path) -> tuple[Edit, ...]:
    """What waits already and what the file brings, as one; raises SnapshotError if what waits fits no more."""
    waits = before.edits if before else ()
    try:
        still_fit(knowledge, waits)
    except ChangedMeanwhileError as error:
        names = ", ".join(str(one) for one in before.origins if one.file) if before else ""
        raise SnapshotError(f"{error}. It waits for Publish or Discard above: {names}") from error
    if brought is None:
        return waits
    applied(knowledge, waits, aside)
    return joined(waits, edits_of(aside, brought.upload, brought.sent))


def waiting(root: Path, snapshot_id: str = "") -> Proposal | None:
    """The proposal that waits, if there is one that is not live already, and if it is this snapshot's."""
    try:
        proposal = PROPOSAL.validate_json((root / FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    there = (store.snapshot_folder(root) / proposal.snapshot / "manifest.json").is_file()
    wanted = there and snapshot_id in ("", proposal.snapshot)
    return proposal if wanted and not _is_live(root, proposal) else None


def accept(root: Path, proposal: Proposal, encoder: Encoder, note: Note, kept: int, knowledge: Path) -> Engine:
    """Make the proposal live; raises SnapshotError if another index went live meanwhile, or if it cannot be used.

    Knowledge files are then as they were. Done again after a crash it goes on where it was.
    """
    if proposal.refusals and not note.reason:
        raise SnapshotError("the gate speaks against this index: give a reason to overrule it")
    try:
        write_all(knowledge, proposal.edits)
    except ChangedMeanwhileError as error:
        raise SnapshotError(str(error)) from error
    except OSError as error:
        raise SnapshotError(unwritable(knowledge, error)) from error
    try:
        if not _is_live(root, proposal):
            publish(root, proposal.snapshot, proposal.base, replace(note, changes=proposal.changes), kept)
    except BaseException:
        if not _is_live(root, proposal):
            put_back(knowledge, proposal.edits)
        raise
    (root / FILE).unlink(missing_ok=True)
    return with_live_snapshot(encoder, root)


def unwritable(knowledge: Path, error: OSError) -> str:
    """Why the files could not be changed, and what to do."""
    remedy = "look at the folder and at the disk, then publish again"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = "free some space, then publish again"
    elif error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        remedy = "let the bot write there (docs/operations.md says how), or add the entry by hand and send /reindex"
    return f"the bot cannot write to the knowledge files in {knowledge} ({error.strerror}): {remedy}"


def forget(root: Path) -> None:
    """Forget what waits here; not what it would change, since another machine may have published that by now."""
    if proposal := waiting(root):
        shutil.rmtree(store.snapshot_folder(root) / proposal.snapshot, ignore_errors=True)
    (root / FILE).unlink(missing_ok=True)


def discard(root: Path, knowledge: Path) -> None:
    """Forget the proposal that waits, if any, with what a crash left of it in the files; never touches what is live."""
    if proposal := waiting(root):
        put_back(knowledge, proposal.edits)
    forget(root)


def _is_live(root: Path, proposal: Proposal) -> bool:
    live = None
    with suppress(SnapshotError):
        live = store.live(root)
    return live is not None and live.name == proposal.snapshot


def keep(root: Path, proposal: Proposal) -> None:
    """Have this proposal wait, whose snapshot is here."""
    write(root / FILE, PROPOSAL.dump_json(proposal).decode())
