"""`guichet status`, `backup` and `restore`: what an operator does."""

import asyncio
import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bot import backup as backups
from bot.console import DatabaseError, database, out, plainly
from bot.records.migrations import standing
from bot.settings import load_settings
from bot.status import NO_TABLES, Kept, Queue, Status, look
from bot.status import retry as put_back

status_app = typer.Typer(invoke_without_command=True, help="How the bot stands, and what needs a person.")


@status_app.callback()
def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Queues, tickets, index and database; exits with 1 when something needs a person."""
    if context.invoked_subcommand:
        return

    async def read() -> Status:
        async with database(settings) as db:
            return await look(db, settings)

    with plainly():
        settings = load_settings()
        found = asyncio.run(read())
    if as_json:
        print(json.dumps(asdict(found), default=lambda moment: moment.isoformat(timespec="seconds"), indent=1))
    else:
        _show(found)
    raise typer.Exit(1 if found.attention else 0)


@status_app.command()
def retry(row: Annotated[int, typer.Argument(help="the update's row, as status shows it")]) -> None:
    """Put an update that was set aside back into the queue, once its cause is mended."""

    async def change() -> bool:
        async with database(settings) as db:
            if (await standing(db)).revision is None:
                raise DatabaseError(NO_TABLES)
            async with db.begin() as tx:
                return await put_back(tx, row)

    with plainly():
        settings = load_settings()
        if not asyncio.run(change()):
            raise DatabaseError(f"row {row} was not set aside: 'guichet status' lists those that were")
    out.print(f"Update {row} waits to be handled again.")


def backup(
    file: Annotated[Path | None, typer.Argument(help="default: a new file in GUICHET_DATA_DIR/backups")] = None,
    keep: Annotated[int | None, typer.Option(min=1, help="how many of those in the default place to keep")] = None,
) -> None:
    """Write database, live index and knowledge files into one file, while the bot goes on working."""

    async def write() -> Path:
        async with database(settings) as db:
            return await backups.make(db, settings, file or settings.backups / backups.name())

    with plainly():
        settings = load_settings()
        written = asyncio.run(write())
    out.print(f"{written}: {_size(written.stat().st_size)}", markup=False)
    if keep:
        backups.thin_out(settings.backups, f"guichet-*{backups.SUFFIX}", keep)


def restore(
    file: Annotated[Path, typer.Argument(help="a file that 'guichet backup' wrote")],
    force: Annotated[bool, typer.Option("--force", help="replace what is in the database")] = False,
) -> None:
    """Put a backup back, into the same or another database; stop the bot first."""

    async def read() -> backups.Restored:
        async with database(settings) as db:
            return await backups.restore(db, settings, file, force=force)

    with plainly():
        settings = load_settings()
        found = asyncio.run(read())
    out.print(f"{found.rows} rows restored.")
    out.print(
        f"Index {found.snapshot} is live." if found.snapshot else "The backup holds no index: run 'guichet index'."
    )
    if found.aside:
        out.print(f"The knowledge files here differ from those in the backup, which now lie in {found.aside}.")


def _show(found: Status) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    revision = found.revision or "none"
    table.add_row("Database", f"{found.database}, {_size(found.size)}, revision {revision}")
    if found.index:
        certified = {True: "certified", False: "not certified", None: "not on this machine"}[found.index.certified]
        table.add_row("Index", f"{found.index.id}, {found.index.entries} entries, {certified}, made {found.index.made}")
    table.add_row("", f"in {found.folder}")
    for name, queue in (("Inbox", found.inbox), ("Outbox", found.outbox), ("Tickets", found.tickets)):
        table.add_row(name, _queue(queue, found.at))
    for worker in found.workers:
        roles = f", {' and '.join(worker.roles)} for all" if worker.roles else ""
        table.add_row("Worker", f"{worker.name}, heard of {_age(found.at - worker.beat_at)} ago{roles}")
    for one in found.kept:
        table.add_row("Kept" if one is found.kept[0] else "", _kept(one, found.at))
    out.print(table)
    if found.set_aside:
        out.print(
            _rows(
                "Set aside",
                ("row", "kind", "attempts", "error"),
                [(str(one.row), one.kind, str(one.attempts), one.error or "") for one in found.set_aside],
            )
        )
    if found.failed:
        out.print(
            _rows(
                "Refused by Telegram, last 24 hours",
                ("row", "method", "ticket", "error"),
                [(str(one.row), one.method, str(one.ticket or ""), one.error or "") for one in found.failed],
            )
        )
    for text in found.attention:
        out.print(f"! {text}", style="yellow", markup=False)
    if not found.attention:
        out.print("Nothing needs you.", style="green")


def _queue(queue: Queue, now: datetime) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in queue.waiting.items())
    oldest = f"; the oldest for {_age(now - queue.oldest)}" if queue.oldest else ""
    return f"{counts or 'nothing waits'}{oldest}"


def _kept(kept: Kept, now: datetime) -> str:
    period = f"{kept.days} d" if kept.days else "without end"
    return f"{kept.kind}: {period}; {f'the oldest for {_age(now - kept.oldest)}' if kept.oldest else 'none'}"


def _rows(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    return table


def _age(age: timedelta) -> str:
    seconds = max(int(age.total_seconds()), 0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
