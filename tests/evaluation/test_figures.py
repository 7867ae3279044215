import math

import numpy as np
import pytest

from bot.dialogue.conversation import Part, Turn
from bot.dialogue.decide import Answer, Decision, Escalate
from bot.evaluation.figures import auroc, by_kind, by_language, figures, reliability, risk_and_coverage, scored
from bot.evaluation.golden import Golden
from bot.evaluation.judging import Judged, Outcome, outcome
from indexer.passages import Hit
from tests.indexer.examples import entry

KILN, GLAZE = entry("kiln"), entry("glaze", "Which glaze?")


def judged(expect: str, decision: Decision, *hits: tuple[str, float], language: str = "en") -> Judged:
    golden = Golden.model_validate({"ask": "?", "language": language, "expect": expect})
    entries = {"kiln": KILN, "glaze": GLAZE, "draft": entry("draft", draft=True)}
    found = tuple(Hit(entries[name], sure, confidence=sure) for name, sure in hits)
    turn = Turn("?", "en", None, (Part("?", decision, found),))
    return Judged(golden, turn, outcome(golden, turn))


FOUR = [
    judged("kiln", Answer(KILN), ("kiln", 0.9), ("glaze", 0.1)),
    judged("glaze", Answer(KILN), ("kiln", 0.7), ("glaze", 0.3)),
    judged("escalate", Escalate(), ("kiln", 0.2)),
    judged("escalate", Escalate(), ("draft", 0.8), ("kiln", 0.1), language="fr"),
]


def test_figures_of_four_questions() -> None:
    found = figures(FOUR)
    assert (found.questions, found.hit1, found.hit3, found.mrr) == (4, 0.5, 1.0, 0.75)
    assert (found.auroc, found.answered, found.precision, found.caught) == (1.0, 1.0, 0.5, 1.0)


def test_no_questions_give_no_figures() -> None:
    assert math.isnan(figures([]).hit1)
    assert math.isnan(figures([]).auroc)


def test_by_language_and_kind() -> None:
    assert {name: part.questions for name, part in by_language(FOUR).items()} == {"all": 4, "fr": 1, "en": 3}
    counts = by_kind(FOUR)
    assert counts["plain"] == {Outcome.RIGHT: 1, Outcome.ASKED: 0, Outcome.MISSED: 0, Outcome.WRONG: 1}
    assert counts["plain, not answerable"][Outcome.RIGHT] == 2


@pytest.mark.parametrize(
    ("scores", "labels", "expected"),
    [
        ([0.9, 0.8, 0.1], [True, True, False], 1.0),
        ([0.1, 0.9], [True, False], 0.0),
        ([0.5, 0.5], [True, False], 0.5),
        ([0.9, 0.4, 0.4], [True, True, False], 0.75),
    ],
)
def test_auroc(scores: list[float], labels: list[bool], expected: float) -> None:
    assert auroc(np.array(scores), np.array(labels)) == expected


def test_risk_rises_as_less_sure_answers_are_shown() -> None:
    risk, coverage = risk_and_coverage(np.array([0.2, 0.9, 0.5]), np.array([False, True, True]))
    assert risk.tolist() == [0, 0, pytest.approx(1 / 3)]
    assert coverage.tolist() == [pytest.approx(1 / 3), pytest.approx(2 / 3), 1]


def test_reliability_leaves_empty_bins_out() -> None:
    points = reliability(np.array([0.05, 0.95, 1.0]), np.array([False, True, False]))
    assert points == [(0.05, 0.0, 1), (pytest.approx(0.975), 0.5, 2)]


def test_scores_of_single_questions() -> None:
    confidence, right = scored(FOUR)
    assert confidence.tolist() == [0.9, 0.7, 0.2, 0.0]
    assert right.tolist() == [True, False, False, False]
