import errno
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indexer.entries import KnowledgeError
from indexer.readers import parse_interview, read_knowledge
from tests.conftest import DATA
from tests.indexer.examples import front, write

INTERVIEW = (DATA / "interview" / "kiln.en.txt").read_text(encoding="utf-8")
ENTRETIEN = (DATA / "interview" / "four.fr.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """Question → answer of the English interview."""
    parsed = parse_interview(INTERVIEW, "kiln.en.txt", course="kiln")
    assert parsed.problems == ()
    return {entry.question: entry.answer for entry in parsed.entries}


def test_each_question_of_an_interview_becomes_an_entry(said: dict[str, str]) -> None:
    assert list(said) == [
        "Who may put pieces in the kiln?",
        "What do you look for in a helper?",
        "Is it the town that pays for the wood, or the people who fire?",
        "Glazes are often said to be poisonous. Is that so here? And if it is, what do you do?",
        "Who teaches the newcomers, potters or neighbours?",
    ]


def test_speakers_and_page_furniture_are_left_out(said: dict[str, str]) -> None:
    everything = "\n".join([*said, *said.values()])
    for furniture in ("ClayPost", "Nora Vance", "Hollow Lane", "second winter", "More information", "Translated from"):
        assert furniture not in everything
    assert not re.search(r"^\d+$", everything, re.MULTILINE)
    assert said["Who may put pieces in the kiln?"].startswith("Whoever lives within walking distance")


def test_an_answer_keeps_all_its_paragraphs_and_its_own_colons(said: dict[str, str]) -> None:
    first, second = said["What do you look for in a helper?"].split("\n\n")
    assert first.startswith("Calm, mostly.")
    assert second.startswith("For example: last winter")
    assert second.endswith("Since then a helper sits with each newcomer.")
    paid = said["Is it the town that pays for the wood, or the people who fire?"]
    assert "The rule is simple: no piece is charged for." in paid


def test_an_answer_that_begins_like_furniture_is_kept(said: dict[str, str]) -> None:
    glazes = next(answer for question, answer in said.items() if question.startswith("Glazes"))
    assert glazes.startswith("Share of lead in our glazes: none")


@pytest.mark.parametrize(
    "sentence",
    [
        "The rule is simple: no piece is charged for.",
        "For example: a bowl.",
        "Our advice: begin with a bowl.",
        "One thing matters: patience.",
        "Careful: it is hot.",
    ],
)
def test_an_answer_may_open_with_a_sentence_that_has_a_colon(sentence: str) -> None:
    parsed = parse_interview(f"A talk\n\nWhat is the rule?\n\n{sentence}\n", "a.en.txt", course="kiln")
    assert parsed.entries[0].answer == sentence


def test_the_title_names_the_source_and_the_lines_point_into_the_file() -> None:
    first, *_ = parse_interview(INTERVIEW, "kiln.en.txt", course="kiln").entries
    assert first.source == "Fire and patience: Conversation with Nora Vance on the night kiln"
    assert INTERVIEW.splitlines()[first.line - 1] == "ClayPost: Who may put pieces in the kiln?"
    assert (first.language, first.course, first.path, first.draft) == ("en", "kiln", "kiln.en.txt", False)


def test_ids_are_stable_and_differ() -> None:
    ids = [entry.id for entry in parse_interview(INTERVIEW, "kiln.en.txt", course="kiln").entries]
    longer = INTERVIEW.replace("What do you look for", "Is it cold at night?\n\nVery.\n\nWhat do you look for")
    later = [entry.id for entry in parse_interview(longer, "kiln.en.txt", course="kiln").entries]
    assert ids[0] == "interview-who-may-put-pieces-in-the"
    assert len(set(ids)) == len(ids)
    assert set(ids) < set(later)


def test_the_same_first_words_give_different_ids() -> None:
    text = "How do you stack the wood in winter?\n\nHigh.\n\nHow do you stack the wood in summer?\n\nLow.\n"
    assert [entry.id for entry in parse_interview(text, "a.txt", course="kiln").entries] == [
        "interview-how-do-you-stack-the-wood",
        "interview-how-do-you-stack-the-wood-2",
    ]


def test_a_french_interview_with_french_spaces() -> None:
    """Before colons and question marks French has a no-break space, wide or narrow."""
    parsed = parse_interview(ENTRETIEN, "four.txt", course="kiln")
    assert [(entry.language, entry.question.replace("\u00a0", " ")) for entry in parsed.entries] == [
        ("fr", "Qui peut déposer des pièces dans le four ?"),
        ("fr", "Qui forme les nouveaux, des potiers ou des voisins ?"),
    ]
    assert parsed.entries[0].answer.startswith("Les voisins, et toute personne")
    assert parsed.entries[1].answer == "Les voisins enseignent le feu et les potiers enseignent la terre."


@pytest.mark.parametrize(("name", "language"), [("talk.fr.txt", "fr"), ("talk.en.txt", "en"), ("talk.txt", "en")])
def test_the_language_comes_from_the_name_or_else_from_the_text(name: str, language: str) -> None:
    assert {entry.language for entry in parse_interview(INTERVIEW, name, course="kiln").entries} == {language}


def test_a_text_without_questions_is_refused() -> None:
    (problem,) = parse_interview("A title\n\nA paragraph.\n", "notes.txt", course="kiln").problems
    assert str(problem).startswith("notes.txt:1: no question found")
    assert "ends with '?'" in problem.text


def test_a_question_without_an_answer_is_refused_at_its_line() -> None:
    text = "A title\n\nWho came?\n\nEverybody.\n\nWho stayed?\n\nWho left?\n\nNobody.\n"
    parsed = parse_interview(text, "talk.txt", course="kiln")
    assert [entry.question for entry in parsed.entries] == ["Who came?", "Who left?"]
    (problem,) = parsed.problems
    assert str(problem) == "talk.txt:7: 'Who stayed?' has no answer below it: write one or remove the question"


def test_a_folder_of_good_files(knowledge: Path) -> None:
    found = read_knowledge(knowledge)
    assert {(entry.id, entry.language) for entry in found.entries} == {
        ("who", "en"),
        ("who", "fr"),
        ("bring", "en"),
        ("bring", "fr"),
        ("kiln", "en"),
        ("bicycle", "en"),
    }
    assert [(entry.id, entry.answer) for entry in found.drafts] == [("fee", "")]
    assert found.files == ("classes.en.md", "classes.fr.md", "later.en.md")


def test_missing_translations_are_warnings_and_drafts_are_not_among_them(knowledge: Path) -> None:
    assert [str(warning) for warning in read_knowledge(knowledge).warnings] == [
        "classes.en.md:28: 'kiln' has no French version yet",
        "later.en.md:18: 'bicycle' has no French version yet",
    ]


def test_an_interview_among_the_files_is_read_too(knowledge: Path) -> None:
    write(knowledge, "night-kiln/kiln.en.txt", INTERVIEW)
    courses = {entry.course for entry in read_knowledge(knowledge).entries if entry.topic == "interview"}
    assert courses == {"night-kiln"}


def test_the_guide_hidden_files_and_other_kinds_are_no_knowledge(knowledge: Path) -> None:
    before = read_knowledge(knowledge)
    for name in ("README.md", ".draft.md", ".old/a.md", "golden.yaml", "picture.png"):
        write(knowledge, name, "nothing that could be read")
    assert replace(read_knowledge(knowledge), golden="") == before


def test_documents_among_the_files_are_told_to_be_unread(knowledge: Path) -> None:
    (knowledge / "fees.csv").write_text("question;answer\n", encoding="utf-8")
    (knowledge / "~$fees.docx").write_bytes(b"")
    (told,) = [str(one) for one in read_knowledge(knowledge).warnings if "not read" in one.text]
    assert told == "fees.csv:1: is not read here: 'guichet import FILE' makes entries of a document"


def test_a_knowledge_file_with_a_hidden_second_ending_is_read_as_one(knowledge: Path) -> None:
    before = read_knowledge(knowledge)
    path = knowledge / "classes.en.md"
    path.rename(path.with_name("classes.en.md.txt"))
    after = read_knowledge(knowledge)
    assert {(entry.id, entry.answer) for entry in after.entries} == {
        (entry.id, entry.answer) for entry in before.entries
    }


def test_outside_in_the_folder_of_a_course_is_told_its_place(knowledge: Path) -> None:
    (knowledge / "law").mkdir()
    (knowledge / "law" / "outside.txt").write_text("What is a taxi?\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"law/outside\.txt:1: move it to the top of the knowledge folder"):
        read_knowledge(knowledge)


def test_all_problems_of_all_files_are_told_at_once(knowledge: Path) -> None:
    write(knowledge, "a.md", "")
    (knowledge / "b.md").write_bytes("---\ncourse: caf\xe9".encode("latin-1"))
    write(knowledge, "c.md", front() + "\n## No id\n\nYes.\n\n## What should I bring? {#bag}\n\nA bag.\n")
    write(knowledge, "d.txt", "Nothing asked.")
    with pytest.raises(KnowledgeError) as caught:
        read_knowledge(knowledge)
    places = [(problem.path, problem.line) for problem in caught.value.problems]
    assert places == [("a.md", 1), ("b.md", 2), ("c.md", 9), ("d.txt", 1), ("classes.en.md", 20)]
    assert str(caught.value).count("\n") == 4


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_a_folder_without_knowledge_is_refused_with_the_setting_to_change(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(KnowledgeError, match=r"no knowledge files .* set GUICHET_KNOWLEDGE_DIR"):
        read_knowledge(tmp_path / folder)


def test_a_file_that_is_gone_by_the_time_it_is_read(knowledge: Path) -> None:
    (knowledge / "link.md").symlink_to(knowledge / "nowhere.md")
    (knowledge / "folder.md").mkdir()
    assert len(read_knowledge(knowledge).files) == 3


def test_a_folder_that_cannot_be_read_is_no_folder_without_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "one.en.md", front() + "\n## Who? {#who}\n\nWe.\n")
    for name in ("shut", ".hidden"):
        (tmp_path / name).mkdir()
    look = os.scandir

    def scandir(path: str) -> Any:  # rights would not keep an administrator from reading
        if Path(path).name in ("shut", ".hidden"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return look(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(KnowledgeError) as caught:
        read_knowledge(tmp_path)
    assert [str(problem) for problem in caught.value.problems] == [
        "shut:1: cannot be read (Permission denied): let the user who runs Guichet read it"
    ]
