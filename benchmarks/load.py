"""A thousand candidates asking: answers a second, and how long each waits.

    python benchmarks/load.py [--seconds 20] [--only sqlite-1] [--profile FOLDER] [--soak 50000]

Each bot is a process of its own; the Bot API server and the candidates share this one. Telegram's budgets are lifted.
First 32 candidates wait at any moment, so that bots are never idle: answers a second and percentiles. Then questions
come at random moments, 30 a second on average, Telegram's own ceiling. An answer's time ends when Telegram has
accepted it. The bare forward pass of the model is measured before, in the same run. One JSON line a configuration.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parents[1]))  # to run as a script

from benchmarks.asking import Askers
from benchmarks.laying_out import index_of_our_own
from benchmarks.measuring import figures, forward_ms, latency, peak_mb, processor_seconds, shares
from benchmarks.memory import memory_mb
from benchmarks.processes import TOKEN, Bot, Stage, stage
from bot.console import err, plainly, progress_bar
from bot.dialogue.decide import Answer
from bot.evaluation.golden import read_golden
from bot.publishing.gate import limits_of
from bot.sandbox.botapi import BotApi, serve
from bot.settings import Settings, load_settings
from bot.understanding import understood
from indexer.engine import Engine, open_engine
from indexer.model import prepare
from indexer.readers import GOLDEN
from tests.postgres import running

CANDIDATES = 1000
AT_ONCE = 32  # candidates who wait at any moment while bots are never idle
CEILING = 30  # answers a second that Telegram lets a bot send
WARM_UP = 100  # answers that do not count
PATIENCE = 60.0  # seconds after the last question until an unanswered one counts as lost
BUSY = 0.5  # of the cores, by others, before anything is measured


@dataclass(frozen=True, slots=True)
class Configuration:
    """Where state is kept, and how many processes share the work."""

    database: str
    workers: int

    def __str__(self) -> str:
        return f"{self.database}-{self.workers}"


CONFIGURATIONS = tuple(Configuration(database, workers) for database in ("sqlite", "postgresql") for workers in (1, 2))


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one configuration; milliseconds and megabytes."""

    database: str
    workers: int
    answers_per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    p95_ms_at_30: float
    forward_ms: float
    lost: int
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Bench:
    """What all configurations share."""

    settings: Settings
    index: Path
    questions: Sequence[str]
    forward_ms: float
    seconds: float
    profile: Path | None = None


def questions_answered(engine: Engine, settings: Settings) -> list[str]:
    """Golden questions that the bot answers: a hand-over would keep the candidate with people."""
    limits, today = limits_of(engine.snapshot, settings.max_wrong)[0], date.today()  # noqa: DTZ011  # any day will do
    golden = read_golden(settings.knowledge_dir / GOLDEN)
    plain = [one.ask for one in golden if one.kind == "plain" and one.answerable and one.single]
    turns = {text: understood(engine, text, limits, today).parts for text in plain}
    return [text for text, parts in turns.items() if len(parts) == 1 and isinstance(parts[0].decision, Answer)]


@asynccontextmanager
async def crowd(
    bench: Bench, wanted: Configuration, folder: Path, database: str | None
) -> AsyncIterator[tuple[Stage, Askers]]:
    """Bots at work and a thousand candidates, the first of whom have been answered."""
    api = BotApi(TOKEN)
    people = [api.user(f"Person{number}") for number in range(CANDIDATES)]
    askers = Askers(api, people, bench.questions, Random(1))
    index, cache = bench.index, bench.settings.cache_dir.absolute()
    async with (
        serve(api) as address,
        stage(api, address, folder, index=index, cache=cache, database=database, bots=wanted.workers) as scene,
    ):
        listening = asyncio.create_task(askers.listen())
        for bot in scene.bots:
            if bench.profile:
                bot.arguments = ("--profile", str(bench.profile.absolute() / f"{wanted}-{bot.name}.prof"))
            await bot.start()
        while len(askers.taken) < WARM_UP:
            await askers.keep_waiting(AT_ONCE, 0.1)
        askers.fresh()
        yield scene, askers
        listening.cancel()
        for bot in scene.bots:
            await bot.stop()


