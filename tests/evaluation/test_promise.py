import numpy as np
import pytest

from bot.dialogue.decide import Limits
from bot.evaluation.promise import binomial_tail, promise


@pytest.mark.parametrize(
    ("wrong", "shown", "rate", "expected"),
    [(0, 1, 0.03, 0.97), (1, 1, 0.03, 1.0), (0, 76, 0.03, 0.0988), (1, 129, 0.03, 0.0979)],
)
def test_binomial_tail(wrong: int, shown: int, rate: float, expected: float) -> None:
    assert binomial_tail(wrong, shown, rate) == pytest.approx(expected, abs=1e-3)


def test_many_right_answers_certify_and_lower_the_threshold() -> None:
    kept = promise(np.linspace(0.4, 1, 500), np.ones(500, bool), 0.03)
    assert kept.certified
    assert kept.more == 0
    assert kept.answer < Limits().answer


def test_the_sequence_ends_where_errors_begin() -> None:
    confidence = np.linspace(0.3, 1, 1000)
    kept = promise(confidence, confidence > 0.7, 0.03)
    assert kept.certified
    assert 0.66 < kept.answer < 0.74
    assert kept.wrong / kept.shown < 0.03


def test_too_few_questions_certify_nothing_and_say_how_many_are_missing() -> None:
    kept = promise(np.full(40, 0.9), np.ones(40, bool), 0.03)
    assert not kept.certified
    assert kept.answer == Limits().answer
    assert kept.more == 36  # 76 right ones in all would do


def test_errors_ask_for_more_questions() -> None:
    right = np.ones(100, bool)
    right[:2] = False
    kept = promise(np.full(100, 0.9), right, 0.03)
    assert not kept.certified
    assert (kept.shown, kept.wrong) == (100, 2)
    assert kept.more > 50


def test_many_errors_among_many_questions_are_counted_at_once() -> None:
    kept = promise(np.full(1000, 0.95), np.arange(1000) >= 400, 0.03)
    assert (kept.certified, kept.shown, kept.wrong) == (False, 1000, 400)
    assert 13_000 < kept.more < 14_000


def test_no_question_at_all() -> None:
    kept = promise(np.array([]), np.array([], bool), 0.03)
    assert not kept.certified
    assert kept.more >= 76


def test_the_error_rate_is_kept_as_often_as_promised() -> None:
    """By simulation: of many golden sets with honest confidences, few certify a threshold that breaks the promise."""
    generator, broken, runs = np.random.default_rng(7), 0, 300
    for _ in range(runs):
        confidence = generator.beta(5, 0.6, 600)
        kept = promise(confidence, generator.random(600) < confidence, 0.03)
        if kept.certified:
            true_risk = float((1 - confidence[confidence >= kept.answer]).mean())
            broken += true_risk > 0.03
    assert broken / runs <= 0.1
