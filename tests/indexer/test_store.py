from pathlib import Path
from threading import Event, Thread

import pytest

from indexer.snapshot import SnapshotError
from indexer.store import HISTORY, Note, activate, activations, history, live, previous, prune, snapshot_folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Seven snapshots, the fourth of them live."""
    for number in range(1, 8):
        folder = snapshot_folder(tmp_path) / f"2026-{number}"
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}", encoding="utf-8")
    activate(tmp_path, "2026-4")
    return tmp_path


def names(root: Path) -> list[str]:
    return [folder.name for folder in history(root)]


def test_before_the_first_activation_nothing_is_live(tmp_path: Path) -> None:
    assert live(tmp_path) is None
    assert history(tmp_path) == []


def test_activation_changes_the_pointer_and_leaves_nothing_behind(root: Path) -> None:
    activate(root, "2026-7")
    assert live(root) == snapshot_folder(root) / "2026-7"
    assert sorted(path.name for path in root.iterdir()) == ["current", "history.jsonl", "snapshots"]


def test_a_missing_snapshot_is_not_activated(root: Path) -> None:
    (snapshot_folder(root) / "half").mkdir()
    for name in ("2026-9", "half", ""):
        with pytest.raises(SnapshotError, match="there is no snapshot"):
            activate(root, name)
    assert live(root) == snapshot_folder(root) / "2026-4"


def test_readers_see_the_old_or_the_new_and_nothing_else(root: Path) -> None:
    seen, started, stop = set(), Event(), Event()

    def read() -> None:
        while not stop.is_set():
            seen.add(live(root))
            started.set()

    reader = Thread(target=read)
    reader.start()
    assert started.wait(20)
    for number in range(300):
        activate(root, f"2026-{number % 2 + 3}")
    stop.set()
    reader.join()
    assert seen <= {snapshot_folder(root) / "2026-3", snapshot_folder(root) / "2026-4"}


def test_history_is_newest_first_and_leaves_out_what_is_unfinished(root: Path) -> None:
    (snapshot_folder(root) / ".2026-8").mkdir()
    assert names(root) == [f"2026-{number}" for number in range(7, 0, -1)]


def test_pruning_keeps_the_newest_and_the_live_one(root: Path) -> None:
    prune(root, kept=2)
    assert names(root) == ["2026-7", "2026-6", "2026-4"]


def test_pruning_removes_what_killed_builds_left(root: Path) -> None:
    half = snapshot_folder(root) / ".2026-8"
    half.mkdir()
    (half / "vectors.npy").write_bytes(b"half")
    prune(root, kept=10)
    assert not half.exists()
    assert len(names(root)) == 7


def test_a_pointer_that_cannot_be_read_is_told(root: Path) -> None:
    (root / "current").unlink()
    (root / "current").mkdir()
    with pytest.raises(SnapshotError, match=r"current cannot be read \(.*\): check its rights"):
        live(root)


def test_a_pointer_full_of_noise_points_nowhere(root: Path) -> None:
    (root / "current").write_bytes(b"\xff\xfe\x80")
    found = live(root)
    assert found is not None
    assert not found.exists()


def test_the_history_says_who_made_what_live_and_why(root: Path) -> None:
    activate(root, "2026-5", Note("ada", "published", "1 added", "the fair is tomorrow"))
    last, first = activations(root)
    assert (first.snapshot, first.before) == ("2026-4", None)
    assert (last.snapshot, last.before, last.by, last.act) == ("2026-5", "2026-4", "ada", "published")
    assert (last.changes, last.reason) == ("1 added", "the fair is tomorrow")
    assert last.at >= first.at


def test_a_line_that_was_cut_off_costs_that_line_alone(root: Path) -> None:
    with (root / HISTORY).open("ab") as file:
        file.write(b'{"at": "2026-1\xff\n')
    activate(root, "2026-5")
    assert [activation.snapshot for activation in activations(root)] == ["2026-5", "2026-4"]


def test_going_back_goes_to_what_was_live_before_and_further_each_time(root: Path) -> None:
    assert previous(root) is None  # of older ones none is known to have been live
    for name in ("2026-5", "2026-7"):
        activate(root, name)
    assert previous(root) == "2026-5"
    activate(root, "2026-5", Note("ada", "rolled back"))
    assert previous(root) == "2026-4"


def test_without_a_history_whatever_is_kept_may_be_gone_back_to(root: Path) -> None:
    (root / HISTORY).unlink()
    assert previous(root) == "2026-3"
