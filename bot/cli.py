"""The command `guichet`."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bot import logs
from bot.settings import Settings, SettingsError, load_settings
from indexer import store
from indexer.confidence import CalibratorError
from indexer.encoder import OnnxEncoder
from indexer.engine import Engine, Indexed, Step, index, open_engine
from indexer.entries import KnowledgeError
from indexer.model import ModelNotReady, prepare
from indexer.readers import read_knowledge
from indexer.snapshot import SnapshotError, content_hash, load

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Guichet answers candidates' questions from a school's own knowledge files, and hands over to people.",
)
index_app = typer.Typer(invoke_without_command=True, help="Build the index from the knowledge files.")
app.add_typer(index_app, name="index")

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

REFUSALS = (SettingsError, KnowledgeError, SnapshotError, ModelNotReady, CalibratorError)


@contextmanager
def plainly() -> Iterator[None]:
    """What a user can mend is told in words, with exit code 2; anything else is a fault of ours and shows its trace."""
    try:
        yield
    except REFUSALS as error:
        err.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from None


@contextmanager
def progress_bar() -> Iterator[Step]:
    """A progress bar on standard error; nothing where nobody watches."""
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


def open_for(settings: Settings) -> Engine:
    """The engine, with a progress bar if the model has to be made first."""
    with progress_bar() as step:
        return open_engine(settings.model, settings.cache_dir, settings.index_root, step)


def build_for(settings: Settings) -> Indexed:
    """Index the knowledge, with a progress bar."""
    with progress_bar() as step:
        encoder = OnnxEncoder(prepare(settings.model, settings.cache_dir, step))
        return index(settings.knowledge_dir, encoder, settings.index_root, step)


@index_app.callback()
def index_command(context: typer.Context) -> None:
    """Read the knowledge files, build the index and make it live. Only changed texts are encoded."""
    if context.invoked_subcommand:
        return
    with plainly():
        settings = load_settings()
        started = perf_counter()
        indexed = build_for(settings)
    for warning in indexed.knowledge.warnings:
        err.print(f"warning: {warning}", style="yellow", markup=False)
    manifest = indexed.engine.snapshot.manifest
    files, drafts = len(indexed.knowledge.files), manifest["drafts"]
    if indexed.built is None:
        out.print(f"Nothing has changed in {files} files: {manifest['id']} stays live ({manifest['entries']} entries).")
        return
    built = indexed.built
    out.print(f"{built.entries} entries from {files} files: {built.passages} passages, {built.encoded} encoded anew.")
    if drafts:
        out.print(f"{drafts} drafts wait for an answer: questions about them go to the team.")
    out.print(f"Index {built.snapshot_id} is live ({perf_counter() - started:.1f} s).")


@index_app.command("status")
def index_status() -> None:
    """Say which index is live, what is in it, and whether the knowledge files have changed since."""
    with plainly():
        settings = load_settings()
        folder = store.live(settings.index_root)
        if folder is None:
            raise SnapshotError("there is no index yet: run 'guichet index'")
        snapshot = load(folder)
    manifest = snapshot.manifest
    answered = [entry for entry in snapshot.entries if not entry.draft]
    out.print(f"Live:      {snapshot.id}, made {manifest['created']}")
    out.print(f"Model:     {manifest['model']['identity']}, {manifest['model']['dims']} dimensions")
    out.print(f"Passages:  {manifest['passages']}")
    for language, name in (("fr", "French"), ("en", "English")):
        out.print(f"{name + ':':<11}{sum(entry.language == language for entry in answered)} entries")
    drafts = sorted({entry.id for entry in snapshot.entries if entry.draft})
    out.print(f"Drafts:    {len(drafts)} without an answer{': ' + ', '.join(drafts) if drafts else ''}")
    out.print(f"Kept:      {len(store.history(settings.index_root))} indexes")
    out.print(f"Knowledge: {_freshness(settings, manifest)}", markup=False)


def _freshness(settings: Settings, manifest: Any) -> str:
    try:
        knowledge = read_knowledge(settings.knowledge_dir)
    except KnowledgeError as error:
        return f"cannot be read as it is now, the index stays as it was:\n{error}"
    now = content_hash((*knowledge.entries, *knowledge.drafts), manifest["model"]["identity"])
    return "unchanged since" if now == manifest["content"] else "has changed since: run 'guichet index'"


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="the question, in quotes")] = None,
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
    answer = answerer(settings, engine)
    if jsonl:
        for line in sys.stdin:
            print(json.dumps(answer(line.rstrip("\r\n")), ensure_ascii=False), flush=True)
        return
    found = answer(question or "")
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        _show(found)


def answerer(settings: Settings, engine: Engine) -> Callable[[str], dict[str, Any]]:
    """A function from a message to the JSON object that describes what a candidate would get."""
    from bot.dialogue.conversation import respond  # noqa: PLC0415  # `guichet --help` need not wait for it
    from bot.dialogue.decide import Limits  # noqa: PLC0415
    from bot.dialogue.report import as_dict  # noqa: PLC0415

    def answer(text: str) -> dict[str, Any]:
        started = perf_counter()
        today = datetime.now(ZoneInfo(settings.timezone)).date()
        turn = respond(text, partial(engine.find, course=None), Limits(), today)
        return as_dict(turn, text, engine.snapshot.id, (perf_counter() - started) * 1000)

    return answer


def _show(found: dict[str, Any]) -> None:
    for part in found["parts"] or [found]:
        out.print(f"{part['decision']} · {part['confidence']:.0%} sure · {part['language']}", style="bold")
        if part["answer"]:
            out.print(part["answer"], markup=False)
        elif part["decision"] == "clarify":
            out.print("The candidate would be asked to choose:")
        else:
            out.print("The question would go to the team.")
        for near in part["alternatives"] if part["decision"] != "answer" else []:
            out.print(f"  {near['confidence']:.0%}  {near['question']}  ({near['entry']})", markup=False)


@app.command()
def chat() -> None:
    """Talk to the assistant in this terminal."""
    from bot.terminal import chat as talk  # noqa: PLC0415  # `guichet --help` need not wait for it

    with plainly():
        engine = open_for(load_settings())

    def prompt() -> str | None:
        try:
            return input("› " if sys.stdin.isatty() else "")
        except (EOFError, KeyboardInterrupt):
            return None

    talk(engine, out, prompt)


@app.command()
def run() -> None:
    """Answer candidates in Telegram until stopped."""
    with plainly():
        settings = load_settings(require=("telegram_token", "staff_chat_id"))
        logs.set_up(settings)
        engine = open_for(settings)
    from bot.app import serve  # noqa: PLC0415  # Telegram's library is not needed by other commands
    from bot.delivery.loops import TokenRefusedError  # noqa: PLC0415
    from bot.records.migrations import DatabaseTooNewError  # noqa: PLC0415

    try:
        asyncio.run(serve(settings, engine))
    except (TokenRefusedError, DatabaseTooNewError) as error:
        err.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        logging.getLogger(__name__).info("stopped")


@app.command()
def doctor() -> None:
    """Check settings, model, index, database, token, staff group and rights; each fault with its remedy."""
    from bot.doctor import examine  # noqa: PLC0415  # Telegram's library is not needed by other commands

    marks = {"ok": "[green]ok   [/green] ", "note": "[yellow]note [/yellow] ", "fault": "[red]fault[/red] "}

    async def show() -> bool:
        well = True
        async for finding in examine():
            out.print(marks[finding.grade], end="")
            out.print(f"{finding.subject}: {finding.text}", markup=False)
            well = well and finding.grade != "fault"
        return well

    raise typer.Exit(0 if asyncio.run(show()) else 1)


@app.command()
def demo(
    scripted: Annotated[
        bool, typer.Option("--scripted", help="play the short conversation even in a terminal")
    ] = False,
) -> None:
    """Try Guichet without a token: build the index and talk; without a terminal, watch a short conversation."""
    from bot.demo import play  # noqa: PLC0415  # brings a Bot API server

    with plainly():
        settings = load_settings()
        engine = build_for(settings).engine
    if scripted or not (sys.stdin.isatty() and sys.stdout.isatty()):
        asyncio.run(play(settings, engine, out))
        return
    chat()


def main() -> None:
    """Entry point of the console script."""
    app()
