"""Courses of a school: read, faults named, entries placed, searched within."""

import shutil
from pathlib import Path

import pytest

from indexer.building import build
from indexer.courses import COMMON, Course, read_courses
from indexer.engine import index
from indexer.entries import KnowledgeError
from indexer.readers import read_knowledge
from indexer.snapshot import Snapshot, load

from ..conftest import DATA
from .examples import entry, front, write
from .standin import WordEncoder

GOOD = "title: {fr: Droit, en: Law}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA / "school", tmp_path / "knowledge"))


def problems(folder: Path) -> list[str]:
    with pytest.raises(KnowledgeError) as told:
        read_knowledge(folder)
    return [str(problem) for problem in told.value.problems]


def test_courses_are_read_with_titles_names_and_staff(folder: Path) -> None:
    baking, law = read_courses(folder)
    assert baking == Course("baking", "Boulangerie", "Bread baking", ("baking", "bread", "boulanger"), "kitchen")
    assert (law.title("fr"), law.title("en"), law.staff) == ("Droit des affaires", "Business law", "")


def test_a_course_tells_where_its_answers_come_from(folder: Path) -> None:
    write(folder, "law/course.yaml", GOOD + "origin: {fr: D'un essai., en: ' From a trial. '}\n")
    baking, law = read_courses(folder)
    assert (law.origin("fr"), law.origin("en"), baking.origin("en")) == ("D'un essai.", "From a trial.", "")


def test_a_folder_without_course_yaml_has_no_courses(knowledge: Path) -> None:
    read = read_knowledge(knowledge)
    assert read.courses == ()
    assert {one.course for one in read.entries} == {"pottery"}


def test_entries_belong_to_their_folder_s_course_and_others_to_all(folder: Path) -> None:
    write(folder, "law/clerks/more.en.md", front(course="law") + "## Who teaches? {#teachers}\n\nJudges.\n")
    write(
        folder, "school/it.en.md", front(course="anything") + "## Where is my account? {#account}\n\nIn the letter.\n"
    )
    write(folder, "law/talk.en.txt", "Is it hard?\n\nIt is, at first.\n")
    read = read_knowledge(folder)
    places = {one.id: one.course for one in read.entries}
    assert (places["law-cost"], places["baking-cost"], places["housing-hall"]) == ("law", "baking", COMMON)
    assert (places["teachers"], places["account"], places["interview-is-it-hard"]) == ("law", COMMON, "law")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: [Droit", "law/course.yaml:1: cannot be read"),
        ("", "law/course.yaml:1: 'course.yaml' has no parts"),
        ("names: [law]\n", "law/course.yaml:1: lacks 'title'"),
        ("names: [law]\ntitle:\n  fr: Droit\n", "law/course.yaml:2: lacks 'title.en'"),
        (GOOD + "nmaes: [law]\n", "law/course.yaml:2: unknown name 'nmaes': did you mean 'names'?"),
        ("title:\n  fr: Droit\n  en: Law\n  de: Recht\n", "law/course.yaml:4: unknown name 'title.de': known: fr, en"),
        (GOOD + "origin:\n  fr: D'un essai.\n", "law/course.yaml:2: lacks 'origin.en': write origin with fr and en"),
        (GOOD + "names: law\n", "law/course.yaml:2: 'names' is no list"),
        (GOOD + "names:\n- law\n- 7\n", "law/course.yaml:4: 'names.1' is 7: write text"),
        (GOOD + "staff: -100123 45\n", "law/course.yaml:2: 'staff' is '-100123 45': use at most 32 small letters"),
        (GOOD + "names: [legal, Bread Baking]\n", "law/course.yaml:2: 'Bread Baking' also names the course 'baking'"),
    ],
)
def test_a_broken_course_file_is_named_with_its_line(folder: Path, text: str, said: str) -> None:
    write(folder, "law/course.yaml", text)
    assert any(problem.startswith(said) for problem in problems(folder)), problems(folder)


def test_a_folder_that_nobody_describes_beside_those_of_courses_is_told(folder: Path) -> None:
    assert read_knowledge(folder).warnings == ()
    (folder / "law" / "course.yaml").rename(folder / "law" / "course.yml")
    told = [str(warning) for warning in read_knowledge(folder).warnings]
    assert told == [
        "law/course.yml:1: is not read: the names are golden.yaml, at the top, and <course>/course.yaml",
        "law/fees.en.md:1: there is no law/course.yaml: what stands in this folder holds for all courses",
    ]


