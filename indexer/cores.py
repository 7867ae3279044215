"""How many processor cores there are to work on."""

import os
from contextlib import suppress
from math import ceil, inf
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")  # inside a container that of the container
QUOTAS = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))  # of version 2 and 1; both numbers in µs


def cores(cgroup: Path = CGROUP) -> int:
    """Those that this process may run on, and no more than it has time on: a container's quota of 1.5 makes two."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ceil(min(allowed, _quota(cgroup)))


def _quota(cgroup: Path) -> float:
    """The time that this process has in each unit of time, summed over cores; without end where nothing limits it."""
    for names in QUOTAS:
        with suppress(OSError, ValueError):  # of the other version, or "max"
            quota, period = (int(word) for name in names for word in (cgroup / name).read_text("ascii").split())
            if quota > 0:
                return quota / period
    return inf
