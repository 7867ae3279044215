"""Bringing a database's tables up to this version of the code."""

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.records.sessions import Database

HERE = Path(__file__).parent


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
        found = await connection.run_sync(lambda inner: MigrationContext.configure(inner).get_current_heads())
    scripts = ScriptDirectory(str(HERE))
    revision = found[0] if found else None
    known = {script.revision for script in scripts.walk_revisions()}
    return Standing(revision, revision in scripts.get_heads(), revision is not None and revision not in known)


def upgrade(connection: Connection, to: str = "head") -> None:
    """Migrates within the connection's transaction; raises DatabaseTooNewError."""
    if connection.dialect.name == "postgresql":  # one of several that start together; SQLite has one writer anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('guichet migration'))"))
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = {*MigrationContext.configure(connection).get_current_heads(), to} - {"head"}
    if unknown := found - known:
        raise DatabaseTooNewError(
            f"the database is at revision {', '.join(sorted(unknown))}, this version of Guichet knows "
            f"{', '.join(sorted(known))}: install the newer version, or restore a backup made before it"
        )
    command.upgrade(config, to)
