from datetime import date
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from bot.dialogue.decide import Answer, Limits
from bot.understanding import understood
from indexer.courses import COMMON
from indexer.engine import index
from tests.indexer.standin import WordEncoder

OVEN = """---
course: {course}
topic: oven
language: en
source: The workshop's leaflet
source_date: 2025-03
reviewed: 2026-09-01
---

# The oven

## Who cleans the oven? {{#oven}}

Everyone in turn.
"""


@pytest.mark.parametrize(("other", "told"), [("pottery", "pottery"), ("glass", "")])
def test_courses_that_nobody_has_described_are_searched_together(
    knowledge: Path, tmp_path: Path, other: str, told: str
) -> None:
    (knowledge / "oven.en.md").write_text(OVEN.format(course=other), encoding="utf-8")
    engine = index(knowledge, WordEncoder(), tmp_path / "index").engine
    for text, entry in (("Who cleans the oven?", "oven"), ("Hello! Who can join the evening class? Thanks", "who")):
        turn = understood(engine, text, Limits(answer=0.1, rival=1.1), date(2026, 9, 2), language="en")
        (part,) = turn.parts
        assert isinstance(part.decision, Answer)
        assert (part.decision.entry.id, turn.course) == (entry, told)
    assert engine.course == told


def test_the_only_course_is_told_beside_what_is_common_to_all(tmp_path: Path) -> None:
    school = tmp_path / "school"
    copytree(Path(__file__).parent / "data" / "school", school, ignore=ignore_patterns("baking", "golden.yaml"))
    engine = index(school, WordEncoder(), tmp_path / "index").engine
    turn = understood(engine, "How much does a room cost?", Limits(), date(2026, 9, 2), language="en")
    assert (tuple(engine.snapshot.courses), engine.course, turn.course) == ((COMMON, "law"), "law", "law")


def test_of_several_courses_none_is_the_one_that_is_meant(tmp_path: Path) -> None:
    engine = index(Path(__file__).parent / "data" / "school", WordEncoder(), tmp_path / "index").engine
    assert [course.name for course in engine.school] == ["baking", "law"]
    assert engine.course == ""
