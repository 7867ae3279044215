from pathlib import Path
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.postings import Postings, count, load, save

DOCUMENTS = st.lists(st.lists(st.sampled_from("clay fire hot kiln wood".split()), max_size=6), max_size=6)


def table(postings: Postings) -> dict[tuple[str, int], int]:
    """How often each token stands in each document."""
    return {
        (token, int(row)): int(times)
        for column, token in enumerate(postings.vocabulary)
        for at in [slice(postings.starts[column], postings.starts[column + 1])]
        for row, times in zip(postings.rows[at], postings.times[at], strict=True)
    }


def by_hand(documents: list[list[str]]) -> dict[tuple[str, int], int]:
    return {(token, row): tokens.count(token) for row, tokens in enumerate(documents) for token in tokens}


@given(DOCUMENTS)
def test_every_token_of_every_document_is_counted(documents: list[list[str]]) -> None:
    assert table(count(enumerate(documents))) == by_hand(documents)


@given(DOCUMENTS, DOCUMENTS, st.randoms())
def test_counting_changes_gives_what_counting_everything_gives(
    before: list[list[str]], new: list[list[str]], chance: Random
) -> None:
    """Old documents are dropped, or moved to places between new ones."""
    after: list[tuple[int, list[str]]] = [(-1, tokens) for tokens in new]
    for row, tokens in enumerate(before):
        if chance.random() < 0.7:
            after.insert(chance.randint(0, len(after)), (row, tokens))
    moved = np.full(len(before), -1, np.int64)
    for row, (old, _) in enumerate(after):
        if old >= 0:
            moved[old] = row
    fresh = [(row, tokens) for row, (old, tokens) in enumerate(after) if old < 0]
    again = count(fresh, count(enumerate(before)), moved)
    assert table(again) == by_hand([tokens for _, tokens in after])
    assert (np.diff(again.starts) > 0).all()  # no token without a document is left


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    made = count([(0, ["clé", "clé"]), (2, ["fire"])])
    save(made, tmp_path / "words")
    assert table(load(tmp_path / "words")) == table(made) == {("clé", 0): 2, ("fire", 2): 1}
