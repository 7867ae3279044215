"""The database: one place where connections are set up and transactions begin."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from bot.records.news import KEEPALIVE, SERVERS_KEEPALIVE, News, publish, told
from bot.records.sqlite import empty_log, sqlite_engine

log = logging.getLogger(__name__)

# What a server in need says, rather than a wrong statement: connection lost, read-only, ended for standing still, out
# of resources, shut down, no lock.
OUTAGES_POSTGRESQL = ("08", "25006", "25P03", "53", "57", "55P03", "40")
# Seconds that a transaction may do nothing: what a process has locked that is frozen, or whose machine has lost its
# network, the server would keep from all others for hours.
STANDSTILL = 10.0
OUTAGES_SQLITE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
}


@dataclass(frozen=True, slots=True)
class Database:
    """An engine and the two ways of using it."""

    engine: AsyncEngine
    writing: AsyncEngine  # the same connections; its transactions begin as writers
    glancing: AsyncEngine  # the same connections, to read what has its index
    news: News = field(default_factory=News)
    turn: asyncio.Lock | None = None  # SQLite has one writer at a time: waiting here is fair and costs nothing

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A transaction for reading and writing: committed at the end, rolled back on an exception.

        On PostgreSQL others may write meanwhile: what is read to be changed is read `with_for_update`, or changed
        by a conditional UPDATE.
        """
        async with self.turn or nullcontext(), AsyncSession(self.writing, expire_on_commit=False) as tx:
            async with tx.begin():
                yield tx
                if self.postgresql:
                    await tx.flush()
                    await publish(tx, self.news)
            for word in told(tx):
                self.news.ring(word)
            if tx.info.get("erases"):
                await self.wipe()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A consistent view for reading; what is changed in it is lost, or refused (PostgreSQL)."""
        async with AsyncSession(self.engine, expire_on_commit=False) as tx:
            yield tx
            if self.postgresql:  # at a rollback psycopg forgets all statements that it has prepared on the connection
                tx.expunge_all()
                await tx.commit()

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[AsyncConnection]:
        """For single rows that are found by an index, without objects: it costs the least. Each statement sees what is
        committed when it begins.
        """
        async with self.glancing.connect() as connection:
            yield connection

    async def wipe(self) -> bool:
        """Leaves nothing of what was erased in SQLite's write-ahead log; False if others keep it from that.

        PostgreSQL's own log and the room of dead rows are the server's: see docs/privacy.md.
        """
        if self.postgresql:
            return True
        try:
            done = await empty_log(self.writing)
        except (DBAPIError, sqlite3.Error):
            done = False
        if not done:
            log.warning("what was erased may stand in the database's log until the next night")
        return done

    @property
    def postgresql(self) -> bool:
        """Whether other processes can be told of news."""
        return self.engine.dialect.name == "postgresql"

    async def close(self) -> None:
        """Closes all connections."""
        await self.engine.dispose()


def open_database(url: str) -> Database:
    """Prepares connections to `sqlite+aiosqlite:///…` or `postgresql+psycopg://…`; connects at first use."""
    if not make_url(url).drivername.startswith("sqlite"):
        # What an error quotes of a statement's values may be people's words.
        engine = create_async_engine(url, pool_size=10, max_overflow=20, connect_args=KEEPALIVE, hide_parameters=True)
        event.listen(engine.sync_engine, "connect", _let_stand_still_no_longer)
        event.listen(engine.sync_engine, "checkout", partial(_notice_end, engine.dialect.loaded_dbapi.Error))
        consistent = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # Each statement of a glance is a transaction of its own: it spares the server to begin and end one.
        return Database(consistent, engine, engine.execution_options(isolation_level="AUTOCOMMIT"))
    engine = sqlite_engine(url)
    writing = sqlite_engine(url, engine.sync_engine.pool, begin="BEGIN IMMEDIATE", brief=True)
    glancing = sqlite_engine(url, engine.sync_engine.pool, begin=None, brief=True)
    return Database(engine, writing, glancing, turn=asyncio.Lock())


def _let_stand_still_no_longer(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    limits = {"idle_in_transaction_session_timeout": f"{STANDSTILL * 1000:.0f}"} | SERVERS_KEEPALIVE
    cursor.execute(f"SELECT {', '.join(f'set_config({name!r}, {value!r}, false)' for name, value in limits.items())}")
    cursor.close()
    connection.commit()


def _notice_end(
    errors: type[Exception], _connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    """Notices before it is used that a restart of the server has cut a connection, by reading what has come of it.

    SQLAlchemy's `pool_pre_ping` sends a statement each time, which takes as long as what the connection is wanted for.
    """
    assert entry.driver_connection
    try:
        for _ in range(2):  # the server's last words, and its end
            entry.driver_connection.pgconn.consume_input()
    except errors as error:
        raise InvalidatePoolError from error  # all connections that are older than this moment are made anew


def erases(tx: AsyncSession) -> None:
    """Notes that this transaction erases what is held of people: nothing of it may stay in the database's log."""
    tx.info["erases"] = True


def outage(error: BaseException) -> bool:
    """Whether the database is in need (gone, locked, full …), and what it was asked to do is not to blame."""
    if isinstance(error, PoolTimeoutError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if hasattr(error.orig, "sqlstate"):  # of PostgreSQL's driver, which a bot on SQLite does not load
        state: str | None = getattr(error.orig, "sqlstate", None)
        return error.connection_invalidated or (state or "08").startswith(OUTAGES_POSTGRESQL)
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in OUTAGES_SQLITE  # the low byte: the kind
