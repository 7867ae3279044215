"""`guichet index`: build, examine, activate; and say what is live."""

import asyncio
from datetime import date, datetime
from getpass import getuser
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from bot.backup import bring_up_to_date
from bot.console import REFUSALS, database, err, out, plainly, progress_bar, styled
from bot.dialogue.changes import changes
from bot.evaluation.promise import CONFIDENCE_LEVEL
from bot.publishing.gate import Told, Verdict, examination, limits_of, verdict
from bot.publishing.replica import Replica
from bot.settings import Settings, load_settings
from indexer import store
from indexer.diff import Diff, diff
from indexer.encoder import OnnxEncoder
from indexer.engine import Engine, Indexed, index, open_engine, prepare_aside, roll_back, trained
from indexer.entries import KnowledgeError
from indexer.model import prepare
from indexer.readers import read_knowledge
from indexer.snapshot import Snapshot, SnapshotError, content_hash, load
from indexer.store import Activation, Note

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
            return await Replica(db, settings.index_root).level()

    return asyncio.run(take_over()) if settings.shared else None


def share(settings: Settings, folder: Path, before: str | None) -> None:
    """Have all machines of a shared database answer from this index; nothing with SQLite. Raises OvertakenError."""

    async def publish() -> None:
        async with database(settings) as db:
            await Replica(db, settings.index_root).share(folder, before)

    if settings.shared:
        asyncio.run(publish())


def build_for(settings: Settings, *, reason: str = "", told: Told = lambda _: None) -> Indexed:
    """Index the knowledge, with a progress bar, and go live with it on all machines.

    A `reason` overrules the gate, `told` is given its verdict.
    """
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
            settings.knowledge_dir, settings.max_wrong, _today(settings), step, reason=reason, told=told
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


def _today(settings: Settings) -> date:
    return datetime.now(ZoneInfo(settings.timezone)).date()


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
        out.print(f"{drafts} drafts wait for an answer: questions about them go to the team.")
    for remark in indexed.told:
        out.print(remark, markup=False)
    out.print(f"Index {built.snapshot_id} is live ({perf_counter() - started:.1f} s).")


def _watch(settings: Settings) -> None:
    """Index at once and after each change of the folder; what is wrong is told, and the next change tried again."""
    from watchfiles import watch  # noqa: PLC0415  # only here

    _again(settings)
    out.print("Watching the knowledge files; Ctrl-C ends it.")
    for _ in watch(settings.knowledge_dir, raise_interrupt=False):
        _again(settings)


def _again(settings: Settings) -> None:
    try:
        before = store.live(settings.index_root)
        old = load(before).entries if before else ()
        _index(settings)
        live = store.live(settings.index_root)
        if before and live and live != before:
            _show(diff(old, load(live).entries))
    except REFUSALS as error:
        err.print(str(error), style="red", markup=False)


def _show(found: Diff, judged: Verdict | None = None) -> None:
    lost, gained = (judged.lost, judged.gained) if judged else ((), ())
    out.print(styled(changes(found, lost, gained, "en", limit=1_000_000)))


@index_app.command("diff")
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
                prepared.engine, prepared.live, settings.knowledge_dir, settings.max_wrong, _today(settings), step
            )
            found = difference(prepared.live, prepared.engine)
    _show(found, judged)
    out.print(judged.summary, markup=False)
    if judged.refusals:
        out.print("The gate would refuse it:")
        for line in judged.refusals:
            out.print(f"  {line}", markup=False)
        raise typer.Exit(1)


@index_app.command("history")
def index_history() -> None:
    """Say who made which index live, when, what it changed, and why the gate was overruled."""
    with plainly():
        settings = load_settings()
    kept = {folder.name for folder in store.history(settings.index_root)}
    live = store.live(settings.index_root)
    for activation in _activations(settings):
        mark = "live" if live and activation.snapshot == live.name else "" if activation.snapshot in kept else "gone"
        said = [activation.changes, f"overruled: {activation.reason}" if activation.reason else ""]
        what = "; ".join(part for part in said if part)
        line = f"{activation.at}  {activation.snapshot:<27} {mark:<4}  {activation.act} by {activation.by or '?'}"
        out.print(f"{line}: {what}" if what else line, markup=False)


def _activations(settings: Settings) -> list[Activation]:
    """Newest first; with a shared database those of all machines."""

    async def read() -> list[Activation]:
        async with database(settings) as db:
            await bring_up_to_date(db, settings)
            return await Replica(db, settings.index_root).history()

    return asyncio.run(read()) if settings.shared else store.activations(settings.index_root)


@index_app.command("rollback")
def index_rollback(
    snapshot_id: Annotated[str | None, typer.Argument(help="which one; default: the one that was live before")] = None,
) -> None:
    """Make an earlier index live again; the knowledge files stay as they are."""
    with plainly():
        settings = load_settings()
        with progress_bar() as step:
            encoder = OnnxEncoder(prepare(settings.model, settings.cache_dir, step))
        before = level(settings)
        engine = roll_back(encoder, settings.index_root, snapshot_id, getuser())
        share(settings, engine.snapshot.folder, before)
    out.print(
        f"Index {engine.snapshot.id} is live again. 'guichet index' would read the files anew: correct them first."
    )


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
    out.print(f"Promise:   {_promise(snapshot, settings.max_wrong)}")
    out.print(f"Kept:      {len(store.history(settings.index_root))} indexes")
    out.print(f"Knowledge: {_freshness(settings, manifest)}", markup=False)


def _freshness(settings: Settings, manifest: Any) -> str:
    try:
        knowledge = read_knowledge(settings.knowledge_dir)
    except KnowledgeError as error:
        return f"cannot be read as it is now, the index stays as it was:\n{error}"
    entries = (*knowledge.entries, *knowledge.drafts)
    now = content_hash(entries, manifest["model"]["identity"], trained(settings.knowledge_dir), knowledge.courses)
    return "unchanged since" if now == manifest["content"] else "has changed since: run 'guichet index'"


def _promise(snapshot: Snapshot, most_wrong: float) -> str:
    """What is promised of the answers shown, and whether that is certified."""
    kept = limits_of(snapshot, most_wrong)[1]
    wish = f"at most {most_wrong:.1%} of shown answers wrong"
    if kept is None:
        return f"{wish}: not certified, there are no golden questions"
    if not kept.certified:
        return (
            f"{wish}: not certified, {kept.more} more questions needed ({kept.wrong} of {kept.shown} shown were wrong)"
        )
    return (
        f"{wish}, certified at a confidence level of {CONFIDENCE_LEVEL:.0%}: shown from {kept.answer:.0%} sure on "
        f"({kept.wrong} of {kept.shown} wrong). This holds for questions like the golden ones."
    )
