"""`guichet eval` and `guichet train`: how well the index answers, and learning to do it better."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bot.console import out, plainly, progress_bar
from bot.dialogue.language import language
from bot.evaluation.figures import Figures, by_course, by_kind, by_language
from bot.evaluation.golden import read_golden
from bot.evaluation.judging import Judged, Outcome, judge
from bot.indexing import open_for
from bot.publishing.gate import limits_of
from bot.settings import Settings, load_settings
from indexer import confidence, store
from indexer.engine import TRAINED, Engine, engine_of
from indexer.entries import KnowledgeError, Problem, read_text
from indexer.features import DEFAULT_FUSION
from indexer.readers import GOLDEN, read_knowledge
from indexer.snapshot import SnapshotError, load
from indexer.training import FEWEST, Pair
from indexer.training import train as learn

SAMPLE = 600  # unrelated questions that training looks at
ANYWHERE_WEIGHT = 0.5  # of a near miss where the calibrator is for any knowledge: nobody knows how many are asked there
UNRELATED_WEIGHT = 0.25  # of one beside a pair: there are many, and they are easy


def evaluate(
    questions: Annotated[
        Path | None, typer.Argument(help="golden.yaml or questions.jsonl; default: the knowledge's")
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="a snapshot's id: compare with it, question by question")] = None,
    pictures: Annotated[Path | None, typer.Option(help="where to write the two pictures")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the figures as one JSON object")] = False,
) -> None:
    """Put golden questions to the live index: how many are answered, how many of those rightly."""
    with plainly():
        settings = load_settings()
        engine = open_for(settings)
        known = {entry.id for entry in engine.snapshot.entries}
        names = [course.name for course in engine.snapshot.school]
        golden = read_golden(questions or settings.knowledge_dir / GOLDEN, known, names)
        other = _snapshot(settings, engine, baseline) if baseline else None
        limits = limits_of(engine.snapshot, settings.max_wrong)[0]
        today = settings.today()
        with progress_bar() as step:
            judged = judge(engine, golden, limits, today, lambda done, all_: step("Asking", done, all_))
            before = None
            if other:
                old = limits_of(other.snapshot, settings.max_wrong)[0]
                before = judge(other, golden, old, today, lambda done, all_: step("Asking the other", done, all_))
    found, courses = by_language(judged), by_course(judged, [course.name for course in engine.school])
    if as_json:
        shown = {name: _as_dict(figures) for name, figures in found.items()}
        own = {"courses": {name: _as_dict(figures) for name, figures in courses.items()}} if courses else {}
        print(json.dumps(shown | own, indent=1))
        return
    out.print(_table(found))
    if courses:
        out.print(_table(courses, "By course"))
    out.print(_kinds(judged))
    out.print(f"An answer is shown from {limits.answer:.0%} sure on.")
    if before:
        _compare(before, judged)
    from bot.evaluation.pictures import draw  # noqa: PLC0415  # takes a second to load

    for path in draw(judged, settings.max_wrong, pictures or settings.data_dir / "eval"):
        out.print(f"Picture: {path}", markup=False)


def _snapshot(settings: Settings, engine: Engine, snapshot_id: str) -> Engine:
    folder = store.snapshot_folder(settings.index_root) / snapshot_id
    if not folder.is_dir():
        kept = ", ".join(path.name for path in store.history(settings.index_root))
        raise SnapshotError(f"there is no snapshot {snapshot_id!r}: kept are {kept}")
    return engine_of(load(folder), engine.encoder)


def _as_dict(figures: Figures) -> dict[str, float | None]:
    values = {name: getattr(figures, name) for name in Figures.__slots__}
    return {name: None if value != value else round(value, 4) for name, value in values.items()}  # noqa: PLR0124  # nan


def _table(found: dict[str, Figures], title: str = "Golden questions") -> Table:
    table = Table(title=title)
    table.add_column("")
    for name in found:
        table.add_column({"fr": "French", "en": "English"}.get(name, name), justify="right")
    explained = {
        "questions": "questions",
        "hit1": "right entry first (hit@1)",
        "hit3": "among three (hit@3)",
        "hit5": "among five (hit@5)",
        "mrr": "MRR",
        "auroc": "AUROC, answerable or not",
        "answered": "answerable: shown an answer",
        "precision": "shown answers that are right",
        "caught": "not answerable: shown none",
    }
    for name, words in explained.items():
        values = [getattr(figures, name) for figures in found.values()]
        table.add_row(words, *(str(v) if isinstance(v, int) else f"{v:.3f}" for v in values))
    return table


def _kinds(judged: Sequence[Judged]) -> Table:
    table = Table(title="By kind")
    for name in ("", *Outcome):
        table.add_column(str(name), justify="right" if name else "left")
    for kind, counts in by_kind(judged).items():
        table.add_row(kind, *(str(counts[outcome]) for outcome in Outcome))
    return table


def _compare(before: Sequence[Judged], after: Sequence[Judged]) -> None:
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old.outcome is not new.outcome]
    out.print(f"{len(changed)} questions come out differently:" if changed else "Every question comes out alike.")
    for old, new in changed:
        asked = new.golden.ask.replace("\n", " ")[:70]
        out.print(f"  line {new.golden.line}: {old.outcome} → {new.outcome}: {asked}", markup=False)


def train(
    unrelated: Annotated[
        Path | None,
        typer.Option(
            help="questions that have nothing to do with the course: a text file, one a line, or CLINC150's JSON"
        ),
    ] = None,
    default: Annotated[
        bool, typer.Option("--default", help="fit the calibrator that comes with Guichet, for any knowledge")
    ] = False,
) -> None:
    """Learn ranking and confidence from the other ways of asking; new ranking only if held-out ones get better so.

    Questions that no entry answers are learnt from too: those of outside.txt in the knowledge folder, if there is one.
    """
    with plainly():
        settings = load_settings()
        engine = open_for(settings)
        knowledge = read_knowledge(settings.knowledge_dir)
        weight = ANYWHERE_WEIGHT if default else 1.0
        near = [Pair(text, language(text), None, weight) for text in knowledge.outside]
        more = [*near, *(_unrelated(unrelated) if unrelated else [])]
        old = confidence.load(Path(engine.snapshot.folder / "calibrator.json"))
        with progress_bar() as step:
            trained = learn(
                (*knowledge.entries, *knowledge.drafts),
                engine.encoder,
                engine.snapshot.folder,
                old.fusion,
                more,
                lambda done, total: step("Learning", done, total),
                fixed=DEFAULT_FUSION if default else None,
                fewest=FEWEST,
            )
    path = Path(confidence.__file__).with_name("calibrator.json") if default else settings.knowledge_dir / TRAINED
    out.print(
        f"{trained.calibrator.pairs} pairs. Held out, best hit right: {trained.before:.3f} → {trained.after:.3f}."
    )
    if trained.after <= trained.before and not default:
        out.print("So ranking stays as it was; confidence is fitted to what the knowledge holds now.")
    confidence.save(trained.calibrator, path)
    undo = "" if default else " Without that file, what comes with Guichet holds again."
    out.print(f"Written to {path}. Run 'guichet index' to use it.{undo}", markup=False)


def _unrelated(path: Path) -> list[Pair]:
    """Questions that have nothing to do with the course: a sample that is the same each time."""
    text = read_text(path)
    if path.suffix != ".json":
        asked = [line.strip() for line in text.splitlines() if line.strip()]
    else:
        try:
            data = json.loads(text)
            asked = [str(text) for text, _ in (*data["oos_train"], *data["train"])]
        except (ValueError, KeyError, TypeError) as error:
            raise KnowledgeError([Problem(str(path), 1, f"not CLINC150's JSON ({error})")]) from error
    chosen = random.Random(1).sample(asked, min(SAMPLE, len(asked)))  # noqa: S311
    return [Pair(text, language(text), None, UNRELATED_WEIGHT) for text in chosen]
