"""Texts that mean the same are found together, and themes stay apart."""

import numpy as np
import pytest

from benchmarks.grouping import measured, themes
from bot.desk.gaps import LIKELY
from bot.desk.grouping import ALIKE, View, groups, typical, view
from indexer.engine import Engine

DIMS = 64
ROWS = np.random.default_rng(0).normal(size=(400, DIMS)).astype(np.float32)


def test_a_direction_that_tells_nothing_counts_for_little() -> None:
    """As when what sets known questions apart most is the language that they are in."""
    known = ROWS.copy()
    known[:, 0] *= 5
    language, dogs, cars = 3 * np.eye(DIMS, dtype=np.float32)[:3]
    asked = np.stack([dogs + language, dogs - language, cars + language, cars - language])
    middle = known.mean(axis=0)
    seen = view(known)
    assert groups(seen.of(middle + asked), seen.alike) == [[0, 1], [2, 3]]
    assert np.linalg.norm(seen.of(asked), axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    plain = View(middle, np.eye(DIMS, dtype=np.float32), seen.alike)
    assert groups(plain.of(middle + asked), seen.alike) == [[0, 2], [1, 3]]  # by language, as without drawing in


def test_few_known_questions_ask_for_more_likeness() -> None:
    assert view(ROWS[:10]).alike > view(ROWS).alike > ALIKE


@pytest.mark.parametrize("known", [ROWS[:1], np.ones((5, DIMS), np.float32)])
def test_a_view_from_questions_that_are_all_alike(known: np.ndarray) -> None:
    assert np.isfinite(view(known).of(ROWS)).all()


def test_groups_are_the_largest_first_and_the_most_typical_is_in_the_middle() -> None:
    rows = np.array([[1, 0], [0, 1], [0.9, 0.1], [0.8, -0.2]], np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert groups(rows, 0.8) == [[0, 2, 3], [1]]
    assert typical(rows, [0, 2, 3]) == 0
    assert groups(rows[:1], 0.8) == [[0]]
    assert groups(rows[:0], 0.8) == []


def test_most_of_what_belongs_together_is_found_together(engine: Engine) -> None:
    """What the limits were chosen for: see `benchmarks/grouping.py`."""
    labelled = themes()
    assert len({one.theme for one in labelled}) >= 40
    found = measured(engine, labelled, LIKELY)
    assert found.precision > 0.7
    assert found.recall > 0.45
