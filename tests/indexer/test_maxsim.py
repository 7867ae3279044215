from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from indexer import maxsim
from indexer.encoder import OnnxEncoder, Vectors
from indexer.maxsim import MOST_ASKED, NO_TOKENS, coded, join

WIDTH = 5


def unit(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def some_tokens(least: int = 0) -> st.SearchStrategy[Vectors]:
    """Unit vectors, in any number."""
    numbers = st.floats(-1, 1, width=32)
    shapes = st.tuples(st.integers(least, 6), st.just(WIDTH))
    return shapes.flatmap(lambda shape: arrays(np.float32, shape, elements=numbers)).map(
        lambda rows: unit(rows + np.float32(1.5))
    )


@given(st.lists(some_tokens(), min_size=1, max_size=5), some_tokens(1), st.data())
def test_each_token_counts_with_its_best_cosine(texts: list[Vectors], asked: Vectors, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(texts)))
    last = data.draw(st.integers(first, len(texts)))
    found = join([coded(text) for text in texts]).met(asked, first, last)
    known = np.concatenate([np.zeros((0, WIDTH), np.float32), *texts[first:last]])
    expected = (asked @ known.T).max(axis=1).mean() if len(known) else 0.0
    assert found == pytest.approx(expected, abs=0.02)  # a byte each number


def test_without_tokens_nothing_is_met() -> None:
    stored = join([NO_TOKENS, coded(np.eye(3, dtype=np.float32))])
    assert stored.met(np.eye(3, dtype=np.float32), 0, 1) == 0
    assert stored.met(np.zeros((0, 3), np.float32), 0, 2) == 0
    assert join(()).codes.shape == (0, 0)


def test_only_the_beginning_of_a_long_message_counts() -> None:
    stored = join([coded(np.eye(2, dtype=np.float32)[:1])])
    known, unknown = np.array([[1, 0]], np.float32), np.array([[0, 1]], np.float32)
    assert stored.met(np.repeat(known, MOST_ASKED, axis=0), 0, 1) == pytest.approx(1)
    long = np.concatenate([np.repeat(known, MOST_ASKED, axis=0), np.repeat(unknown, 1000, axis=0)])
    assert stored.met(long, 0, 1) == pytest.approx(1)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    texts = [
        coded(unit(np.arange(1, 7, dtype=np.float32).reshape(2, 3))),
        NO_TOKENS,
        coded(np.eye(3, dtype=np.float32)),
    ]
    maxsim.save(join(texts), tmp_path)
    stored = maxsim.load(tmp_path)
    for number, (codes, scales) in enumerate(texts):
        np.testing.assert_array_equal(stored.of(number)[0], codes.reshape(-1, 3))
        np.testing.assert_array_equal(stored.of(number)[1], scales)


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        ("Qui est le directeur de la formation ?", "Quelle est la couleur du chat du directeur de la formation ?"),
        ("Who are the lecturers?", "What do the lecturers have for breakfast?"),
    ],
)
def test_who_asks_for_more_is_met_less(encoder: OnnxEncoder, asked: str, other: str) -> None:
    """With the real model: one vector a text hardly tells these apart."""
    ways = encoder.questions(["Qui dirige la formation ?", "Le directeur, c'est qui ?", "Who teaches?"])
    stored = join([coded(way.tokens) for way in ways])
    near, far = (stored.met(question.tokens, 0, len(ways)) for question in encoder.questions([asked, other]))
    assert near > far + 0.02