async def measure(bench: Bench, wanted: Configuration, folder: Path, database: str | None) -> Measured:
    """One configuration from start to end."""
    async with crowd(bench, wanted, folder, database) as (scene, askers):
        watching = asyncio.create_task(peak_mb(scene.bots))  # cancelled with everything else if something fails
        before, used, begun = await figures(scene.bots), processors(scene.bots), perf_counter()
        await askers.keep_waiting(AT_ONCE, bench.seconds)
        took, sustained = perf_counter() - begun, askers.fresh()
        tell(
            wanted, shares(before, await figures(scene.bots)), spent(used, processors(scene.bots)), took, len(sustained)
        )
        await askers.answered(PATIENCE)
        askers.fresh()
        await askers.keep_asking(CEILING, bench.seconds)
        await askers.answered(PATIENCE)
        at_ceiling = latency(askers.fresh())
        watching.cancel()
        peak = await watching
    found = latency(sustained)
    return Measured(
        database=wanted.database,
        workers=wanted.workers,
        answers_per_second=round(len(sustained) / took, 1),
        p50_ms=found.p50,
        p95_ms=found.p95,
        p99_ms=found.p99,
        p95_ms_at_30=at_ceiling.p95,
        forward_ms=bench.forward_ms,
        lost=askers.waiting,
        peak_mb=peak,
    )


async def soak(
    bench: Bench, wanted: Configuration, folder: Path, database: str | None, updates: int
) -> dict[str, object]:
    """Memory after each tenth of so many updates."""
    held = []
    async with crowd(bench, wanted, folder, database) as (scene, askers):
        for tenth in range(1, 11):
            while askers.asked - askers.waiting < updates * tenth / 10:
                await askers.keep_waiting(AT_ONCE, 0.5)
            askers.fresh()
            held.append(memory_mb(bot.pid for bot in scene.bots))
            err.print(f"{wanted}: {askers.asked} asked, {held[-1]} MB")
        await askers.answered(PATIENCE)
    return {"database": wanted.database, "workers": wanted.workers, "updates": updates, "mb": held}


def tell(
    wanted: Configuration, stages: Mapping[str, float], used: Mapping[str, float], took: float, answers: int
) -> None:
    """Where time went, for people."""
    waited = ", ".join(f"{stage} {share:.0%}" for stage, share in stages.items())
    cores = ", ".join(f"{name} {seconds / took:.0%}" for name, seconds in used.items())
    each = ", ".join(f"{name} {seconds / max(answers, 1) * 1000:.1f} ms" for name, seconds in used.items())
    err.print(f"{wanted}: from update to answer: {waited}; of a core: {cores}; of a processor an answer: {each}")


def processors(bots: Sequence[Bot]) -> dict[str, float]:
    """Processor seconds used so far by the parts of each bot, and by the server with the candidates."""
    parts = {f"{bot.name}'s {part}": used for bot in bots for part, used in processor_seconds(bot.pid).items()}
    return parts | {"server and candidates": process_time()}


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was used between two readings."""
    return {name: after[name] - before[name] for name in before}


def main(
    seconds: Annotated[float, typer.Option(min=1, help="how long each half of a configuration runs")] = 20,
    only: Annotated[str | None, typer.Option(help="one configuration, such as sqlite-1 or postgresql-2")] = None,
    profile: Annotated[Path | None, typer.Option(help="a folder for what cProfile sees in each bot")] = None,
    updates: Annotated[int, typer.Option("--soak", help="memory after so many updates instead")] = 0,
) -> None:
    """Measure answers a second, waiting times and memory."""
    chosen = [one for one in CONFIGURATIONS if only in (None, str(one))]
    if not chosen:
        raise typer.BadParameter(f"there are {', '.join(map(str, CONFIGURATIONS))}")
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    with plainly(), progress_bar() as step, TemporaryDirectory() as name, ExitStack() as servers:
        folder, settings = Path(name), load_settings()
        index = index_of_our_own(settings, folder / "index", step)
        engine = open_engine(settings.model, settings.cache_dir, index)
        questions = questions_answered(engine, settings)
        forward = forward_ms(prepare(settings.model, settings.cache_dir), questions)
        bench = Bench(settings, index, questions, forward, seconds, profile)
        for wanted in chosen:
            step(str(wanted), 0, 0)
            database = database_for(wanted, servers)
            if updates:
                print(json.dumps(asyncio.run(soak(bench, wanted, folder / str(wanted), database, updates))), flush=True)
            else:
                found = asyncio.run(measure(bench, wanted, folder / str(wanted), database))
                print(json.dumps(asdict(found)), flush=True)
    if load > BUSY:
        err.print(f"The machine was busy before ({load:.0%} of its cores): these figures are too bad.")


def database_for(wanted: Configuration, servers: ExitStack) -> str | None:
    """The address of a new database; None where it is a file in the data folder."""
    if wanted.database == "sqlite":
        return None
    postgres = servers.enter_context(running(settings=()))
    return postgres.url(servers.enter_context(postgres.database()))


if __name__ == "__main__":
    typer.run(main)
