import math
import os
from pathlib import Path
from random import Random

import pytest
from prometheus_client import generate_latest

from benchmarks.asking import Askers
from benchmarks.load import CONFIGURATIONS
from benchmarks.measuring import latency, processor_seconds, shares, stage_seconds
from bot.sandbox.botapi import BotApi
from bot.watch.metrics import Metrics


def test_percentiles_are_milliseconds() -> None:
    found = latency([number / 1000 for number in range(101)])
    assert (found.p50, found.p95, found.p99) == (50, 95, 99)
    assert math.isnan(latency([]).p50)


def test_shares_of_time_by_what_two_bots_show() -> None:
    before, first, second = stage_seconds([]), Metrics(), Metrics()
    first.begun(1.0)
    first.handled("done", 0.5)
    second.sent(2.5)
    after = stage_seconds(generate_latest(one.registry).decode() for one in (first, second))
    assert after == {"waiting": 1.0, "handling": 0.5, "sending": 2.5}
    assert shares(before, after) == {"waiting": 0.25, "handling": 0.12, "sending": 0.62}
    assert shares(after, after) == {"waiting": 0, "handling": 0, "sending": 0}


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="the system does not tell")
def test_processor_time_grows() -> None:
    before = processor_seconds(os.getpid())
    while processor_seconds(os.getpid()) <= before:
        sum(range(100_000))


def test_everybody_waits_for_one_answer_before_the_next_question() -> None:
    api = BotApi()
    askers = Askers(api, [api.user("Sara"), api.user("Karim")], ["Who?"], Random(1))
    for _ in range(3):
        askers.ask()
    assert (askers.asked, askers.waiting, len(api.pending())) == (2, 2, 2)


def test_configurations() -> None:
    assert [str(one) for one in CONFIGURATIONS] == ["sqlite-1", "sqlite-2", "postgresql-1", "postgresql-2"]
