"""All tables as JSON lines and back, alike for every database: kept from one, they can be restored into another.

Tables are taken as they are found, not as this version of the code describes them, so that an older database can be
kept before it is migrated.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    ForeignKeyConstraint,
    MetaData,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.schema import sort_tables_and_constraints

from bot.records.migrations import revision, upgrade
from bot.records.sessions import Database
from bot.records.tables import ACTIVE_SNAPSHOT, WAITING_PROPOSAL, Base

# Other tables of the same database are none of ours.
OURS = frozenset({*Base.metadata.tables, "alembic_version"})
# Indexes are kept as folders; and who is at work now means nothing later.
LEFT_OUT = frozenset({"alembic_version", "snapshot", "snapshot_file", "process", "role"})
BATCH = 500  # rows that one statement writes
Row = dict[str, Any]


class NotEmptyError(RuntimeError):
    """There are rows in the database already."""


@dataclass(frozen=True, slots=True)
class Dumped:
    """What a dump holds: the tables' revision, their rows, and the last number given in those that number theirs."""

    revision: str
    rows: Mapping[str, int]
    last: Mapping[str, int]


async def dump(db: Database, folder: Path) -> Dumped:
    """Writes `folder`/<table>.jsonl for every table, all as of one moment, while others go on working."""
    async with db.engine.connect() as connection:
        return await connection.run_sync(_dump, folder)


async def load(db: Database, folder: Path, dumped: Dumped, *, force: bool = False) -> None:
    """Fills the database from a dump and brings it up to this version of the code, all or nothing.

    Raises NotEmptyError if it holds rows, which `force` removes, and DatabaseTooNewError for a later version's dump.
    """
    async with db.writing.begin() as connection:
        await connection.run_sync(_load, folder, dumped, force)


def _dump(connection: Connection, folder: Path) -> Dumped:
    tables = _tables(connection)
    rows = {name: _write(connection, table, folder) for name, table in tables.items()}
    last = {name: number for name in rows if (number := _last_number(connection, tables[name]))}
    return Dumped(revision(connection) or "", rows, last)


def _load(connection: Connection, folder: Path, dumped: Dumped, force: bool) -> None:
    if connection.dialect.name == "postgresql":  # much of a file may be read until a statement has enough of it
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    if not force and any(_has_rows(connection, table) for table in _tables(connection).values()):
        raise NotEmptyError
    _remove_all(connection)
    upgrade(connection, dumped.revision)
    tables = _tables(connection)
    order, later = _order([tables[name] for name in dumped.rows])
    for table in order:
        _fill(connection, table, folder, later[table.name])
    for table in order:
        _complete(connection, table, folder, later[table.name])
    for name, number in dumped.last.items():
        _count_on(connection, tables[name], number)
    of_snapshots = tables["setting"].c.key.in_([ACTIVE_SNAPSHOT, WAITING_PROPOSAL])  # which are no part of it
    connection.execute(delete(tables["setting"]).where(of_snapshots))
    upgrade(connection)


def _tables(connection: Connection, without: frozenset[str] = LEFT_OUT) -> dict[str, Table]:
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: name in OURS)
    for column in (column for table in metadata.tables.values() for column in table.columns):
        if isinstance(column.type, JSON):
            column.type.none_as_null = True
    return {name: table for name, table in sorted(metadata.tables.items()) if name not in without}


def _order(tables: Sequence[Table]) -> tuple[list[Table], dict[str, set[str]]]:
    """Tables after those that they cannot do without; and the columns whose references are filled in at the end.

    Tables refer to each other in circles, and rows to others of their table: such references may be empty at first.
    """
    later: dict[str, set[str]] = {table.name: set() for table in tables}
    order = []
    sort = partial(sort_tables_and_constraints, filter_fn=_may_wait)
    for table, constraints in sort(tables):
        if table is not None:
            order.append(table)
            continue
        for constraint in constraints:
            later[constraint.table.name].update(constraint.column_keys)
    return order, later


