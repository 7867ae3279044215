"""INSERT … ON CONFLICT: the first of several writers wins, and each learns which it was.

Statements are built once and bypass the ORM, which needs longer for an INSERT than the database does.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import Insert, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from bot.records.tables import Base

Id = TypeVar("Id")


def insert_into(dialect: str, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT in the database's own words, to be given what happens on a conflict."""
    rows = cast(Table, table.__table__)
    return sqlite.insert(rows) if dialect == "sqlite" else postgresql.insert(rows)


async def insert_new(
    tx: AsyncSession, table: type[Base], returning: InstrumentedAttribute[Id], **values: Any
) -> Id | None:
    """The new row's `returning` column; None if a unique value of it exists already."""
    return next(iter(await insert_new_ones(tx, table, returning, [values])), None)


async def insert_new_ones(
    tx: AsyncSession, table: type[Base], returning: InstrumentedAttribute[Id], rows: Sequence[Mapping[str, Any]]
) -> Sequence[Id]:
    """As `insert_new`, for several rows in their order: the `returning` column of those that are new, in any order."""
    if tx.new or tx.dirty or tx.deleted:  # a row that is about to change may be the one in the way
        await tx.flush()
    statement = _new(tx.get_bind().dialect.name, table, returning.key)
    return cast("Sequence[Id]", (await tx.execute(statement, list(rows))).scalars().all()) if rows else ()


@cache
def _new(dialect: str, table: type[Base], returning: str) -> Insert:
    return insert_into(dialect, table).on_conflict_do_nothing().returning(table.__table__.c[returning])
