import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from bot.records import sessions
from bot.records.sessions import Database, open_database, outage
from bot.records.tables import Candidate, Setting
from tests.postgres import Postgres

ADD_ONE = text("UPDATE setting SET value = :value WHERE key = 'count'")
LONG = text("WITH RECURSIVE n(i) AS (SELECT tell() UNION ALL SELECT i + 1 FROM n LIMIT 300000) SELECT count(*) FROM n")
COUNT = text("SELECT value FROM setting WHERE key = 'count'")


async def count(db: Database) -> int:
    async with db.read() as tx:
        return int((await tx.execute(COUNT)).scalar_one())


async def test_forty_transactions_that_read_and_then_write_lose_nothing(sqlite_db: Database) -> None:
    other = open_database(str(sqlite_db.engine.url))  # as a second process would

    async def add_one(database: Database) -> None:
        async with database.begin() as tx:
            value = int((await tx.execute(COUNT)).scalar_one())
            await asyncio.sleep(0)
            await tx.execute(ADD_ONE, {"value": str(value + 1)})

    async with sqlite_db.begin() as tx:
        tx.add(Setting(key="count", value="0"))
    await asyncio.gather(*(add_one(database) for database in [sqlite_db, other] * 20))
    await other.close()
    assert await count(sqlite_db) == 40


async def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    db = open_database(f"sqlite+aiosqlite:///{tmp_path / 'new.db'}")
    async with db.begin() as tx:
        await tx.execute(text("CREATE TABLE one (x)"))
        await asyncio.gather(*(connect(db) for _ in range(5)))
    rights = rights_of(tmp_path)
    assert rights["new.db"] == 0o600
    assert set(rights.values()) == {0o600}
    await db.close()


def rights_of(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.glob("new.db*")}


async def connect(db: Database) -> None:
    async with db.read() as tx:
        await tx.execute(text("SELECT 1"))


async def test_an_error_quotes_no_values(db: Database) -> None:
    async with db.begin() as tx:
        tx.add(Setting(key="count", value="0"))
    with pytest.raises(IntegrityError) as failed:
        async with db.begin() as tx:
            await tx.execute(text("INSERT INTO setting (key, value) VALUES ('count', :said)"), {"said": "their words"})
    assert "their words" not in str(failed.value)


async def test_the_drivers_own_transactions_would_lose_updates(sqlite_db: Database) -> None:
    # The control of the test above: the same reading and writing, begun by the driver.
    engine = create_async_engine(sqlite_db.engine.url.set(drivername="sqlite+aiosqlite"))
    all_have_read = asyncio.Barrier(5)

    async def add_one() -> None:
        async with AsyncSession(engine) as tx:
            value = int((await tx.execute(COUNT)).scalar_one())
            await all_have_read.wait()
            await tx.execute(ADD_ONE, {"value": str(value + 1)})
            await tx.commit()

    async with sqlite_db.begin() as tx:
        tx.add(Setting(key="count", value="0"))
    await asyncio.gather(*(add_one() for _ in range(5)))
    await engine.dispose()
    assert await count(sqlite_db) == 1


async def test_a_transaction_is_whole_or_not_at_all(db: Database) -> None:
    with suppress(LookupError):
        async with db.begin() as tx:
            tx.add(Setting(key="count", value="1"))
            await tx.flush()
            raise LookupError
    async with db.read() as tx:
        assert await tx.get(Setting, "count") is None


async def test_references_are_checked(db: Database) -> None:
    with pytest.raises(IntegrityError):
        async with db.begin() as tx:
            tx.add(Candidate(id="C-AAAAA", chat_id=99))


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("secure_delete", 1)]
)
async def test_every_connection_is_set_up(sqlite_db: Database, pragma: str, value: object) -> None:
    async with sqlite_db.read() as tx:
        assert (await tx.execute(text(f"PRAGMA {pragma}"))).scalar_one() == value


async def test_a_reader_sees_one_moment_and_delays_nobody(db: Database) -> None:
    async with db.begin() as tx:
        tx.add(Setting(key="count", value="0"))
    async with db.read() as reader:
        before = (await reader.execute(COUNT)).scalar_one()
        async with db.begin() as tx:
            await tx.execute(ADD_ONE, {"value": "1"})
        assert (await reader.execute(COUNT)).scalar_one() == before
    assert await count(db) == 1


async def test_what_a_reader_changes_is_lost(db: Database) -> None:
    async with db.begin() as tx:
        tx.add(Setting(key="count", value="1"))
    async with db.read() as tx:
        setting = (await tx.execute(select(Setting))).scalar_one()
        setting.value = "2"
    assert await count(db) == 1
    with suppress(DBAPIError):  # PostgreSQL says that it refuses
        async with db.read() as tx:
            await tx.execute(ADD_ONE, {"value": "3"})
    assert await count(db) == 1


async def test_what_readers_have_prepared_stays_so(postgres_db: Database) -> None:
    async with postgres_db.begin() as tx:
        tx.add(Setting(key="count", value="1"))
    for _ in range(10):
        await count(postgres_db)
    async with postgres_db.glance() as connection:  # the only one that there is: none was needed beside another
        kept = (await connection.execute(text("SELECT statement FROM pg_prepared_statements"))).scalars().all()
    assert str(COUNT) in kept


async def test_a_folder_that_does_not_exist_is_an_error_of_the_database(tmp_path: Path) -> None:
    db = open_database(f"sqlite+aiosqlite:///{tmp_path / 'nowhere' / 'guichet.db'}")
    with pytest.raises(OperationalError):
        async with db.read() as tx:
            await tx.execute(text("SELECT 1"))
    await db.close()


