import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    inspect,
    text,
)

from bot.records.migrations import HERE, KNOWN, DatabaseTooNewError, migrate, standing, upgrade
from bot.records.sessions import Database, open_database
from bot.records.tables import Base, Setting

OLDEST = ("chat", "candidate", "outgoing", "question", "ticket")  # to which all others refer


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Base.metadata))


async def test_migrations_make_the_tables_that_the_code_describes(db: Database) -> None:
    async with db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_revisions_are_told_by_the_names_of_their_files(db: Database) -> None:
    scripts = list(ScriptDirectory(str(HERE)).walk_revisions())  # the newest first
    assert [script.revision for script in reversed(scripts)] == KNOWN
    assert (await standing(db)).current


async def test_a_database_without_tables_is_at_no_revision(empty_database: str) -> None:
    db = open_database(empty_database)
    found = await standing(db)
    await db.close()
    assert (found.revision, found.current, found.unknown) == (None, False, False)


async def test_migrating_again_keeps_what_is_there(db: Database) -> None:
    async with db.begin() as tx:
        tx.add(Setting(key="staff_chat", value="7"))
    await migrate(db)
    async with db.read() as tx:
        assert (await tx.get_one(Setting, "staff_chat")).value == "7"


def fill(connection: Connection) -> list[str]:
    """A row in each table as it is found, which refers to those of the others; the names of the tables."""
    metadata, rows = MetaData(), dict[str, dict[str, object]]()
    metadata.reflect(connection)
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    known = {DateTime: moment, JSON: {}, Boolean: False, Integer: 1, Float: 0.5, LargeBinary: b"x"}

    def value(column: Column[Any]) -> object:
        if column.foreign_keys:
            target = next(iter(column.foreign_keys)).column
            return rows.get(target.table.name, {}).get(target.name)  # of two that refer to each other one is the first
        return next((value for kind, value in known.items() if isinstance(column.type, kind)), "1")

    names = sorted(metadata.tables.keys() - {"alembic_version"}, key=[*OLDEST, *sorted(metadata.tables)].index)
    for table in map(metadata.tables.get, names):
        assert table is not None
        rows[table.name] = {column.name: value(column) for column in table.columns}
        connection.execute(table.insert().values(rows[table.name]))
    return names


async def test_rows_of_the_first_version_outlast_all_migrations(empty_database: str) -> None:
    db = open_database(empty_database)
    async with db.writing.begin() as connection:
        await connection.run_sync(upgrade, "0001")
        names = await connection.run_sync(fill)
    await migrate(db)
    async with db.read() as tx:
        counts = [(await tx.execute(text(f'SELECT count(*) FROM "{name}"'))).scalar_one() for name in names]
    await db.close()
    assert counts == [1] * len(names)


async def test_several_processes_that_start_at_once_migrate_once(empty_database: str) -> None:
    processes = [open_database(empty_database) for _ in range(4)]
    await asyncio.gather(*(migrate(process) for process in processes))
    async with processes[0].engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    for process in processes:
        await process.close()


async def test_a_database_of_a_later_version_is_refused_and_left_alone(db: Database) -> None:
    async with db.begin() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNewError, match=r"revision 9999.*knows 0001.*newer version"):
        await migrate(db)


async def test_a_migration_that_fails_leaves_nothing_behind(empty_database: str) -> None:
    db = open_database(empty_database)
    async with db.begin() as tx:
        await tx.execute(text("CREATE TABLE relay (id INTEGER)"))  # in the way of the last table
    with pytest.raises(Exception, match="already exists"):
        await migrate(db)
    async with db.engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await db.close()
    assert names == ["relay"]
