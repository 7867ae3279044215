"""Golden questions of a school with several courses."""

from datetime import date
from pathlib import Path

from bot.dialogue.decide import Limits
from bot.evaluation.figures import by_course
from bot.evaluation.golden import read_golden
from bot.evaluation.judging import Outcome, judge
from indexer.encoder import OnnxEncoder
from indexer.engine import index

from ..conftest import DATA


def test_each_is_asked_within_its_course_or_by_somebody_who_has_chosen_none(
    encoder: OnnxEncoder, tmp_path: Path
) -> None:
    engine = index(DATA / "school", encoder, tmp_path).engine
    golden = read_golden(DATA / "school" / "golden.yaml", set(engine.snapshot.versions), ("baking", "law"))
    judged = judge(engine, golden, Limits(), date(2026, 9, 2))
    assert [one.outcome for one in judged] == [
        Outcome.RIGHT,
        Outcome.RIGHT,
        Outcome.RIGHT,
        Outcome.ASKED,  # which course?
        Outcome.RIGHT,
    ]
    found = by_course(judged, ("baking", "law"))
    assert {name: (figures.questions, figures.hit1) for name, figures in found.items()} == {
        "baking": (1, 1.0),
        "law": (2, 1.0),
    }
