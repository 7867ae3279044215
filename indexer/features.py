"""What is measured of each candidate: parts that a linear fusion weighs, features that confidence is made of."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.lexical import Scores

FEW_GRAMS = 0.25  # a best candidate with a smaller share of the n-grams is no measure for the others
# What the linear fusion weighs: cosines of three kinds of passages; how many passages are near, and how much (the
# logarithm of a sum of exponentials, which is the maximum where one stands out); words and character n-grams in two
# measures each (the weight of the question's words that an entry has, and the score over the best candidate's).
# "head" is the logarithm of the probability that a classifier gives; the last, how well each token is met.
PARTS = ("asked", "best", "whole", "asked_near", "near", "held", "grams_held", "bm25", "grams", "head", "met")
# Without training, a plain rule in which nothing was fitted: cosines, and a little for words in common.
DEFAULT_FUSION = (0.0, 0.8, 0.2, 0.0, 0.0, 0.0, 0.03, 0.06, 0.0, 0.03, 0.0)
FEATURES = (
    "cosine",  # of the best passage
    "asked_cosine",  # of the question or another way of asking it, encoded as a question
    "whole_cosine",  # of question and answer together
    "asked_near",  # how many ways of asking are near, and how much
    "near",  # the same for all passages
    "met",  # mean of each token's best cosine among those of the ways of asking; after the fifth hit, the least of five
    "head",  # probability by the classifier, as a logarithm, at least -10
    "lift",  # cosine above the mean of the candidates that follow, in cosine
    "margin",  # score above the best other hit's; negative for all but the one with the highest score
    "draft_margin",  # score above the best draft's, at most 0.2
    "words",  # BM25 as a share of the question's best possible score
    "words_held",  # weight of the question's words that the entry has, as a share
    "grams_held",  # the same for character n-grams
    "first_by_meaning",  # 1 if no other entry has a higher cosine
    "first_by_words",  # 1 if no other entry has a higher BM25 score
    "words_known",  # weight of the question's words that the course has anywhere, as a share
    "grams_known",  # the same for character n-grams
    "length",  # logarithm of the number of telling words
    "own_language",  # 1 if the entry exists in the question's language
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Groups that may answer, and what was measured of each; every array has one value a candidate."""

    groups: npt.NDArray[np.int64]
    drafts: npt.NDArray[np.bool_]
    best: Scores  # cosines, of passages as each field says
    asked: Scores
    whole: Scores
    asked_near: Scores
    near: Scores
    head: Scores
    bm25: Scores
    share: Scores
    held: Scores
    grams_held: Scores
    here: npt.NDArray[np.bool_]  # whether there is a version in the question's language
    words_known: float  # of the question, in all of the course
    grams_known: float
    own: int | None  # the row of the only group that has this very question, but for capitals, accents and punctuation
    met: Scores  # 0 until `indexer.search.look_closer` has measured it

    def parts(self) -> Scores:
        """What is fused, shape (candidates, len(PARTS))."""
        columns = {
            "asked": self.asked,
            "best": self.best,
            "whole": self.whole,
            "asked_near": self.asked_near,
            "near": self.near,
            "held": self.held,
            "grams_held": self.grams_held,
            "head": self.head,
            "bm25": self.bm25 / max(float(self.bm25.max()), 1e-6),
            "met": self.met,
            "grams": self.grams_held / max(float(self.grams_held.max()), FEW_GRAMS),
        }
        return np.array([columns[name] for name in PARTS], np.float32).T


def features(found: Candidates, score: Scores, order: npt.NDArray[np.int64], length: int) -> Scores:
    """One row a hit, columns as in FEATURES; `length` is the question's, in words."""
    ranked = np.sort(found.best)[::-1]
    following = float(ranked[1:21].mean()) if len(ranked) > 1 else 0.0
    columns = {
        "cosine": found.best,
        "asked_cosine": found.asked,
        "whole_cosine": found.whole,
        "asked_near": found.asked_near,
        "near": found.near,
        "met": found.met,
        "head": np.maximum(found.head, -10),
        "lift": found.best - following,
        "margin": _margins(score, np.ones(len(score), bool)),
        "draft_margin": _margins(score, found.drafts),
        "words": found.share,
        "words_held": found.held,
        "grams_held": found.grams_held,
        "first_by_meaning": found.best >= ranked[0],
        "first_by_words": (found.bm25 >= found.bm25.max()) & (found.bm25 > 0),
        "words_known": np.full(len(score), found.words_known),
        "grams_known": np.full(len(score), found.grams_known),
        "length": np.full(len(score), np.log1p(length)),
        "own_language": found.here,
    }
    return np.array([columns[name][order] for name in FEATURES], np.float32).T


def _margins(score: Scores, among: npt.NDArray[np.bool_]) -> Scores:
    """Each score above the best of the others that are `among` them, at most 0.2."""
    rivals = np.sort(np.where(among, score, -np.inf))[::-1]
    first, second = rivals[0], rivals[1] if len(rivals) > 1 else -np.inf
    others = np.where(among & (score == first), second, first)
    return np.minimum(score - others, np.float32(0.2))
