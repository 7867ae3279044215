"""From what a file says to entries among those that are known."""

from datetime import date
from pathlib import Path

import pytest

from indexer.entries import Entry
from indexer.intake import entries_of
from indexer.readers import read_knowledge
from indexer.upload import Reason, Sent, Upload, UploadError, read_upload
from tests.conftest import DATA

TODAY = date(2026, 11, 22)
SENT = Sent("Leaflet 2026.docx", TODAY)
FRENCH = "Question;Réponse\nOù se garer près de l'atelier ?;Derrière l'église, c'est gratuit.\n"


async def desired(knowledge: Path, table: str, sent: Sent = SENT) -> list[Entry]:
    return entries_of(await read_upload("a.csv", table.encode()), sent, read_knowledge(knowledge))


async def test_new_entries_say_where_they_come_from(knowledge: Path) -> None:
    (one,) = await desired(knowledge, FRENCH)
    assert (one.id, one.language, one.course) == ("ou-se-garer-pres-de-l-atelier", "fr", "pottery")
    assert (one.topic, one.topic_name) == ("leaflet-2026", "Leaflet 2026")
    assert (one.source, one.source_date, one.reviewed) == ("Leaflet 2026", "2026-11-22", TODAY)


async def test_a_translation_joins_its_other_half(knowledge: Path) -> None:
    known = read_knowledge(knowledge).entries
    alone = next(e for e in known if {o.language for o in known if o.id == e.id} == {"en"} and not e.draft)
    (one,) = await desired(knowledge, f"id;langue;question;réponse\n{alone.id};fr;Une question ?;Une réponse.\n")
    assert (one.id, one.language, one.topic) == (alone.id, "fr", alone.topic)


async def test_known_questions_are_changed_by_id_question_or_other_way_of_asking(knowledge: Path) -> None:
    table = (
        "id;question;answer;language\nkiln;How hot?;A;en\n;what should I  bring?;B;en\n;Is it open to beginners?;C;en\n"
    )
    kiln, bring, who = await desired(knowledge, table)
    assert (kiln.id, kiln.question, kiln.answer) == ("kiln", "How hot?", "A")
    assert (bring.id, bring.answer, bring.source) == ("bring", "B", "The workshop's leaflet")
    assert (who.id, who.question, who.answer) == ("who", "Who can join the evening class?", "C")
    assert "Is it open to beginners?" in who.also


async def test_the_course_is_the_only_one_or_has_to_be_named(knowledge: Path) -> None:
    (one,) = await desired(knowledge, FRENCH, Sent("a.csv", TODAY, "for you"))
    assert one.course == "pottery"
    with pytest.raises(UploadError, match="pottery"):
        await desired(knowledge, "Course;Question;Answer\nweaving;Who?;I.\n")
    with pytest.raises(UploadError, match="baking, law, common") as refused:
        await desired(DATA / "school", FRENCH, Sent("a.csv", TODAY))
    assert refused.value.reason is Reason.COURSE
    courses = {course.en: course for course in read_knowledge(DATA / "school").courses}
    for title, course in courses.items():
        (one,) = await desired(DATA / "school", FRENCH, Sent("a.csv", TODAY, title.upper()))
        assert one.course == course.name
    (one,) = await desired(DATA / "school", "Formation;Question;Answer\ncommon;Who?;I.\n")
    assert one.course == "common"


async def test_two_rows_for_one_entry_and_texts_that_no_file_holds_are_named(knowledge: Path) -> None:
    with pytest.raises(UploadError, match=r"3: the entry 'x' stands at 2 already: .* another id"):
        await desired(knowledge, "id;Question;Answer;lang\nx;Who?;I.;en\nx;When?;Now.;en\n")
    with pytest.raises(UploadError, match=r"3: 'who\?' stands at 2 already: keep one of them$"):
        await desired(knowledge, "Question;Answer;lang\nWho?;I.;en\nwho?;You.;en\n")
    with pytest.raises(UploadError, match=r"2: 'Who\?': a question of its own begins with"):
        await desired(knowledge, 'Question;Answer\nWho?;"I.\n### Or you? {#you}"\n')


def test_a_faulty_knowledge_file_is_told_by_line(knowledge: Path) -> None:
    upload = Upload("---\ncourse: pottery\n---\n\n# Classes\n")
    with pytest.raises(UploadError, match=r"leaflet.md:1: front matter lacks 'topic'") as refused:
        entries_of(upload, Sent("leaflet.md", TODAY), read_knowledge(knowledge))
    assert refused.value.reason is Reason.LINES
