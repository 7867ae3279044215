"""A question to ranked hits, with what was measured of each."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from indexer.courses import COMMON
from indexer.encoder import Encoded, Vectors
from indexer.entries import Language
from indexer.features import Candidates, features
from indexer.head import chances
from indexer.lexical import Scores, grams, wording, words
from indexer.passages import LONG_ANSWER, Hit, Kind, windows
from indexer.snapshot import Snapshot, Span

NEAREST_PASSAGES = 300
NEAREST_GROUPS = 40
NEAREST_BY_WORDS = 20
MOST_ANSWERED = 5
CLOSER = 5  # candidates whose tokens are compared
SHARPNESS = 40.0  # of `near`: at 1/40 below the best, a passage counts e times less


def search(
    snapshot: Snapshot,
    question: str,
    encoded: Encoded,
    language: Language,
    fusion: Sequence[float],
    course: str | None = None,
    *,
    as_written: bool = True,
) -> tuple[Hit, ...]:
    """The best hits for a question, best first; `fusion` weighs PARTS.

    The tokens of the best candidates are compared too; the others' count as the least of these.

    An entry that has this very question comes first, whatever its score; unless nobody has written it so.
    """
    found = candidates(snapshot, question, encoded.vector, language, course)
    if found is None:
        return ()
    weights = np.asarray(fusion, np.float32)
    best = np.argsort(-(found.parts() @ weights), kind="stable")[:CLOSER]
    found = look_closer(snapshot, found, encoded, best)
    score = found.parts() @ weights
    own = found.own if as_written else None
    order = _best(score, found.drafts, own)
    measured = features(found, score, order, len(words(question, language)))
    nearest = float(found.asked[order[0]])
    outside = own is None and snapshot.outside.holds(question, encoded.vector, nearest)
    hits: list[Hit] = []
    for row, values in zip(order.tolist(), measured.tolist(), strict=True):
        group = int(found.groups[row])
        number = _version(snapshot, snapshot.groups[group], language)
        # Only the first is ever shown as the answer.
        gist = "" if hits else _gist(snapshot, group, number, encoded.vector)
        hit = Hit(
            snapshot.entries[number], float(score[row]), tuple(values), verbatim=row == own, outside=outside, gist=gist
        )
        hits.append(hit)
    return tuple(hits)


def candidates(
    snapshot: Snapshot, question: str, vector: Vectors, language: Language, course: str | None = None
) -> Candidates | None:
    """The groups that may answer, their tokens not compared; None for an empty question or an unknown course.

    Every version of an entry is searched by meaning; by words only those in the question's language, since words
    of another language mislead. Drafts take part: a question whose nearest entry is one has no answer yet.
    """
    spans = snapshot.within(course)
    if not question.strip() or not spans:
        return None
    lexicon = snapshot.lexicons[language]
    among = [_rows(lexicon.rows[first:last]) for first, last in spans]
    by_words = lexicon.words.match(words(question, language), among)
    cosines = snapshot.nearest.cosines(vector, parts := _passages(snapshot, spans))
    own = _own(snapshot, question, spans)
    near = _near_by_meaning(snapshot, vector, parts, cosines)
    some = [near, _near_by_words(_spread(by_words.bm25, lexicon.rows), spans), np.array(own, np.int64)]
    groups = np.flatnonzero(np.bincount(np.concatenate(some)))  # as np.unique, which would load a part more of NumPy
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
        np.zeros(len(groups), np.float32),
    )


def known(snapshot: Snapshot, question: str, course: str | None = None) -> bool:
    """Whether one entry alone has this very question, so that a search finds it as the first."""
    return len(_own(snapshot, question, snapshot.within(course))) == 1


def look_closer(
    snapshot: Snapshot, found: Candidates, encoded: Encoded, rows: npt.NDArray[np.int64] | None = None
) -> Candidates:
    """The same candidates with the tokens of some `rows`, or of all, compared with the question's."""
    rows = np.arange(len(found.groups)) if rows is None else rows
    starts = snapshot.segments[found.groups[rows, None] * len(Kind) + [Kind.ASKED, Kind.ASKED + 1]].tolist()
    values = [snapshot.tokens.met(encoded.tokens, first, last) for first, last in starts]
    met = np.full(len(found.groups), min(values), np.float32)
    met[rows] = values
    return replace(found, met=met)


def _own(snapshot: Snapshot, question: str, spans: Sequence[Span]) -> list[int]:
    """The groups that have this very question; a course's own go before what is common to all."""
    found = snapshot.asked.get(wording(question), ())
    here = [group for group in found if any(first <= group < last for first, last in spans)]
    return [group for group in here if snapshot.entries[snapshot.groups[group][0]].course != COMMON] or here


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


def _best(score: Scores, drafts: npt.NDArray[np.bool_], own: int | None) -> npt.NDArray[np.int64]:
    """Rows of the best candidates, `own` before all others: as many as it takes to have five with an answer."""
    order = np.argsort(-score, kind="stable")
    if own is not None:
        order = np.concatenate([[own], order[order != own]])
    return order[: int(np.searchsorted(np.cumsum(~drafts[order]), MOST_ANSWERED)) + 1]


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
