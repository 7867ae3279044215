"""Questions from outside stand among the knowledge, but are none."""

from pathlib import Path

from indexer.readers import OUTSIDE, knowledge_files, read_knowledge

KNOWLEDGE = Path(__file__).parents[2] / "knowledge"


def test_questions_from_outside_are_not_read_as_an_interview(tmp_path: Path) -> None:
    (tmp_path / "course").mkdir()
    interview = tmp_path / "course" / OUTSIDE
    for path in (tmp_path / OUTSIDE, interview):
        path.write_text("Where is the cinema?\n", encoding="utf-8")

    assert knowledge_files(tmp_path) == [interview]


def test_no_entry_or_draft_is_asked_with_a_question_from_outside() -> None:
    lines = (KNOWLEDGE / OUTSIDE).read_text(encoding="utf-8").splitlines()
    outside = [line.casefold() for line in lines if not line.startswith("#")]
    known = read_knowledge(KNOWLEDGE)
    asked = {way.casefold() for entry in known.entries + known.drafts for way in (entry.question, *entry.also)}

    assert len(set(outside)) == len(outside)
    assert asked.isdisjoint(outside)
