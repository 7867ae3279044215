"""The database: one place where connections are set up and transactions begin."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

PRAGMAS = (
    "journal_mode=WAL",  # readers and the writer do not wait for each other
    "synchronous=FULL",  # a commit survives the loss of power
    "foreign_keys=ON",
    "busy_timeout=15000",  # milliseconds that a writer waits for another process
    "secure_delete=ON",  # what is erased is overwritten
)


@dataclass(frozen=True, slots=True)
class Database:
    """An engine and the two ways of using it."""

    engine: AsyncEngine
    writing: AsyncEngine  # the same connections; its transactions begin as writers

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A transaction for reading and writing: committed at the end, rolled back on an exception."""
        async with AsyncSession(self.writing, expire_on_commit=False) as tx, tx.begin():
            yield tx

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A consistent view for reading; what is changed in it is rolled back."""
        async with AsyncSession(self.engine, expire_on_commit=False) as tx:
            yield tx

    async def close(self) -> None:
        """Closes all connections."""
        await self.engine.dispose()


def open_database(url: str) -> Database:
    """Prepares connections to `sqlite+aiosqlite:///…` or `postgresql+psycopg://…`; connects at first use."""
    engine = create_async_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _set_up)
        event.listen(engine.sync_engine, "begin", _begin)
        event.listen(engine.sync_engine, "invalidate", _let_go)
        return Database(engine, engine.execution_options(writing=True))
    return Database(engine.execution_options(isolation_level="REPEATABLE READ"), engine)


def _set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver itself begins a transaction only at the first INSERT or UPDATE: what was read before
    # may be out of date by then. It must not begin any; `_begin` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _let_go(connection: DBAPIConnection, _entry: ConnectionPoolEntry, _error: BaseException | None) -> None:
    # A task that is cancelled in the middle of a statement loses its connection. Closing alone would not end the
    # transaction: SQLite keeps it, with its lock, as long as a traceback holds the statement.
    with suppress(Exception):
        connection.rollback()


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
