import json
from pathlib import Path

import pytest

from benchmarks.query import Measured, lay_out, race, report
from bot.settings import Settings
from indexer.encoder import OnnxEncoder
from indexer.readers import read_knowledge


def test_contenders_answer_in_processes_of_their_own(
    encoder: OnnxEncoder,
    cache: Path,
    knowledge: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert encoder  # made before, so that no process here makes it
    monkeypatch.setattr("benchmarks.query.STARTS", 1)
    mine = tmp_path / "cache"
    mine.mkdir()
    (mine / "models").symlink_to(cache / "models")
    folder = tmp_path / "laid out"
    folder.mkdir()
    entries = read_knowledge(knowledge).entries
    lay_out(entries, Settings(cache_dir=mine), folder, lambda *_: None, torch=False)
    found = race(["guichet", "forward"], folder, [("How hot is the kiln?", "en")] * 30, lambda *_: None)
    assert all(len(one.times) == 10 and min(one.times) > 0 for one in found.values())
    assert all(len(one.worked) == 10 and min(one.worked) > 0 for one in found.values())
    assert found["guichet"].megabytes > 50
    report(found)
    printed = capfd.readouterr()
    assert printed.err == ""  # by the contenders' processes too
    figures = json.loads(printed.out.splitlines()[-1])
    assert list(figures) == [
        "ours_p50_ms", "ours_p95_ms", "langchain_p50_ms", "forward_p50_ms", "serving_mb", "start_s",
    ]  # fmt: skip
    assert figures["langchain_p50_ms"] is None


def test_percentiles() -> None:
    measured = Measured([float(number) for number in range(101)], [1.0, 2.0, 9.0], 1, 1)
    assert (measured.p50, measured.p95, measured.processor) == (50, 95, 2)
