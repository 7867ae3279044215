"""A question to ranked hits, with the features that confidence is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.encoder import Vectors
from indexer.entries import Entry, Language
from indexer.lexical import Bm25, Scores, grams, words
from indexer.passages import Hit, Kind
from indexer.snapshot import Lexicon, Snapshot

NEAREST_PASSAGES = 200
NEAREST_LEXICAL = 20
MOST_ANSWERED, MOST_HITS = 5, 30
# The fusion is linear: cosines of three kinds of passages, and words and character n-grams in two measures each (the
# weight of the question's words that an entry has, and BM25 over the best candidate's). The weights are the mean of two
# fits by softmax regression, on our golden questions and on half of a public course FAQ; each fit alone does worse on
# the other's questions.
WEIGHTS = {
    "asked": 0.22,
    "best": 0.63,
    "whole": 0.15,
    "held": 0.032,
    "grams_held": 0.025,
    "bm25": 0.029,
    "grams": 0.034,
}
FEATURES = (
    "cosine",  # of the best passage
    "asked_cosine",  # of the question or another way of asking it, encoded as a question
    "whole_cosine",  # of question and answer together
    "lift",  # cosine above the mean of the candidates that follow, in cosine
    "margin",  # score above the best other hit's; negative for all but the first
    "draft_margin",  # score above the best draft's, at most 0.2
    "words",  # BM25 as a share of the question's best possible score
    "words_held",  # weight of the question's words that the entry has, as a share
    "grams_held",  # the same for character n-grams
    "first_by_meaning",  # 1 if no other entry has a higher cosine
    "first_by_words",  # 1 if no other entry has a higher BM25 score
    "length",  # logarithm of the number of telling words
    "own_language",  # 1 if the entry exists in the question's language
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Entries that may answer, each with its versions; every array has one value an entry."""

    versions: tuple[tuple[int, ...], ...]
    best: Scores
    asked: Scores
    whole: Scores
    bm25: Scores
    words: Scores  # BM25 as a share of what the question could get
    held: Scores
    grams: Scores
    grams_held: Scores


def search(
    snapshot: Snapshot, question: str, vector: Vectors, language: Language, course: str | None = None
) -> tuple[Hit, ...]:
    """The best hits for a question, best first; `vector` is its encoding, shape (dims,).

    Every version of an entry is searched by meaning; by words only those in the question's language, since words
    of another language mislead. Drafts take part: a question whose nearest entry is one has no answer yet.
    """
    if not question.strip():
        return ()
    lexicon = snapshot.lexicons[language]
    tokens, pieces = words(question, language), grams(question)
    by_words, by_grams = lexicon.words.scores(tokens), lexicon.grams.scores(pieces)
    units = _candidates(snapshot, vector, lexicon, by_words, course)
    if not units:
        return ()
    versions = _grouped(snapshot, units)
    found = Candidates(
        versions,
        *_cosines(snapshot, versions, vector),
        *_lexical(lexicon.words, _places(lexicon, versions), by_words, tokens),
        *_lexical(lexicon.grams, _places(lexicon, versions), by_grams, pieces)[::2],
    )
    score = _fuse(found)
    hits = _best(score, _drafts(snapshot, versions))
    features = _features(snapshot, found, score, hits, len(tokens), _places(lexicon, versions) >= 0)
    return tuple(
        Hit(_version(snapshot, versions[row], language), float(score[row]), tuple(map(float, values)))
        for row, values in zip(hits, features, strict=True)
    )


