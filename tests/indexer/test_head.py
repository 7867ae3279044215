import numpy as np
import pytest

from indexer import head
from indexer.encoder import Vectors

KINDS, DIMS = 6, 16
NOISE = np.repeat([1.5, 0.3], DIMS // 2)  # half of the directions tell next to nothing


def examples(each: int, seed: int = 1) -> tuple[Vectors, "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
    """Unit vectors around one direction a group; what differs most within a group tells least between them."""
    chance = np.random.default_rng(seed)
    centres = 3 + 0.4 * np.random.default_rng(0).normal(size=(KINDS, DIMS))
    group = np.repeat(np.arange(KINDS), each)
    rows = centres[group] + NOISE * chance.normal(size=(len(group), DIMS))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), group


def logits(fitted: head.Head, questions: Vectors) -> Vectors:
    return questions @ fitted[:, :-1].T + fitted[:, -1]


def test_questions_that_it_has_not_seen_find_their_group_more_often_than_by_the_nearest_example() -> None:
    asked, group = examples(20)
    questions, truth = examples(50, seed=2)
    found = logits(head.fit(asked, group, KINDS), questions).argmax(axis=1)
    nearest = group[(questions @ asked.T).argmax(axis=1)]
    assert (found == truth).mean() > (nearest == truth).mean() + 0.05


def test_chances_add_up_to_one_and_stay_finite() -> None:
    chances = head.log_chances(np.array([[0, 1, 2], [900, 0, -900]], np.float32))
    assert np.exp(chances).sum(axis=1) == pytest.approx([1, 1])
    assert np.isfinite(chances).all()


def test_one_example_a_group_says_nothing() -> None:
    asked, group = examples(1)
    assert not head.fit(asked, group, KINDS).any()


def test_the_more_examples_the_more_it_says() -> None:
    few, many = (head.fit(*examples(each), KINDS) for each in (2, 20))
    questions, _ = examples(5, seed=3)
    assert np.ptp(logits(many, questions)) > np.ptp(logits(few, questions)) > 0


def test_it_says_nothing_where_fitting_would_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "MOST_WORK", 20 * KINDS * KINDS - 1)
    nothing = head.fit(*examples(20), KINDS)
    assert head.chances(nothing, examples(1)[0][0], [(0, 1), (3, KINDS)]) == pytest.approx([np.log(1 / 4)] * 4)


def test_a_single_group_needs_no_telling_apart() -> None:
    asked, group = examples(1)
    assert head.chances(head.fit(asked[:1], group[:1], 1), asked[0], [(0, 1)]) == pytest.approx([0])
