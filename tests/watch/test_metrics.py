import logging
from typing import get_args

import pytest
from prometheus_client import REGISTRY

from bot.delivery.calls import Outcome
from bot.watch.metrics import Metrics, error_class


def test_each_process_counts_for_itself() -> None:
    one, other = Metrics(), Metrics()
    one.received(["message", "message", "other"])
    assert one.registry.get_sample_value("guichet_updates_received_total", {"kind": "message"}) == 2
    assert other.registry.get_sample_value("guichet_updates_received_total", {"kind": "message"}) is None
    assert not [metric for metric in REGISTRY.collect() if metric.name.startswith("guichet")]


def test_what_deserves_an_alarm_is_zero_from_the_start() -> None:
    value = Metrics().registry.get_sample_value
    assert value("guichet_messages_total", {"outcome": "refused"}) == 0
    assert value("guichet_updates_handled_total", {"outcome": "set_aside"}) == 0


def test_outcomes_are_those_that_there_are() -> None:
    value = Metrics().registry.get_sample_value
    for outcome in get_args(Outcome):
        assert value("guichet_messages_total", {"outcome": outcome.__name__.lower()}) == 0


def test_times_are_by_stage() -> None:
    metrics = Metrics()
    metrics.begun(0.2)
    metrics.begun(-0.1)  # clocks of two machines may differ
    metrics.handled("done", 0.03)
    metrics.sent(400)
    value = metrics.registry.get_sample_value
    assert value("guichet_stage_seconds_count", {"stage": "waiting"}) == 2
    assert value("guichet_stage_seconds_sum", {"stage": "waiting"}) == 0.2
    assert value("guichet_stage_seconds_bucket", {"stage": "handling", "le": "0.05"}) == 1
    assert value("guichet_stage_seconds_bucket", {"stage": "sending", "le": "300.0"}) == 0
    assert value("guichet_updates_handled_total", {"outcome": "done"}) == 1


def test_what_is_logged_as_an_error_is_counted_by_its_class() -> None:
    metrics, log = Metrics(), logging.getLogger("bot.test")
    with metrics.counting_errors():
        log.error("loop failed", extra={"error": "TimedOut: Timed out"})
        log.warning("loop failed", extra={"error": "OperationalError at bot.delivery.inbox:12"})
        log.info("not this", extra={"error": "Nothing"})
        log.error("without a class")
        try:
            raise KeyError("somebody's text")  # noqa: TRY301
        except KeyError:
            log.exception("failed")
    log.error("nobody counts any more")
    counted = {
        sample.labels["error"]: sample.value
        for metric in metrics.registry.collect()
        if metric.name == "guichet_errors"
        for sample in metric.samples
        if sample.name.endswith("_total")
    }
    assert counted == {"TimedOut": 1, "OperationalError": 1, "none": 1, "KeyError": 1}


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("", "none"),
        ("12", "none"),
        ("NetworkError: Bad Gateway", "NetworkError"),
        ("KeyError at bot.app:7", "KeyError"),
    ],
)
def test_only_the_name_of_a_class_becomes_a_label(said: str, label: str) -> None:
    assert error_class(logging.makeLogRecord({"error": said})) == label
