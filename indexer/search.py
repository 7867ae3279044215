"""A question to ranked hits, with the features that confidence is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.encoder import Vectors
from indexer.entries import Language
from indexer.head import chances
from indexer.lexical import Scores, grams, wording, words
from indexer.passages import LONG_ANSWER, Hit, Kind, windows
from indexer.snapshot import Snapshot, Span

NEAREST_PASSAGES = 300
NEAREST_GROUPS = 40
NEAREST_BY_WORDS = 20
MOST_ANSWERED, MOST_HITS = 5, 30
FEW_GRAMS = 0.25  # a best candidate with a smaller share of the n-grams is no measure for the others
SHARPNESS = 40.0  # of `near`: at 1/40 below the best, a passage counts e times less
# What the linear fusion weighs: cosines of three kinds of passages; how many passages are near, and how much (the
# logarithm of a sum of exponentials, which is the maximum where one stands out); words and character n-grams in two
# measures each (the weight of the question's words that an entry has, and the score over the best candidate's).
# The last is the logarithm of the probability that a classifier gives.
PARTS = ("asked", "best", "whole", "asked_near", "near", "held", "grams_held", "bm25", "grams", "head")
# Without training, a plain rule in which nothing was fitted: cosines, and a little for words in common.
DEFAULT_FUSION = (0.0, 0.8, 0.2, 0.0, 0.0, 0.0, 0.03, 0.06, 0.0, 0.03)
FEATURES = (
    "cosine",  # of the best passage
    "asked_cosine",  # of the question or another way of asking it, encoded as a question
    "whole_cosine",  # of question and answer together
    "asked_near",  # how many ways of asking are near, and how much
    "near",  # the same for all passages
    "head",  # probability by the classifier, as a logarithm, at least -10
    "lift",  # cosine above the mean of the candidates that follow, in cosine
    "margin",  # score above the best other hit's; negative for all but the first
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
            "grams": self.grams_held / max(float(self.grams_held.max()), FEW_GRAMS),
        }
        return np.array([columns[name] for name in PARTS], np.float32).T


def search(
    snapshot: Snapshot,
    question: str,
    vector: Vectors,
    language: Language,
    fusion: Sequence[float],
    course: str | None = None,
) -> tuple[Hit, ...]:
    """The best hits for a question, best first; `vector` is its encoding, shape (dims,), `fusion` weighs PARTS.

    An entry that has this very question comes first, whatever its score.
    """
    found = candidates(snapshot, question, vector, language, course)
    if found is None:
        return ()
    score = found.parts() @ np.asarray(fusion, np.float32)
    order = _best(score, found.drafts)
    if found.own is not None:
        order = np.concatenate([[found.own], order[order != found.own]])
    features = _features(found, score, order, len(words(question, language)))
    hits: list[Hit] = []
    for row, values in zip(order, features.tolist(), strict=True):
        group = int(found.groups[row])
        number = _version(snapshot, snapshot.groups[group], language)
        gist = "" if hits else _gist(snapshot, group, number, vector)  # only the first is ever shown as the answer
        hit = Hit(
            snapshot.entries[number], float(score[row]), tuple(values), verbatim=bool(row == found.own), gist=gist
        )
        hits.append(hit)
    return tuple(hits)


def candidates(
    snapshot: Snapshot, question: str, vector: Vectors, language: Language, course: str | None = None
) -> Candidates | None:
    """The groups that may answer; None for an empty question or an unknown course.

    Every version of an entry is searched by meaning; by words only those in the question's language, since words
    of another language mislead. Drafts take part: a question whose nearest entry is one has no answer yet.
    """
    spans = snapshot.within(course or None)
    if not question.strip() or not spans:
        return None
    lexicon = snapshot.lexicons[language]
    among = [_rows(lexicon.rows[first:last]) for first, last in spans]
    by_words = lexicon.words.match(words(question, language), among)
    cosines = snapshot.nearest.cosines(vector, parts := _passages(snapshot, spans))
    own = _own(snapshot, question, spans)
    near = _near_by_meaning(snapshot, vector, parts, cosines)
    groups = np.unique(
        np.concatenate([near, _near_by_words(_spread(by_words.bm25, lexicon.rows), spans), np.array(own, np.int64)])
    )
    rows = lexicon.rows[groups]
    grams_held, grams_known = lexicon.grams.held(grams(question), rows[rows >= 0], among)
    return Candidates(
        groups,
        snapshot.drafts[groups],
        *_cosines(snapshot, groups, vector, cosines),
        chances(snapshot.head, vector, spans)[np.searchsorted(_inside(spans), groups)],
        _spread(by_words.bm25, rows),
        _spread(by_words.share, rows),
        _spread(by_words.held, rows),
        _placed(grams_held, rows >= 0),
        rows >= 0,
        by_words.known,
        grams_known,
        int(np.searchsorted(groups, own[0])) if len(own) == 1 else None,
    )


def _own(snapshot: Snapshot, question: str, spans: Sequence[Span]) -> list[int]:
    """The groups that have this very question."""
    found = snapshot.asked.get(wording(question), ())
    return [group for group in found if any(first <= group < last for first, last in spans)]


def _rows(rows: npt.NDArray[np.int64]) -> slice:
    """The rows of a lexicon that belong to consecutive groups; these stand in the same order."""
    here = rows[rows >= 0]
    return slice(int(here[0]), int(here[-1]) + 1) if len(here) else slice(0, 0)


def _passages(snapshot: Snapshot, spans: Sequence[Span]) -> list[Span]:
    """The passages of consecutive groups, which stand together too."""
    return [tuple(snapshot.segments[[first * len(Kind), last * len(Kind)]].tolist()) for first, last in spans]


def _near_by_meaning(
    snapshot: Snapshot, vector: Vectors, parts: Sequence[Span], cosines: Vectors | None
) -> npt.NDArray[np.int64]:
    """The groups of the nearest passages."""
    rows = snapshot.nearest.search(vector, NEAREST_PASSAGES, parts, cosines)
    found = np.searchsorted(snapshot.segments, rows, side="right") - 1
    return np.fromiter(dict.fromkeys((found // len(Kind)).tolist()), np.int64)[:NEAREST_GROUPS]


def _near_by_words(bm25: Scores, spans: Sequence[Span]) -> npt.NDArray[np.int64]:
    """The groups with the highest BM25 scores, among consecutive groups; those without any score are left out."""
    inside = _inside(spans)
    scored = inside[bm25[inside] > 0]
    if len(scored) > NEAREST_BY_WORDS:  # to put all of many in order would take longer than to leave most of them out
        scores = bm25[scored]
        scored = scored[scores >= np.partition(scores, -NEAREST_BY_WORDS)[-NEAREST_BY_WORDS]]
    best: npt.NDArray[np.int64] = scored[np.argsort(-bm25[scored], kind="stable")[:NEAREST_BY_WORDS]]
    return best


def _inside(spans: Sequence[Span]) -> npt.NDArray[np.int64]:
    """The numbers of the groups of all spans, rising."""
    return np.concatenate([np.arange(first, last) for first, last in spans])


def _spread(scores: Scores, rows: npt.NDArray[np.int64]) -> Scores:
    """Scores by row of a lexicon to scores by group, 0 where the group has no row."""
    if not len(scores):
        return np.zeros(len(rows), np.float32)
    return np.where(rows >= 0, scores[rows], np.float32(0))


def _placed(scores: Scores, here: npt.NDArray[np.bool_]) -> Scores:
    """Scores of those that are here, in their places, and 0 elsewhere."""
    placed = np.zeros(len(here), np.float32)
    placed[here] = scores
    return placed


def _cosines(
    snapshot: Snapshot, groups: npt.NDArray[np.int64], vector: Vectors, known: Vectors | None
) -> tuple[Scores, Scores, Scores, Scores, Scores]:
    """Each group's `best`, `asked`, `whole`, `asked_near` and `near`, as in PARTS; `known` are all cosines, if so."""
    starts = snapshot.segments[groups[:, None] * len(Kind) + np.arange(len(Kind) + 1)]  # (groups, kinds + 1)
    lengths = starts[:, -1] - starts[:, 0]
    before = np.cumsum(lengths) - lengths
    # A group's passages stand together: to copy those of many groups would take longer than to multiply them.
    pieces = [
        snapshot.vectors[first:last] @ vector if known is None else known[first:last]
        for first, last in starts[:, (0, -1)].tolist()
    ]
    cosines = np.concatenate([*pieces, np.full(1, -1, np.float32)])  # where empty kinds at the end begin
    places = (starts[:, :-1] - starts[:, :1] + before[:, None]).ravel()
    missing = np.diff(starts, axis=1) == 0  # no passage of this kind
    best = np.maximum.reduceat(cosines, places).reshape(-1, len(Kind))
    nearness = np.add.reduceat(np.exp((cosines - 1) * SHARPNESS), places).reshape(-1, len(Kind))
    best[missing], nearness[missing] = -1, 0
    asked, question, answer, whole = best.T
    asked_near, near = nearness[:, Kind.ASKED], nearness[:, Kind.QUESTION :].sum(axis=1)
    return (
        np.maximum(np.maximum(question, answer), whole),
        asked,
        np.where(whole < 0, question, whole),  # a draft has no answer: its question stands for the whole
        np.asarray(1 + np.log(asked_near) / SHARPNESS, np.float32),
        np.asarray(1 + np.log(near) / SHARPNESS, np.float32),
    )


