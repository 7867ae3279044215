"""The promised error rate: which threshold keeps it, and whether that can be certified.

Learn then Test (Angelopoulos, Bates, Candès, Jordan, Lei 2021, "Learn then Test: Calibrating Predictive Algorithms to
Achieve Risk Control"): thresholds are tested from the strictest downwards, each with the binomial tail as p-value of
"more than `most` of the answers shown are wrong", and the first that cannot be rejected ends it (fixed-sequence
testing, which needs no correction for the number of tests). The guarantee is for questions drawn like the golden ones.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.dialogue.decide import Limits

CONFIDENCE_LEVEL = 0.9
# .90 down to .30: above, hardly any set of golden questions shows enough answers to test anything, and a single wrong
# one would end the sequence before it has begun.
GRID = tuple(round(0.90 - step / 100, 2) for step in range(61))


@dataclass(frozen=True, slots=True)
class Promise:
    """From which confidence an answer is shown; `certified` says whether the error rate is proven at the level."""

    answer: float
    certified: bool
    shown: int  # answers shown at that threshold
    wrong: int  # of which wrong
    more: int  # golden questions still needed, at least, to certify; 0 if certified


def promise(confidence: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], most: float) -> Promise:
    """The lowest certified threshold for at most `most` wrong, from questions never used for fitting."""
    certified = None
    enough = _fewest(0, most)
    for threshold in GRID:
        shown, wrong = _counts(confidence, right, threshold)
        if shown < enough:  # no test is possible yet; this looks at confidences only, so the sequence stays valid
            continue
        if not _proven(wrong, shown, most):
            break
        certified = Promise(threshold, True, shown, wrong, 0)
    if certified:
        return certified
    shown, wrong = _counts(confidence, right, Limits().answer)
    share = shown / max(len(confidence), 1)
    more = math.ceil((_fewest(wrong, most) - shown) / max(share, 0.1))
    return Promise(Limits().answer, False, shown, wrong, max(more, 1))


def _counts(confidence: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], threshold: float) -> tuple[int, int]:
    shown = confidence >= threshold
    return int(shown.sum()), int((shown & ~right).sum())


def binomial_tail(wrong: int, shown: int, rate: float) -> float:
    """Probability of at most `wrong` among `shown` if each is wrong with probability `rate`: the p-value.

    >>> round(binomial_tail(0, 76, 0.03), 3)
    0.099
    """
    # In logarithms: of many answers, coefficients and powers are too large and too small for a float.
    ways = (math.lgamma(shown + 1) - math.lgamma(k + 1) - math.lgamma(shown - k + 1) for k in range(wrong + 1))
    logs = (way + k * math.log(rate) + (shown - k) * math.log1p(-rate) for k, way in enumerate(ways))
    return math.fsum(map(math.exp, logs))


def _fewest(wrong: int, rate: float) -> int:
    """How many answers must be shown, with so many wrong, before the rate is proven."""
    least = most = max(wrong, 1)
    while not _proven(wrong, most, rate):
        most *= 2
    return bisect_left(range(most), True, lo=least, key=lambda shown: _proven(wrong, shown, rate))


def _proven(wrong: int, shown: int, rate: float) -> bool:
    return binomial_tail(wrong, shown, rate) <= 1 - CONFIDENCE_LEVEL