def test_where_course_files_may_stand(folder: Path) -> None:
    for name in ("course.yaml", "law/deep/course.yaml", "Big Data/course.yaml", "common/course.yaml"):
        write(folder, name, GOOD)
    told = problems(folder)
    assert [problem.partition(":")[0] for problem in told if "course.yaml:1:" in problem][:4] == [
        "Big Data/course.yaml",
        "common/course.yaml",
        "course.yaml",
        "law/deep/course.yaml",
    ]


def test_front_matter_of_another_course_is_named_with_its_line(folder: Path) -> None:
    more = "## Who? {#who}\n\nWe.\n"
    write(folder, "law/stray.en.md", front(course="baking") + more)
    write(folder, "lost.en.md", "---\nlanguage: en\n" + front(course="law")[4:].replace("language: en\n", "") + more)
    told = problems(folder)
    assert any(one.startswith("law/stray.en.md:2: 'course: baking' in the folder of the course 'law'") for one in told)
    assert any(one.startswith("lost.en.md:3: 'course: law' outside of the folder 'law'") for one in told)


def test_a_search_within_a_course_finds_its_own_and_the_common_ones(folder: Path, tmp_path: Path) -> None:
    engine = index(folder, WordEncoder(), tmp_path / "index").engine
    assert [one.name for one in engine.school] == ["baking", "law"]
    for course in ("law", "baking"):
        found = engine.find("How much does the course cost?", "en", course)
        assert found[0].entry.id == f"{course}-cost"
        assert {hit.entry.course for hit in found} == {course, COMMON}
    assert engine.find("a hall of residence", "en", "law")[0].entry.id == "housing-hall"
    assert {hit.entry.course for hit in engine.find("How much does the course cost?", "en")} >= {"law", "baking"}


def test_confidence_is_made_of_what_may_be_found(folder: Path, tmp_path: Path) -> None:
    """The other course's twin would leave no margin, and words that only it has would count as known."""
    engine = index(folder, WordEncoder(), tmp_path / "both").engine
    within = engine.find("How much does the course cost?", "en", "law")[0]
    anywhere = engine.find("How much does the course cost?", "en")[0]
    assert within.confidence > anywhere.confidence
    shutil.rmtree(folder / "baking")
    alone = index(folder, WordEncoder(), tmp_path / "one").engine.find("How much does the course cost?", "en", "law")
    assert [hit.entry.id for hit in alone] == [
        hit.entry.id for hit in engine.find("How much does the course cost?", "en", "law")
    ]


def test_one_course_file_alone_makes_no_school(folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(folder / "baking")
    engine = index(folder, WordEncoder(), tmp_path / "index").engine
    assert engine.school == ()
    assert engine.course == "law"
    assert engine.find("a hall of residence", "en", engine.course)[0].entry.id == "housing-hall"


def test_a_changed_title_is_a_changed_index(folder: Path, tmp_path: Path) -> None:
    assert index(folder, WordEncoder(), tmp_path / "index").built
    assert index(folder, WordEncoder(), tmp_path / "index").built is None
    write(folder, "law/course.yaml", "title: {fr: Droit, en: The law}\n")
    changed = index(folder, WordEncoder(), tmp_path / "index")
    assert changed.built
    assert changed.built.encoded == 0
    assert changed.engine.school[1].en == "The law"


def snapshot(tmp_path: Path, *school: Course) -> Snapshot:
    entries = [entry(course=course, id_=f"{course}-{n}", question=f"{course} {n}?") for course in "abc" for n in "12"]
    common = entry(id_="all", question="everywhere?", course=COMMON)
    return load(build([*entries, common], WordEncoder(), tmp_path, school=school).folder)


def test_spans_of_a_course_and_what_is_common(tmp_path: Path) -> None:
    school = [Course(name, name, name) for name in "abc"]
    found = snapshot(tmp_path, *school)
    assert found.within("a") == ((0, 2), (6, 7))
    assert found.within(None) == ((0, 7),)
    assert found.within("law") == ((6, 7),)
    assert snapshot(tmp_path / "one").within("a") == ((0, 2),)
    assert snapshot(tmp_path / "one").within("law") == ()
