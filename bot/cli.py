"""The command `guichet`."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Annotated, Any

import typer
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from bot import logs
from bot.checking import check
from bot.console import err, out, plainly, unusable
from bot.history import history, rollback, status
from bot.importing import bring
from bot.indexing import build_for, index_app, index_diff, level, open_for
from bot.linking import link
from bot.loading import loading
from bot.measuring import evaluate, train
from bot.missing import gaps
from bot.operating import backup, restore, status_app
from bot.settings import Settings, load_settings
from bot.watch.stopping import unwinding
from indexer.engine import Engine

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Guichet answers candidates' questions from a school's own knowledge files, and hands over to people.",
)
index_app.command()(status)
for name, command in {"check": check, "diff": index_diff, "history": history, "rollback": rollback}.items():
    index_app.command(name)(command)
    app.command(name, hidden=True)(command)  # who leaves out "index" means the same
app.add_typer(index_app, name="index")
app.command(name="import")(bring)
app.command(name="eval")(evaluate)
app.command()(train)
app.command()(gaps)
app.add_typer(status_app, name="status")
app.command()(link)
app.command()(backup)
app.command()(restore)


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="the question, in quotes")] = None,
    course: Annotated[str | None, typer.Option(help="within this course, where there are several")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="one question a line in, one JSON object a line out")] = False,
) -> None:
    """Ask one question, or many, and see what a candidate would read."""
    if jsonl == (question is not None):
        err.print("Give one question in quotes, or --jsonl and questions on standard input.", style="red")
        raise typer.Exit(2)
    with plainly():
        settings = load_settings()
        engine = open_for(settings)
        known = [one.name for one in engine.school]
        if course and course not in known:
            err.print(f"There is no course {course!r}: known are {', '.join(known) or 'none'}.", style="red")
            raise typer.Exit(2)
    answer = answerer(settings, engine, course)
    if jsonl:
        for line in sys.stdin.buffer:
            text = line.decode(errors="replace").rstrip("\r\n")
            print(json.dumps(answer(text), ensure_ascii=False), flush=True)
        return
    found = answer(question or "")
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        _show(found, engine)


def answerer(settings: Settings, engine: Engine, course: str | None = None) -> Callable[[str], dict[str, Any]]:
    """A function from a message to the JSON object that describes what a candidate would get."""
    from bot.dialogue.report import as_dict  # noqa: PLC0415  # `guichet --help` need not wait for it
    from bot.publishing.gate import limits_of  # noqa: PLC0415
    from bot.understanding import understood  # noqa: PLC0415

    limits = limits_of(engine.snapshot, settings.max_wrong)[0]

    def answer(text: str) -> dict[str, Any]:
        started = perf_counter()
        today = settings.today()
        turn = understood(engine, text, limits, today, chosen=course)
        turn = turn if engine.school else replace(turn, course="")  # where there is but one, it is not told
        return as_dict(turn, text, engine.snapshot.id, (perf_counter() - started) * 1000)

    return answer


def _show(found: dict[str, Any], engine: Engine) -> None:
    for part in found["parts"] or [found]:
        out.print(f"{part['decision']} · {part['confidence']:.0%} sure · {part['language']}", style="bold")
        if part["answer"]:
            out.print(part["answer"], markup=False)
        elif found.get("courses"):
            named = ", ".join(f"{engine.title(name, found['language'])} ({name})" for name in found["courses"])
            out.print(f"The candidate would be asked which course: {named}", markup=False)
        elif part["decision"] == "clarify":
            out.print("The candidate would be asked to choose:")
        else:
            out.print("The question would go to the team.")
        for near in part["alternatives"] if part["decision"] != "answer" else []:
            out.print(f"  {near['confidence']:.0%}  {near['question']}  ({near['entry']})", markup=False)


@app.command()
def chat() -> None:
    """Talk to the assistant in this terminal."""
    from bot.dialogue.render import notice, start  # noqa: PLC0415  # `guichet --help` need not wait for it
    from bot.dialogue.topics import named, topics_of  # noqa: PLC0415
    from bot.publishing.gate import limits_of  # noqa: PLC0415
    from bot.terminal import chat as talk  # noqa: PLC0415

    with plainly():
        settings = load_settings()
        engine = open_for(settings)

    def prompt() -> str | None:
        try:
            return input("› " if sys.stdin.isatty() else "")
        except (EOFError, KeyboardInterrupt):
            return None

    limits = limits_of(engine.snapshot, settings.max_wrong)[0]
    told = notice("en", settings.operator, settings.privacy_contact, engine.snapshot.school)
    known = named(topics_of(engine.snapshot.entries, "en", settings.today()))
    first_words = start("en", told, engine.snapshot.school, known)
    # Wraps at the terminal's width; the other commands leave long lines to whatever reads them.
    talk(engine, limits, Console(highlight=False), prompt, first_words)


@app.command()
def run() -> None:
    """Answer candidates in Telegram until stopped."""
    with plainly(), loading():
        settings = load_settings(require=("telegram_token", "staff_chat_id"))
        logs.set_up(settings)
        level(settings)
        with ThreadPoolExecutor(1) as beside:  # most of opening an index is none of Python's work
            opening = beside.submit(open_for, settings)
            from bot.app import serve  # noqa: PLC0415  # Telegram's library is not needed by other commands
            from bot.backup import BackupError  # noqa: PLC0415
            from bot.delivery.loops import TokenRefusedError  # noqa: PLC0415
            from bot.delivery.processes import NameTakenError  # noqa: PLC0415
            from bot.delivery.sqlitefile import FileGoneError  # noqa: PLC0415
            from bot.listening import AddressRefusedError  # noqa: PLC0415
            from bot.publishing.searcher import apart  # noqa: PLC0415
            from bot.records.migrations import DatabaseTooNewError  # noqa: PLC0415
            from bot.records.sessions import outage  # noqa: PLC0415
        engine = opening.result()

    searcher = apart(engine, settings.index_root, partial(logs.set_up, settings))
    try:
        asyncio.run(serve(settings, engine, searcher=searcher))
    except (
        TokenRefusedError,
        AddressRefusedError,
        NameTakenError,
        FileGoneError,
        DatabaseTooNewError,
        BackupError,
    ) as error:
        err.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from None
    except (SQLAlchemyError, OSError) as error:
        if not (isinstance(error, OSError) or outage(error)):
            raise  # a statement of ours is wrong
        err.print(unusable(error), style="red", markup=False)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        logging.getLogger(__name__).info("stopped")


@app.command()
def doctor() -> None:
    """Check settings, model, index, database, token, staff group and rights; each fault with its remedy."""
    from bot.checkup import report  # noqa: PLC0415  # Telegram's library is not needed by other commands

    raise typer.Exit(0 if asyncio.run(report()) else 1)


@app.command()
def setup() -> None:
    """Set up step by step: token, staff group, rights, who is responsible; writes .env and runs the doctor."""
    from bot.setup import SetupError, set_up  # noqa: PLC0415  # Telegram's library is not needed by other commands

    try:
        with plainly():
            well = asyncio.run(set_up())
    except SetupError as error:
        err.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from None
    raise typer.Exit(0 if well else 1)


@app.command()
def demo(
    scripted: Annotated[
        bool, typer.Option("--script", "--scripted", help="play a short conversation here, without the page")
    ] = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="print the page's address, without opening a browser")
    ] = False,
) -> None:
    """Try Guichet without a token: a page with candidates and staff; without a display, a short conversation."""
    from bot.demo import play  # noqa: PLC0415  # brings a Bot API server
    from bot.showcase import aside, has_display, show  # noqa: PLC0415

    with plainly(), unwinding(), TemporaryDirectory(prefix="guichet-demo-", ignore_cleanup_errors=True) as folder:
        own = load_settings()
        if not own.index_root.is_dir():
            err.print(
                "Building an index for the demonstration. After 'guichet index' it starts in seconds.", style="dim"
            )
        settings = aside(own, Path(folder))
        engine = build_for(settings, reason="a demonstration").engine  # no candidate meets it
        if scripted or not (no_browser or has_display()):
            asyncio.run(play(settings, engine, out))
        else:
            asyncio.run(show(settings, engine, out, browser=not no_browser))


def main() -> None:
    """Entry point of the console script."""
    app()