def _may_wait(constraint: ForeignKeyConstraint) -> bool:
    return all(column.nullable for column in constraint.columns)


def _write(connection: Connection, table: Table, folder: Path) -> int:
    count = 0
    found = connection.execute(select(table).order_by(*table.primary_key), execution_options={"yield_per": BATCH})
    with (folder / f"{table.name}.jsonl").open("w", encoding="utf-8") as file:
        for row in found.mappings():
            file.write(json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False) + "\n")
            count += 1
    return count


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
        case date():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return value


def _typed(column: Column[Any], value: Any) -> Any:
    kind = object if isinstance(column.type, JSON) or value is None else column.type.python_type
    if kind in (datetime, date):
        return kind.fromisoformat(value)
    return base64.b64decode(value) if kind is bytes else value


def _rows(table: Table, folder: Path) -> Iterator[Row]:
    with (folder / f"{table.name}.jsonl").open(encoding="utf-8") as file:
        for line in file:
            yield {name: _typed(table.c[name], value) for name, value in json.loads(line).items()}


def _in_batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    source = iter(rows)
    while batch := list(islice(source, BATCH)):
        yield batch


def _fill(connection: Connection, table: Table, folder: Path, later: set[str]) -> None:
    empty = dict.fromkeys(later)
    for batch in _in_batches(row | empty for row in _rows(table, folder)):
        connection.execute(insert(table), batch)


def _complete(connection: Connection, table: Table, folder: Path, later: set[str]) -> None:
    """Fill in the references that had to wait for other rows."""
    if not later:
        return
    keys = list(table.primary_key)
    setting = update(table).where(*(key == bindparam(f"its_{key.name}") for key in keys))
    setting = setting.values({name: bindparam(f"new_{name}") for name in later})
    wanted = (row for row in _rows(table, folder) if any(row[name] is not None for name in later))
    values = (
        {f"its_{key.name}": row[key.name] for key in keys} | {f"new_{n}": row[n] for n in later} for row in wanted
    )
    for batch in _in_batches(values):
        connection.execute(setting, batch)


def _has_rows(connection: Connection, table: Table) -> bool:
    return connection.execute(select(1).select_from(table).limit(1)).first() is not None


def _remove_all(connection: Connection) -> None:
    tables = _tables(connection, without=frozenset())
    order, later = _order(list(tables.values()))
    for table in order:
        if later[table.name]:
            connection.execute(update(table).values(dict.fromkeys(later[table.name])))
    for table in reversed(order):
        connection.execute(delete(table))
    for table in reversed(order):  # SQLite looks through those that refer to the one dropped
        cascade = " CASCADE" if connection.dialect.name == "postgresql" else ""
        connection.execute(text(f'DROP TABLE "{table.name}"{cascade}'))


def _sequence(connection: Connection, table: Table) -> str | None:
    """PostgreSQL's sequence of a table that numbers its rows."""
    names = {"table_name": f'"{table.name}"', "column_name": next(iter(table.primary_key)).name}
    return connection.execute(text("SELECT pg_get_serial_sequence(:table_name, :column_name)"), names).scalar()


def _last_number(connection: Connection, table: Table) -> int | None:
    """The last number given to a row, even if that row is gone: none is given twice. None if rows are not numbered."""
    if connection.dialect.name == "sqlite":
        last = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return connection.execute(last, {"name": table.name}).scalar()
    if (sequence := _sequence(connection, table)) is None:
        return None
    return connection.execute(text(f"SELECT CASE WHEN is_called THEN last_value END FROM {sequence}")).scalar()  # noqa: S608  the server's own name for it


def _count_on(connection: Connection, table: Table, last: int) -> None:
    """New rows are numbered after `last`."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        values = {"name": table.name, "last": last}
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), values)
    elif sequence := _sequence(connection, table):
        connection.execute(select(func.setval(sequence, last)))
