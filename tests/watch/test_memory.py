import asyncio
from pathlib import Path

import pytest

from bot.watch.memory import give_back, trimmer

PIECES, BLOCK = 60_000, 64  # of a kilobyte each; freed in blocks, so that whole pages between those in use are free


def held_mb() -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon"))


@pytest.mark.skipif(trimmer() is None, reason="only glibc keeps and gives back like this")
async def test_what_is_free_between_pieces_in_use_goes_back_to_the_system() -> None:
    pieces = [bytes(1024) for _ in range(PIECES)]
    kept = [piece for number, piece in enumerate(pieces) if number // BLOCK % 2]
    del pieces
    before, stop = held_mb(), asyncio.Event()
    giving = asyncio.create_task(give_back(stop))
    await asyncio.sleep(0)
    stop.set()
    await giving
    assert held_mb() < before - PIECES / 1024 / 4
    assert len(kept) < PIECES  # in use until here


async def test_where_nothing_gives_back_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    assert trimmer() is None
    await asyncio.wait_for(give_back(asyncio.Event()), 120)
