"""What is read off bots under load: time, memory, processor; and what is made of it."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.processes import Bot
from indexer import tokens
from indexer.encoder import open_session
from indexer.model import Model

ROUNDS = 200
STAGES = ("waiting", "handling", "sending")


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds that half, nineteen in twenty and ninety-nine in a hundred stay below."""

    p50: float
    p95: float
    p99: float


def latency(seconds: Sequence[float]) -> Latency:
    """Percentiles of waits; not a number without any."""
    if not seconds:
        return Latency(*[float("nan")] * 3)
    return Latency(*(round(float(value) * 1000, 1) for value in np.percentile(seconds, [50, 95, 99])))


def forward_ms(model: Model, texts: Sequence[str]) -> float:
    """The median time of the model's file alone, its input ready, with the product's threads."""
    session = open_session(model.folder / "encoder.onnx")
    cut = tokens.load(model.folder, model.most_tokens).cut
    times = []
    for number in range(ROUNDS):
        ids = np.array([cut(model.query_prefix + texts[number % len(texts)])], np.int64)
        given, begun = {"input_ids": ids, "attention_mask": np.ones_like(ids)}, perf_counter()
        session.run(["vectors"], given)
        times.append(perf_counter() - begun)
    return round(median(times) * 1000, 2)


def memory_mb(bots: Iterable[Bot], which: str = "VmHWM") -> float | None:
    """The most that these processes have held together (`VmRSS`: hold now); None where the system does not tell."""
    total = 0
    for bot in bots:
        try:
            lines = Path(f"/proc/{bot.pid}/status").read_text(encoding="utf-8").splitlines()
        except OSError:
            return None
        total += next(int(line.split()[1]) for line in lines if line.startswith(f"{which}:"))
    return round(total * 1024 / 1e6, 1)


def processor_seconds(pid: int, thread: int | None = None) -> float:
    """Processor time of a process so far, or of one of its threads; not a number where the system does not tell."""
    stat = Path(f"/proc/{pid}/stat" if thread is None else f"/proc/{pid}/task/{thread}/stat")
    try:
        fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stage_seconds(pages: Iterable[str]) -> dict[str, float]:
    """Seconds that updates have spent in each stage so far, by the figures that bots show."""
    spent = dict.fromkeys(STAGES, 0.0)
    for page in pages:
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name == "guichet_stage_seconds_sum":
                    spent[sample.labels["stage"]] += sample.value
    return spent


def shares(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Each stage's part of the time between two readings."""
    spent = {stage: after[stage] - before[stage] for stage in STAGES}
    whole = sum(spent.values())
    return {stage: round(value / whole, 2) if whole else 0.0 for stage, value in spent.items()}


async def figures(bots: Iterable[Bot]) -> dict[str, float]:
    """Seconds that updates have spent in each stage so far."""
    async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
        pages = [(await http.get(f"http://127.0.0.1:{bot.health_port}/metrics")).text for bot in bots]
    return stage_seconds(pages)
