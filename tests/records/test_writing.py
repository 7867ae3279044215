import resource
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from bot.records.sessions import Database, open_database
from bot.records.writing import writing_fault
from tests.postgres import Postgres


@contextmanager
def full_disk() -> Iterator[None]:
    """No file takes anything until the block ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_database_that_takes_writes(db: Database) -> None:
    assert await writing_fault(db) == ""


async def test_a_disk_that_takes_nothing(sqlite_db: Database) -> None:
    async with sqlite_db.read() as tx:
        await tx.execute(text("SELECT 1"))
    with full_disk():
        fault = await writing_fault(sqlite_db)
    assert fault == "OperationalError, SQLITE_IOERR_WRITE"
    assert await writing_fault(sqlite_db) == ""


async def test_a_server_that_takes_no_writes(postgres: Postgres, postgres_db: Database) -> None:
    name = postgres_db.engine.url.database
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    db = open_database(postgres_db.engine.url.render_as_string(hide_password=False))
    assert await writing_fault(db) == "it is read-only"
    await db.close()
