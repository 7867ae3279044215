"""How many processor cores there are to work on."""

import os
from collections.abc import Iterator
from contextlib import suppress
from math import ceil, inf
from pathlib import Path, PurePath

CGROUP = Path("/sys/fs/cgroup")  # inside a container that of the container
OWN = Path("/proc/self/cgroup")  # where below it this process is, such as in a service of systemd
QUOTAS = (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us"))  # of version 2 and, below `cpu`, 1; numbers in µs


def cores(cgroup: Path = CGROUP, own: Path = OWN) -> int:
    """Those that this process may run on, and no more than it has time on: a quota of 1.5 makes two."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ceil(min([allowed, *map(_quota, _groups(cgroup, own))]))


def _groups(cgroup: Path, own: Path) -> Iterator[Path]:
    """Those of this process and all around them: a service's slice may have a quota too. Not all exist."""
    yield from (cgroup, cgroup / "cpu")
    with suppress(OSError):
        for line in own.read_text("utf-8").splitlines():
            _, kinds, name = line.split(":", 2)
            root = cgroup / "cpu" if "cpu" in kinds.split(",") else cgroup
            inside = PurePath(name.lstrip("/"))
            yield from (root / part for part in (inside, *inside.parents))


def _quota(cgroup: Path) -> float:
    """The time that its processes have in each unit of time, summed over cores; without end where nothing limits it."""
    for names in QUOTAS:
        with suppress(OSError, ValueError):  # of the other version, or "max"
            quota, period = (int(word) for name in names for word in (cgroup / name).read_text("ascii").split())
            if quota > 0:
                return quota / period
    return inf
