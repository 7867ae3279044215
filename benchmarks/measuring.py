"""What is read off bots under load: time, memory, processor; and what is made of it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import httpx
import numpy as np
import psutil
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.memory import family, memory_mb
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


async def peak_mb(bots: Sequence[Bot]) -> float:
    """Looks each second until cancelled; gives the most that was held at once."""
    most = 0.0
    with suppress(asyncio.CancelledError):
        while True:
            most = max(most, await asyncio.to_thread(memory_mb, [bot.pid for bot in bots]))
            await asyncio.sleep(1)
    return most


def processor_seconds(pid: int) -> dict[str, float]:
    """Processor time so far of the process's event loop, of its other threads, and of the processes it has started.

    Outside Linux, where threads are numbered otherwise, the loop's is not told apart.
    """
    parent, *others = family(pid)
    loop = sum(one.user_time + one.system_time for one in parent.threads() if one.id == pid)
    return {"loop": loop, "threads": _used(parent) - loop, "searching": sum(map(_used, others))}


def _used(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):  # it has ended since
        times = process.cpu_times()
        return times.user + times.system
    return 0.0


def stage_seconds(pages: Iterable[str]) -> dict[str, float]:
    """Seconds that updates have spent in each stage so far, by the figures that bots show."""
    spent = dict.fromkeys(STAGES, 0.0)
    for page in pages:
        for figure in text_string_to_metric_families(page):
            for sample in figure.samples:
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
