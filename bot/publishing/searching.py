"""The process that searches: what it is asked and answers over its wire, and its life.

It holds nothing that could be lost. A question is pickled, an answer comes with a head and has entries of the index as
their numbers, since both sides have them.
"""

import gc
import logging
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedRWPair, BytesIO
from pathlib import Path
from struct import Struct
from time import monotonic
from typing import Any

from bot.loading import loading
from bot.watch.memory import EVERY, trimmer
from indexer.encoder import Encoder
from indexer.engine import Engine, engine_of
from indexer.entries import Entry
from indexer.snapshot import load
from indexer.store import snapshot_folder

log = logging.getLogger(__name__)
# Seconds of computing for what takes milliseconds: a text that was written to take longer. As many such as are handled
# at once must not use up the patience with this process.
LONGEST = 2.0
HEAD = Struct("!QI")  # the question's number, and how many bytes of an answer follow


@dataclass(frozen=True, slots=True)
class Outset:
    """What a process that was not forked is told first; it answers with a head alone once it is ready."""

    prepare: Callable[[], object] | None  # before anything else, such as setting up the log
    encoder: Encoder
    root: Path  # where snapshots lie
    snapshot: str


class TooLongError(Exception):
    """What was asked takes too long, here and anywhere."""


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raises TooLongError in the midst of what computes longer, also in the midst of a regular expression.

    Again and again, since an exception is lost where nothing can take it, as while an object is deleted.
    """
    over = False

    def end(*_: object) -> None:
        if not over:
            raise TooLongError

    signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds, seconds / 10)
    try:
        yield
    finally:
        over = True
        signal.setitimer(signal.ITIMER_PROF, 0)


class _Packed(pickle.Pickler):
    """Writes entries of an index as their numbers: both sides have them, each with all of its ways of asking."""

    def __init__(self, numbers: dict[int, int]) -> None:
        self._numbers, self.stream = numbers, BytesIO()
        super().__init__(self.stream, pickle.HIGHEST_PROTOCOL)

    def persistent_id(self, obj: Any) -> int | None:
        return self._numbers.get(id(obj)) if type(obj) is Entry else None


class Opened(pickle.Unpickler):
    """Reads what was packed by our own process."""

    def __init__(self, answer: bytes, entries: Sequence[Entry]) -> None:
        self._entries = entries
        super().__init__(BytesIO(answer))

    def persistent_load(self, pid: int) -> Entry:
        """The entry of this number."""
        return self._entries[pid]


def _packed(found: object, numbers: dict[int, int]) -> bytes:
    packed = _Packed(numbers)
    packed.dump(found)
    return packed.stream.getvalue()


def _numbers(engine: Engine) -> dict[int, int]:
    return {id(entry): number for number, entry in enumerate(engine.snapshot.entries)}


def forked(parents: socket.socket, own: socket.socket, engine: Engine, root: Path) -> None:
    """The whole life of a process that has the engine already."""
    with _life(own) as stream:
        parents.close()
        _serve(stream, engine, root)


def started() -> None:
    """The whole life of a process that begins with nothing but the wire, its standard input, and opens the engine."""
    with _life(socket.socket(fileno=0)) as stream:
        outset: Outset = pickle.load(stream)  # noqa: S301  # from our own process
        if outset.prepare:
            outset.prepare()
        with loading():
            engine = engine_of(load(snapshot_folder(outset.root) / outset.snapshot), outset.encoder)
        gc.freeze()  # as before a fork: what stays need not be looked through
        stream.write(HEAD.pack(0, 0))
        stream.flush()
        _serve(stream, engine, outset.root)


def start(wire: socket.socket) -> int:
    """Starts a Python of its own that lives `started`; gives its process's id, or raises OSError."""
    paths = os.pathsep.join(str(Path(path).absolute()) for path in sys.path)  # it finds the modules that we found
    begin = [sys.executable, "-P", "-c", "from bot.publishing.searching import started; started()"]
    actions = [(os.POSIX_SPAWN_DUP2, wire.fileno(), 0)]
    return os.posix_spawn(sys.executable, begin, os.environ | {"PYTHONPATH": paths}, file_actions=actions)


@contextmanager
def _life(own: socket.socket) -> Iterator[BufferedRWPair]:
    """The wire as a stream; with the block the process ends."""
    status = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM):  # the parent hears them, and finishes what is under way
            signal.signal(number, signal.SIG_IGN)
        with own.makefile("rwb") as stream, suppress(EOFError, ConnectionError):  # the parent has hung up
            yield stream
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
            with _at_most(LONGEST):
                found = work(engine, *args, **known)
            answer = _packed(found, numbers)
        except TooLongError as error:
            log.warning("search given up", extra={"seconds": LONGEST})
            answer = pickle.dumps(error)
        except Exception:
            log.warning("search process could not answer", exc_info=True)
            answer = pickle.dumps(None)
        stream.write(HEAD.pack(number, len(answer)) + answer)
        stream.flush()
        if trim and monotonic() > trimmed + EVERY:
            trim(0)
            trimmed = monotonic()
