import subprocess
import sys
from pathlib import Path

import pytest

from indexer import store
from indexer.engine import index, with_live_snapshot
from tests.indexer.standin import WordEncoder


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork")
def test_a_rebuild_killed_at_any_moment_leaves_an_index_that_answers(knowledge: Path, tmp_path: Path) -> None:
    root = tmp_path / "index"
    index(knowledge, WordEncoder(), root)
    done = subprocess.run(
        [sys.executable, "-m", "tests.indexer.killing", knowledge, root],
        capture_output=True,
        text=True,
        check=True,
        timeout=150,
        cwd=Path(__file__).parents[2],
    )
    runs = [line.split(" ", 2) for line in done.stdout.splitlines()]
    assert len(runs) > 8
    assert {status for _, status, _ in runs[:-1]} == {"9"}
    assert runs[-1][1] == "0"
    assert f"courtyard {runs[-1][0]}" in runs[-1][2]  # the one that nobody killed is live
    assert all(told.endswith(" []") for _, _, told in runs)
    assert "courtyard 1" not in runs[0][2]  # killed at once: the old index answers
    assert with_live_snapshot(WordEncoder(), root)
    index(knowledge, WordEncoder(), root)
    assert not list(store.snapshot_folder(root).glob(".*"))
