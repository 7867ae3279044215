"""Files that wait to be written, and index, change together: whatever happens in between."""

from datetime import date
from pathlib import Path

import pytest

from bot.publishing import proposal as proposals
from bot.publishing.proposal import Brought, Proposal, accept, discard, propose, waiting
from indexer import store
from indexer.edits import write_all
from indexer.engine import index
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


def put(knowledge: Path, root: Path, what: Brought | None) -> Proposal:
    proposed = propose(knowledge, WordEncoder(), root, 0.03, TODAY, lambda *_: None, 7, brought=what)
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
