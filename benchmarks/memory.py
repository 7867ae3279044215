"""Memory of processes, with those that they have started."""

from collections.abc import Iterable
from contextlib import suppress

import psutil


def family(pid: int) -> list[psutil.Process]:
    """A process and those that it has started."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def memory_mb(pids: Iterable[int]) -> float:
    """What these processes hold now, and what those that they have started hold alone: what is shared counts once."""
    held = 0
    for parent, *children in map(family, pids):
        held += parent.memory_info().rss
        for child in children:
            with suppress(psutil.NoSuchProcess):  # it has ended since
                held += child.memory_full_info().uss
    return round(held / 1e6, 1)
