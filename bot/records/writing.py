"""Whether the database takes what is written: an answer to a question says nothing of it, nor what is rolled back."""

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.records.sessions import Database

# Of a database that cannot be used, for whatever reason.
REMEDY = "check GUICHET_DATABASE_URL, or the rights and free space of GUICHET_DATA_DIR"
# Written for good, and changes nothing. SQLite writes its header anew even with the number that stands there.
MARK_SQLITE = "PRAGMA user_version = {}"
# What PostgreSQL's library says when there is no connection, without a code, and what is said of it here.
NO_CONNECTION = {
    "failed to resolve host": "unknown host",
    "refused": "nobody listens there",
    "authentication failed": "user or password refused",
    "does not exist": "no such database or user",
    "timeout": "no answer",
}
MARK_POSTGRESQL = text("SELECT pg_logical_emit_message(true, 'guichet', '')")


async def writing_fault(db: Database) -> str:
    """Why the database takes no writes; empty if it takes them. What it is asked to write is little, and nobody's."""
    try:
        async with db.begin() as tx:
            if not db.postgresql:
                number = (await tx.execute(text("PRAGMA user_version"))).scalar_one()
                await tx.execute(text(MARK_SQLITE.format(int(number))))
            elif (await tx.execute(text("SHOW transaction_read_only"))).scalar_one() == "on":
                return "it is read-only"
            else:
                await tx.execute(MARK_POSTGRESQL)
    except (SQLAlchemyError, OSError) as error:
        return why(error)
    return ""


def why(error: BaseException) -> str:
    """An error's class, and its name by the database itself (SQLITE_FULL, SQLSTATE 25006): words that quote nobody."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    code = f"SQLSTATE {state}" if state else getattr(cause, "sqlite_errorname", None) or _no_connection(cause)
    return f"{type(error).__name__}, {code}" if code else type(error).__name__


def _no_connection(error: BaseException | None) -> str:
    said = str(error) if type(error).__module__.startswith("psycopg") else ""
    return next((words for phrase, words in NO_CONNECTION.items() if phrase in said), "")
