import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.made_up import EACH, StoredEncoder, changed, entries, lay_out
from indexer.passages import cut

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "index.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "200"})


def test_one_line_a_size_with_what_help_explains() -> None:
    done = run("--sizes", "40,200")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["passages"] for line in lines] == [40, 200]
    for line in lines:
        ours = {name: value for name, value in line.items() if not name.startswith("langchain_")}
        assert all(value is not None for value in ours.values())
        assert 0 < line["encoded"] < EACH
        assert (line["index"], line["recall"], line["stated"]) == ("flat", 1.0, 1.0)
        assert 0 < line["nearest_ms"] < line["question_ms"]
    told = run("--help").stdout
    assert all(name.removeprefix("langchain") in told for name in lines[0])


@pytest.mark.parametrize("sizes", ["ten", "19"])
def test_sizes_that_are_none_are_refused(sizes: str) -> None:
    done = run("--sizes", sizes)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_what_is_made_up_is_the_same_each_time_and_has_a_vector_for_every_passage(tmp_path: Path) -> None:
    assert lay_out(100, tmp_path) == sum(1 for one in entries(100) for _ in cut(one, 0)) == 100
    encoder = StoredEncoder(tmp_path)
    known = entries(100)
    assert known == entries(100)
    assert sum(one != other for one, other in zip(known, changed(known), strict=True)) == 1
    vectors = encoder.queries([way for one in known for way in (one.question, *one.also)])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(vectors)))
    assert encoder.passages([]).shape == (0, encoder.dims)
