"""SQLite's connections, set up to lose nothing and to cost little."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from functools import partial
from sqlite3 import SQLITE_BUSY, OperationalError, Row
from sqlite3 import Connection as SqliteConnection
from typing import Any, Literal, Self, cast

import aiosqlite
from sqlalchemy import Pool, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_dbapi,
    SQLiteDialect_aiosqlite,
)
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.util import await_only

PATIENCE, HASTE = "PRAGMA busy_timeout=15000", "PRAGMA busy_timeout=0"  # milliseconds that one waits for a writer
PRAGMAS = (
    "PRAGMA journal_mode=WAL",  # readers and the writer do not wait for each other
    "PRAGMA synchronous=FULL",  # a commit survives the loss of power
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # what is erased is overwritten
    PATIENCE,
)
TRIES, PAUSE = 150, 0.1  # seconds
WIPE_SOON = "PRAGMA busy_timeout=500"  # emptying the log waits for readers no longer, since all writers wait for it


def sqlite_engine(
    url: str, pool: Pool | None = None, *, begin: str | None = "BEGIN", brief: bool = False
) -> AsyncEngine:
    """An engine whose transactions begin as SQLAlchemy says; on the connections of another if given its pool.

    They begin with the statement `begin`; with none, each statement is a transaction. Those of one that is `brief` run
    in the event loop: they must take no longer than a few milliseconds.
    """
    near = make_url(url).set(drivername="sqlite+nearby")
    if pool is not None:
        return create_async_engine(near, pool=pool, begin=begin, brief=brief, hide_parameters=True)
    engine = create_async_engine(near, begin=begin, brief=brief, hide_parameters=True)
    event.listen(engine.sync_engine.pool, "invalidate", _let_go)
    return engine


class NearBy(AsyncAdapt_aiosqlite_connection):
    """A connection whose brief transactions run where they are asked for.

    The driver has a thread for each connection, and SQLAlchemy goes there four times for each statement: that takes
    far longer than the statement. Here only what may take its time goes there, in one visit: a commit, waiting for
    another process, transactions that are not brief.
    """

    __slots__ = ("_asked", "_brief", "_changes", "_finished", "_waits")

    def __init__(self, dbapi: AsyncAdapt_aiosqlite_dbapi, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self._brief = False  # the transaction under way
        self._asked = self._finished = 0  # visits; the first counted in the event loop, the other in the thread
        self._changes = 0  # of rows, before the transaction
        self._waits = ""  # the last said; until then as it was opened

    @property
    def _plain(self) -> SqliteConnection:
        plain: SqliteConnection = self._connection._conn
        return plain

    def begins(self, begin: str | None, *, brief: bool) -> None:
        """Begins a transaction with this statement, or lets each statement be one."""
        self._brief, self._changes = brief, self._plain.total_changes
        self.waits(HASTE if brief else PATIENCE)
        if begin:
            self.work(self._plain.execute, begin)

    def waits(self, how: str) -> None:
        """How long a statement waits for a writer."""
        if how != self._waits:
            self._plain.execute(how)
            self._waits = how

    def cursor(self, server_side: bool = False) -> "Cursor":  # type: ignore[override]  # SQLAlchemy needs no more of it
        """A cursor."""
        return Cursor(self)

    def commit(self) -> None:
        """Ends the transaction: what it changed is on the disk then."""
        self.work(self._plain.commit, at_once=self._changes == self._plain.total_changes)

    def rollback(self) -> None:
        """Ends the transaction: nothing has happened."""
        self.work(self._plain.rollback)

    def work(self, task: Callable[..., Any], *values: Any, at_once: bool = True) -> None:
        """Does some work on the connection: here, if it need not wait."""
        # After a task was cancelled its work may still go on in the thread.
        if at_once and self._brief and self._asked == self._finished:
            try:
                task(*values)
            except OperationalError as error:
                if not _busy(error):
                    raise
            else:
                return
        self._asked += 1
        try:
            await_only(self._connection._execute(self._visit, task, *values))
        except Exception as error:
            self._handle_exception(error)

    def _visit(self, task: Callable[..., Any], *values: Any) -> None:
        try:
            self.waits(PATIENCE)
            task(*values)
        finally:
            if self._brief:
                self.waits(HASTE)
            self._finished += 1


class _Nothing:
    """Nothing to wait for: SQLAlchemy takes a driver that never waits for one that blocks."""

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


_NOTHING = _Nothing()


class Cursor:
    """A statement and all of its rows."""

    def __init__(self, connection: NearBy) -> None:
        self._connection = connection
        self._rows: list[Row] = []
        self.description: Any = None
        self.rowcount, self.lastrowid = -1, 0

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Self:
        """Runs a statement and reads its rows."""
        self._connection.work(self._run, "execute", statement, values)
        await_only(_NOTHING)
        return self

    def executemany(self, statement: str, values: Sequence[Sequence[Any]]) -> Self:
        """Runs a statement once for each of many values."""
        self._connection.work(self._run, "executemany", statement, values)
        await_only(_NOTHING)
        return self

    def _run(self, how: Literal["execute", "executemany"], statement: str, values: Sequence[Any]) -> None:
        cursor = getattr(self._connection._plain, how)(statement, values)
        self._rows = cursor.fetchall() if cursor.description else []
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        cursor.close()

    def fetchone(self) -> Row | None:
        """The next of the rows that were read."""
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[Row]:
        """As many of the rows that were read."""
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[Row]:
        """The rest of the rows that were read."""
        taken, self._rows = self._rows, []
        return taken

    def close(self) -> None:
        """Nothing is open any more."""

    async def _async_soft_close(self) -> None:
        """As SQLAlchemy calls it before it hands out the result."""


class Driver(AsyncAdapt_aiosqlite_dbapi):
    """The driver, with our connections."""

    def connect(self, path: str, **options: Any) -> NearBy:
        """Opens the file in a thread of the connection's own."""
        connection = aiosqlite.Connection(partial(_connect, path, **options), 64)
        connection._thread.daemon = True  # as SQLAlchemy does: no statement keeps the program from ending
        try:
            return NearBy(self, await_only(connection))
        except sqlite3.Error:
            connection._thread.join()  # all it has left to do is to tell an event loop, which may be closed by then
            raise


