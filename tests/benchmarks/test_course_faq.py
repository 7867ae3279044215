import csv
import json
from pathlib import Path

import pytest

from benchmarks.course_faq import fold, measure, report
from benchmarks.faq import Document, Question, entry, read_documents, read_questions
from indexer.entries import plain
from tests.indexer.standin import WordEncoder

POTTERY = "kiln glaze wheel clay apron sponge bisque handle saucer teapot firing cone slip coil mould stamp".split()
SAILING = "anchor buoy keel rudder jib mast knot tide hull deck rope wind compass chart harbour wave".split()
COURSES = {"pottery": POTTERY, "sailing": SAILING}


def faq() -> tuple[list[Document], list[Question]]:
    documents = [
        Document(
            id=word, course=course, section="Tools", question=f"What is a {word}?", text=f"A {word}\nis a {word}x."
        )
        for course, words in COURSES.items()
        for word in words
    ]
    asked = ("Tell me about the {}", "Where would I find one {} please")
    questions = [
        Question(question=text.format(one.id), course=one.course, document=one.id)
        for one in documents
        for text in asked
    ]
    return documents, questions


def test_every_course_has_entries_left_whichever_fold_is_out() -> None:
    for words in COURSES.values():
        assert len({fold(word) for word in words}) > 1


def test_an_answers_lines_stay_apart() -> None:
    document = Document(id="a", course="c", section="s", question="q?", text="one\n  two * three\n\nfour")
    assert plain(entry(document).answer) == ("one", "two * three", "four")


def test_figures_of_a_made_up_faq(capsys: pytest.CaptureFixture[str]) -> None:
    documents, questions = faq()
    figures = measure(documents, questions, WordEncoder(dims=2048), lambda *_: None, train=True)
    assert figures["shipped"]["hit@1"] > 0.9
    assert figures["trained"]["hit@1"] > 0.9
    assert figures["another course"]["auroc"] > 0.8
    report(figures)
    *_, last = capsys.readouterr().out.splitlines()
    assert list(json.loads(last)) == ["hit@1", "hit@5", "mrr", "auroc", "caught_at_95_kept", "answered_at_95_precision"]


def test_a_single_course_has_no_other_to_ask_in() -> None:
    documents, questions = faq()
    pottery = [one for one in questions if one.course == "pottery"]
    figures = measure([one for one in documents if one.course == "pottery"], pottery, WordEncoder(), print, train=False)
    assert list(figures) == ["shipped", "answer taken out"]


def test_an_id_that_occurs_twice_counts_once_and_strangers_are_refused(tmp_path: Path) -> None:
    documents, questions = faq()
    published = [one.model_dump() for one in documents]
    (tmp_path / "documents.json").write_text(json.dumps([*published, published[0] | {"text": "Later."}]))
    assert read_documents(tmp_path / "documents.json") == documents
    with (tmp_path / "questions.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["question", "course", "document"])
        table.writeheader()
        table.writerows(one.model_dump() for one in questions)
    assert read_questions(tmp_path / "questions.csv", documents) == questions
    with pytest.raises(ValueError, match="2 of 64 have none"):
        read_questions(tmp_path / "questions.csv", documents[1:])
