"""How long a question takes: ours, LangChain's FAISS + BM25 ensemble, and the bare forward pass of the same model.

    python benchmarks/query.py [--documents documents.json] [--rounds 300]

All have the same entries: those of GUICHET_KNOWLEDGE_DIR, or a course FAQ. Each runs in a process of its own, one at a
time: every round asks all of them the same question, each round beginning with another one, so that whatever else the
machine does hits all alike. Beside the clock's stands the processor's time, all threads together (the median, in ms),
which depends less on that. LangChain is measured twice: with sentence-transformers, its usual encoder and what
`langchain_p50_ms` tells, and with the product's ONNX encoder. The forward pass is the ONNX file alone, its input ready.

Start is from the start of the process to the first answer, with model and index at hand, and so is memory: both are of
a process that has loaded all that `guichet run` loads.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import typer

sys.path.insert(0, str(Path(__file__).parents[1]))  # to run as a script

from benchmarks.faq import entry, read_documents
from benchmarks.remembering import RememberingEncoder
from bot.console import plainly, progress_bar
from bot.settings import Settings, load_settings
from indexer import store
from indexer.building import build
from indexer.encoder import OnnxEncoder
from indexer.engine import Step
from indexer.entries import Entry, plain
from indexer.model import DEFAULT_MODEL, ModelNotReady, prepare
from indexer.readers import read_knowledge

WARM_UP = 20  # rounds that do not count
STARTS = 3
NAMES = {
    "guichet": "Guichet",
    "forward": "bare forward pass",
    "langchain-torch": "LangChain, sentence-transformers",
    "langchain-onnx": "LangChain, the same ONNX encoder",
}
LANGCHAIN = ("langchain_classic", "langchain_community", "rank_bm25")
# Threads of one contender must not spin while another has its turn: with sentence-transformers' they would.
QUIET = {"OMP_WAIT_POLICY": "PASSIVE", "TRANSFORMERS_VERBOSITY": "error", "TQDM_DISABLE": "1"}
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}  # the first start compiles all modules, as installing does
BUSY = 0.5  # of the cores, by others, before anything is measured
Question = tuple[str, str]


class Contender:
    """A process that answers; `started` is how many seconds passed before its first answer."""

    def __init__(self, name: str, folder: Path, first: Question) -> None:
        begun, self.name = perf_counter(), name
        command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("contenders.py")), name, str(folder)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | QUIET | COMPILED
        )
        self.ask(first)
        self.started = perf_counter() - begun

    def ask(self, question: Question) -> tuple[float, float]:
        """Milliseconds that one answer took: by the clock, and of the processor's time."""
        assert self._process.stdin  # opened with a pipe
        print(json.dumps(question), file=self._process.stdin, flush=True)
        clock, processor = self._read()
        return float(clock), float(processor)

    def close(self) -> float:
        """End the process; gives the megabytes that it held, or raises RuntimeError if it does not end well."""
        assert self._process.stdin
        self._process.stdin.close()
        held = float(self._read())
        if code := self._process.wait():
            raise RuntimeError(f"{self.name} ended with code {code}; its reason stands above")
        return held

    def _read(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} gave up; its reason stands above")
        return json.loads(line)


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of all rounds, by the clock and of the processor, megabytes held, seconds to the first answer."""

    times: list[float]
    worked: list[float]
    megabytes: float
    started: float

    @property
    def p50(self) -> float:
        """The median."""
        return float(np.percentile(self.times, 50))

    @property
    def processor(self) -> float:
        """The median of the processor's time, which hardly depends on what else the machine does."""
        return float(np.percentile(self.worked, 50))

    @property
    def p95(self) -> float:
        """What one round in twenty exceeds."""
        return float(np.percentile(self.times, 95))


