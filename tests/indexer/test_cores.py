import os
from pathlib import Path

import pytest

from indexer.cores import cores


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, 4),
        ({"cpu.max": "max 100000\n"}, 4),
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),  # one and a half
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "20000 100000\n"}, 1),  # a fifth
        ({"cpu.max": "800000 100000\n"}, 4),  # more than there are
        ({"cpu.max": "nonsense"}, 4),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "50000\n"}, 1),
        ({"own": "0::/a.slice/b.service\n", "a.slice/b.service/cpu.max": "150000 100000\n"}, 2),
        ({"own": "0::/a.slice/b.service\n", "a.slice/b.service/cpu.max": "max 1\n", "a.slice/cpu.max": "1 1\n"}, 1),
        ({"own": "0::/docker/not-seen-inside\n", "cpu.max": "200000 100000\n"}, 2),
        (
            {"own": "3:pids:/c\n1:cpu,cpuacct:/a\n", "cpu/a/cpu.cfs_quota_us": "2\n", "cpu/a/cpu.cfs_period_us": "1\n"},
            2,
        ),
        ({"own": "0::/../elsewhere\n"}, 4),
    ],
)
def test_no_more_than_a_containers_quota(
    files: dict[str, str], found: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="ascii")
    assert cores(tmp_path, tmp_path / "own") == found


def test_where_a_process_cannot_be_bound_to_cores_all_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert cores(tmp_path, tmp_path / "own") == 3
