"""Time and memory to build an index, to build it again after one change, and to search it; beside LangChain's FAISS.

    python benchmarks/index.py [--sizes 1000,10000,100000]

Texts are made up and vectors are given, the same to both, so that neither waits for a model. Every part runs in a
process of its own, one at a time, with one thread. Memory is the most that the process has held, mapped files that it
has looked at included. Prints one JSON line a size:

passages, encoded: in the index; of which had no vector yet after one entry had changed
build_s, build_mb: from entries to a snapshot on disk, hashed
rebuild_s, rebuild_mb: the same after one entry has changed, on the snapshot before
open_s, open_mb: to open the snapshot; memory of the process that then searches
index, recall, stated: its kind; share of the ten nearest that are among the 300 found; what its manifest states
nearest_ms: those 300 vectors, ten with LangChain; median, as all times in milliseconds
question_ms, question_cpu_ms: a whole search: vectors, words, n-grams, and all features of the hits; and the processor
time that it takes, which other work on the machine does not lengthen as much
langchain_build_s, _build_mb, _rebuild_s, _rebuild_mb, _open_s, _open_mb, _nearest_ms: LangChain's FAISS, which
compares everything, has neither words nor hashes, and is told what to take out; null where it is not installed
"""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

sys.path.insert(0, str(Path(__file__).parents[1]))  # to run as a script

from benchmarks.made_up import EACH, lay_out
from bot.console import plainly, progress_bar
from indexer.engine import Step

SMALLEST = 2 * EACH  # passages: an entry in two languages
PARTS = ("build", "rebuild", "search")
HELP = (__doc__ or "").replace("\n\n", "\n\n\b\n")  # lines stay lines

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def measured(size: int, step: Step) -> dict[str, Any]:
    """All figures for one size."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        step(f"Making up {size} passages", 0, 0)
        passages = lay_out(size, folder)
        ours = _parts("guichet", size, folder, step)
        theirs = _parts("langchain", size, folder, step) if find_spec("langchain_community") else {}
    figures = {
        "passages": passages,
        "encoded": ours["rebuild"]["encoded"],
        **_costs(ours),
        "index": ours["search"]["kind"],
        "recall": ours["search"]["recall"],
        "stated": ours["search"]["stated"],
        "nearest_ms": ours["search"]["nearest_ms"],
        "question_ms": ours["search"]["question_ms"],
        "question_cpu_ms": ours["search"]["question_cpu_ms"],
        **{f"langchain_{name}": value for name, value in _costs(theirs).items()},
        "langchain_nearest_ms": theirs["search"]["nearest_ms"] if theirs else None,
    }
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in figures.items()}


def _parts(who: str, size: int, folder: Path, step: Step) -> dict[str, Any]:
    found = {}
    for part in PARTS:
        step(f"{size} passages, {who}: {part}", 0, 0)
        script = str(Path(__file__).with_name("indexing.py"))
        command = [sys.executable, "-W", "ignore", script, f"{who}-{part}", str(size), str(folder)]
        found[part] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    return found


def _costs(found: dict[str, Any]) -> dict[str, float | None]:
    return {
        f"{name}_{unit}": found[part][key] if found else None
        for part, name in (("build", "build"), ("rebuild", "rebuild"), ("search", "open"))
        for unit, key in (("s", "seconds"), ("mb", "mb"))
    }


@app.command(help=HELP)
def main(
    sizes: Annotated[str, typer.Option(help="numbers of passages, with commas between")] = "1000,10000,100000",
) -> None:
    """Measure how indexes of several sizes are built, built again, and searched."""
    try:
        numbers = [int(size) for size in sizes.split(",")]
    except ValueError as error:
        raise typer.BadParameter(f"{sizes!r} are not numbers with commas between") from error
    if min(numbers) < SMALLEST:
        raise typer.BadParameter(f"{min(numbers)} passages are too few: at least {SMALLEST}")
    with plainly(), progress_bar() as step:
        for size in numbers:
            print(json.dumps(measured(size, step)), flush=True)


if __name__ == "__main__":
    app()
