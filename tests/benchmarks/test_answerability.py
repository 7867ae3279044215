import numpy as np

from benchmarks.answerability import Firsts, answered_at_precision, caught_at_kept, confidences, figures
from indexer.features import FEATURES


def firsts(cosines: np.ndarray, right: bool) -> Firsts:
    features = np.zeros((len(cosines), len(FEATURES)), np.float32)
    features[:, 0] = cosines
    return Firsts(features, np.full(len(cosines), right))


def test_the_threshold_keeps_what_it_promises() -> None:
    inside = np.arange(100.0)
    assert caught_at_kept(inside, np.array([4, 4.5, 5, 50])) == 0.5  # 5 is the lowest of the 95 kept
    assert caught_at_kept(inside, np.array([50.0])) == 0


def test_precision_counts_wrong_hits_and_what_cannot_be_answered() -> None:
    inside, right = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, True])
    assert answered_at_precision(inside, right, np.array([0.1]), 0.95) == 0.5
    assert answered_at_precision(inside, right, np.array([0.1]), 0.75) == 1
    assert answered_at_precision(inside, right, np.array([0.95]), 0.95) == 0
    assert answered_at_precision(inside, right, np.array([0.8]), 0.95) == 0.25  # what ties with it is shown too


def test_each_fold_is_rated_by_a_calibrator_that_never_saw_it() -> None:
    folds = np.repeat([0, 1], 20)
    inside, outside = firsts(np.linspace(0.7, 1, 40), right=True), firsts(np.linspace(0, 0.3, 40), right=False)
    before, _ = confidences(inside, outside, folds)
    turned = Firsts(inside.features, inside.right & ((folds == 1) | (np.arange(40) % 2 == 0)))
    after, _ = confidences(turned, outside, folds)
    assert np.allclose(before[folds == 0], after[folds == 0])  # its own labels change nothing
    assert not np.allclose(before[folds == 1], after[folds == 1])


def test_what_can_be_told_apart_is() -> None:
    folds = np.arange(40) % 4
    found = figures(firsts(np.linspace(0.7, 1, 40), right=True), firsts(np.linspace(0, 0.3, 40), right=False), folds)
    assert found == {"auroc": 1.0, "caught_at_95_kept": 1.0, "answered_at_95_precision": 1.0}