def lay_out(entries: Sequence[Entry], settings: Settings, folder: Path, step: Step, torch: bool) -> None:
    """Write what contenders read: our index, the same entries with vectors for LangChain, and where the models are."""
    model = prepare(settings.model, settings.cache_dir, step)
    encoder = RememberingEncoder(OnnxEncoder(model), settings.cache_dir / "benchmarks")
    root = folder / "index"
    built = build(entries, encoder, store.snapshot_folder(root), progress=step)
    store.activate(root, built.snapshot_id)
    texts = [" ".join([one.question, *one.also, *plain(one.answer)]) for one in entries]
    np.save(folder / "texts.npy", encoder.passages(texts))
    encoder.save()
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    facts = {
        "model": settings.model,
        "cache": str(settings.cache_dir.absolute()),
        "prepared": str(model.folder.absolute()),
        "query_prefix": model.query_prefix,
        "question": entries[0].question,
        "reference": str(reference(settings, step)) if torch else "",
    }
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def reference(settings: Settings, step: Step) -> Path | str:
    """The model for sentence-transformers; the default one is made once more, since only its ONNX file is kept."""
    if settings.model != DEFAULT_MODEL:
        return settings.model
    folder = settings.cache_dir.absolute() / "benchmarks" / DEFAULT_MODEL
    if not (folder / "model.json").is_file():
        step("Making the model for sentence-transformers", 0, 0)
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "indexer.modelmaker", DEFAULT_MODEL, str(folder)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise ModelNotReady(f"the model for sentence-transformers could not be made: {made.stderr[-500:]}")
    return folder / "sentence-transformers"


def race(names: Sequence[str], folder: Path, questions: Sequence[Question], step: Step) -> dict[str, Measured]:
    """Every round asks all the same question; who begins changes from round to round."""
    starts = []
    for _ in range(STARTS - 1):
        trial = Contender("guichet", folder, questions[0])
        starts.append(trial.started)
        trial.close()
    running = {name: Contender(name, folder, questions[0]) for name in names}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for number, question in enumerate(questions):
        turn = number % len(names)
        for name in [*names[turn:], *names[:turn]]:
            times[name].append(running[name].ask(question))
        step("Asking", number + 1, len(questions))
    found = {}
    for name, contender in running.items():
        clock, worked = (list(values) for values in zip(*times[name][WARM_UP:], strict=True))
        found[name] = Measured(clock, worked, contender.close(), contender.started)
    ours = found["guichet"]
    return found | {"guichet": replace(ours, started=median([*starts, ours.started]))}


def report(found: dict[str, Measured]) -> None:
    """Print a table, the ratios, and the main figures as JSON in the last line."""
    ours = found["guichet"]
    columns = f"{'p50 ms':>8}{'p95 ms':>8}{'ours ÷ it':>11}{'processor':>11}{'ours ÷ it':>11}{'MB':>6}{'start s':>9}"
    print(f"{'one question at a time':<36}{columns}")
    for name, one in found.items():
        start = "–" if name == "forward" else f"{one.started:.2f}"
        clock = f"{one.p50:>8.2f}{one.p95:>8.2f}{ours.p50 / one.p50:>11.2f}"
        worked = f"{one.processor:>11.2f}{ours.processor / one.processor:>11.2f}"
        print(f"{NAMES[name]:<36}{clock}{worked}{one.megabytes:>6.0f}{start:>9}")
    langchain = found.get("langchain-torch")
    if langchain is None:
        print("\nLangChain is not installed, so it is left out: pip install -c constraints.txt -e '.[benchmark]'")
    else:
        print("\nlangchain_p50_ms is that with sentence-transformers.")
    print(
        json.dumps(
            {
                "ours_p50_ms": round(ours.p50, 3),
                "ours_p95_ms": round(ours.p95, 3),
                "langchain_p50_ms": langchain and round(langchain.p50, 3),
                "forward_p50_ms": round(found["forward"].p50, 3),
                "serving_mb": round(ours.megabytes, 1),
                "start_s": round(ours.started, 2),
            }
        )
    )


def main(
    documents: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="a course FAQ; or else GUICHET_KNOWLEDGE_DIR")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="how many questions are timed")] = 300,
) -> None:
    """Measure how long a question takes."""
    with plainly(), progress_bar() as step, TemporaryDirectory() as folder:
        settings = load_settings()
        try:
            entries = (
                [entry(one) for one in read_documents(documents)]
                if documents
                else list(read_knowledge(settings.knowledge_dir).entries)
            )
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        if not entries:
            raise typer.BadParameter(f"{documents} holds no entry")
        asked = [(text, one.language) for one in entries for text in (one.question, *one.also)]
        questions = random.Random(0).choices(asked, k=WARM_UP + rounds)
        chain = all(find_spec(name) for name in LANGCHAIN)
        load = os.getloadavg()[0] / (os.cpu_count() or 1)
        names = [name for name in NAMES if chain or not name.startswith("langchain")]
        lay_out(entries, settings, Path(folder), step, torch=chain)
        found = race(names, Path(folder), questions, step)
    if load > BUSY:
        print(f"The machine was busy before ({load:.0%} of its cores): times are too long, ratios less so.\n")
    report(found)


if __name__ == "__main__":
    typer.run(main)
