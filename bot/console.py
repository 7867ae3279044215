"""What commands share: where they print, how they show progress, and how they refuse."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from bot.backup import BackupError
from bot.dialogue.changes import SIGNED, STYLED, changes
from bot.dialogue.rich import Rich
from bot.publishing.gate import GateError
from bot.records.migrations import DatabaseTooNewError
from bot.records.sessions import Database, open_database
from bot.records.writing import REMEDY, why
from bot.settings import Settings, SettingsError
from indexer.confidence import CalibratorError
from indexer.diff import Diff
from indexer.engine import Step
from indexer.entries import KnowledgeError
from indexer.model import ModelNotReady
from indexer.snapshot import SnapshotError

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

STYLES = {"bold": "bold green", "strikethrough": "strike red"}


class DatabaseError(Exception):
    """The database cannot be used; the message says why and what to do."""


REFUSALS = (
    DatabaseError,
    BackupError,
    SettingsError,
    KnowledgeError,
    SnapshotError,
    ModelNotReady,
    CalibratorError,
    GateError,
)


@contextmanager
def plainly() -> Iterator[None]:
    """What a user can mend is told in words, with exit code 2; anything else is a fault of ours and shows its trace."""
    try:
        yield
    except REFUSALS as error:
        err.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from None


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The database, closed at the end; raises DatabaseError if it cannot be used."""
    try:
        settings.make_data_dir()
        db = open_database(settings.database)
        try:
            yield db
        finally:
            await db.close()
    except (SQLAlchemyError, OSError) as error:
        raise DatabaseError(unusable(error)) from error
    except DatabaseTooNewError as error:
        raise DatabaseError(str(error)) from error


def unusable(error: Exception) -> str:
    """Why the database cannot be used, and what to do."""
    return f"the database cannot be used ({why(error)}): {REMEDY}"


@contextmanager
def progress_bar() -> Iterator[Step]:
    """A progress bar on standard error; where nobody watches, one line a step."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("Starting", total=None)
        last = ""

        def step(name: str, done: int, total: int) -> None:
            nonlocal last
            if not err.is_terminal and name != last:
                err.print(f"{name} …")
            last = name
            bar.update(task, description=name, completed=done, total=total or None)

        yield step


def changed(found: Diff, lost: Sequence[str] = (), gained: Sequence[str] = ()) -> Text:
    """All that changes, as the terminal shows it; in a file or a pipe by signs."""
    signs = out.color_system is None or out.no_color
    return styled(changes(found, lost, gained, "en", limit=1_000_000, styles=SIGNED if signs else STYLED))


def styled(text: Rich) -> Text:
    """A text with its entities, which count in UTF-16 units, as the terminal shows it."""
    units, shown = text.text.encode("utf-16-le"), Text(text.text)
    for entity in text.entities:
        start, end = entity["offset"] * 2, (entity["offset"] + entity["length"]) * 2
        first, last = (len(units[:place].decode("utf-16-le")) for place in (start, end))
        shown.stylize(STYLES.get(entity["type"], ""), first, last)
    return shown
