"""Ranking and confidence on the public FAQ of three courses: the product's own search.

    python benchmarks/course_faq.py --documents documents.json --questions questions.csv [--train]

Ranking. Every entry is indexed, every question is searched within its course, five hits count. "As it ships" takes
the weights that come with the product: a plain rule (cosines, and a little for words in common) in which nothing
was fitted. With --train, the product's own training code fits the weights on the questions of one half of the entries,
and they are measured on those of the other half; then the other way round.

Answerability. A question can be answered if its entry is in the index that is asked. Entries fall into five folds, and
an index without fold f has all others. Questions that can be answered are those of the fold before f. Those that
cannot are counted in two ways: "another course" asks questions of the fold before in the next course, where a few can
be answered, since the courses share rules; "answer taken out" asks those of fold f, in their own course, where
entries much like the one taken out have stayed: many of these answer too, and none is counted as right.

What is kept apart. The confidence of each question comes from a calibrator fitted on questions of the other folds,
so on other entries' questions alone; what it learns is what the product's does, whether the first hit is right. Of
the calibrator that ships, only the weights of the ranking are used.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from zlib import crc32

import numpy as np
import typer

sys.path.insert(0, str(Path(__file__).parents[1]))  # to run as a script

from benchmarks import answerability
from benchmarks.answerability import Firsts
from benchmarks.faq import Document, Question, entry, read_documents, read_questions
from benchmarks.remembering import RememberingEncoder
from bot.console import plainly, progress_bar
from bot.settings import load_settings
from indexer import confidence
from indexer.building import build
from indexer.encoder import Encoded, Encoder, OnnxEncoder
from indexer.engine import Step
from indexer.entries import Entry
from indexer.model import prepare
from indexer.passages import Hit
from indexer.search import search
from indexer.snapshot import Snapshot, load
from indexer.training import Pair, example_of, fit_fusion

FOLDS = 5
COUNTED = 5  # hits
PUBLISHED = (
    ("Elasticsearch, text", 0.740, 0.603),
    ("minsearch", 0.772, 0.661),
    ("MiniLM, question and text vectors", 0.917, 0.824),
    ("Elasticsearch hybrid, RRF", 0.925, 0.851),
)
RANKED = {
    "shipped": "Guichet, as it ships",
    "trained": "Guichet, trained on the other half",
}
UNANSWERABLE = {"answer taken out": "whose answer was taken out", "another course": "of another course"}
Weights = Sequence[float]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its encoding, and the entry that answers it."""

    text: str
    course: str
    entry: str
    encoded: Encoded


def hits(index: Snapshot, asked: Asked, course: str, weights: Weights) -> tuple[Hit, ...]:
    """What the product finds within a course."""
    found = search(index, asked.text, asked.encoded, "en", weights, course)
    if not found:
        raise ValueError(f"nothing is left of the course {course!r} to search in: it needs more documents")
    return found


def places(index: Snapshot, questions: Sequence[Asked], weights: Weights) -> list[float]:
    """Where the right entry stands among the hits that count: 1 is first, infinite is nowhere."""
    found = []
    for asked in questions:
        ids = [hit.entry.id for hit in hits(index, asked, asked.course, weights)[:COUNTED]]
        found.append(ids.index(asked.entry) + 1 if asked.entry in ids else np.inf)
    return found


def ranking(found: Sequence[float]) -> dict[str, float]:
    """Figures of places; a question whose entry is nowhere counts 0 in MRR."""
    place = np.array(found)
    return {
        "hit@1": float((place <= 1).mean()),
        "hit@5": float((place <= COUNTED).mean()),
        "mrr": float((1 / place).mean()),
    }


def trained_places(index: Snapshot, questions: Sequence[Asked]) -> list[float]:
    """Places under weights that were fitted on the other half of the entries."""
    halves = [[asked for asked in questions if crc32(asked.entry.encode()) % 2 == half] for half in (0, 1)]
    found = []
    for half, other in (halves, halves[::-1]):
        examples = [example_of(index, Pair(one.text, "en", one.entry), one.encoded, one.course) for one in other]
        fitted = fit_fusion([one for one in examples if one and one.right.any()])
        found += places(index, half, fitted)
    return found


def firsts(
    questions: Sequence[Asked], indexes: Sequence[Snapshot], courses: Mapping[str, str], weights: Weights
) -> Firsts:
    """Each question's first hit in its index, in the course that `courses` gives for its own."""
    first = [hits(index, one, courses[one.course], weights)[0] for one, index in zip(questions, indexes, strict=True)]
    right = [hit.entry.id == one.entry for hit, one in zip(first, questions, strict=True)]
    return Firsts(np.array([hit.features for hit in first], np.float32), np.array(right, bool))


