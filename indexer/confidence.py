"""What was learnt from pairs of question and entry: how to weigh the parts of a score, and how sure to be of a hit."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexer.features import FEATURES, PARTS
from indexer.files import write
from indexer.passages import Hit


class CalibratorError(Exception):
    """The calibrator's file is of no use; the message says what to do."""


class OtherVersionError(CalibratorError):
    """A whole file, but of a version that measures other things."""


@dataclass(frozen=True, slots=True)
class Calibrator:
    """`fusion` weighs `indexer.features.PARTS`. Probability = 1 / (1 + exp(-(bias + weights · features))).

    `pairs` is how many pairs of question and entry it was fitted on.
    """

    fusion: tuple[float, ...]
    features: tuple[str, ...]
    weights: tuple[float, ...]
    bias: float
    pairs: int

    def rated(self, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """The same hits with their confidence."""
        sure = self.confidences([hit.features for hit in hits]).tolist()
        return tuple(
            replace(hit, confidence=1.0 if hit.verbatim else value) for hit, value in zip(hits, sure, strict=True)
        )

    def confidences(self, features: Sequence[Sequence[float]]) -> npt.NDArray[np.float64]:
        """The same for many hits, from their features, shape (hits, len(FEATURES))."""
        logit = np.asarray(features, np.float64).reshape(-1, len(FEATURES)) @ np.array(self.weights) + self.bias
        return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))))


def load(path: Path | None = None) -> Calibrator:
    """The calibrator in `path` if there is one, or else the one that comes with Guichet.

    Raises OtherVersionError, or another CalibratorError.
    """
    source = path if path and path.is_file() else resources.files("indexer") / "calibrator.json"
    try:
        data = json.loads(source.read_text(encoding="utf-8"))
        if "fusion" in data and set(data) != {field.name for field in fields(Calibrator)}:
            raise _other_version(source)
        calibrator = Calibrator(
            tuple(data["fusion"]),
            tuple(data["features"]),
            tuple(data["weights"]),
            float(data["bias"]),
            int(data["pairs"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CalibratorError(f"{source} is not a calibrator ({error}): delete it or run 'guichet train'") from error
    lengths = len(calibrator.fusion), len(calibrator.weights)
    if calibrator.features != FEATURES or lengths != (len(PARTS), len(FEATURES)):
        raise _other_version(source)
    return calibrator


def _other_version(source: object) -> OtherVersionError:
    return OtherVersionError(
        f"{source} was fitted by another version of Guichet: run 'guichet index', "
        "then 'guichet train' and 'guichet index' once more"
    )


def save(calibrator: Calibrator, path: Path) -> None:
    """Write a calibrator so that `load` reads it."""
    write(path, json.dumps(asdict(calibrator), indent=1) + "\n")


def fit(
    features: npt.NDArray[np.float32],
    answers: npt.NDArray[np.bool_],
    fusion: Sequence[float],
    importance: npt.NDArray[np.float32] | None = None,
    penalty: float = 1.0,
) -> Calibrator:
    """Fit on first hits (rows as in FEATURES), whether each answers its question, and how much each counts.

    `fusion` is what the hits were ranked with; `penalty` keeps weights small: the larger, the better the calibrator
    serves other knowledge than it was fitted on, and the worse its own (logistic regression's 1/C). Needs
    scikit-learn, which comes with what makes a model.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  # not needed to answer

    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = LogisticRegression(C=1 / penalty, max_iter=2000).fit(
        (features - mean) / scale, answers, sample_weight=importance
    )
    weights = model.coef_[0] / scale
    return Calibrator(
        tuple(float(weight) for weight in fusion),
        FEATURES,
        tuple(weights.tolist()),
        float(model.intercept_[0] - weights @ mean),
        pairs=len(answers),
    )
