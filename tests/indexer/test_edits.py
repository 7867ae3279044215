import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.edits import ChangedMeanwhileError, Edit, applied, edits_of, joined, put_back, write_all
from indexer.entries import Entry, KnowledgeError
from indexer.readers import read_knowledge
from indexer.tables import Found
from indexer.upload import Sent, Upload, UploadError
from tests.conftest import DATA

from .examples import front, write

SENT = Sent("More.docx", date(2026, 11, 22))
TEXT = st.text("abc é?-\n", min_size=1, max_size=30).map(str.strip).filter(bool)
FOUND = st.builds(
    Found,
    question=st.sampled_from(["How hot?", "Où ça ?", "What should I bring?", "Quoi de neuf ?"]),
    answer=TEXT.filter(lambda text: "---" not in text and not text.startswith("-")),
    line=st.just(1),
    id=st.sampled_from(["kiln", "who", "price", "new-one", ""]),
    language=st.sampled_from(["fr", "en"]),
)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def everything(folder: Path) -> dict[tuple[str, str], Entry]:
    read = read_knowledge(folder)
    return {(one.id, one.language): replace(one, path="", line=0) for one in (*read.entries, *read.drafts)}


@settings(max_examples=25)
@given(FOUND)
def test_what_a_file_says_is_in_the_knowledge_and_the_rest_as_before(
    tmp_path_factory: pytest.TempPathFactory, found: Found
) -> None:
    folder = tmp_path_factory.mktemp("any") / "knowledge"
    shutil.copytree(DATA / "pottery", folder)
    before, files = everything(folder), contents(folder)
    aside = folder.parent / "aside"
    try:
        edits = edits_of(folder, Upload(found=(found,)), SENT)
        applied(folder, edits, aside)
        wanted = everything(aside)
    except (UploadError, KnowledgeError):  # a text that no file holds, or the question of another entry
        assert contents(folder) == files
        return
    assert contents(folder) == files
    write_all(folder, edits)
    write_all(folder, edits)
    after = everything(folder)
    assert after == wanted
    new = {key: entry for key, entry in after.items() if before.get(key) != entry}
    assert [entry.answer for entry in new.values()] in ([found.answer], [])
    assert before.keys() <= after.keys()
    put_back(folder, edits)
    assert contents(folder) == files


def test_a_draft_gives_way_to_its_answer(knowledge: Path) -> None:
    (draft,) = read_knowledge(knowledge).drafts
    edits = edits_of(knowledge, Upload(found=(Found(draft.question, "Sixty euros.", 2, draft.id, "en"),)), SENT)
    write_all(knowledge, edits)
    read = read_knowledge(knowledge)
    (answered,) = [entry for entry in read.entries if entry.id == draft.id]
    assert read.drafts == ()
    assert (answered.answer, answered.source, answered.topic) == ("Sixty euros.", "More", draft.topic)


def test_a_knowledge_file_sent_back_takes_the_place_of_the_old_one(knowledge: Path) -> None:
    path = knowledge / "classes.en.md"
    text = (
        path.read_text(encoding="utf-8")
        .replace("1,240", "1,300")
        .replace("reviewed: 2026-09-01", "reviewed: 2026-11-22")
    )
    (edit,) = edits_of(knowledge, Upload(text), Sent("classes.en.md", SENT.today))
    assert (edit.path, edit.after) == ("classes.en.md", text)


def test_a_new_knowledge_file_keeps_what_its_head_says(knowledge: Path) -> None:
    text = front(topic="firing", course="pottery") + "\n# Firing\n\n## How long? {#how-long}\n\nTwo days.\n"
    (edit,) = edits_of(knowledge, Upload(text), Sent("firing.en.md", SENT.today))
    assert edit.path == "firing.en.md"
    assert edit.after == text


def test_names_that_are_taken_get_a_number_and_topics_files_of_their_own(knowledge: Path) -> None:
    write(knowledge, "more.en.md", front() + "\n# More\n\n## Is there more? {#more}\n\nYes.\n")
    found = (
        Found("Which clay?", "Red.", 2, language="en"),
        Found("Which glaze?", "Blue.", 3, language="en", topic="glaze"),
    )
    edits = edits_of(knowledge, Upload(found=found), SENT)
    assert [edit.path for edit in edits] == ["more-2.en.md", "more-glaze.en.md"]


def test_an_entry_of_a_published_interview_is_not_written_into_it(knowledge: Path) -> None:
    write(knowledge, "pottery/talk.en.txt", "Talk\n\nWho are you?\n\nA potter.\n")
    with pytest.raises(UploadError, match=r"pottery/talk\.en\.txt: it has interview-who-are-you"):
        edits_of(knowledge, Upload(found=(Found("Who are you?", "A poet.", 2, language="en"),)), SENT)
    text = "Talk\n\nWho are you?\n\nA poet.\n"
    (edit,) = edits_of(knowledge, Upload(text, (Found("Who are you?", "A poet.", 3),)), Sent("talk.en.txt", SENT.today))
    assert edit.after == text


def test_two_steps_are_one() -> None:
    first = (Edit("a", None, "1"), Edit("b", "0", "1"))
    then = (Edit("a", "1", "2"), Edit("b", "1", "0"))
    assert joined(first, then) == (Edit("a", None, "2"),)


def test_all_files_change_or_none(knowledge: Path) -> None:
    before = contents(knowledge)
    text = (knowledge / "classes.en.md").read_text(encoding="utf-8")
    edits = [Edit("classes.en.md", text, "changed"), Edit("classes.fr.md/below-a-file.md", None, "x")]
    with pytest.raises(OSError, match="classes"):
        write_all(knowledge, edits)
    assert contents(knowledge) == before
    with pytest.raises(ChangedMeanwhileError, match=r"classes.en.md has been changed meanwhile"):
        write_all(knowledge, [Edit("new.md", None, "x"), Edit("classes.en.md", "another text", "changed")])
    assert contents(knowledge) == before