def _best(score: Scores, drafts: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Rows of the best candidates, best first: as many as it takes to have five with an answer."""
    order = np.argsort(-score, kind="stable")[:MOST_HITS]
    return order[: int(np.searchsorted(np.cumsum(~drafts[order]), MOST_ANSWERED)) + 1]


def _features(found: Candidates, score: Scores, order: npt.NDArray[np.int64], length: int) -> Scores:
    """One row a hit, columns as in FEATURES; `length` is the question's, in words."""
    ranked = np.sort(found.best)[::-1]
    following = float(ranked[1:21].mean()) if len(ranked) > 1 else 0.0
    columns = {
        "cosine": found.best,
        "asked_cosine": found.asked,
        "whole_cosine": found.whole,
        "asked_near": found.asked_near,
        "near": found.near,
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


def _version(snapshot: Snapshot, versions: Sequence[int], language: Language) -> int:
    """The entry in the question's language, or else in the other; one with an answer before one without."""

    def preference(number: int) -> tuple[bool, bool]:
        return snapshot.entries[number].draft, snapshot.entries[number].language != language

    return min(versions, key=preference)


def _gist(snapshot: Snapshot, group: int, number: int, vector: Vectors) -> str:
    """Of a long answer, the one or two sentences nearest to the question; empty for an answer that is short anyway."""
    if len(snapshot.entries[number].answer) <= LONG_ANSWER:
        return ""
    # A group's passages of a kind stand in the order of its versions.
    start = snapshot.segments[group * len(Kind) + Kind.ANSWER]
    for version in snapshot.groups[group]:
        texts = windows(snapshot.entries[version]) if not snapshot.entries[version].draft else []
        if version == number:
            return texts[int(np.argmax(snapshot.vectors[start : start + len(texts)] @ vector))] if texts else ""
        start += len(texts)
    return ""
