"""`guichet index`: build, examine, activate; and say what is live."""

from datetime import datetime
from time import perf_counter
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from bot.console import err, out, plainly, progress_bar
from bot.evaluation.promise import CONFIDENCE_LEVEL
from bot.publishing.gate import examination, limits_of
from bot.settings import Settings, load_settings
from indexer import store
from indexer.encoder import OnnxEncoder
from indexer.engine import Engine, Indexed, index, open_engine, trained
from indexer.entries import KnowledgeError
from indexer.model import prepare
from indexer.readers import read_knowledge
from indexer.snapshot import Snapshot, SnapshotError, content_hash, load

index_app = typer.Typer(invoke_without_command=True, help="Build the index from the knowledge files.")


def open_for(settings: Settings) -> Engine:
    """The engine, with a progress bar if the model has to be made first."""
    with progress_bar() as step:
        return open_engine(settings.model, settings.cache_dir, settings.index_root, step)


def build_for(settings: Settings, *, force: bool = False) -> Indexed:
    """Index the knowledge, with a progress bar; `force` overrules the gate."""
    with progress_bar() as step:
        encoder = OnnxEncoder(prepare(settings.model, settings.cache_dir, step))
        today = datetime.now(ZoneInfo(settings.timezone)).date()
        examine = examination(settings.knowledge_dir, settings.max_wrong, today, step, force=force)
        return index(settings.knowledge_dir, encoder, settings.index_root, step, examine)


@index_app.callback()
def index_command(
    context: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="go live even if golden questions fare worse")] = False,
) -> None:
    """Read the knowledge files, build the index and make it live. Only changed texts are encoded."""
    if context.invoked_subcommand:
        return
    with plainly():
        settings = load_settings()
        started = perf_counter()
        indexed = build_for(settings, force=force)
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
    now = content_hash(entries, manifest["model"]["identity"], trained(settings.knowledge_dir))
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
