"""Files that wait to be written, and index, change together: whatever happens in between."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.publishing import proposal as proposals
from bot.publishing.gate import Verdict, verdict
from bot.publishing.proposal import Brought, Origin, Proposal, accept, discard, propose, waiting
from indexer import store
from indexer.edits import write_all
from indexer.engine import Engine, index
from indexer.snapshot import SnapshotError
from indexer.store import Note
from indexer.tables import Found
from indexer.upload import Sent, Upload, UploadError
from tests.indexer.standin import WordEncoder

from .examples import contents

TODAY = date(2026, 11, 22)
NOTE = Note("Marie", "published", reason="a test")


@pytest.fixture
def root(knowledge: Path, tmp_path: Path) -> Path:
    index(knowledge, WordEncoder(), tmp_path / "index")
    return tmp_path / "index"


def brought(question: str = "Can I bring my dog?", name: str = "dogs.csv") -> Brought:
    return Brought(Upload(found=(Found(question, "It may.", 2, language="en"),)), Sent(name, TODAY))


def silent(*_: object) -> None:
    """No progress shown."""


def put(knowledge: Path, root: Path, what: Brought | None, origin: Origin | None = None) -> Proposal:
    def examine(new: Engine, live: Engine | None, folder: Path) -> Verdict:
        return verdict(new, live, folder, 0.03, TODAY, silent)

    proposed = propose(knowledge, WordEncoder(), root, examine, silent, 7, brought=what, origin=origin)
    assert proposed
    return proposed.proposal


def live(root: Path) -> str:
    folder = store.live(root)
    assert folder
    return folder.name


def test_publishing_goes_on_after_a_crash_before_the_index_was_live(knowledge: Path, root: Path) -> None:
    proposal = put(knowledge, root, brought())
    write_all(knowledge, proposal.edits)  # and then the process died
    found = waiting(root)
    assert found == proposal
    accept(root, found, WordEncoder(), NOTE, 5, knowledge)
    assert live(root) == proposal.snapshot
    assert "dogs.en.md" in contents(knowledge)


def test_discarding_after_a_crash_puts_the_files_back(knowledge: Path, root: Path) -> None:
    before = contents(knowledge)
    write_all(knowledge, put(knowledge, root, brought()).edits)
    discard(root, knowledge)
    assert contents(knowledge) == before


def test_a_crash_after_the_index_was_live_takes_nothing_back(knowledge: Path, root: Path) -> None:
    proposal = put(knowledge, root, brought())
    kept = (root / proposals.FILE).read_bytes()
    accept(root, proposal, WordEncoder(), NOTE, 5, knowledge)
    after = contents(knowledge)
    (root / proposals.FILE).write_bytes(kept)  # the process died before removing it
    accept(root, proposal, WordEncoder(), NOTE, 5, knowledge)
    assert contents(knowledge) == after
    (root / proposals.FILE).write_bytes(kept)
    discard(root, knowledge)
    assert contents(knowledge) == after
    assert live(root) == proposal.snapshot


def test_an_index_that_went_live_meanwhile_leaves_the_files(knowledge: Path, root: Path) -> None:
    proposal = put(knowledge, root, brought())
    path = knowledge / "classes.en.md"
    path.write_text(path.read_text(encoding="utf-8").replace("1,240", "1,250"), encoding="utf-8")
    index(knowledge, WordEncoder(), root)
    before = contents(knowledge)
    with pytest.raises(SnapshotError, match="another index went live"):
        accept(root, proposal, WordEncoder(), NOTE, 5, knowledge)
    assert contents(knowledge) == before


def test_files_that_may_not_be_written_are_a_refusal(
    knowledge: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = put(knowledge, root, brought())
    before, was = contents(knowledge), live(root)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(Path, "write_text", full)
        with pytest.raises(SnapshotError, match=r"No space left on device\): free some space"):
            accept(root, proposal, WordEncoder(), NOTE, 5, knowledge)
    assert contents(knowledge) == before
    assert live(root) == was
    assert waiting(root) == proposal


def test_files_add_up_and_one_that_is_refused_leaves_the_others(knowledge: Path, root: Path) -> None:
    put(knowledge, root, brought())
    both = put(knowledge, root, brought("May I bring a cat?", "cats.csv"))
    assert [edit.path for edit in both.edits] == ["dogs.en.md", "cats.en.md"]
    with pytest.raises(UploadError):
        put(knowledge, root, Brought(Upload("---\ncourse: x\n---\n"), Sent("bad.md", TODAY)))
    assert waiting(root) == both
    accept(root, both, WordEncoder(), NOTE, 5, knowledge)
    assert {"dogs.en.md", "cats.en.md"} <= contents(knowledge).keys()


def test_what_is_changed_in_the_files_joins_what_waits(knowledge: Path, root: Path) -> None:
    sent = Origin("Marie", datetime(2026, 11, 22, 9, 5, tzinfo=UTC), "dogs.csv")
    put(knowledge, root, brought(), sent)
    path = knowledge / "classes.en.md"
    path.write_text(path.read_text(encoding="utf-8").replace("1,240", "1,250"), encoding="utf-8")
    asked = Origin("Paul", datetime(2026, 11, 22, 9, 10, tzinfo=UTC))
    both = put(knowledge, root, None, asked)
    assert both.changes == "1 added, 1 changed"
    assert both.origins == (sent, asked)
    assert [str(one) for one in both.origins] == ["dogs.csv (Marie, 22/11 09:05)", "/reindex (Paul, 22/11 09:10)"]
    again = put(knowledge, root, None, asked)
    assert again.origins == (sent, asked)  # of the same files looked at twice, once is told
    accept(root, again, WordEncoder(), NOTE, 5, knowledge)
    assert "dogs.en.md" in contents(knowledge)
    assert waiting(root) is None


def test_what_waits_and_fits_no_more_is_named_and_still_waits(knowledge: Path, root: Path) -> None:
    sent = Origin("Marie", datetime(2026, 11, 22, 9, 5, tzinfo=UTC), "dogs.csv")
    waits = put(knowledge, root, brought(), sent)
    (knowledge / "dogs.en.md").write_text((knowledge / "classes.en.md").read_text(encoding="utf-8"), encoding="utf-8")
    for what in (None, brought("May I bring a cat?", "cats.csv")):
        with pytest.raises(
            SnapshotError, match=r"dogs\.en\.md has been changed meanwhile.*dogs\.csv \(Marie, 22/11 09:05\)"
        ):
            put(knowledge, root, what)
        assert waiting(root) == waits


def test_what_went_live_by_another_way_stays_in_the_files(knowledge: Path, root: Path) -> None:
    proposal = put(knowledge, root, brought())
    write_all(knowledge, proposal.edits)  # the process died, and somebody ran `guichet index`
    index(knowledge, WordEncoder(), root)
    after = contents(knowledge)

    def examine(*_: object) -> Verdict:
        raise AssertionError("nothing is new")

    assert propose(knowledge, WordEncoder(), root, examine, silent, 7) is None
    assert contents(knowledge) == after
    assert waiting(root) is None
    assert not (store.snapshot_folder(root) / proposal.snapshot).exists()


def test_newer_indexes_leave_what_waits(knowledge: Path, root: Path) -> None:
    proposal = put(knowledge, root, brought())
    path = knowledge / "classes.en.md"
    text = path.read_text(encoding="utf-8")
    for number in range(3):
        path.write_text(text.replace("1,240", f"1,25{number}"), encoding="utf-8")
        index(knowledge, WordEncoder(), root, kept=2)
    assert waiting(root) == proposal
    assert len(store.history(root)) == 3
    discard(root, knowledge)
    assert proposal.snapshot not in [folder.name for folder in store.history(root)]
