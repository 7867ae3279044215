"""Questions from outside stand among the knowledge, but are none."""

from pathlib import Path

import numpy as np

from indexer.outside import Outside, load, write
from indexer.readers import OUTSIDE, knowledge_files, read_knowledge
from tests.indexer.standin import WordEncoder

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


def test_remarks_blanks_and_what_is_listed_twice_are_left_out(knowledge: Path) -> None:
    (knowledge / OUTSIDE).write_text("# remark\n\n  Where is the cinema? \nWhere is the cinema?\n", encoding="utf-8")
    assert read_knowledge(knowledge).outside == ("Where is the cinema?",)


def test_only_new_ones_are_encoded(tmp_path: Path) -> None:
    encoder = WordEncoder()
    write(["Where is the cinema?"], encoder, tmp_path, None)
    write(["Where is the bar?", "Where is the cinema?"], encoder, tmp_path, load(tmp_path))
    assert encoder.encoded == ["Where is the cinema?", "Where is the bar?"]
    found = load(tmp_path)
    assert found.texts == ("Where is the bar?", "Where is the cinema?")
    assert np.allclose(found.vectors, encoder.queries(found.texts))


def test_what_is_listed_in_these_words_or_nearly_so() -> None:
    encoder = WordEncoder()
    texts = ("Where is the old cinema of this town, please?", "Who pays?")
    outside = Outside(texts, encoder.queries(texts))

    def holds(question: str, cosine: float) -> bool:
        return outside.holds(question, encoder.queries([question])[0], cosine)

    assert holds("WHO PAYS", 0.99)  # whatever else is near
    assert holds("So where is the old cinema of this town, please?", 0.8)  # one word more
    assert not holds("So where is the old cinema of this town, please?", 0.99)  # an entry's own way is nearer
    assert not holds("Who pays for the cinema?", 0.1)
    assert not holds("?!", 0.1)
    assert not Outside((), encoder.queries([])).holds("Who pays?", encoder.queries(["Who pays?"])[0], 0.1)
