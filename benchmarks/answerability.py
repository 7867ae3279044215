"""How well the confidence of a first hit tells what can be answered: measured out of fold."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from indexer import confidence

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Folds = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Firsts:
    """Questions' first hits: features, shape (questions, len(FEATURES)), and whether each is the right one."""

    features: npt.NDArray[np.float32]
    right: Flags

    def of(self, chosen: Flags) -> "Firsts":
        """Those of the chosen questions."""
        return Firsts(self.features[chosen], self.right[chosen])


def figures(answerable: Firsts, unanswerable: Firsts, folds: Folds) -> dict[str, float]:
    """AUROC of "can be answered" by the first hit's confidence, and two working points."""
    inside, outside = confidences(answerable, unanswerable, folds)
    labels = np.repeat([True, False], [len(inside), len(outside)])
    return {
        "auroc": float(roc_auc_score(labels, np.concatenate([inside, outside]))),
        "caught_at_95_kept": caught_at_kept(inside, outside),
        "answered_at_95_precision": answered_at_precision(inside, answerable.right, outside),
    }


def confidences(answerable: Firsts, unanswerable: Firsts, folds: Folds) -> tuple[Floats, Floats]:
    """Confidences of both, those of each fold by a calibrator that was fitted on the other folds alone."""
    inside, outside = np.zeros(len(folds)), np.zeros(len(folds))
    for fold in np.unique(folds):
        here = folds == fold
        known = answerable.of(~here), unanswerable.of(~here)
        features, right = (np.concatenate([getattr(part, name) for part in known]) for name in ("features", "right"))
        calibrator = confidence.fit(features, right, fusion=())
        inside[here] = calibrator.confidences(answerable.features[here].tolist())
        outside[here] = calibrator.confidences(unanswerable.features[here].tolist())
    return inside, outside


def keeping(inside: Floats, kept: float) -> float:
    """The highest threshold that keeps at least this share of the answerable; what equals it is kept."""
    return float(np.sort(inside)[int(round((1 - kept) * len(inside), 6))])


def caught_at_kept(inside: Floats, outside: Floats, kept: float = 0.95) -> float:
    """Share of the unanswerable below the threshold that keeps this share of the answerable.

    >>> caught_at_kept(np.array([0.9, 0.6]), np.array([0.7, 0.5, 0.4]), kept=0.5)
    1.0
    """
    return float((outside < keeping(inside, kept)).mean())


def answered_at_precision(inside: Floats, right: Flags, outside: Floats, precision: float = 0.95) -> float:
    """Largest share of the answerable shown so that at least this share of all that is shown is right; 0 if none.

    >>> answered_at_precision(np.array([0.9, 0.8, 0.2]), np.array([True, True, True]), np.array([0.7, 0.1]))
    0.6666666666666666
    """
    best = 0.0
    for threshold in np.unique(inside):
        shown = inside >= threshold
        if (right & shown).sum() >= precision * (shown.sum() + (outside >= threshold).sum()):
            best = max(best, float(shown.mean()))
    return best
