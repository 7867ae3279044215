"""The gate: a new index goes live only if the golden questions fare no worse with it than with the live one."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bot.dialogue.decide import Limits
from bot.evaluation.figures import scored
from bot.evaluation.golden import Golden, golden_file, read_golden
from bot.evaluation.judging import Judged, Outcome, Remembering, judge
from bot.evaluation.promise import Promise, promise
from indexer.engine import Engine, Examine, Step
from indexer.snapshot import Snapshot

EXAMINED = "examined.json"  # beside the snapshot's files; not one of those that its manifest vouches for
GOOD = (Outcome.RIGHT, Outcome.ASKED)
# A wrong answer costs what three right ones bring: people who are told something wrong do not ask again.
POINTS = {Outcome.RIGHT: 2, Outcome.ASKED: 1, Outcome.MISSED: 0, Outcome.WRONG: -6}
SHOWN_LOSSES = 10


class GateError(Exception):
    """The new index does worse on the golden questions; the message names each loss and how to overrule."""


def examination(knowledge: Path, most_wrong: float, today: date, progress: Step, *, force: bool = False) -> Examine:
    """Look at a new engine with the golden questions of the knowledge folder, if it has some.

    Its scores are kept beside the snapshot, since thresholds follow from them. Raises GateError if it is worse than
    the live one (unless forced), KnowledgeError if the golden file is wrong.
    """

    def examine(new: Engine, live: Engine | None) -> tuple[str, ...]:
        path = golden_file(knowledge)
        if path is None:
            return ("No golden.yaml beside the knowledge: nothing checks whether this index answers well.",)
        known = {entry.id for entry in new.snapshot.entries}
        golden = read_golden(path, known)
        encoder = Remembering(new.encoder)
        ask = partial(judge, questions=golden, today=today)
        judged = ask(
            replace(new, encoder=encoder),
            limits=Limits(),
            progress=lambda done, total: progress("Golden questions", done, total),
        )
        _keep(new.snapshot.folder, judged)
        limits = limits_of(new.snapshot, most_wrong)[0]
        if limits != Limits():
            judged = ask(replace(new, encoder=encoder), limits=limits)
        told = [_summary(judged)]
        if live:
            before = ask(replace(live, encoder=encoder), limits=limits_of(live.snapshot, most_wrong)[0])
            losses = _losses(before, judged)
            if points(judged) < points(before):
                text = "\n".join([f"The index does worse on the golden questions:\n{_summary(judged)}", *losses])
                if not force:
                    raise GateError(f"{text}\nNothing was changed. Mend this, or overrule with --force.")
                told += ["Overruled with --force:", *losses]
        return tuple(told)

    return examine


def points(judged: Sequence[Judged]) -> int:
    """How well an index does, as one number."""
    return sum(POINTS[one.outcome] for one in judged)


def _count(judged: Sequence[Judged], *outcomes: Outcome) -> int:
    return sum(one.outcome in outcomes for one in judged)


def _summary(judged: Sequence[Judged]) -> str:
    counts = ", ".join(f"{_count(judged, outcome)} {outcome}" for outcome in Outcome)
    return f"Golden questions: {counts}, of {len(judged)}."


def _losses(before: Sequence[Judged], after: Sequence[Judged]) -> list[str]:
    """Each question that was well treated and is not any more, with what is found instead."""
    lost = [
        f"  golden.yaml:{new.golden.line}: {_short(new.golden)} was {old.outcome}, is {new.outcome}: {_found(new)}"
        for old, new in zip(before, after, strict=True)
        if (old.outcome in GOOD and new.outcome not in GOOD) or (new.outcome is Outcome.WRONG is not old.outcome)
    ]
    more = [f"  and {len(lost) - SHOWN_LOSSES} more"] if len(lost) > SHOWN_LOSSES else []
    return lost[:SHOWN_LOSSES] + more


def _short(golden: Golden) -> str:
    return repr(golden.ask if len(golden.ask) <= 60 else golden.ask[:59] + "…")


def _found(judged: Judged) -> str:
    first = judged.hits[:1]
    return f"finds {first[0].entry.id}" if first else "finds nothing"


def _keep(folder: Path, judged: Sequence[Judged]) -> None:
    """Write the golden questions' confidences, from which thresholds follow for any promised error rate."""
    confidence, right = scored(judged)
    data = {"golden": len(judged), "confidence": confidence.round(4).tolist(), "right": right.tolist()}
    (folder / EXAMINED).write_text(json.dumps(data), encoding="utf-8")


def limits_of(snapshot: Snapshot, most_wrong: float = 0.03) -> tuple[Limits, Promise | None]:
    """The thresholds for at most this share of wrong answers; the promise is None without golden questions.

    With too few golden questions to certify one, the default thresholds hold.
    """
    try:
        data: dict[str, Any] = json.loads((snapshot.folder / EXAMINED).read_text(encoding="utf-8"))
        kept = promise(np.array(data["confidence"], float), np.array(data["right"], bool), most_wrong)
    except (OSError, ValueError, KeyError):
        return Limits(), None
    return (Limits(answer=kept.answer) if kept.certified else Limits()), kept