def _best(score: Scores, drafts: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Rows of the best entries, best first: as many as it takes to have five with an answer."""
    order = np.argsort(-score, kind="stable")[:MOST_HITS]
    answered = np.cumsum(~drafts[order])
    return order[: int(np.searchsorted(answered, MOST_ANSWERED)) + 1]


def _candidates(
    snapshot: Snapshot, vector: Vectors, lexicon: Lexicon, by_words: npt.NDArray[np.float32], course: str | None
) -> list[int]:
    """Numbers of the entries near by meaning or by words, with all their translations."""
    count = min(NEAREST_PASSAGES, snapshot.index.ntotal)
    _, rows = snapshot.index.search(np.asarray(vector, np.float32)[None, :], count)
    near = set((np.searchsorted(snapshot.starts, rows[0][rows[0] >= 0], side="right") - 1).tolist())
    if len(by_words):
        best = np.argpartition(-by_words, min(NEAREST_LEXICAL, len(by_words) - 1))[:NEAREST_LEXICAL]
        near |= set(lexicon.units[best[by_words[best] > 0]].tolist())
    if course:
        near = {unit for unit in near if snapshot.entries[unit].course == course}
    ids = {snapshot.entries[unit].id for unit in near}
    return [unit for id_ in ids for unit in snapshot.versions[id_]]


def _grouped(snapshot: Snapshot, units: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    return tuple(snapshot.versions[id_] for id_ in dict.fromkeys(snapshot.entries[unit].id for unit in sorted(units)))


def _cosines(snapshot: Snapshot, versions: Sequence[tuple[int, ...]], vector: Vectors) -> tuple[Scores, Scores, Scores]:
    """The best cosine of any passage, of the question as asked, and of the whole, over an entry's versions."""
    spans = [np.arange(snapshot.starts[unit], snapshot.starts[unit + 1]) for group in versions for unit in group]
    owner = np.repeat(
        np.repeat(np.arange(len(versions)), [len(group) for group in versions]), [len(span) for span in spans]
    )
    rows = np.concatenate(spans)
    cosines, kinds = snapshot.vectors[rows] @ vector, snapshot.kinds[rows]

    def best(mask: npt.NDArray[np.bool_]) -> Scores:
        out = np.full(len(versions), -1, np.float32)
        np.maximum.at(out, owner[mask], cosines[mask])
        return out

    # A draft has no answer: its question stands for the whole.
    whole = np.maximum(
        best(kinds == Kind.WHOLE), np.where(_drafts(snapshot, versions), best(kinds == Kind.QUESTION), -1)
    )
    return best(kinds != Kind.ASKED), best(kinds == Kind.ASKED), whole.astype(np.float32)


def _drafts(snapshot: Snapshot, versions: Sequence[tuple[int, ...]]) -> npt.NDArray[np.bool_]:
    return np.array([all(snapshot.entries[unit].draft for unit in group) for group in versions])


def _lexical(
    index: Bm25, places: npt.NDArray[np.int64], scores: Scores, tokens: Sequence[str]
) -> tuple[Scores, Scores, Scores]:
    """BM25, the same as a share of the best possible, and the share of the tokens' weight that an entry has."""
    here = places >= 0
    if not here.any():
        return (np.zeros(len(places), np.float32),) * 3
    share, held = index.shares(tokens, np.maximum(places, 0).tolist())
    return scores[np.maximum(places, 0)] * here, share * here, held * here


def _fuse(found: Candidates) -> Scores:
    parts = {
        "asked": found.asked,
        "best": found.best,
        "whole": found.whole,
        "held": found.held,
        "grams_held": found.grams_held,
        "bm25": _relative(found.bm25),
        "grams": _relative(found.grams),
    }
    return np.asarray(sum(WEIGHTS[name] * part for name, part in parts.items()), np.float32)


def _places(lexicon: Lexicon, versions: Sequence[tuple[int, ...]]) -> npt.NDArray[np.int64]:
    """Each entry's row in the lexicon of the question's language; -1 where it has none."""
    if not len(lexicon.units):
        return np.full(len(versions), -1)
    places = np.full(len(versions), -1)
    for number, group in enumerate(versions):
        for unit in group:
            at = int(np.searchsorted(lexicon.units, unit))
            if at < len(lexicon.units) and lexicon.units[at] == unit:
                places[number] = at
    return places


def _relative(scores: Scores) -> Scores:
    return scores / max(float(scores.max(initial=0)), 1e-6)


def _features(
    snapshot: Snapshot,
    found: Candidates,
    score: Scores,
    hits: npt.NDArray[np.int64],
    length: int,
    here: npt.NDArray[np.bool_],
) -> Scores:
    """One row a hit, columns as in FEATURES; `length` is the question's in words, `here` where its language is."""
    drafts = _drafts(snapshot, found.versions)
    ranked = np.sort(found.best)[::-1]
    following = float(ranked[1:21].mean()) if len(ranked) > 1 else 0.0
    columns = {
        "cosine": found.best[hits],
        "asked_cosine": found.asked[hits],
        "whole_cosine": found.whole[hits],
        "lift": found.best[hits] - following,
        "margin": [_margin(score, row, np.ones(len(score), bool)) for row in hits],
        "draft_margin": [_margin(score, row, drafts) for row in hits],
        "words": found.words[hits],
        "words_held": found.held[hits],
        "grams_held": found.grams_held[hits],
        "first_by_meaning": found.best[hits] >= ranked[0],
        "first_by_words": (found.bm25[hits] >= found.bm25.max()) & (found.bm25[hits] > 0),
        "length": np.full(len(hits), np.log1p(length)),
        "own_language": here[hits],
    }
    return np.stack([np.asarray(columns[name], np.float32) for name in FEATURES], axis=1)


def _margin(score: npt.NDArray[np.float32], row: int, among: npt.NDArray[np.bool_]) -> float:
    others = np.delete(score, row)[np.delete(among, row)]
    return min(float(score[row] - others.max()), 0.2) if len(others) else 0.2


def _version(snapshot: Snapshot, versions: Sequence[int], language: Language) -> Entry:
    """The entry in the question's language, or else in the other; one with an answer before one without."""
    entries = [snapshot.entries[unit] for unit in versions]
    return min(entries, key=lambda entry: (entry.draft, entry.language != language))
