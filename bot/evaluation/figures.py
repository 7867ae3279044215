"""What judged golden questions say about an index, in numbers. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.evaluation.golden import CHAT
from bot.evaluation.judging import Judged, Outcome

Floats = npt.NDArray[np.float64]
BINS = 10  # of confidences


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares are 0 to 1, nan where there is no question to measure on.

    hit1, hit3, hit5, mrr: of answerable questions, the place of an expected entry among those with an answer.
    auroc: how well confidence tells answerable questions from others.
    answered: share of answerable questions that are shown an answer; precision: share of shown answers that are right;
    caught: share of unanswerable questions that are shown none.
    """

    questions: int
    hit1: float
    hit3: float
    hit5: float
    mrr: float
    auroc: float
    answered: float
    precision: float
    caught: float


def figures(judged: Iterable[Judged]) -> Figures:
    """Measure; only single questions count for ranking and confidence."""
    everything = list(judged)
    single = [one for one in everything if one.golden.single]
    inside = [one for one in single if one.golden.answerable]
    outside = [one for one in single if not one.golden.answerable]
    ranks = [one.rank or math.inf for one in inside]
    shown = [one for one in single if _shown(one)]
    labels = np.array([one.golden.answerable for one in single], bool)
    return Figures(
        questions=len(everything),
        hit1=_share([rank <= 1 for rank in ranks]),
        hit3=_share([rank <= 3 for rank in ranks]),
        hit5=_share([rank <= 5 for rank in ranks]),
        mrr=float(np.mean([1 / rank for rank in ranks])) if ranks else math.nan,
        auroc=auroc(np.array([one.confidence for one in single]), labels),
        answered=_share([_shown(one) for one in inside]),
        precision=_share([one.outcome is Outcome.RIGHT for one in shown]),
        caught=_share([not _shown(one) for one in outside]),
    )


def _shown(one: Judged) -> bool:
    """Whether an answer was shown: rightly to an answerable question, or wrongly."""
    return one.outcome is Outcome.WRONG or (one.outcome is Outcome.RIGHT and one.golden.answerable)


def _share(values: Sequence[bool]) -> float:
    return float(np.mean(values)) if values else math.nan


def auroc(scores: Floats, labels: npt.NDArray[np.bool_]) -> float:
    """Probability that a random positive scores above a random negative; ties count half (Mann-Whitney U).

    >>> auroc(np.array([0.9, 0.4, 0.4]), np.array([True, True, False]))
    0.75
    """
    positive, negative = scores[labels], scores[~labels]
    if not len(positive) or not len(negative):
        return math.nan
    above = (positive[:, None] > negative[None, :]).mean()
    return float(above + (positive[:, None] == negative[None, :]).mean() / 2)


def scored(judged: Iterable[Judged]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Confidence of each single question's first hit, and whether showing it would be right."""
    single = [one for one in judged if one.golden.single]
    return np.array([one.confidence for one in single]), np.array([one.first_right for one in single], bool)


def risk_and_coverage(confidence: Floats, right: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Share of wrong ones among those shown, and share shown, as the threshold falls from the surest on."""
    order = np.argsort(-confidence, kind="stable")
    count = np.arange(1, len(order) + 1)
    return np.cumsum(~right[order]) / count, count / max(len(order), 1)


def reliability(confidence: Floats, right: npt.NDArray[np.bool_]) -> list[tuple[float, float, int]]:
    """(mean confidence, share right, number) in bins of equal width; empty bins are left out."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        (float(confidence[place == b].mean()), float(right[place == b].mean()), int((place == b).sum()))
        for b in range(BINS)
        if (place == b).any()
    ]


def expected_error(confidence: Floats, right: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error: how far confidence is from the share that is right, on average (Naeini et al. 2015).

    >>> round(expected_error(np.array([0.95, 0.95, 0.05]), np.array([True, False, False])), 3)
    0.317
    """
    bins = reliability(confidence, right)
    return sum(abs(said - found) * number for said, found, number in bins) / max(len(confidence), 1)


def by_language(judged: Sequence[Judged]) -> dict[str, Figures]:
    """Figures of all questions and of each language's."""
    parts = {"all": list(judged)}
    for language in ("fr", "en"):
        parts[language] = [one for one in judged if one.golden.language == language]
    return {name: figures(part) for name, part in parts.items() if part}


def by_course(judged: Sequence[Judged], courses: Sequence[str]) -> dict[str, Figures]:
    """Figures of each course's questions; those asked without a course belong to the one that they were answered in."""
    parts = {name: [one for one in judged if (one.golden.course or one.turn.course) == name] for name in courses}
    return {name: figures(part) for name, part in parts.items() if part}


def by_kind(judged: Sequence[Judged]) -> dict[str, dict[Outcome, int]]:
    """How many questions of each kind came out how; whether they could be answered makes two kinds."""
    counts: dict[str, dict[Outcome, int]] = {}
    for one in judged:
        scope = "" if one.golden.expect == (CHAT,) or one.golden.answerable else ", not answerable"
        kind = counts.setdefault(f"{one.golden.kind}{scope}", dict.fromkeys(Outcome, 0))
        kind[one.outcome] += 1
    return dict(sorted(counts.items()))
