"""A period in numbers: what counts as answered without staff, and themes across languages."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import matplotlib.image
import pytest

from bot.desk.export import harmless, table
from bot.desk.grouping import View, view_of
from bot.desk.insight import Asked, Figures, Period, Theme, figures, period, themes
from bot.desk.picture import Legend, draw
from bot.records.states import Feedback
from bot.records.tables import Question, Ticket
from indexer.encoder import OnnxEncoder
from indexer.engine import Engine

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def question(id_: int, text: str, decision: str = "answer", *, days: float = 0, **more: object) -> Question:
    values = {"candidate_id": "A", "course": "ai", "language": "en", "message_id": id_} | more
    if decision == "answer":
        values.setdefault("entry_id", f"e{id_}")
    return Question(id=id_, text=text, decision=decision, asked_at=NOW + timedelta(days=days), **values)


@pytest.fixture(scope="module")
def seen(engine: Engine) -> View:
    return view_of(engine.snapshot)


@pytest.mark.parametrize(
    ("second", "alone"),
    [
        (question(2, "How long is the course?", days=6.9), 1),
        (question(2, "How long is the course?", days=7.1), 2),
        (question(2, "How long is it, again?", entry_id="e1", days=3), 1),
        (question(2, "Who are the lecturers?", days=1), 2),
        (question(2, "How long is the course?", candidate_id="B", days=1), 2),
        (question(2, "How long is the course?", message_id=1), 2),  # asked twice in one message
        (question(2, "And in what room?", "escalate", days=1), 1),
    ],
)
def test_who_comes_back_with_the_same_was_not_helped(
    encoder: OnnxEncoder, seen: View, second: Question, alone: int
) -> None:
    about = Asked([question(1, "How long is the course?"), second], [], [])
    assert figures(about, encoder.queries, seen, UTC).alone == alone


def test_days_after_the_period_count_for_coming_back(encoder: OnnxEncoder, seen: View) -> None:
    about = Asked([question(1, "How long is the course?")], [question(2, "How long is the course?", days=2)], [])
    assert (figures(about, encoder.queries, seen, UTC).alone, figures(about, encoder.queries, seen, UTC).questions) == (
        0,
        1,
    )


def test_complaints_and_tickets_are_not_answers_without_staff(encoder: OnnxEncoder, seen: View) -> None:
    ticket = Ticket(id=1, question_id=3, opened_at=NOW, replied_at=NOW + timedelta(minutes=50), rating=4)
    asked = [
        question(1, "How long is it?", feedback=Feedback.HELPED),
        question(2, "Where is it?", feedback=Feedback.NOT_MINE),
        question(3, "Who teaches?"),
        question(4, "Projects?", "clarify"),
        question(5, "Fees?", "clarify", entry_id="fees"),
    ]
    found = figures(Asked(asked, [], [ticket]), encoder.queries, seen, UTC)
    assert (found.questions, found.alone, found.clarified, found.handed_over) == (5, 2, 2, 1)
    assert (found.first_reply, found.rating, found.ratings) == (timedelta(minutes=50), 4.0, 1)
    assert found.days == {date(2026, 3, 2): (2, 1, 1)}


def test_themes_join_languages_and_name_nobody(encoder: OnnxEncoder, seen: View) -> None:
    asked = [
        "How much does the course cost?",
        "Combien coûte la formation ?",
        "Faut-il un visa pour venir ?",
        "How much is the course? I am Sara Benali, 06 12 34 56 78",
        "What does the course cost?",
    ]
    found = themes([question(place, text, "escalate") for place, text in enumerate(asked)], encoder.queries, seen)
    assert found[0].count == 4
    assert {theme.count for theme in found[1:]} == {1}
    assert not any("Benali" in theme.question or "06" in theme.question for theme in found)


def test_no_data_gives_no_figures_and_still_a_picture(encoder: OnnxEncoder, seen: View) -> None:
    found = figures(Asked([], [], []), encoder.queries, seen, UTC)
    assert found == Figures()
    assert size(draw(found, LEGEND)) == (1080, 1500)


LEGEND = Legend(
    "2 March", "answered", "asked back", "handed over", "Day by day", "Themes", "Nothing.", (("7", "asked"),) * 6
)


def size(png: bytes) -> tuple[int, int]:
    high, wide = matplotlib.image.imread(BytesIO(png)).shape[:2]
    return wide, high


def test_a_picture_is_as_wide_as_a_phone_whatever_people_wrote() -> None:
    days = {date(2026, 1, 1) + timedelta(days=day): (day, 1, day % 3) for day in range(90)}
    long = tuple(Theme(f"How much is $x^2$ \\frac{{ {'very ' * 60} <b>?", 9 - place) for place in range(5))
    assert size(draw(Figures(90, 60, 20, 10, days=days, themes=long), LEGEND)) == (1080, 1500)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", Period(datetime(2026, 2, 24, tzinfo=UTC), NOW)),
        ("7d", Period(datetime(2026, 2, 24, tzinfo=UTC), NOW)),
        ("30j", Period(datetime(2026, 2, 1, tzinfo=UTC), NOW)),
        ("all", Period(None, NOW)),
        ("2026-02-01..2026-02-28", Period(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))),
        ("2026-03-02", Period(datetime(2026, 3, 2, tzinfo=UTC), NOW)),
        ("0d", None),
        ("yesterday", None),
        ("2026-02-28..2026-02-01", None),
        ("2026-02-30", None),
        ("9999-12-31", None),
    ],
)
def test_periods(asked: str, expected: Period | None) -> None:
    assert period(asked, NOW) == expected


@pytest.mark.parametrize("cell", ["=1+1", "+33", "-1", "@SUM(A1)", "\tx", "\n=1", "＝1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert harmless(cell).startswith("'")


def test_nor_what_another_country_takes_for_a_cell_of_its_own() -> None:
    """French spreadsheets part cells at semicolons, whatever is quoted."""
    text = "hello;=1+1 and; @SUM(A1)\n-2\t+3; 4, -5 (=6)"
    assert harmless(text) == "hello;'=1+1 and;' @SUM(A1)\n'-2\t'+3; 4, -5 (=6)"


def test_a_table_for_spreadsheets_masks_people() -> None:
    ticket = Ticket(id=4, question_id=1, opened_at=NOW, replied_at=NOW + timedelta(hours=2), rating=5, remark="=Merci")
    name = "Panda Tango"
    asked = question(1, "=cmd, je m'appelle Sara Benali ?", confidence=0.12345, candidate_id=name)
    content = table(Asked([asked], [], [ticket]), UTC)
    assert content.startswith(b"\xef\xbb\xbf")
    line = content.decode("utf-8-sig").splitlines()[1]
    assert line == "2026-03-02 12:00,Panda Tango,en,ai,\"'=cmd, je m'appelle […] ?\",answer,,e1,0.123,,4,120,5,'=Merci"
