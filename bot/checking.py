"""`guichet index check`: advice for editors."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from bot.console import out, plainly, progress_bar
from bot.evaluation.golden import golden_beside
from bot.settings import Settings, load_settings
from indexer.advice import advice, rivals
from indexer.checks import one_language
from indexer.encoder import OnnxEncoder
from indexer.engine import left_unused, prepare_aside
from indexer.entries import Problem
from indexer.model import prepare
from indexer.readers import read_knowledge


def check(
    folder: Annotated[Path | None, typer.Argument(help="the knowledge folder; default: GUICHET_KNOWLEDGE_DIR")] = None,
    no_model: Annotated[
        bool, typer.Option("--no-model", help="leave out what needs the model: takes a second")
    ] = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="advice alone is no failure")] = False,
) -> None:
    """Read the files as `guichet index` does, and say what to look at; exit code 1 with advice, 2 with faults."""
    with plainly():
        settings = load_settings()
        where = folder or settings.knowledge_dir
        knowledge = read_knowledge(where)
        entries = (*knowledge.entries, *knowledge.drafts)
        golden = golden_beside(where, knowledge)
        unused = left_unused(where)
        named = {id_ for question in golden or () for id_ in (*question.expect, *question.also)}
        today = settings.today()
        found = [*unused, *advice(entries, None if golden is None else named, today, knowledge.outside)]
        if not no_model:
            found += _rivals(settings, where)
    for remark in one_language(entries):
        out.print(f"note: {remark}", markup=False)
    for problem in found:
        out.print(str(problem), markup=False)
    out.print(f"{knowledge.counted}: {f'{len(found)} to look at' if found else 'nothing to look at'}.")
    if found and not exit_zero:
        raise typer.Exit(1)


def _rivals(settings: Settings, folder: Path) -> list[Problem]:
    with TemporaryDirectory() as aside, progress_bar() as step:
        encoder = OnnxEncoder(prepare(settings.model, settings.cache_dir, step))
        return list(rivals(prepare_aside(folder, encoder, settings.index_root, step, Path(aside)).engine.snapshot))
