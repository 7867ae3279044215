"""Searching in a process of its own, so that the event loop has the interpreter of this one to itself.

The process is forked before Python has other threads and a loop: it shares the memory of the engine, does one search
after the other, and ends with its parent, whose end of the wire closes however the parent dies. If it is lost, this
process searches in threads until another one, a program of its own, has opened the engine.
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
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from bot.publishing.searching import HEAD, Opened, Outset, TooLongError, forked, start
from indexer.engine import Engine
from indexer.entries import Entry

log = logging.getLogger(__name__)
Found = TypeVar("Found")
P = ParamSpec("P")

PATIENCE, SECOND = 20, 1.0  # so many seconds for what takes milliseconds
# Seconds: until another process is started, twice as long each time, at most; what one has to begin in; and how long
# one has to last for its loss to be the first again.
PAUSE, LONGEST_PAUSE, BEGINNING, LASTING = 5.0, 1800.0, 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Child:
    """A process, and our end of the wire to it."""

    pid: int
    wire: socket.socket


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that the process has, and what will be found; entries of its index are found by their number."""

    entries: Sequence[Entry]
    found: asyncio.Future[Any]


class Searcher:
    """Understands messages and finds their answers: in a process of its own if it has one, or else in a thread.

    Used as a context, it speaks with that process, starts another one when it is lost, and ends it with the block.
    """

    def __init__(self, child: Child | None = None, outset: Outset | None = None) -> None:
        self.child = child
        self.answers = False  # whether the process does, just now
        self.lost = 0  # so many processes
        self.outset = outset  # of the next one; None where there is to be none
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[int, Waiting] = {}  # by the question's number
        self._numbers = count()
        self._why = ""  # it was lost
        self._staying: asyncio.Task[None] | None = None

    async def run(
        self,
        engine: Engine,
        work: Callable[Concatenate[Engine, P], Found],
        *args: P.args,
        **known: P.kwargs,
    ) -> Found:
        """`work(engine, *args, **known)`, with the engine of this one's index.

        The process finds `work` by its name in its module. Raises TooLongError for what that process gave up: nobody
        else tries it then, since a thread cannot be stopped and would stop this process.
        """
        if self.outset and self.outset.snapshot != engine.snapshot.id:
            self.outset = replace(self.outset, snapshot=engine.snapshot.id)
        if self.answers and (found := await self._elsewhere(engine, (work, args, known))) is not None:
            return found  # type: ignore[no-any-return]  # by the process
        return await asyncio.to_thread(work, engine, *args, **known)

    async def _elsewhere(self, engine: Engine, asked: tuple[Any, ...]) -> Any:
        """What the process finds; None if it cannot."""
        assert self._writer  # it answers
        number = next(self._numbers)
        message = pickle.dumps((number, engine.snapshot.id, *asked))
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = Waiting(engine.snapshot.entries, answer)
        self._writer.write(message)
        try:
            # One by one: seconds in which the whole machine stood still are no reason to lose patience.
            for _ in range(PATIENCE):
                if (await asyncio.wait([answer], timeout=SECOND))[0]:
                    return answer.result()
        finally:
            self._waiting.pop(number, None)
        self._hang_up("no answer in time")
        return None

    async def _stay(self, reader: asyncio.StreamReader | None) -> None:
        """Listens to the process until it is lost, and then to another one: the more often that happens, the later."""
        pause = PAUSE
        while True:
            began = monotonic()
            try:
                await self._listen(reader or await self._another())
            except (asyncio.IncompleteReadError, ConnectionError):
                self._hang_up("it has ended")
            except Exception as error:
                self._hang_up(type(error).__name__)
            reader, code = None, await self._buried()
            self.lost += 1
            pause = PAUSE if monotonic() - began > LASTING else pause
            hint = f"this process searches itself, and is slower; another one is started in {pause:.0f} s"
            log.error("search process lost", extra={"error": f"{self._why} (exit code {code})", "hint": hint})
            self._why = ""
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _another(self) -> asyncio.StreamReader:
        """Starts a process and waits until it is ready; no fork, since a process with threads is no good parent of one.

        Raises OSError, or IncompleteReadError if it ends.
        """
        ours, its = socket.socketpair()
        with its:
            self.child = Child(start(its), ours)
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._writer.write(pickle.dumps(self.outset))
        async with asyncio.timeout(BEGINNING):
            await reader.readexactly(HEAD.size)
        self.answers = True
        log.info("search process started")
        return reader

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hands answers to who waits for them; raises IncompleteReadError at their end."""
        while True:
            number, length = HEAD.unpack(await reader.readexactly(HEAD.size))
            answer = await reader.readexactly(length)
            if (waiting := self._waiting.get(number)) and not waiting.found.done():  # who asked may have given up
                found = Opened(answer, waiting.entries).load()
                if isinstance(found, TooLongError):
                    waiting.found.set_exception(found)
                else:
                    waiting.found.set_result(found)

    def _hang_up(self, why: str) -> None:
        """Ends the process, which holds nothing that could be lost; whoever waits for it is served in a thread."""
        if self._writer:
            self._writer.close()
        self._writer, self.answers, self._why = None, False, self._why or why
        for waiting in self._waiting.values():
            if not waiting.found.done():
                waiting.found.set_result(None)
        if self.child:
            with suppress(ProcessLookupError):
                os.kill(self.child.pid, signal.SIGKILL)

    async def _buried(self) -> int | None:
        """The ended process's exit code; the system may take a while to free its memory."""
        child, self.child = self.child, None
        if child is None:
            return None
        with suppress(ChildProcessError):
            return os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, child.pid, 0))[1])
        return None

    async def __aenter__(self) -> Self:
        if self.child:
            reader, self._writer = await asyncio.open_connection(sock=self.child.wire)
            self.answers = True
            self._staying = asyncio.create_task(self._stay(reader))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        if self._staying:
            self._staying.cancel()
            await asyncio.wait([self._staying])
        self._hang_up("")
        await self._buried()


def apart(engine: Engine, root: Path, prepare: Callable[[], object] | None = None) -> Searcher:
    """A searcher with a process of its own, forked now: to be called before Python has other threads and an event loop.

    `root` is where later snapshots will lie; later processes call `prepare` before anything else. It has none outside
    Linux, and where the system refuses one. With a single core it is no faster, but computing can be given up there.
    """
    if sys.platform != "linux":
        return Searcher()
    gc.freeze()  # or else the next collection would write to all pages that both share
    try:
        ours, its = socket.socketpair()
        with its:
            if (pid := os.fork()) == 0:
                forked(ours, its, engine, root)
    except OSError as error:
        gc.unfreeze()
        log.warning("no search process", extra={"error": error.strerror, "hint": "this process searches itself"})
        return Searcher()
    return Searcher(Child(pid, ours), Outset(prepare, engine.encoder, root, engine.snapshot.id))
