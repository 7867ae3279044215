"""What was live, what is, and the way back: `guichet index history`, `status` and `rollback`."""

import asyncio
from getpass import getuser
from typing import Annotated, Any

import typer

from bot.backup import bring_up_to_date
from bot.console import database, out, plainly, progress_bar
from bot.evaluation.golden import golden_beside
from bot.evaluation.promise import CONFIDENCE_LEVEL
from bot.indexing import level, share
from bot.publishing.gate import limits_of
from bot.publishing.replica import Replica
from bot.settings import Settings, load_settings
from indexer import store
from indexer.confidence import CalibratorError
from indexer.encoder import OnnxEncoder
from indexer.engine import left_unused, live_snapshot, roll_back, trained
from indexer.entries import KnowledgeError
from indexer.model import prepare
from indexer.readers import read_knowledge
from indexer.snapshot import Snapshot, content_hash
from indexer.store import Activation


def history() -> None:
    """Say who made which index live, when, what it changed, and why the gate was overruled."""
    with plainly():
        settings = load_settings()
        kept = {folder.name for folder in store.history(settings.index_root)}
        live = store.live(settings.index_root)
        found = _activations(settings)
    for activation in found:
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
            return await Replica(db, settings.index_root, settings.kept_indexes).history()

    return asyncio.run(read()) if settings.shared else store.activations(settings.index_root)


def rollback(
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


def status() -> None:
    """Say which index is live, what is in it, and whether the knowledge files have changed since."""
    with plainly():
        settings = load_settings()
        if store.live(settings.index_root) is None:
            level(settings)  # take over the one that other machines answer from
        snapshot = live_snapshot(settings.index_root)
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
        golden_beside(settings.knowledge_dir, knowledge)
        calibrator, unused = trained(settings.knowledge_dir), left_unused(settings.knowledge_dir)
    except (KnowledgeError, CalibratorError) as error:
        return f"cannot be read as it is now, the index stays as it was:\n{error}"
    entries = (*knowledge.entries, *knowledge.drafts)
    now = content_hash(
        entries,
        manifest["model"]["identity"],
        calibrator,
        knowledge.courses,
        knowledge.outside,
        knowledge.golden,
    )
    told = "unchanged since" if now == manifest["content"] else "has changed since: run 'guichet index'"
    return "\n".join([told, *map(str, unused)])


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
