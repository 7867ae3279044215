"""What is said of the wait."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk.waits import FEWEST, STEPS, usual


def minutes(*numbers: int) -> list[timedelta]:
    return [timedelta(minutes=number) for number in numbers]


@pytest.mark.parametrize(
    ("waits", "told"),
    [
        (minutes(1, 2, 3, 4), None),  # too few to promise anything
        (minutes(1, 2, 3, 4, 900), 15),  # four in five
        (minutes(1, 2, 3, 40, 900), 60),
        (minutes(15, 15, 15, 15, 15), 15),
        (minutes(16, 16, 16, 16, 16), 30),
        (minutes(500, 500, 500, 500, 500), None),  # days: no figure in hours would be honest
    ],
)
def test_the_usual_wait(waits: list[timedelta], told: int | None) -> None:
    assert usual(waits) == (None if told is None else timedelta(minutes=told))


@given(st.lists(st.timedeltas(timedelta(), timedelta(hours=12)), max_size=40))
def test_at_least_four_in_five_were_not_longer(waits: list[timedelta]) -> None:
    told = usual(waits)
    if told is None:
        assert len(waits) < FEWEST or sum(wait > STEPS[-1] for wait in waits) / len(waits) > 0.2
    else:
        assert sum(wait <= told for wait in waits) >= 0.8 * len(waits)
