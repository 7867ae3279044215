"""SQLite's connections, set up to lose nothing and to cost little."""

import time
from collections.abc import Sequence
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

PRAGMAS = (
    "journal_mode=WAL",  # readers and the writer do not wait for each other
    "synchronous=FULL",  # a commit survives the loss of power
    "foreign_keys=ON",
    "busy_timeout=15000",  # milliseconds that a writer waits for another process
    "secure_delete=ON",  # what is erased is overwritten
)
TRIES, PAUSE = 150, 0.1  # seconds


def sqlite_engine(url: str) -> AsyncEngine:
    """An engine whose transactions begin as SQLAlchemy says; those with the option `writing` begin as writers."""
    engine = create_async_engine(url, connect_args={"async_creator_fn": _open})
    event.listen(engine.sync_engine, "begin", _begin)
    event.listen(engine.sync_engine, "invalidate", _let_go)
    return engine


class OneVisit(aiosqlite.Connection):
    """A connection whose statements visit its thread once each.

    The driver goes there four times for each: cursor, statement, rows, close. Going there is what costs most.
    """

    def cursor(self, *_: Any) -> "Cursor":  # type: ignore[override]  # SQLAlchemy needs no more of a cursor
        """A cursor."""
        return Cursor(self)


class Cursor:
    """A statement and all of its rows."""

    arraysize = 1

    def __init__(self, connection: OneVisit) -> None:
        self._connection = connection
        self._rows: list[Row] = []
        self.description: Any = None
        self.rowcount, self.lastrowid = -1, 0

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> Self:
        """Runs a statement and reads its rows."""
        await self._visit("execute", statement, values)
        return self

    async def executemany(self, statement: str, values: Sequence[Sequence[Any]]) -> Self:
        """Runs a statement once for each of many values."""
        await self._visit("executemany", statement, values)
        return self

    async def _visit(self, how: Literal["execute", "executemany"], statement: str, values: Sequence[Any]) -> None:
        await self._connection._execute(self._run, how, statement, values)  # type: ignore[no-untyped-call]  # the driver's

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


def _open(path: str, **options: Any) -> OneVisit:
    connection = OneVisit(partial(_connect, path, **options), 64)
    connection._thread.daemon = True  # as SQLAlchemy does: no statement keeps the program from ending
    return connection


def _connect(path: str, **options: Any) -> SqliteConnection:
    """Runs in the connection's own thread."""
    # The driver itself begins a transaction only at the first INSERT or UPDATE: what was read before
    # may be out of date by then. It must not begin any; `_begin` does.
    connection: SqliteConnection = connect(path, isolation_level=None, **options)
    try:
        for pragma in PRAGMAS:
            _patiently(connection, f"PRAGMA {pragma}")
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
            if error.sqlite_errorcode & 0xFF != SQLITE_BUSY:  # the low byte: the kind
                raise
            time.sleep(PAUSE)
        else:
            return
    connection.execute(statement)


def _let_go(connection: DBAPIConnection, _entry: ConnectionPoolEntry, _error: BaseException | None) -> None:
    # A task that is cancelled in the middle of a statement loses its connection. Closing alone would not end the
    # transaction: SQLite keeps it, with its lock, as long as a traceback holds the statement.
    with suppress(Exception):
        connection.rollback()


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