async def test_a_database_that_cannot_be_opened_leaves_no_thread(tmp_path: Path) -> None:
    # One that outlives the event loop writes a traceback to the terminal of whoever has asked.
    before = set(threading.enumerate())
    for _ in range(20):
        db = open_database(f"sqlite+aiosqlite:///{tmp_path / 'none' / 'bot.db'}")
        with pytest.raises(OperationalError):
            await count(db)
        left = set(threading.enumerate()) - before
        await db.close()
        assert left == set()


async def test_a_task_cancelled_in_the_middle_of_a_statement_leaves_no_lock(sqlite_db: Database) -> None:
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> int:
        loop.call_soon_threadsafe(begun.set)
        return 1

    async def write() -> None:
        async with AsyncSession(sqlite_db.engine) as tx:
            raw = await (await tx.connection()).get_raw_connection()
            assert raw.driver_connection
            await raw.driver_connection.create_function("tell", 0, tell)
            tx.add(Setting(key="other", value="1"))
            await tx.flush()  # it holds the lock
            await tx.execute(LONG)

    task = asyncio.create_task(write())
    await begun.wait()
    task.cancel()
    # Kept with its traceback, as a log or a group of errors keeps it.
    [kept] = await asyncio.gather(task, return_exceptions=True)
    async with sqlite_db.begin() as tx:
        await tx.merge(Setting(key="count", value="1"))
    assert await count(sqlite_db) == 1
    assert isinstance(kept, asyncio.CancelledError)


@asynccontextmanager
async def waiting_writer(db: Database) -> AsyncIterator[asyncio.Task[None]]:
    """A task that waits to write, since another process does."""
    other, begun = open_database(str(db.engine.url)), asyncio.Event()

    async def write() -> None:
        begun.set()
        async with db.begin() as tx:
            tx.add(Setting(key="count", value="1"))

    async with other.begin() as tx:
        tx.add(Setting(key="other", value="1"))
        await tx.flush()
        task = asyncio.create_task(write())
        await begun.wait()
        yield task
    await other.close()


async def test_waiting_for_another_process_keeps_nobody_from_anything_else(sqlite_db: Database) -> None:
    async with waiting_writer(sqlite_db) as task:
        async with sqlite_db.glance() as connection:
            assert (await connection.execute(COUNT)).scalar_one_or_none() is None
        assert not task.done()
    await task
    assert await count(sqlite_db) == 1


async def test_a_task_cancelled_while_it_waits_for_another_process_leaves_no_lock(sqlite_db: Database) -> None:
    async with waiting_writer(sqlite_db) as task:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with sqlite_db.begin() as tx:
        tx.add(Setting(key="count", value="2"))
    assert await count(sqlite_db) == 2


async def test_a_restart_of_postgresql_between_two_transactions_goes_unnoticed(
    postgres_db: Database, postgres: Postgres
) -> None:
    async with postgres_db.begin() as tx:
        tx.add(Setting(key="count", value="1"))
    postgres.stop()
    postgres.start()
    async with postgres_db.begin() as tx:
        await tx.execute(ADD_ONE, {"value": "2"})
    assert await count(postgres_db) == 2


async def test_a_connection_that_postgresql_has_ended_goes_unnoticed(postgres_db: Database, postgres: Postgres) -> None:
    own = text("SELECT pg_backend_pid()")
    async with postgres_db.glance() as connection:
        ended = (await connection.execute(own)).scalar_one()
    postgres.execute(f"SELECT pg_terminate_backend({ended}, 5000)")
    async with postgres_db.glance() as connection:
        assert (await connection.execute(own)).scalar_one() != ended


async def test_a_stopped_postgresql_is_an_outage_and_nobodys_fault(postgres_db: Database, postgres: Postgres) -> None:
    async with postgres_db.begin() as tx:
        tx.add(Setting(key="count", value="1"))
        await tx.flush()
        postgres.stop()
        with pytest.raises(OperationalError) as cut:
            await tx.execute(COUNT)
        await tx.close()
    with pytest.raises(OperationalError) as refused:
        await count(postgres_db)
    postgres.start()
    assert outage(cut.value)
    assert outage(refused.value)


async def test_what_a_process_that_stands_still_has_locked_is_free_for_others(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "STANDSTILL", 0.5)
    still, other = open_database(postgres_url), open_database(postgres_url)
    async with other.begin() as tx:
        tx.add(Setting(key="count", value="1"))

    async def begin() -> None:
        async with still.begin() as tx:
            await tx.execute(ADD_ONE, {"value": "2"})
            async with asyncio.timeout(60), other.begin() as too:  # as long as the first is frozen in its transaction
                await too.execute(ADD_ONE, {"value": "3"})

    with pytest.raises(DBAPIError) as cut:
        await begin()
    assert outage(cut.value)
    assert await count(still) == 3
    for database in (still, other):
        await database.close()


async def test_a_full_disk_and_a_lock_are_outages(sqlite_db: Database) -> None:
    other = open_database(str(sqlite_db.engine.url))
    async with sqlite_db.begin() as tx:
        await tx.execute(text("PRAGMA max_page_count = 1"))  # no page more than there are
        with pytest.raises(OperationalError) as full:
            await tx.execute(text("CREATE TABLE more AS SELECT hex(randomblob(9000))"))
        async with other.read() as reader:
            await (await reader.connection()).exec_driver_sql("PRAGMA busy_timeout = 0")
            with pytest.raises(OperationalError) as locked:
                await reader.execute(ADD_ONE, {"value": "1"})
    await other.close()
    assert outage(full.value)
    assert outage(locked.value)


async def test_a_wrong_statement_is_no_outage(db: Database) -> None:
    with pytest.raises(DBAPIError) as wrong:
        async with db.begin() as tx:
            await tx.execute(text("SELECT nonsense"))
    assert not outage(wrong.value)
    assert not outage(LookupError())
