"""Intents and what is outside all of them, on CLINC150: the product's own search and confidence.

    python benchmarks/clinc150.py --data data_full.json

Each of the 150 intents is an entry: its first training utterance is the question, the others are other ways of
asking, and the answer is the intent's name in words. Measured are the test utterances if the file has them, or else
those for validation.

What is kept apart: the ranking's weights, the calibrator and the threshold are fitted on training utterances only.
For that, every fifth of an intent's utterances is searched in an index that lacks it, so that none finds itself, and
so are the training utterances out of scope. The threshold keeps 97 of 100 of those in scope. What is measured then
meets an index of all training utterances.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from pydantic import TypeAdapter

sys.path.insert(0, str(Path(__file__).parents[1]))  # to run as a script

from benchmarks.answerability import keeping
from benchmarks.remembering import RememberingEncoder
from bot.console import plainly, progress_bar
from bot.settings import load_settings
from indexer import confidence
from indexer.building import build
from indexer.confidence import Calibrator
from indexer.encoder import Encoded, Encoder, OnnxEncoder
from indexer.engine import Step
from indexer.entries import Entry
from indexer.model import prepare
from indexer.search import search
from indexer.snapshot import Snapshot, load
from indexer.training import Pair, example_of, fit_fusion

HELD_OUT = 5  # every fifth utterance
KEPT = 0.97  # of what is in scope
PUBLISHED = (  # Larson et al. 2019, table 2, "Full"
    ("Rasa", 0.915, 0.453),
    ("MLP", 0.935, 0.474),
    ("BERT", 0.969, 0.403),
    ("BERT with threshold", 0.962, 0.523),
)
Data = Mapping[str, Sequence[tuple[str, str]]]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
OUTSIDE = "oos"


@dataclass(frozen=True, slots=True)
class Asked:
    """An utterance with its encoding; `intent` is None for one out of scope."""

    text: str
    intent: str | None
    encoded: Encoded


def read(path: Path) -> Data:
    """The data set's parts, each a list of (utterance, intent); raises ValueError."""
    data = TypeAdapter(dict[str, list[tuple[str, str]]]).validate_json(path.read_bytes())
    lacking = [name for name in ("train", "oos_train", *measured(data)) if not data.get(name)]
    if lacking:
        raise ValueError(f"{path} lacks {', '.join(lacking)}")
    return data


def measured(data: Data) -> tuple[str, str]:
    """The parts to measure on."""
    return ("test", "oos_test") if "test" in data else ("val", "oos_val")


def intents(utterances: Iterable[tuple[str, str]]) -> list[Entry]:
    """An entry for each intent."""
    asked: dict[str, list[str]] = {}
    for text, intent in utterances:
        asked.setdefault(intent, []).append(text)
    return [
        Entry(
            id=intent,
            language="en",
            course="clinc150",
            topic="intents",
            topic_name="Intents",
            question=first,
            also=tuple(others),
            answer=f"{intent.replace('_', ' ').capitalize()}.",
            source="CLINC150",
        )
        for intent, (first, *others) in asked.items()
    ]


def without_every_fifth(entry: Entry) -> Entry:
    """The same entry with fewer other ways of asking."""
    return replace(entry, also=tuple(text for place, text in enumerate(entry.also) if place % HELD_OUT))


def asked(encoder: Encoder, utterances: Sequence[tuple[str, str]]) -> list[Asked]:
    """Utterances with their encodings."""
    encoded = encoder.questions([text for text, _ in utterances])
    return [
        Asked(text, None if intent == OUTSIDE else intent, one)
        for (text, intent), one in zip(utterances, encoded, strict=True)
    ]


