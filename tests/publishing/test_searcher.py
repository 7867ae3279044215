"""Messages understood in a process of its own, which may die, be slow, or not know the index."""

import asyncio
import gc
import os
import pickle
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest

from bot.dialogue.conversation import Turn
from bot.dialogue.decide import Answer, Limits
from bot.publishing import searcher as module
from bot.publishing import searching as searching_module
from bot.publishing.searcher import Searcher, apart
from bot.publishing.searching import TooLongError, start
from bot.understanding import understood
from indexer.encoder import Encoded
from indexer.engine import Engine, index
from tests.flows.house import Log
from tests.indexer.standin import WordEncoder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no process of its own")
TODAY = date(2026, 9, 1)
PATIENCE = 100.0  # seconds: a Python has to start, on a machine that is busy with other things
KILN = "How hot does the kiln get?"


class WatchedEncoder(WordEncoder):
    """Notes which process encodes a question."""

    def __init__(self, notes: Path) -> None:
        super().__init__()
        self.notes = notes

    def questions(self, texts: Sequence[str], /) -> list[Encoded]:
        with self.notes.open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")
        return super().questions(texts)

    def where(self) -> set[str]:
        """Which processes have encoded since this was asked last: "here", "there"."""
        seen = self.notes.read_text(encoding="utf-8").split() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        return {"here" if int(pid) == os.getpid() else "there" for pid in seen}


@pytest.fixture
def encoder(tmp_path: Path) -> WatchedEncoder:
    return WatchedEncoder(tmp_path / "notes")


@pytest.fixture
def engine(knowledge: Path, encoder: WatchedEncoder, tmp_path: Path) -> Engine:
    engine = index(knowledge, encoder, tmp_path / "index").engine
    encoder.where()
    return engine


@pytest.fixture
def log() -> Iterator[Log]:
    with Log().listening() as log:
        yield log


@asynccontextmanager
async def searching(engine: Engine, root: Path, prepare: Callable[[], object] | None = None) -> AsyncIterator[Searcher]:
    async with apart(engine, root, prepare) as searcher:
        gc.unfreeze()  # of this process, which goes on
        assert searcher.child
        yield searcher
        last = searcher.child
    with pytest.raises(ProcessLookupError):
        os.kill(last.pid if last else 2**22, 0)  # a number that no process has
    assert not searcher.answers
    assert searcher.child is None


