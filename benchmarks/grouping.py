"""How well questions that nothing answers are grouped by theme, as /gaps and /stats do it.

    python benchmarks/grouping.py [FILE]

FILE has themes with questions in both languages (tests/data/themes.yaml): some that the knowledge has never heard of,
some that it has a draft about. The index is the live one. Prints JSON lines: for each confidence from which a question
is taken to be about what is found (`likely`; the one in use is marked), of all pairs of questions

precision: of those that are grouped together, the share that are of one theme
recall: of those that are of one theme, the share that are grouped together
themes_recall: the same among questions about things that the knowledge has never heard of
known, strays: the share of questions about a draft that are taken for that; of others that are taken for some entry
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))  # to run as a script

from bot.console import plainly
from bot.desk.gaps import LIKELY
from bot.desk.grouping import groups, view_of
from bot.indexing import open_for
from bot.settings import load_settings
from indexer.engine import Engine
from indexer.entries import LANGUAGES, Language

THEMES = Path(__file__).parents[1] / "tests" / "data" / "themes.yaml"
TRIED = (0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1.01)
HELP = (__doc__ or "").replace("\n\n", "\n\n\b\n")  # lines stay lines

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question, the number of its theme, and the entry that it is about, if there is one."""

    text: str
    language: Language
    theme: int
    entry: str


@dataclass(frozen=True, slots=True)
class Grouping:
    """How pairs of questions are grouped; shares, as `--help` explains them."""

    likely: float
    precision: float
    recall: float
    themes_recall: float
    known: float
    strays: float


def themes(path: Path = THEMES) -> list[Labelled]:
    """The questions of a file."""
    read: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [
        Labelled(text, language, number, theme.get("entry", ""))
        for number, theme in enumerate(read)
        for language in LANGUAGES
        for text in theme[language]
    ]


def measured(engine: Engine, labelled: Sequence[Labelled], likely: float) -> Grouping:
    """Group the questions as `bot.desk.gaps` does, and compare."""
    hits = [engine.find(one.text, one.language)[0] for one in labelled]
    taken = np.array([hit.entry.id if hit.confidence >= likely else "" for hit in hits])
    group = np.unique(taken, return_inverse=True)[1].astype(np.int64)
    free, seen = np.flatnonzero(taken == ""), view_of(engine.snapshot)
    vectors = seen.of(engine.encoder.queries([labelled[row].text for row in free.tolist()]))
    for number, rows in enumerate(groups(vectors, seen.alike)):
        group[free[rows]] = len(labelled) + number
    pairs = np.triu_indices(len(labelled), 1)
    theme, entry = np.array([one.theme for one in labelled]), np.array([one.entry for one in labelled])
    together, alike = group[pairs[0]] == group[pairs[1]], theme[pairs[0]] == theme[pairs[1]]
    unheard = alike & (entry[pairs[0]] == "")
    return Grouping(
        likely,
        precision=_share(alike[together]),
        recall=_share(together[alike]),
        themes_recall=_share(together[unheard]),
        known=_share((taken == entry)[entry != ""]),
        strays=_share((taken != "")[entry == ""]),
    )


def _share(values: Any) -> float:
    return round(float(np.mean(values)), 3) if len(values) else 0.0


@app.command(help=HELP)
def main(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)] = THEMES) -> None:
    """Group the questions with several limits."""
    with plainly():
        engine = open_for(load_settings())
        for likely in TRIED:
            print(json.dumps(asdict(measured(engine, themes(file), likely)) | {"used": likely == LIKELY}), flush=True)


if __name__ == "__main__":
    app()
