"""A hit's features to the probability that it answers: a logistic regression fitted on golden questions."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexer.passages import Hit
from indexer.search import FEATURES


class CalibratorError(Exception):
    """The calibrator's file does not fit this version; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Probability = 1 / (1 + exp(-(bias + weights · features))); `questions` were used to fit it."""

    features: tuple[str, ...]
    weights: tuple[float, ...]
    bias: float
    questions: int

    def rated(self, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """The same hits with their confidence."""
        sure = self.confidences([hit.features for hit in hits])
        return tuple(replace(hit, confidence=float(value)) for hit, value in zip(hits, sure, strict=True))

    def confidences(self, features: Sequence[Sequence[float]]) -> npt.NDArray[np.float64]:
        """The same for many hits, from their features, shape (hits, len(FEATURES))."""
        logit = np.asarray(features, np.float64).reshape(-1, len(FEATURES)) @ np.array(self.weights) + self.bias
        return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))))


def load(path: Path | None = None) -> Calibrator:
    """The calibrator in `path`, or the one that comes with Guichet; raises CalibratorError."""
    source = path or files("indexer") / "calibrator.json"
    try:
        data = json.loads(source.read_text(encoding="utf-8"))
        calibrator = Calibrator(
            tuple(data["features"]), tuple(data["weights"]), float(data["bias"]), int(data["questions"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CalibratorError(f"{source} is not a calibrator ({error}): delete it or fit it again") from error
    if calibrator.features != FEATURES:
        raise CalibratorError(f"{source} was fitted by another version of Guichet: fit it again")
    return calibrator


def save(calibrator: Calibrator, path: Path) -> None:
    """Write a calibrator so that `load` reads it."""
    path.write_text(json.dumps(asdict(calibrator), indent=1) + "\n", encoding="utf-8")


def fit(features: npt.NDArray[np.float32], answers: npt.NDArray[np.bool_]) -> Calibrator:
    """Fit on first hits (rows as in FEATURES) and whether each answers its question.

    Needs scikit-learn, which comes with what makes a model.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  # not needed to answer

    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = LogisticRegression(C=0.3, max_iter=1000).fit((features - mean) / scale, answers)
    weights = model.coef_[0] / scale
    return Calibrator(
        FEATURES, tuple(weights.tolist()), float(model.intercept_[0] - weights @ mean), questions=len(answers)
    )
