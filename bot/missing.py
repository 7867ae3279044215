"""`guichet gaps`: what candidates ask that nothing answers."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.backup import bring_up_to_date
from bot.console import DatabaseError, database, err, out, plainly
from bot.indexing import open_for
from bot.settings import Settings, load_settings

if TYPE_CHECKING:
    from bot.desk.gaps import Asked, Gap
    from bot.desk.insight import Period

EXAMPLES = 3


def gaps(
    when: Annotated[str, typer.Argument(metavar="PERIOD", help="7d, 30d, all or 2026-09-01..2026-09-30")] = "30d",
    csv: Annotated[Path | None, typer.Option("--csv", help="write all questions to this file instead")] = None,
    limit: Annotated[int, typer.Option(min=1, help="themes to show")] = 20,
) -> None:
    """Show by theme what nobody was given a good answer to and the knowledge still does not answer; people masked."""
    from bot.desk import gaps as lacking  # noqa: PLC0415  # these load Telegram's library: other commands need not wait
    from bot.desk.export import gaps_table  # noqa: PLC0415
    from bot.desk.insight import period  # noqa: PLC0415
    from bot.publishing.gate import limits_of  # noqa: PLC0415

    with plainly():
        settings = load_settings()
        now = datetime.now(settings.zone)
        chosen = period(when, now)
        if chosen is None:
            err.print("Write a period such as 7d, 30d, all or 2026-09-01..2026-09-30.", style="red")
            raise typer.Exit(2)
        material = asyncio.run(_asked(settings, chosen))
        engine = open_for(settings)
        limits = limits_of(engine.snapshot, settings.max_wrong)[0]
        found = lacking.gaps(material, engine, limits, now.date())
        if csv:
            _save(csv, gaps_table(found, settings.zone))
    if csv:
        out.print(f"{sum(len(gap.questions) for gap in found)} questions, {len(found)} themes: {csv}", markup=False)
    else:
        _show(found, limit)


async def _asked(settings: Settings, chosen: "Period") -> "list[Asked]":
    from bot.desk.gaps import asked  # noqa: PLC0415  # as above

    async with database(settings) as db:
        await bring_up_to_date(db, settings)
        async with db.read() as tx:
            return await asked(tx, chosen)


def _save(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise DatabaseError(f"{path} cannot be written ({error.strerror}): choose another place") from error


def _show(found: "list[Gap]", limit: int) -> None:
    if not found:
        out.print("Nothing is missing in this period.")
        return
    table = Table("", "Questions", "Asked as", "Near", show_lines=True)
    for number, gap in enumerate(found[:limit], 1):
        examples = gap.examples()
        more = [f"… {len(examples) - EXAMPLES} more"] if len(examples) > EXAMPLES else []
        near = f"{gap.near.fills} (draft)" if gap.near.fills else next(iter(gap.near.similar), "")
        wordings = escape("\n".join([*examples[:EXAMPLES], *more]))
        table.add_row(str(number), str(len(gap.questions)), wordings, near)
    out.print(table)
    if len(found) > limit:
        out.print(f"{len(found) - limit} smaller themes are not shown: --limit or --csv.")
