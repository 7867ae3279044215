"""INSERT … ON CONFLICT: the first of several writers wins, and each learns which it was."""

from typing import Any, TypeVar

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from bot.records.tables import Base

Id = TypeVar("Id")


def upsert(tx: AsyncSession, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT in the database's own words, to be given what happens on a conflict."""
    return sqlite.insert(table) if tx.get_bind().dialect.name == "sqlite" else postgresql.insert(table)


async def insert_new(
    tx: AsyncSession, table: type[Base], returning: InstrumentedAttribute[Id], **values: Any
) -> Id | None:
    """The new row's `returning` column; None if a unique value of it exists already."""
    statement = upsert(tx, table).values(**values).on_conflict_do_nothing().returning(returning)
    return (await tx.execute(statement)).scalar_one_or_none()