def fit(index: Snapshot, known: Sequence[Asked]) -> Calibrator:
    """Weights and calibrator from utterances that the index lacks, as the product fits them."""
    examples = [example_of(index, Pair(one.text, "en", one.intent), one.encoded) for one in known]
    fusion = fit_fusion([one for one in examples if one and one.right.any()])
    features, right = firsts(index, known, fusion)
    outside = np.array([one.intent is None for one in known])
    # Out of scope there are few examples: together they count as much as all others.
    importance = np.where(outside, (~outside).sum() / outside.sum(), 1).astype(np.float32)
    return confidence.fit(features, right, fusion, importance)


def firsts(
    index: Snapshot, questions: Sequence[Asked], fusion: Sequence[float]
) -> tuple[npt.NDArray[np.float32], Flags]:
    """Features of each utterance's first hit, and whether it is the right intent."""
    first = [search(index, one.text, one.encoded, "en", fusion)[0] for one in questions]
    right = [hit.entry.id == one.intent for hit, one in zip(first, questions, strict=True)]
    return np.array([hit.features for hit in first], np.float32), np.array(right)


def working_point(sure: Floats, right: Flags, inside: Flags, least: float) -> dict[str, float]:
    """Accuracy of what is in scope, where being rejected is wrong, and share of the rest that is rejected."""
    return {
        "accuracy": float((right & (sure >= least))[inside].mean()),
        "caught": float((sure < least)[~inside].mean()),
    }


def measure(data: Data, encoder: Encoder, step: Step) -> dict[str, dict[str, float]]:
    """Working points by name: with the threshold chosen on training utterances, and with none."""
    entries = intents(data["train"])
    held_out = [(text, entry.id) for entry in entries for text in entry.also[::HELD_OUT]]
    with TemporaryDirectory() as folder:
        built = build(entries, encoder, Path(folder), progress=step)
        fewer = build([without_every_fifth(entry) for entry in entries], encoder, Path(folder))
        step("Learning", 0, 0)
        known = asked(encoder, [*held_out, *data["oos_train"]])
        learnt_on, whole = load(fewer.folder), load(built.folder)
        calibrator = fit(learnt_on, known)
        sure, _, inside = rated(learnt_on, known, calibrator)
        least = keeping(sure[inside], KEPT)
        step("Asking", 0, 0)
        judged = rated(whole, asked(encoder, [one for part in measured(data) for one in data[part]]), calibrator)
    return {"with threshold": working_point(*judged, least), "nothing rejected": working_point(*judged, 0.0)}


def rated(index: Snapshot, questions: Sequence[Asked], calibrator: Calibrator) -> tuple[Floats, Flags, Flags]:
    """Confidence of each first hit, whether it is right, and whether the utterance is in scope."""
    features, right = firsts(index, questions, calibrator.fusion)
    return calibrator.confidences(features.tolist()), right, np.array([one.intent is not None for one in questions])


def report(data: Data, figures: Mapping[str, Mapping[str, float]]) -> None:
    """Print a table beside the published figures, and the main ones as JSON in the last line."""
    parts = measured(data)
    print(f"{'150 intents and what is outside':<44}{'accuracy':>10}{'caught':>8}")
    for name, accuracy, caught in PUBLISHED:
        print(f"{'published: ' + name:<44}{accuracy:>10.3f}{caught:>8.3f}")
    for name, point in figures.items():
        print(f"{'Guichet, ' + name:<44}{point['accuracy']:>10.3f}{point['caught']:>8.3f}")
    print(f"\nMeasured on {' and '.join(f'{part} ({len(data[part])})' for part in parts)}; published: on test.")
    print(json.dumps({name: round(value, 4) for name, value in figures["with threshold"].items()}))


def main(
    data: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="CLINC150, as data_full.json")],
) -> None:
    """Measure intents and what is outside all of them."""
    with plainly(), progress_bar() as step:
        settings = load_settings()
        try:
            parts = read(data)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        model = OnnxEncoder(prepare(settings.model, settings.cache_dir, step))
        encoder = RememberingEncoder(model, settings.cache_dir / "benchmarks" / "clinc150")
        figures = measure(parts, encoder, step)
        encoder.save()
    report(parts, figures)


if __name__ == "__main__":
    typer.run(main)
