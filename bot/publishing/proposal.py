"""A new index that waits for an admin: built, examined, not live. One at a time, on disk: a restart keeps it."""

import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bot.publishing.gate import Verdict, verdict
from indexer import store
from indexer.diff import Diff, diff
from indexer.encoder import Encoder
from indexer.engine import Engine, Step, prepare_aside, publish, with_live_snapshot
from indexer.snapshot import SnapshotError
from indexer.store import Note

FILE = "proposal.json"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A snapshot that may go live, the live one that it was compared with, and what speaks against it.

    `shown` is the outbox row of the message that shows it: an admin's reply to that is the reason to overrule.
    """

    snapshot: str
    base: str | None
    changes: str
    refusals: tuple[str, ...]
    shown: int


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal with all that people want to see of it."""

    proposal: Proposal
    diff: Diff
    verdict: Verdict


PROPOSAL = TypeAdapter(Proposal)


def propose(
    knowledge: Path, encoder: Encoder, root: Path, most_wrong: float, today: date, progress: Step, shown: int
) -> Proposed | None:
    """Build and examine; None if nothing has changed. Replaces the proposal before; raises what `index` does."""
    discard(root)
    prepared = prepare_aside(knowledge, encoder, root, progress)
    if prepared.built is None:
        return None
    try:
        judged = verdict(prepared.engine, prepared.live, knowledge, most_wrong, today, progress)
    except BaseException:
        shutil.rmtree(prepared.built.folder, ignore_errors=True)
        raise
    found = diff(prepared.live.snapshot.entries if prepared.live else (), prepared.engine.snapshot.entries)
    base = store.live(root)
    proposal = Proposal(prepared.built.snapshot_id, base.name if base else None, str(found), judged.refusals, shown)
    _write(root, proposal)
    return Proposed(proposal, found, judged)


def waiting(root: Path, snapshot_id: str = "") -> Proposal | None:
    """The proposal that waits, if there is one, and if it is this snapshot's."""
    try:
        proposal = PROPOSAL.validate_json((root / FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    there = (store.snapshot_folder(root) / proposal.snapshot / "manifest.json").is_file()
    return proposal if there and snapshot_id in ("", proposal.snapshot) else None


def accept(root: Path, proposal: Proposal, encoder: Encoder, note: Note, kept: int) -> Engine:
    """Make the proposal live; raises SnapshotError if another index went live meanwhile, or if it cannot be used."""
    if proposal.refusals and not note.reason:
        raise SnapshotError("the gate speaks against this index: give a reason to overrule it")
    publish(root, proposal.snapshot, proposal.base, replace(note, changes=proposal.changes), kept)
    (root / FILE).unlink(missing_ok=True)
    return with_live_snapshot(encoder, root)


def discard(root: Path) -> None:
    """Forget the proposal that waits, if any; never touches what is live."""
    proposal, live = waiting(root), None
    with suppress(SnapshotError):
        live = store.live(root)
    if proposal and (live is None or live.name != proposal.snapshot):
        shutil.rmtree(store.snapshot_folder(root) / proposal.snapshot, ignore_errors=True)
    (root / FILE).unlink(missing_ok=True)


def _write(root: Path, proposal: Proposal) -> None:
    draft = root / f".{FILE}"
    draft.write_bytes(PROPOSAL.dump_json(proposal))
    draft.replace(root / FILE)
