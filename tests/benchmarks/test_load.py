import math
import os
import subprocess
import sys
from random import Random

from prometheus_client import generate_latest

from benchmarks.asking import Askers
from benchmarks.load import CONFIGURATIONS
from benchmarks.measuring import latency, processor_seconds, shares, stage_seconds
from benchmarks.memory import memory_mb
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


def test_processor_time_of_a_process_by_its_parts() -> None:
    before = processor_seconds(os.getpid())
    command = "import sys; sum(range(3_000_000)); print(); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        while processor_seconds(os.getpid())["loop"] <= before["loop"]:
            sum(range(100_000))
        after = processor_seconds(os.getpid())
        child.communicate()
    assert after["searching"] > before["searching"]
    assert after["threads"] >= 0


def test_memory_of_a_process_is_that_of_those_it_has_started_too() -> None:
    alone = memory_mb([os.getpid()])
    command = "import sys; held = bytearray(50_000_000); held[::4096] = held[::4096]; print(); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        both = memory_mb([os.getpid()])
        child.communicate()
    assert both > alone + 40


def test_everybody_waits_for_one_answer_before_the_next_question() -> None:
    api = BotApi()
    askers = Askers(api, [api.user("Sara"), api.user("Karim")], ["Who?"], Random(1))
    for _ in range(3):
        askers.ask()
    assert (askers.asked, askers.waiting, len(api.pending())) == (2, 2, 2)


def test_configurations() -> None:
    assert [str(one) for one in CONFIGURATIONS] == ["sqlite-1", "sqlite-2", "postgresql-1", "postgresql-2"]
