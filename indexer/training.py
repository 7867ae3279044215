"""Learning from pairs of question and entry: the fusion's weights, then the calibrator.

Pairs are the other ways of asking of every entry and draft, each searched in an index that was built without it (and
without its neighbour in the other language), some of them again in an index of the other language alone, and any
further pairs that are given, such as staff's decisions. Golden questions are not among them: they are for measuring.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from indexer import confidence
from indexer.building import build
from indexer.confidence import Calibrator, CalibratorError
from indexer.encoder import Encoded, Encoder
from indexer.entries import LANGUAGES, Entry, Language
from indexer.features import DEFAULT_FUSION, FEATURES, PARTS
from indexer.schools import IMPORTANCE, small_schools
from indexer.search import candidates, look_closer, search
from indexer.snapshot import Snapshot, load

FOLDS = 5
STEPS = FOLDS + len(LANGUAGES) + 2
PENALTY = 1e-3  # on the fusion's squared weights
# For knowledge that nobody has seen yet. Fitted on our own, a calibrator caught .57 of another course's questions on a
# public FAQ with a penalty of 1, and .72 with this one.
PENALTY_ANYWHERE = 30.0
# Five of the rarer outcome for each weight that is fitted (Vittinghoff and McCulloch 2007). With fewer, what two
# schools of 35 entries had learnt did worse than the calibrator that comes with Guichet.
FEWEST = 5 * len(FEATURES)
Floats = npt.NDArray[np.float32]


class TooFewError(CalibratorError):
    """There is too little to learn from; the message says how much it takes."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and the entry that it belongs to; None where it belongs to none. `weight` is how much it counts."""

    question: str
    language: Language
    entry: str | None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Example:
    """A pair with what a search for it measured: `parts` of each candidate, and which of them is right."""

    pair: Pair
    snapshot: Snapshot
    encoded: Encoded
    parts: Floats
    right: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Trained:
    """The new calibrator, and the share of held-out pairs whose best hit is right, before and after."""

    calibrator: Calibrator
    before: float
    after: float


def train(
    entries: Sequence[Entry],
    encoder: Encoder,
    live: Path,
    old: Sequence[float],
    more: Sequence[Pair] = (),
    progress: Callable[[int, int], None] = lambda *_: None,
    *,
    fixed: Sequence[float] | None = None,
    fewest: int = 1,
) -> Trained:
    """Fit on pairs from the entries and on `more`; half of them, by turns, tell whether the new fusion is better.

    The `old` fusion is kept if it is not, and `fixed` in any case: this makes a calibrator for any knowledge.

    Raises TooFewError where fewer than `fewest` pairs find their entry first, or fewer do not.
    """
    with TemporaryDirectory(prefix="guichet-training-") as folder:
        examples = list(_examples(entries, encoder, live, Path(folder), more, progress, anywhere=bool(fixed)))
        with_entry = [example for example in examples if example.right.any()]
        before = after = 0
        for half in (0, 1):
            fitted = fixed or fit_fusion(with_entry[half::2])
            held_out = with_entry[1 - half :: 2]
            before += _right(held_out, old)
            after += _right(held_out, fitted)
        better = fit_fusion(with_entry) if after > before and not fixed else old
        calibrator = fit_calibrator(examples, fixed or better, PENALTY_ANYWHERE if fixed else 1.0, fewest)
    total = max(len(with_entry), 1)
    return Trained(calibrator, before / total, after / total)


def _examples(
    entries: Sequence[Entry],
    encoder: Encoder,
    live: Path,
    folder: Path,
    more: Sequence[Pair],
    progress: Callable[[int, int], None],
    *,
    anywhere: bool,
) -> Iterator[Example]:
    progress(0, STEPS)
    for fold in range(FOLDS):
        kept = [replace(entry, also=_without(entry.also, fold)) for entry in entries]
        pairs = [Pair(text, entry.language, entry.id) for entry in entries for text in entry.also[fold::FOLDS]]
        built = build(kept, encoder, folder, old=live)
        yield from _searched(load(built.folder), encoder, pairs)
        progress(fold + 1, STEPS)
    for number, language in enumerate(LANGUAGES):
        kept = [entry for entry in entries if entry.language == language]
        pairs = [Pair(text, e.language, e.id) for e in entries if e.language != language for text in e.also[::FOLDS]]
        if kept:
            yield from _searched(load(build(kept, encoder, folder, old=live).folder), encoder, pairs)
        progress(FOLDS + number + 1, STEPS)
    if anywhere:  # most knowledge begins with one way of asking for each entry
        kept = [replace(entry, also=()) for entry in entries]
        pairs = [Pair(text, entry.language, entry.id) for entry in entries for text in entry.also[::FOLDS]]
        built = build(kept, encoder, folder, old=live)
        yield from _searched(load(built.folder), encoder, [*pairs, *more])
        for school in small_schools(entries, [(pair.question, pair.language) for pair in more]):
            pairs = [Pair(*asked, IMPORTANCE) for asked in school.asked]
            yield from _searched(load(build(school.entries, encoder, folder, old=live).folder), encoder, pairs)
    progress(STEPS - 1, STEPS)
    yield from _searched(load(live), encoder, more)
    progress(STEPS, STEPS)


