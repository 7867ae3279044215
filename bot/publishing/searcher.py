"""Searching in a process of its own, so that the event loop has the interpreter of this one to itself.

The process is forked before Python has other threads and a loop: it shares the memory of the engine, does one search
after the other, and ends with its parent, whose end of the wire closes however the parent dies.
"""

import asyncio
import gc
import logging
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedRWPair, BytesIO
from itertools import count
from pathlib import Path
from struct import Struct
from time import monotonic
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from bot.watch.memory import EVERY, trimmer
from indexer.engine import Engine, engine_of
from indexer.entries import Entry
from indexer.snapshot import load
from indexer.store import snapshot_folder

log = logging.getLogger(__name__)
Found = TypeVar("Found")
P = ParamSpec("P")

PATIENCE, SECOND = 20, 1.0  # so many seconds for what takes milliseconds
CORES = 2  # one for each process
HEAD = Struct("!QI")  # the question's number, and how many bytes of an answer follow


@dataclass(frozen=True, slots=True)
class Child:
    """A forked process, and our end of the wire to it."""

    pid: int
    wire: socket.socket


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that the process has, and what will be found; entries of its index are found by their number."""

    entries: Sequence[Entry]
    found: asyncio.Future[Any]


class Searcher:
    """Understands messages and finds their answers: in a process of its own if it has one, or else in a thread.

    Used as a context, it speaks with that process, and ends it with the block.
    """

    def __init__(self, child: Child | None = None) -> None:
        self.child = child
        self._writer: asyncio.StreamWriter | None = None  # while the process answers
        self._waiting: dict[int, Waiting] = {}  # by the question's number
        self._numbers = count()
        self._listening: asyncio.Task[None] | None = None

    async def run(
        self,
        engine: Engine,
        work: Callable[Concatenate[Engine, P], Found],
        *args: P.args,
        **known: P.kwargs,
    ) -> Found:
        """`work(engine, *args, **known)`, with the engine of this one's index.

        The process finds `work` by its name in its module.
        """
        if self._writer and (found := await self._elsewhere(self._writer, engine, (work, args, known))) is not None:
            return found  # type: ignore[no-any-return]  # by the process
        return await asyncio.to_thread(work, engine, *args, **known)

    async def _elsewhere(self, writer: asyncio.StreamWriter, engine: Engine, asked: tuple[Any, ...]) -> Any:
        """What the process finds; None if it cannot."""
        number = next(self._numbers)
        message = pickle.dumps((number, engine.snapshot.id, *asked))
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = Waiting(engine.snapshot.entries, answer)
        writer.write(message)
        try:
            # One by one: seconds in which the whole machine stood still are no reason to lose patience.
            for _ in range(PATIENCE):
                if (await asyncio.wait([answer], timeout=SECOND))[0]:
                    return answer.result()
        finally:
            self._waiting.pop(number, None)
        self._lose("no answer in time")
        return None

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        why = "it has ended"
        try:
            while True:
                number, length = HEAD.unpack(await reader.readexactly(HEAD.size))
                answer = await reader.readexactly(length)
                if (waiting := self._waiting.get(number)) and not waiting.found.done():  # who asked may have given up
                    waiting.found.set_result(_Opened(answer, waiting.entries).load())
        except (asyncio.IncompleteReadError, OSError):
            pass
        except Exception as error:
            why = type(error).__name__
        self._lose(why)

    def _lose(self, why: str) -> None:
        """Whoever waits, and whoever asks from now on, is served in a thread."""
        if self._writer:
            code = self._end()
            hint = "this process searches itself, and is slower until it is started anew"
            log.error("search process lost", extra={"error": f"{why} (exit code {code})", "hint": hint})

    def _end(self) -> int | None:
        """Ends the process, which holds nothing that could be lost; gives its exit code."""
        assert self.child  # spoken with
        assert self._writer
        self._writer.close()
        self._writer = None
        for waiting in self._waiting.values():
            if not waiting.found.done():
                waiting.found.set_result(None)
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.child.pid, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(self.child.pid, 0)[1])
        return None

    async def __aenter__(self) -> Self:
        if self.child:
            reader, self._writer = await asyncio.open_connection(sock=self.child.wire)
            self._listening = asyncio.create_task(self._listen(reader))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        if self._listening:
            self._listening.cancel()
        if self._writer:
            self._end()


class _Packed(pickle.Pickler):
    """Writes entries of an index as their numbers: both sides have them, each with all of its ways of asking."""

    def __init__(self, numbers: dict[int, int]) -> None:
        self._numbers, self.stream = numbers, BytesIO()
        super().__init__(self.stream, pickle.HIGHEST_PROTOCOL)

    def persistent_id(self, obj: Any) -> int | None:
        return self._numbers.get(id(obj)) if type(obj) is Entry else None


class _Opened(pickle.Unpickler):
    """Reads what was packed by our own process."""

    def __init__(self, answer: bytes, entries: Sequence[Entry]) -> None:
        self._entries = entries
        super().__init__(BytesIO(answer))

    def persistent_load(self, pid: int) -> Entry:
        return self._entries[pid]


def _packed(found: object, numbers: dict[int, int]) -> bytes:
    packed = _Packed(numbers)
    packed.dump(found)
    return packed.stream.getvalue()


def _numbers(engine: Engine) -> dict[int, int]:
    return {id(entry): number for number, entry in enumerate(engine.snapshot.entries)}


def apart(engine: Engine, root: Path) -> Searcher:
    """A searcher with a process of its own, forked now: to be called before Python has other threads and an event loop.

    `root` is where later snapshots will lie. It has none without a second core, outside Linux, and where the system
    refuses one.
    """
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < CORES:
        return Searcher()
    gc.freeze()  # or else the next collection would write to all pages that both share
    try:
        ours, its = socket.socketpair()
        with its:
            if (pid := os.fork()) == 0:
                _live(ours, its, engine, root)
    except OSError as error:
        gc.unfreeze()
        log.warning("no search process", extra={"error": error.strerror, "hint": "this process searches itself"})
        return Searcher()
    return Searcher(Child(pid, ours))


def _live(parents: socket.socket, own: socket.socket, engine: Engine, root: Path) -> None:
    """The whole life of the process."""
    status = 1
    try:
        parents.close()
        for number in (signal.SIGINT, signal.SIGTERM):  # the parent hears them, and finishes what is under way
            signal.signal(number, signal.SIG_IGN)
        with own.makefile("rwb") as stream, suppress(EOFError, ConnectionError):  # the parent has hung up
            _serve(stream, engine, root)
        status = 0
    except BaseException:
        log.exception("search process fails")
    finally:
        os._exit(status)


def _serve(stream: BufferedRWPair, engine: Engine, root: Path) -> None:
    """Answers one question after the other; what cannot be answered here, the parent tries itself."""
    trim, trimmed = trimmer(), monotonic()
    numbers = _numbers(engine)
    while True:
        number, snapshot, work, args, known = pickle.load(stream)  # noqa: S301  # from our own process
        try:
            if snapshot != engine.snapshot.id:
                newer = engine_of(load(snapshot_folder(root) / snapshot), engine.encoder)
                engine, numbers = newer, _numbers(newer)
            answer = _packed(work(engine, *args, **known), numbers)
        except Exception:
            log.warning("search process could not answer", exc_info=True)
            answer = pickle.dumps(None)
        stream.write(HEAD.pack(number, len(answer)) + answer)
        stream.flush()
        if trim and monotonic() > trimmed + EVERY:
            trim(0)
            trimmed = monotonic()
