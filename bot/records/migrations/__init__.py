"""Bringing a database's tables up to this version of the code."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from bot.records.sessions import Database

HERE = Path(__file__).parent
KNOWN = sorted(file.name[1:5] for file in HERE.glob("versions/v*.py"))  # revisions, the newest last


class DatabaseTooNewError(RuntimeError):
    """The database was made by a later version of Guichet."""


async def migrate(db: Database) -> None:
    """Applies what is missing, all or nothing; raises DatabaseTooNewError rather than touch newer tables."""
    async with db.writing.begin() as connection:
        await connection.run_sync(upgrade)


@dataclass(frozen=True, slots=True)
class Standing:
    """At which revision a database is; None without tables."""

    revision: str | None
    current: bool  # nothing is missing
    unknown: bool  # a later version of the code made it


async def standing(db: Database) -> Standing:
    """Where a database stands, compared with this version of the code."""
    async with db.engine.connect() as connection:
        found = await connection.run_sync(revision)
    return Standing(found, found == KNOWN[-1], found is not None and found not in KNOWN)


def revision(connection: Connection) -> str | None:
    """The revision of a database's tables; None without tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def upgrade(connection: Connection, to: str = KNOWN[-1]) -> None:
    """Migrates within the connection's transaction; raises DatabaseTooNewError."""
    if connection.dialect.name == "postgresql":  # one of several that start together; SQLite has one writer anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('guichet migration'))"))
    found = revision(connection)
    if unknown := {found or to, to}.difference(KNOWN):
        raise DatabaseTooNewError(
            f"the database is at revision {', '.join(sorted(unknown))}, this version of Guichet knows "
            f"{', '.join(KNOWN)}: install the newer version, or restore a backup made before it"
        )
    if found != to:
        _apply(connection, to)


def _apply(connection: Connection, to: str) -> None:
    from alembic import command  # noqa: PLC0415  # most starts have nothing to migrate, and need not wait for it
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
