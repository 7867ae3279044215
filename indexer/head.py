"""A linear classifier on encoded questions: which entry's ways of asking a question is like, all of them weighed."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from indexer.encoder import Vectors

PENALTY = 0.1  # half of it times the squared weights is added to the examples' summed loss
MOST_WORK = 4_000_000  # examples times groups: fitting takes about 3 s a million
ENOUGH = 1e-4  # relative gain a step: below, ranking no longer changes, and float32's noise would lead in circles
Floats = npt.NDArray[np.float64]
Head = npt.NDArray[np.float32]  # (groups, dims + 1), the bias last; or no row at all: it says nothing


def fit(asked: Vectors, group: npt.NDArray[np.int64], groups: int) -> Head:
    """Multinomial logistic regression (L-BFGS, Nocedal 1980): `group[i]` is what row i of `asked` belongs to.

    One example a group teaches nothing that a cosine does not tell better; so the logits are multiplied by the share
    of examples beyond the first of each group. Without rows, so that it says nothing, where fitting would take minutes.
    """
    from scipy.optimize import minimize  # noqa: PLC0415  # not needed to answer

    dims = asked.shape[1]
    if len(asked) * groups > MOST_WORK or groups < 2:
        return np.zeros((0, dims + 1), np.float32)
    mean = asked.mean(axis=0, dtype=np.float64)
    rows = np.column_stack([asked - mean, np.ones(len(asked))]).astype(np.float32)
    truth = np.zeros((len(asked), groups), np.float32)
    truth[np.arange(len(asked)), group] = 1

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(groups, dims + 1)
        chances = log_chances(rows @ weights.T.astype(np.float32))
        slope = (np.exp(chances) - truth).T @ rows + PENALTY * weights
        return PENALTY / 2 * float(flat @ flat) - float((chances * truth).sum()), slope.ravel()

    found = minimize(loss, np.zeros(groups * (dims + 1)), jac=True, method="L-BFGS-B", options={"ftol": ENOUGH})
    head = found.x.reshape(groups, dims + 1)
    head[:, -1] -= head[:, :-1] @ mean
    weighed: Head = (head * (1 - groups / len(asked))).astype(np.float32)
    return weighed


def chances(head: Head, vector: Vectors, spans: Sequence[tuple[int, int]]) -> npt.NDArray[np.float32]:
    """The logarithm of each group's probability, within ranges of groups; all alike where the head says nothing."""
    if not len(head):
        size = sum(last - first for first, last in spans)
        return np.full(size, -np.log(size), np.float32)
    query = np.append(vector, np.float32(1))
    return log_chances(np.concatenate([head[first:last] @ query for first, last in spans]))


def log_chances(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The logarithm of each group's probability, by row."""
    above: npt.NDArray[np.float32] = logits - logits.max(axis=-1, keepdims=True)
    above -= np.log(np.exp(above).sum(axis=-1, keepdims=True))
    return above
