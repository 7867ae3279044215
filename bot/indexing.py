"""`guichet index`: build, examine, activate; and say what is live."""

import asyncio
from contextlib import suppress
from getpass import getuser
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Annotated

import typer

from bot.backup import bring_up_to_date
from bot.console import REFUSALS, changed, database, err, out, plainly, progress_bar
from bot.publishing.gate import Told, examination, verdict
from bot.publishing.replica import Replica
from bot.settings import Settings, load_settings
from indexer import store
from indexer.diff import Diff, diff
from indexer.encoder import OnnxEncoder
from indexer.engine import Engine, Indexed, index, open_engine, prepare_aside
from indexer.model import prepare
from indexer.snapshot import load
from indexer.store import Note

SOON = 200  # milliseconds until watching is known to have begun
index_app = typer.Typer(invoke_without_command=True, help="Build the index from the knowledge files.")


def open_for(settings: Settings) -> Engine:
    """The engine, with a progress bar if the model has to be made first; fetches an index that only others have."""
    if store.live(settings.index_root) is None:
        level(settings)
    with progress_bar() as step:
        return open_engine(settings.model, settings.cache_dir, settings.index_root, step)


def level(settings: Settings) -> str | None:
    """Take over the index that all machines of a shared database answer from; its id. None with SQLite, or no index."""

    async def take_over() -> str | None:
        async with database(settings) as db:
            await bring_up_to_date(db, settings)
            return await Replica(db, settings.index_root, settings.kept_indexes).level()

    return asyncio.run(take_over()) if settings.shared else None


def share(settings: Settings, folder: Path, before: str | None) -> None:
    """Have all machines of a shared database answer from this index; nothing with SQLite. Raises OvertakenError."""

    async def publish() -> None:
        async with database(settings) as db:
            await Replica(db, settings.index_root, settings.kept_indexes).share(folder, before)

    if settings.shared:
        asyncio.run(publish())


def build_for(settings: Settings, *, reason: str = "", told: Told = lambda _: None) -> Indexed:
    """Index the knowledge, with a progress bar, and go live with it on all machines.

    A `reason` overrules the gate, `told` is given its verdict.
    """
    with suppress(OSError):  # told where something is written there
        settings.make_data_dir()
    before = level(settings)
    indexed = _build(settings, reason, told)
    share(settings, indexed.engine.snapshot.folder, before)
    return indexed


def _build(settings: Settings, reason: str, told: Told) -> Indexed:
    def note(new: Engine, live: Engine | None) -> Note:
        return Note(getuser(), "indexed", str(difference(live, new)), reason)

    with progress_bar() as step:
        encoder = OnnxEncoder(prepare(settings.model, settings.cache_dir, step))
        examine = examination(
            settings.knowledge_dir, settings.max_wrong, settings.today(), step, reason=reason, told=told
        )
        return index(
            settings.knowledge_dir,
            encoder,
            settings.index_root,
            step,
            examine,
            note=note,
            kept=settings.kept_indexes,
        )


def difference(live: Engine | None, new: Engine) -> Diff:
    """What a new engine's entries change."""
    return diff(live.snapshot.entries if live else (), new.snapshot.entries)


@index_app.callback()
def index_command(
    context: typer.Context,
    force: Annotated[
        str, typer.Option("--force", metavar="REASON", help="go live even if it is worse; the reason is kept")
    ] = "",
    watch: Annotated[bool, typer.Option("--watch", help="index again whenever a file changes, until Ctrl-C")] = False,
) -> None:
    """Read the knowledge files, build the index and make it live. Only changed texts are encoded."""
    if context.invoked_subcommand:
        return
    with plainly():
        settings = load_settings()
        if watch:
            _watch(settings)
            return
        _index(settings, force)


def _index(settings: Settings, reason: str = "") -> None:
    started = perf_counter()
    indexed = build_for(settings, reason=reason)
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
        out.print(f"Drafts that wait for an answer: {drafts}. Questions about them go to the team.")
    for remark in indexed.told:
        out.print(remark, markup=False)
    out.print(f"Index {built.snapshot_id} is live ({perf_counter() - started:.1f} s).")


def _watch(settings: Settings) -> None:
    """Index at once and after each change of the folder; what is wrong is told, and the next change tried again."""
    from watchfiles import watch  # noqa: PLC0415  # only here

    indexed = False
    # Watching begins before the first index is built, or else what is saved meanwhile would be missed.
    with suppress(KeyboardInterrupt):
        for changed in watch(settings.knowledge_dir, rust_timeout=SOON, yield_on_timeout=True):
            if changed or not indexed:
                _again(settings)
            if not indexed:
                out.print("Watching the knowledge files; Ctrl-C ends it.")
            indexed = True


def _again(settings: Settings) -> None:
    try:
        before = store.live(settings.index_root)
        old = load(before).entries if before else ()
        _index(settings)
        live = store.live(settings.index_root)
        if before and live and live != before:
            out.print(changed(diff(old, load(live).entries)))
    except REFUSALS as error:
        err.print(str(error), style="red", markup=False)


def index_diff() -> None:
    """Show what indexing would change, and how golden questions would fare; nothing goes live."""
    with plainly():
        settings = load_settings()
        with TemporaryDirectory() as aside, progress_bar() as step:
            encoder = OnnxEncoder(prepare(settings.model, settings.cache_dir, step))
            prepared = prepare_aside(settings.knowledge_dir, encoder, settings.index_root, step, Path(aside))
            if prepared.built is None:
                out.print("Nothing has changed.")
                return
            judged = verdict(
                prepared.engine, prepared.live, settings.knowledge_dir, settings.max_wrong, settings.today(), step
            )
            found = difference(prepared.live, prepared.engine)
    out.print(changed(found, judged.lost, judged.gained))
    out.print(judged.summary, markup=False)
    if judged.refusals:
        out.print("The gate would refuse it:")
        for line in judged.refusals:
            out.print(f"  {line}", markup=False)
        raise typer.Exit(1)