async def until(true: Callable[[], bool], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await sleep(0.01)


async def back(searcher: Searcher) -> None:
    await until(lambda: searcher.answers)


async def gone(searcher: Searcher) -> None:
    await until(lambda: not searcher.answers)


def pid_of(searcher: Searcher) -> int:
    assert searcher.child
    return searcher.child.pid


async def ask(searcher: Searcher, engine: Engine, text: str = KILN) -> Turn:
    return await searcher.run(engine, understood, text, Limits(), TODAY, language="en")


def expected(engine: Engine, text: str = KILN) -> Turn:
    return understood(engine, text, Limits(), TODAY, language="en")


async def test_another_process_gives_the_same_turns_each_to_who_asked(
    engine: Engine, encoder: WatchedEncoder, tmp_path: Path
) -> None:
    texts = [
        KILN,
        "hello",
        "How much is a term? Where can I park a bicycle?",
        "",
        "🙂" * 2000,
        "é" * 20_000,
        "Is there a car park?",
    ]
    async with searching(engine, tmp_path / "index") as searcher:
        turns = await asyncio.gather(*(ask(searcher, engine, text) for text in texts * 5))
    assert encoder.where() == {"there"}
    assert turns == [expected(engine, text) for text in texts * 5]
    assert any(isinstance(part.decision, Answer) for turn in turns for part in turn.parts)
    own = {id(entry) for entry in engine.snapshot.entries}
    assert {id(hit.entry) for turn in turns for part in turn.parts for hit in part.hits} <= own  # no copies


async def test_without_a_process_of_its_own(
    engine: Engine, encoder: WatchedEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    async with Searcher() as plain, apart(engine, tmp_path / "index") as alone:
        for searcher in (plain, alone):
            turn = await ask(searcher, engine)
            assert encoder.where() == {"here"}
            assert turn == expected(engine)
            encoder.where()


async def test_one_that_is_killed_is_done_without(
    engine: Engine, encoder: WatchedEncoder, tmp_path: Path, log: Log
) -> None:
    async with searching(engine, tmp_path / "index") as searcher:
        await ask(searcher, engine)
        assert encoder.where() == {"there"}
        asked = [asyncio.create_task(ask(searcher, engine)) for _ in range(20)]
        await asyncio.sleep(0)
        os.kill(pid_of(searcher), signal.SIGKILL)
        assert await asyncio.gather(*asked) == [expected(engine)] * 20
        encoder.where()
        turn = await ask(searcher, engine)
        assert encoder.where() == {"here"}
        assert turn == expected(engine)
        await log.heard("it has ended (exit code -9)")
    assert sum("search process lost" in line for line in log.lines) == 1


async def test_another_one_is_started_for_one_that_is_lost(
    engine: Engine, encoder: WatchedEncoder, tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)
    prepared = tmp_path / "prepared"
    async with searching(engine, tmp_path / "index", prepared.touch) as searcher:
        os.kill(pid_of(searcher), signal.SIGKILL)
        await gone(searcher)
        asked = [asyncio.create_task(ask(searcher, engine)) for _ in range(5)]
        assert await asyncio.gather(*asked) == [expected(engine)] * 5  # while there is none
        await back(searcher)
        assert searcher.lost == 1
        assert prepared.exists()
        encoder.where()
        texts = [KILN, "hello", "How much is a term? Where can I park a bicycle?"] * 3
        turns = await asyncio.gather(*(ask(searcher, engine, text) for text in texts))
        assert encoder.where() == {"there"}
        assert turns == [expected(engine, text) for text in texts]
        own = {id(entry) for entry in engine.snapshot.entries}
        assert {id(hit.entry) for turn in turns for part in turn.parts for hit in part.hits} <= own
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(pid_of(searcher), number)
        encoder.where()
        await ask(searcher, engine)
        assert encoder.where() == {"there"}
    assert sum("search process started" in line for line in log.lines) == 1


async def test_who_waits_for_one_that_is_killed_while_it_searches_is_answered_here(
    engine: Engine, tmp_path: Path
) -> None:
    async with searching(engine, tmp_path / "index") as searcher:
        os.kill(pid_of(searcher), signal.SIGSTOP)
        asked = [asyncio.create_task(ask(searcher, engine)) for _ in range(5)]
        await asyncio.sleep(0.1)
        os.kill(pid_of(searcher), signal.SIGKILL)
        async with asyncio.timeout(5):  # far less than the patience with one that stands still
            assert await asyncio.gather(*asked) == [expected(engine)] * 5


async def test_one_that_is_lost_again_and_again_is_started_later_each_time(
    engine: Engine, tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    def refuse(_: object) -> int:
        if len(pauses) < 4:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return start(_)  # type: ignore[arg-type]

    async with searching(engine, tmp_path / "index") as searcher:
        with monkeypatch.context() as patched:
            patched.setattr(module, "start", refuse)
            patched.setattr(module, "LONGEST_PAUSE", 15.0)
            patched.setattr("bot.publishing.searcher.asyncio.sleep", noted)
            os.kill(pid_of(searcher), signal.SIGKILL)
            assert await ask(searcher, engine) == expected(engine)
            await until(lambda: len(pauses) == 4 and searcher.answers, sleep)
            assert pauses == [5, 10, 15, 15]
            patched.setattr(module, "LASTING", 0.0)  # this one has lasted
            os.kill(pid_of(searcher), signal.SIGKILL)
            await until(lambda: len(pauses) == 5, sleep)
            assert pauses[4] == 5
        await back(searcher)
    told = [line for line in log.lines if "search process lost" in line]
    assert ["another one is started in 5 s" in line for line in told] == [True, False, False, False, True]
    assert sum("BlockingIOError" in line for line in told) == 3


async def test_another_one_opens_the_index_that_is_live_and_is_tried_again_where_it_cannot(
    engine: Engine, encoder: WatchedEncoder, knowledge: Path, tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)
    root = tmp_path / "index"
    async with searching(engine, root) as searcher:
        with (knowledge / "classes.en.md").open("a", encoding="utf-8") as file:
            file.write("\n## Can I bring my dog? {#dog}\n\nWell-behaved dogs may.\n")
        new = index(knowledge, encoder, root).engine
        shutil.rmtree(engine.snapshot.folder)
        os.kill(pid_of(searcher), signal.SIGKILL)
        await until(lambda: any("exit code 1" in line for line in log.lines))  # the old index is gone
        assert await ask(searcher, new) == expected(new)
        await back(searcher)
        encoder.where()
        (dog,) = (await ask(searcher, new, "Can I bring my dog?")).parts
        assert encoder.where() == {"there"}
        assert isinstance(dog.decision, Answer)


async def test_one_that_is_being_started_ends_with_the_block(
    engine: Engine, tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    begun: list[int] = []

    def noted(wire: socket.socket) -> int:
        begun.append(start(wire))
        return begun[-1]

    monkeypatch.setattr(module, "start", noted)
    async with searching(engine, tmp_path / "index") as searcher:
        os.kill(pid_of(searcher), signal.SIGKILL)
        await until(lambda: bool(begun))
    with pytest.raises(ProcessLookupError):
        os.kill(begun[0], 0)
    assert not [line for line in log.errors if "lost" not in line]


async def test_one_that_stands_still_is_done_without(
    engine: Engine, encoder: WatchedEncoder, tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECOND", 0.01)
    async with searching(engine, tmp_path / "index") as searcher:
        os.kill(pid_of(searcher), signal.SIGSTOP)
        turns = await asyncio.gather(*(ask(searcher, engine) for _ in range(3)))
        assert encoder.where() == {"here"}
        assert turns == [expected(engine)] * 3
        await log.heard("no answer in time (exit code -9)")
    assert sum("search process lost" in line for line in log.lines) == 1


async def test_who_gives_up_takes_nobody_elses_answer(
    engine: Engine, encoder: WatchedEncoder, tmp_path: Path, log: Log
) -> None:
    async with searching(engine, tmp_path / "index") as searcher:
        hasty = asyncio.create_task(ask(searcher, engine, "How much is a term?"))
        await asyncio.sleep(0)
        patient = asyncio.create_task(ask(searcher, engine))
        await asyncio.sleep(0)
        hasty.cancel()
        turns = [await patient, await ask(searcher, engine, "hello")]
        assert encoder.where() == {"there"}
        assert turns == [expected(engine), expected(engine, "hello")]
        assert hasty.cancelled()
    assert not log.errors


def fails_there(_: Engine, here: int) -> str:
    if os.getpid() != here:
        raise LookupError
    return "found"


def unsendable_there(_: Engine, here: int) -> object:
    return "found" if os.getpid() == here else threading.Lock()


def fails(_: Engine) -> None:
    raise ZeroDivisionError


def tries_all_ways(_: Engine) -> object:
    return re.fullmatch("(?:a|a)*b", 60 * "a")


async def test_what_cannot_be_sent_or_fails_harms_nobody_else(
    engine: Engine, encoder: WatchedEncoder, tmp_path: Path, log: Log
) -> None:
    async with searching(engine, tmp_path / "index") as searcher:
        asked = [asyncio.create_task(ask(searcher, engine)) for _ in range(3)]
        with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
            await ask(searcher, engine, threading.Lock())  # type: ignore[arg-type]
        for work in (fails_there, unsendable_there):  # the parent tries itself
            assert await searcher.run(engine, work, here=os.getpid()) == "found"
        with pytest.raises(ZeroDivisionError):
            await searcher.run(engine, fails)
        turns = [*await asyncio.gather(*asked), await ask(searcher, engine, "hello")]
        assert encoder.where() == {"there"}
        assert turns == [expected(engine)] * 3 + [expected(engine, "hello")]
    assert not log.errors


async def test_what_takes_too_long_is_given_up_and_nobody_else_tries_it(
    engine: Engine, encoder: WatchedEncoder, tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching_module, "LONGEST", 0.5)
    async with searching(engine, tmp_path / "index") as searcher:
        for _ in range(2):
            asked = asyncio.create_task(ask(searcher, engine))
            with pytest.raises(TooLongError):
                await searcher.run(engine, tries_all_ways)
            assert await asked == expected(engine)
        assert encoder.where() >= {"there"}
        assert searcher.lost == 0
    assert not log.errors


async def test_where_the_system_refuses_a_process(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    async with apart(engine, tmp_path / "index") as searcher:
        assert searcher.child is None
        assert await ask(searcher, engine) == expected(engine)
    assert any("no search process" in line for line in log.lines)
    assert gc.get_freeze_count() == 0


async def test_a_new_index_answers_at_once_and_one_that_is_gone_is_asked_for_here(
    engine: Engine, encoder: WatchedEncoder, knowledge: Path, tmp_path: Path, log: Log
) -> None:
    root = tmp_path / "index"
    async with searching(engine, root) as searcher:
        with (knowledge / "classes.en.md").open("a", encoding="utf-8") as file:
            file.write("\n## Can I bring my dog? {#dog}\n\nWell-behaved dogs may.\n")
        new = index(knowledge, encoder, root).engine
        encoder.where()
        (dog,) = (await ask(searcher, new, "Can I bring my dog?")).parts
        assert isinstance(dog.decision, Answer)
        assert await ask(searcher, engine) == expected(engine)  # an update that began before
        shutil.rmtree(engine.snapshot.folder)
        await ask(searcher, new)
        encoder.where()
        turn = await ask(searcher, engine)
        assert encoder.where() == {"here"}
        assert turn == expected(engine)
        encoder.where()
        turn = await ask(searcher, new)
        assert encoder.where() == {"there"}
        assert turn == expected(new)
    assert not log.errors


FORKED = """
    from bot.publishing import searcher as module
    engine = SimpleNamespace(encoder=None, snapshot=SimpleNamespace(id="", entries=()))
    searcher = module.apart(engine, Path())
    print(searcher.child.pid, flush=True)
"""
STARTED = """
    from bot.publishing.searching import start
    ours, its = socket.socketpair()
    with its:
        print(start(its), flush=True)
"""


@pytest.mark.parametrize("begin", [FORKED, STARTED])
def test_it_ends_with_a_parent_that_is_killed(begin: str) -> None:
    code = "import os, signal, socket\nfrom pathlib import Path\nfrom types import SimpleNamespace\n"
    code += textwrap.dedent(begin) + "os.kill(os.getpid(), signal.SIGKILL)\n"
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=False, timeout=120)  # until nobody holds its output
    assert ran.returncode == -signal.SIGKILL
    assert int(ran.stdout)


async def test_it_outlives_the_signals_that_its_parent_finishes_its_work_for(
    engine: Engine, encoder: WatchedEncoder, tmp_path: Path
) -> None:
    async with searching(engine, tmp_path / "index") as searcher:
        await ask(searcher, engine)
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(pid_of(searcher), number)
        encoder.where()
        turn = await ask(searcher, engine)
        assert encoder.where() == {"there"}
        assert turn == expected(engine)
