"""SQLite's connections, set up to lose nothing and to cost little."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from sqlite3 import SQLITE_BUSY, OperationalError, Row, connect
from sqlite3 import Connection as SqliteConnection
from typing import Any, Literal, Self

import aiosqlite
from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

PATIENCE, HASTE = "PRAGMA busy_timeout=15000", "PRAGMA busy_timeout=0"  # milliseconds that one waits for a writer
PRAGMAS = (
    "PRAGMA journal_mode=WAL",  # readers and the writer do not wait for each other
    "PRAGMA synchronous=FULL",  # a commit survives the loss of power
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # what is erased is overwritten
    PATIENCE,
)
TRIES, PAUSE = 150, 0.1  # seconds
WIPING = 500  # milliseconds that emptying the log waits for readers, since all writers wait for it


def sqlite_engine(url: str) -> AsyncEngine:
    """An engine whose transactions begin as SQLAlchemy says.

    Those with the option `writing` begin as writers. Those with `brief` run in the event loop: they must take no
    longer than a few milliseconds.
    """
    engine = create_async_engine(url, connect_args={"async_creator_fn": _open})
    event.listen(engine.sync_engine, "begin", _begin)
    event.listen(engine.sync_engine, "invalidate", _let_go)
    return engine


class NearBy(aiosqlite.Connection):
    """A connection whose brief transactions run where they are asked for.

    The driver has a thread for each connection, and goes there four times for each statement: that takes far longer
    than the statement. Here all of a statement is one visit, and only what may take its time goes there: a commit,
    waiting for another process, transactions that are not brief.
    """

    _brief = False  # the transaction under way
    _asked = _finished = 0  # visits; the first counted in the event loop, the other in the thread
    _changes = 0  # of rows, before the transaction

    def begins(self, *, brief: bool) -> None:
        """Says what kind of transaction begins now."""
        self._brief, self._changes = brief, self._conn.total_changes
        self._conn.execute(HASTE if brief else PATIENCE)

    def cursor(self, *_: Any) -> "Cursor":  # type: ignore[override]  # SQLAlchemy needs no more of a cursor
        """A cursor."""
        return Cursor(self)

    async def commit(self) -> None:
        """Ends the transaction: what it changed is on the disk then."""
        await self.work(self._conn.commit, at_once=self._changes == self._conn.total_changes)

    async def rollback(self) -> None:
        """Ends the transaction: nothing has happened."""
        await self.work(self._conn.rollback)

    async def work(self, task: Callable[..., None], *values: Any, at_once: bool = True) -> None:
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
        await self._execute(self._visit, task, *values)  # type: ignore[no-untyped-call]  # the driver's

    def _visit(self, task: Callable[..., None], *values: Any) -> None:
        try:
            if self._brief:
                self._conn.execute(PATIENCE)
            task(*values)
        finally:
            if self._brief:
                self._conn.execute(HASTE)
            self._finished += 1


class Cursor:
    """A statement and all of its rows."""

    arraysize = 1

    def __init__(self, connection: NearBy) -> None:
        self._connection = connection
        self._rows: list[Row] = []
        self.description: Any = None
        self.rowcount, self.lastrowid = -1, 0

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> Self:
        """Runs a statement and reads its rows."""
        await self._connection.work(self._run, "execute", statement, values)
        return self

    async def executemany(self, statement: str, values: Sequence[Sequence[Any]]) -> Self:
        """Runs a statement once for each of many values."""
        await self._connection.work(self._run, "executemany", statement, values)
        return self

    def _run(self, how: Literal["execute", "executemany"], statement: str, values: Sequence[Any]) -> None:
        cursor = getattr(self._connection._conn, how)(statement, values)
        self._rows = cursor.fetchall() if cursor.description else []
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        cursor.close()

    async def fetchall(self) -> list[Row]:
        """The rows that were read."""
        return self._rows

    async def fetchmany(self, size: int = 1) -> list[Row]:
        """The next of the rows that were read."""
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    async def close(self) -> None:
        """Nothing is open any more."""


def _open(path: str, **options: Any) -> NearBy:
    connection = NearBy(partial(_connect, path, **options), 64)
    connection._thread.daemon = True  # as SQLAlchemy does: no statement keeps the program from ending
    return connection


def _connect(path: str, **options: Any) -> SqliteConnection:
    """Runs in the connection's own thread."""
    # The driver itself begins a transaction only at the first INSERT or UPDATE: what was read before
    # may be out of date by then. It must not begin any; `_begin` does.
    connection: SqliteConnection = connect(path, **options | {"isolation_level": None, "check_same_thread": False})
    try:
        for pragma in PRAGMAS:
            _patiently(connection, pragma)
    except BaseException:
        connection.close()
        raise
    return connection


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


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    driver = connection.connection.driver_connection
    assert isinstance(driver, NearBy)
    driver.begins(brief=options.get("brief", False))
    if not options.get("alone", False):  # what no transaction may stand around
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writing", False) else "BEGIN")


async def empty_log(engine: AsyncEngine) -> bool:
    """Moves the write-ahead log into the database file and cuts it to nothing; False while others read or write."""
    async with engine.execution_options(alone=True, brief=False).connect() as connection:
        await connection.exec_driver_sql(f"PRAGMA busy_timeout={WIPING}")
        busy = (await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).scalar_one()
        await connection.exec_driver_sql(PATIENCE)
    return not busy