class Dialect(SQLiteDialect_aiosqlite):
    """SQLite with our connections, and with one way of beginning transactions.

    A listener to SQLAlchemy's events could begin them too, but where there is one, each statement costs more.
    """

    driver = "nearby"
    supports_statement_cache = True

    def __init__(self, begin: str | None = "BEGIN", brief: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._begin, self._brief = begin, brief

    @classmethod
    def import_dbapi(cls) -> Driver:
        """The driver."""
        return Driver(aiosqlite, sqlite3)

    def do_begin(self, dbapi_connection: PoolProxiedConnection) -> None:
        """Begins a transaction."""
        cast(NearBy, dbapi_connection.dbapi_connection).begins(self._begin, brief=self._brief)


_MAKING = threading.Lock()

registry.register("sqlite.nearby", __name__, Dialect.__name__)


def _connect(path: str, **options: Any) -> SqliteConnection:
    """Runs in the connection's own thread."""
    # The driver itself begins a transaction only at the first INSERT or UPDATE: what was read before
    # may be out of date by then. It must not begin any; the dialect does.
    options |= {"isolation_level": None, "check_same_thread": False}
    if path != ":memory:" and not options.get("uri"):
        _make_private(path)
    connection: SqliteConnection = sqlite3.connect(path, **options)
    try:
        for pragma in PRAGMAS:
            _patiently(connection, pragma)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private(path: str) -> None:
    """Makes the file, unless it is there, for its owner alone; SQLite gives the files beside it the same rights.

    One thread at a time: closing a file would end the locks that another has on it by then.
    """
    with _MAKING, suppress(OSError):  # told as the file is opened
        if not os.path.exists(path):  # noqa: PTH110  a path as SQLite takes it
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _patiently(connection: SqliteConnection, statement: str) -> None:
    """While one connection turns a new file into WAL, SQLite refuses others at once, whatever its timeout is."""
    for _ in range(TRIES):
        try:
            connection.execute(statement)
        except OperationalError as error:
            if not _busy(error):
                raise
            time.sleep(PAUSE)
        else:
            return
    connection.execute(statement)


def _busy(error: OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == SQLITE_BUSY  # the low byte: the kind


def _let_go(connection: DBAPIConnection, _entry: ConnectionPoolEntry, _error: BaseException | None) -> None:
    # A task that is cancelled in the middle of a statement loses its connection. Closing alone would not end the
    # transaction: SQLite keeps it, with its lock, as long as a traceback holds the statement.
    with suppress(Exception):
        connection.rollback()


async def empty_log(engine: AsyncEngine) -> bool:
    """Moves the write-ahead log into the database file and cuts it to nothing; False while others read or write."""
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        cast(NearBy, raw.dbapi_connection).waits(WIPE_SOON)
        driver = cast(aiosqlite.Connection, raw.driver_connection)
        row = await (await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")).fetchone()
    return row is not None and not row[0]
