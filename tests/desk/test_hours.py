"""Office hours: what people write, weekends, holidays, and the days on which clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk import hours as office
from bot.desk.hours import Hours

PARIS = ZoneInfo("Europe/Paris")
WEEK = office.parse("Mon-Fri 09:00-12:30,13:30-17:30")
SCHOOL = Hours(WEEK, PARIS, holidays.country_holidays("FR"), stated=True)


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mon-Fri 09:00-17:00", [1, 1, 1, 1, 1, 0, 0]),
        ("mon-thu 9:00-12:00, 13:00-17:00; Fri 09:00-12:00", [2, 2, 2, 2, 1, 0, 0]),
        ("Sat-Mon 10:00-12:00", [1, 0, 0, 0, 0, 1, 1]),
        ("Sun 00:00-24:00;", [0, 0, 0, 0, 0, 0, 1]),
        ("Mon 09:00-12:00; Mon 13:00-14:00", [2, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_a_week_as_people_write_it(text: str, days: list[int]) -> None:
    assert [len(spans) for spans in office.parse(text)] == days


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("Monday 9-17", "such as Mon-Fri"),
        ("Mon-Fry 09:00-17:00", "such as Mon-Fri"),
        ("Mon 9-17", "such as 09:00-12:30"),
        ("Mon 17:00-09:00", "a later one"),
        ("Mon 09:00-25:00", "a later one"),
        ("Mon 09:60-10:00", "a later one"),
        ("Mon 09:00-12:00,11:00-14:00", "overlap at 11:00"),
        ("Mon 09:00-24:00,10:00-11:00", "overlap at 10:00"),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        office.parse(text)


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        ("2026-03-02 09:00", True),  # a Monday: the first minute belongs to it
        ("2026-03-02 12:30", False),  # and the last does not
        ("2026-03-02 13:30", True),
        ("2026-03-02 17:29", True),
        ("2026-03-07 10:00", False),  # Saturday
        ("2026-05-01 10:00", False),  # a Friday, and a holiday in France
    ],
)
def test_open_and_closed(now: str, is_open: bool) -> None:
    assert office.is_open(SCHOOL, paris(now)) is is_open
    assert (office.closing(SCHOOL, paris(now)) is not None) is is_open


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-03-06 18:00", "2026-03-09 09:00"),  # over a weekend
        ("2026-03-06 12:45", "2026-03-06 13:30"),
        ("2026-04-30 17:30", "2026-05-04 09:00"),  # over May Day and a weekend
        ("2026-03-02 10:00", "2026-03-02 10:00"),
    ],
)
def test_when_the_team_is_there_next(now: str, opening: str) -> None:
    assert office.opening(SCHOOL, paris(now)) == paris(opening)


def test_two_hours_of_office_time_over_lunch_and_over_a_weekend() -> None:
    two = timedelta(hours=2)
    assert office.after(SCHOOL, paris("2026-03-02 11:30"), two) == paris("2026-03-02 14:30")
    assert office.after(SCHOOL, paris("2026-03-06 16:30"), two) == paris("2026-03-09 10:00")
    assert office.worked(SCHOOL, paris("2026-03-06 16:30"), paris("2026-03-09 10:00")) == two


@pytest.mark.parametrize(("day", "length"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-03-28", 24)])
def test_a_day_on_which_clocks_change_is_shorter_or_longer(day: str, length: int) -> None:
    around = Hours(zone=PARIS)
    ((start, end),) = office.spans(around, date.fromisoformat(day))
    assert end - start == timedelta(hours=length)


def test_hours_keep_to_the_clock_on_the_wall_when_clocks_change() -> None:
    nine = [office.spans(SCHOOL, day)[0][0] for day in (date(2026, 3, 27), date(2026, 3, 30))]
    assert [moment.hour for moment in nine] == [8, 7]  # in UTC


def test_an_hour_that_clocks_skip_is_no_office_hour() -> None:
    night = Hours(office.parse("Sun 02:00-03:00"), PARIS)
    assert office.spans(night, date(2026, 3, 29)) == []


def test_a_team_that_never_works() -> None:
    never = Hours(((),) * 7)
    now = paris("2026-03-02 10:00")
    assert office.opening(never, now) is None
    assert office.after(never, now, timedelta(hours=1)) is None
    assert office.worked(never, now, now + timedelta(days=9)) == timedelta()


def test_days_with_the_same_hours_are_told_together() -> None:
    week = office.parse("Mon-Thu 09:00-17:00; Fri 09:00-12:00; Sun 10:00-11:00")
    runs = [(first, last) for first, last, _ in office.grouped(Hours(week))]
    assert runs == [(0, 3), (4, 4), (6, 6)]


MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001  the strategy adds the zone
ZONES = st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"])
QUARTERS = st.integers(0, 95)


@st.composite
def weeks(draw: st.DrawFn) -> Hours:
    """Any week with at least one office hour, in a zone with clocks that change or not."""
    week = []
    for day in range(7):
        marks = sorted(draw(st.sets(QUARTERS, max_size=4)) | ({36, 40} if day == 0 else set()))
        times = [time(mark // 4, mark % 4 * 15) for mark in marks]
        week.append(tuple(zip(times[::2], times[1::2], strict=False)))
    return Hours(tuple(week), ZoneInfo(draw(ZONES)))


@given(weeks(), MOMENTS, st.integers(0, 60 * 24))
def test_the_moment_after_so_much_office_time_is_that_much_office_time_away(
    hours: Hours, start: datetime, minutes: int
) -> None:
    wanted = timedelta(minutes=minutes)
    reached = office.after(hours, start, wanted)
    assert reached is not None
    assert office.worked(hours, start, reached) == wanted


@given(weeks(), MOMENTS, st.integers(0, 20000), st.integers(0, 20000))
def test_office_time_adds_up(hours: Hours, start: datetime, first: int, second: int) -> None:
    middle = start + timedelta(minutes=first)
    end = middle + timedelta(minutes=second)
    parts = office.worked(hours, start, middle) + office.worked(hours, middle, end)
    assert office.worked(hours, start, end) == parts <= end - start


@given(weeks(), MOMENTS)
def test_the_next_opening_is_open_and_nothing_before_it_is(hours: Hours, now: datetime) -> None:
    opening = office.opening(hours, now)
    assert opening is not None
    assert office.is_open(hours, opening)
    assert office.worked(hours, now, opening) == timedelta()
