"""Waits and hours in words."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.dialogue import times
from bot.dialogue.times import Wait
from indexer.entries import Language

PARIS = ZoneInfo("Europe/Paris")
WEEK = (
    (0, 3, ((time(9), time(12, 30)), (time(13, 30), time(17, 30)))),
    (4, 4, ((time(9), time(12)),)),
)
HALF_PAST_FIVE = datetime(2026, 3, 2, 17, 30, tzinfo=PARIS)
MONDAY = datetime(2026, 3, 9, 9, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("about", "english", "french"),
    [
        (Wait(), "", ""),
        (
            Wait(timedelta(hours=3)),
            "The team usually answers within 3 hours.",
            "L’équipe répond d’habitude en moins de 3 heures.",
        ),
        (
            Wait(timedelta(minutes=30), closes=HALF_PAST_FIVE),
            "The team usually answers within 30 minutes.\nThe team is there today until 17:30.",
            "L’équipe répond d’habitude en moins de 30 min.\nL’équipe est là aujourd’hui jusqu’à 17\u00a0h\u00a030.",
        ),
    ],
)
def test_what_is_said_of_the_wait(about: Wait, english: str, french: str) -> None:
    assert (times.wait(about, "en"), times.wait(about, "fr")) == (english, french)


def test_while_the_team_is_away_its_hours_and_its_return_are_told() -> None:
    away = Wait(timedelta(hours=1), opens=MONDAY, week=WEEK)
    said = times.wait(away, "en").splitlines()
    assert "Monday to Thursday 9:00–12:30, 13:30–17:30; Friday 9:00–12:00" in said[0]
    assert said[1:] == [
        "The team will be back on Monday 9 March at 9:00.",
        "Once it is back, it usually answers within an hour.",
    ]
    assert "L’équipe sera de retour lundi 9 mars à 9\u00a0h." in times.wait(away, "fr")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_day_without_end(language: Language) -> None:
    assert "24" in times.week(((6, 6, ((time(0), time(0)),)),), language)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0, "0 minutes"), (59, "59 minutes"), (60, "an hour"), (119, "an hour"), (120, "2 hours"), (2900, "2 days")],
)
def test_a_span_in_its_largest_plain_unit(minutes: int, said: str) -> None:
    assert times.length(timedelta(minutes=minutes), "en") == said