def _without(texts: Sequence[str], fold: int) -> tuple[str, ...]:
    return tuple(text for place, text in enumerate(texts) if place % FOLDS != fold)


def _searched(snapshot: Snapshot, encoder: Encoder, pairs: Sequence[Pair]) -> Iterator[Example]:
    if not pairs:
        return
    for pair, encoded in zip(pairs, encoder.questions([pair.question for pair in pairs]), strict=True):
        if (one := example_of(snapshot, pair, encoded)) is not None:
            yield one


def example_of(snapshot: Snapshot, pair: Pair, encoded: Encoded, course: str | None = None) -> Example | None:
    """A pair as training takes it: with the tokens of all candidates compared, where a search compares those of a few.

    None if the question is empty, or the course unknown.
    """
    found = candidates(snapshot, pair.question, encoded.vector, pair.language, course)
    if found is None:
        return None
    ids = [snapshot.entries[snapshot.groups[group][0]].id for group in found.groups]
    parts = look_closer(snapshot, found, encoded).parts()
    return Example(pair, snapshot, encoded, parts, np.array([id_ == pair.entry for id_ in ids]))


def fit_fusion(examples: Sequence[Example]) -> tuple[float, ...]:
    """Softmax regression over each question's candidates (conditional logit, McFadden 1974).

    Scaled to the norm of the default fusion, so that scores stay comparable with it. Needs SciPy, which comes with
    what makes a model.
    """
    from scipy.optimize import minimize  # noqa: PLC0415  # not needed to answer

    if not examples:
        return DEFAULT_FUSION
    scale = np.concatenate([example.parts for example in examples]).std(axis=0) + 1e-6
    scaled = [(example.parts / scale, example.right) for example in examples]

    def loss(theta: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        total, slope = 0.0, np.zeros(len(PARTS))
        for parts, right in scaled:
            logits = parts @ theta
            chance = np.exp(logits - logits.max())
            chance /= chance.sum()
            rightly = chance * right
            total -= float(np.log(rightly.sum() + 1e-12))
            slope -= parts.T @ (rightly / (rightly.sum() + 1e-12) - chance)
        return (
            total / len(scaled) + PENALTY * float(theta @ theta),
            slope / len(scaled) + 2 * PENALTY * theta,
        )

    theta = minimize(loss, np.zeros(len(PARTS)), jac=True, method="L-BFGS-B").x / scale
    return tuple((theta * np.linalg.norm(DEFAULT_FUSION) / np.linalg.norm(theta)).tolist())


def _right(examples: Sequence[Example], fusion: Sequence[float]) -> int:
    return sum(bool(example.right[np.argmax(example.parts @ np.asarray(fusion))]) for example in examples)


def fit_calibrator(
    examples: Sequence[Example], fusion: Sequence[float], penalty: float = 1.0, fewest: int = 1
) -> Calibrator:
    """Fit on each example's first hit; raises TooFewError without `fewest` that are right and as many that are not.

    A draft that comes first is handed over anyway, and an entry's own question is certain: both teach nothing.
    """
    features, answers, importance = [], [], []
    for example in examples:
        pair = example.pair
        hit = search(example.snapshot, pair.question, example.encoded, pair.language, fusion)[0]
        if not hit.entry.draft and not hit.verbatim:
            features.append(hit.features)
            answers.append(hit.entry.id == pair.entry)
            importance.append(pair.weight)
    if min(sum(answers), len(answers) - sum(answers)) < fewest:
        raise TooFewError(
            f"{len(answers)} held-out questions, {sum(answers)} of which find their entry, are too few to learn from: "
            f"it takes {fewest} that do and as many that do not. Nothing was changed; write other ways of asking, "
            "and into outside.txt what no entry answers"
        )
    weights = np.array(importance, np.float32)
    return confidence.fit(np.array(features, np.float32), np.array(answers), fusion, weights, penalty)
