"""What is counted and timed, for Prometheus; docs/metrics.md says what each means."""

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector

# From less than an answer usually takes to "somebody should look".
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_CLASS = re.compile(r"[A-Za-z_]\w{0,60}")


class Metrics:
    """Counts and times of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._received = self._counter("updates_received", "Updates received, repetitions included", "kind")
        self._handled = self._counter("updates_handled", "Updates handled: done, again or set_aside", "outcome")
        self._calls = self._counter("messages", "Calls for outgoing messages, by how they ended", "outcome")
        self._decisions = self._counter("decisions", "What was decided on questions", "decision", "language")
        self._errors = self._counter("errors", "Warnings and errors in the log, by class", "logger", "error")
        self._webhook = self._counter("webhook_requests", "Requests to the webhook's address", "status")
        self._stages = Histogram(
            "guichet_stage_seconds",
            "Time spent waiting, in handling and until sent",
            ["stage"],
            buckets=SECONDS,
            registry=self.registry,
        )
        # There from the start, at zero: of a counter that begins with its first event Prometheus sees no increase.
        for outcome in ("done", "again", "set_aside"):
            self._handled.labels(outcome)
        for outcome in ("sent", "later", "paused", "moved", "refused"):
            self._calls.labels(outcome)
        self.silent = self.gauge("polling_failing_seconds", "For how long Telegram has not let itself be polled")
        self.loops = self.gauge("loop_late_seconds", "How late a loop's next sign of life is", "loop")

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"guichet_{name}", meaning, labels, registry=self.registry)

    def gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        """A value that goes up and down, `guichet_` before its name."""
        return Gauge(f"guichet_{name}", meaning, labels, registry=self.registry)

    def received(self, kinds: Iterable[str]) -> None:
        """Updates of these kinds have been committed."""
        for kind in kinds:
            self._received.labels(kind).inc()

    def handled(self, outcome: str, took: float) -> None:
        """An update has been handled in `took` seconds."""
        self._handled.labels(outcome).inc()
        self._stages.labels("handling").observe(took)

    def begun(self, waited: float) -> None:
        """An update is handled for the first time, `waited` seconds after it was received."""
        self._stages.labels("waiting").observe(max(waited, 0))

    def called(self, outcome: str) -> None:
        """A call for an outgoing message has ended like that."""
        self._calls.labels(outcome).inc()

    def sent(self, waited: float) -> None:
        """A message has arrived, `waited` seconds after it was put into the outbox."""
        self._stages.labels("sending").observe(max(waited, 0))

    def decided(self, decision: str, language: str) -> None:
        """A question has been decided."""
        self._decisions.labels(decision, language).inc()

    def answered(self, status: int) -> None:
        """A request to the webhook was answered with that HTTP status."""
        self._webhook.labels(str(status)).inc()

    def failed(self, logger: str, error: str) -> None:
        """Something was logged as a warning or an error."""
        self._errors.labels(logger, error).inc()

    @contextmanager
    def counting_errors(self) -> Iterator[None]:
        """Counts what is logged from WARNING on until the block ends."""
        handler, root = _Errors(self), logging.getLogger()
        root.addHandler(handler)
        try:
            yield
        finally:
            root.removeHandler(handler)


class _Errors(logging.Handler):
    """Counts log records: whoever reports an error need not know of metrics."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(logging.WARNING)
        self._metrics = metrics

    def emit(self, record: logging.LogRecord) -> None:
        self._metrics.failed(record.name, error_class(record))


def error_class(record: logging.LogRecord) -> str:
    """The class of the error that a record tells of: of its exception, or of its value `error`; "none" without one."""
    if record.exc_info and record.exc_info[0]:
        return record.exc_info[0].__name__
    told = _CLASS.match(str(getattr(record, "error", "")))
    return told[0] if told else "none"
