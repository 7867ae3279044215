"""Bringing a database's tables up to this version of the code."""

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
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # one of several that start together; SQLite has one writer anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('guichet migration'))"))
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = MigrationContext.configure(connection).get_current_heads()
    if unknown := set(found) - known:
        raise DatabaseTooNewError(
            f"the database is at revision {', '.join(sorted(unknown))}, this version of Guichet knows "
            f"{', '.join(sorted(known))}: install the newer version, or restore a backup made before it"
        )
    command.upgrade(config, "head")