def answering(
    entries: Sequence[Entry], questions: Sequence[Asked], encoder: Encoder, folder: Path, weights: Weights
) -> dict[str, dict[str, float]]:
    """Figures of answerability, by what is counted as unanswerable."""
    folds = np.array([fold(asked.entry) for asked in questions])
    courses = list(dict.fromkeys(one.course for one in entries))
    own, following = (
        dict(zip(courses, courses, strict=True)),
        dict(zip(courses, courses[1:] + courses[:1], strict=True)),
    )
    parts = [[one for one in entries if fold(one.id) != out] for out in range(FOLDS)]
    indexes = [load(build(part, encoder, folder / str(out)).folder) for out, part in enumerate(parts)]
    lacking, having = [indexes[f] for f in folds], [indexes[(f + 1) % FOLDS] for f in folds]
    inside = firsts(questions, having, own, weights)
    outside = {"answer taken out": firsts(questions, lacking, own, weights)}
    if len(courses) > 1:
        outside["another course"] = firsts(questions, having, following, weights)
    return {name: answerability.figures(inside, those, folds) for name, those in outside.items()}


def fold(entry_id: str) -> int:
    """The same for all questions of an entry, today and tomorrow."""
    return crc32(entry_id.encode()) // 2 % FOLDS


def measure(
    documents: Sequence[Document], asked: Sequence[Question], encoder: Encoder, step: Step, train: bool
) -> dict[str, dict[str, float]]:
    """Figures by name: of ranking as in RANKED, "trained" if wanted, and of answerability as in UNANSWERABLE."""
    entries, weights = [entry(document) for document in documents], confidence.load().fusion
    encoded = encoder.questions([one.question for one in asked])
    questions = [Asked(one.question, one.course, one.document, e) for one, e in zip(asked, encoded, strict=True)]
    with TemporaryDirectory() as folder:
        built = build(entries, encoder, Path(folder), progress=step)
        step("Asking", 0, 0)
        whole = load(built.folder)
        figures = {"shipped": ranking(places(whole, questions, weights))}
        if train:
            figures["trained"] = ranking(trained_places(whole, questions))
        return figures | answering(entries, questions, encoder, Path(folder), weights)


def report(figures: Mapping[str, Mapping[str, float]]) -> None:
    """Print tables beside the published figures, and the main figures as JSON in the last line."""
    print(f"{'within the course, five hits count':<46}{'hit@1':>7}{'hit@5':>7}{'MRR':>7}")
    for name, hit, mrr in PUBLISHED:
        print(f"{'published: ' + name:<46}{'–':>7}{hit:>7.3f}{mrr:>7.3f}")
    for name, label in RANKED.items():
        if name in figures:
            print(f"{label:<46}" + "".join(f"{value:>7.3f}" for value in figures[name].values()))
    print(f"\n{'unanswerable are questions':<46}{'AUROC':>7}{'caught, 95 % kept':>19}{'answered, 95 % right':>22}")
    for name, label in UNANSWERABLE.items():
        if name in figures:
            auroc, caught, answered = figures[name].values()
            print(f"{label:<46}{auroc:>7.3f}{caught:>19.3f}{answered:>22.3f}")
    printed = [name for name in UNANSWERABLE if name in figures][-1]
    print(f"\nBelow: as it ships; unanswerable are those {UNANSWERABLE[printed]}.")
    print(json.dumps({name: round(value, 4) for name, value in {**figures["shipped"], **figures[printed]}.items()}))


def main(
    documents: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="the FAQ, as documents.json")],
    questions: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="CSV: question, course, document")],
    train: Annotated[bool, typer.Option("--train", help="also with weights trained on half of the entries")] = False,
) -> None:
    """Measure ranking and confidence on a course FAQ."""
    with plainly(), progress_bar() as step:
        settings = load_settings()
        try:
            known = read_documents(documents)
            asked = read_questions(questions, known)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        model = OnnxEncoder(prepare(settings.model, settings.cache_dir, step))
        encoder = RememberingEncoder(model, settings.cache_dir / "benchmarks")
        figures = measure(known, asked, encoder, step, train)
        encoder.save()
    report(figures)


if __name__ == "__main__":
    typer.run(main)
