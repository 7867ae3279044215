"""A new index that waits for an admin: built, examined, not live. One at a time, on disk: a restart keeps it.

What an upload would change in the knowledge files waits with it, and is written when it goes live.
"""

import errno
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import TypeAdapter, ValidationError

from bot.publishing.gate import Verdict, verdict
from indexer import store
from indexer.diff import Diff, diff
from indexer.edits import ChangedMeanwhileError, Edit, applied, edits_of, joined, put_back, write_all
from indexer.encoder import Encoder
from indexer.engine import Engine, Step, prepare_aside, publish, with_live_snapshot
from indexer.snapshot import SnapshotError
from indexer.store import Note
from indexer.upload import Sent, Upload

FILE = "proposal.json"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A snapshot that may go live, the live one that it was compared with, and what speaks against it.

    `shown` is the outbox row of the message that shows it: an admin's reply to that is the reason to overrule.
    `edits` are what uploads change in the knowledge files.
    """

    snapshot: str
    base: str | None
    changes: str
    refusals: tuple[str, ...]
    shown: int
    edits: tuple[Edit, ...] = ()


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


def propose(
    knowledge: Path,
    encoder: Encoder,
    root: Path,
    most_wrong: float,
    today: date,
    progress: Step,
    shown: int,
    *,
    brought: Brought | None = None,
) -> Proposed | None:
    """Build and examine; None if nothing has changed. Replaces the proposal before; raises what `index` does.

    A file that was brought joins those that wait; raises UploadError, and these still wait.
    """
    before = waiting(root)
    if brought is None:
        discard(root, knowledge)
    with TemporaryDirectory(prefix="guichet-") as aside:
        edits = _joined(knowledge, before, brought, Path(aside) / "before") if brought else ()
        folder = Path(aside) / "after" if edits else knowledge
        if edits:
            applied(knowledge, edits, folder)
        prepared = prepare_aside(folder, encoder, root, progress)
        if prepared.built is None:
            return None
        try:
            judged = verdict(prepared.engine, prepared.live, folder, most_wrong, today, progress)
        except BaseException:
            shutil.rmtree(prepared.built.folder, ignore_errors=True)
            raise
    found = diff(prepared.live.snapshot.entries if prepared.live else (), prepared.engine.snapshot.entries)
    base, name = store.live(root), prepared.built.snapshot_id
    proposal = Proposal(name, base.name if base else None, str(found), judged.refusals, shown, edits)
    discard(root, knowledge)
    _write(root, proposal)
    return Proposed(proposal, found, judged, before)


def _joined(knowledge: Path, before: Proposal | None, brought: Brought, aside: Path) -> tuple[Edit, ...]:
    """What waits already and what the file brings, as one."""
    waits = before.edits if before else ()
    applied(knowledge, waits, aside)
    return joined(waits, edits_of(aside, brought.upload, brought.sent))


def waiting(root: Path, snapshot_id: str = "") -> Proposal | None:
    """The proposal that waits, if there is one, and if it is this snapshot's."""
    try:
        proposal = PROPOSAL.validate_json((root / FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    there = (store.snapshot_folder(root) / proposal.snapshot / "manifest.json").is_file()
    return proposal if there and snapshot_id in ("", proposal.snapshot) else None


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


def discard(root: Path, knowledge: Path) -> None:
    """Forget the proposal that waits, if any, with what a crash left of it in the files; never touches what is live."""
    proposal = waiting(root)
    if proposal and not _is_live(root, proposal):
        put_back(knowledge, proposal.edits)
        shutil.rmtree(store.snapshot_folder(root) / proposal.snapshot, ignore_errors=True)
    (root / FILE).unlink(missing_ok=True)


def _is_live(root: Path, proposal: Proposal) -> bool:
    live = None
    with suppress(SnapshotError):
        live = store.live(root)
    return live is not None and live.name == proposal.snapshot


def _write(root: Path, proposal: Proposal) -> None:
    draft = root / f".{FILE}"
    draft.write_bytes(PROPOSAL.dump_json(proposal))
    draft.replace(root / FILE)
