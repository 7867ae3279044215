"""The gate: a new index goes live only if it is no worse than the live one.

Worse means: golden questions fare worse as a whole, a certified error rate is lost, confidences say less, or an entry
has lost its translation. What knowledge files must look like is settled before, when they are read.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bot.dialogue.decide import UNTRAINED, Limits
from bot.evaluation.figures import expected_error, scored
from bot.evaluation.golden import Golden, golden_file, read_golden
from bot.evaluation.judging import Judged, Outcome, Remembering, judge
from bot.evaluation.promise import Promise, promise
from indexer.engine import Engine, Examine, Step
from indexer.entries import Entry
from indexer.readers import GOLDEN
from indexer.snapshot import CALIBRATOR, Snapshot

EXAMINED = "examined.json"  # beside the snapshot's files; not one of those that its manifest vouches for
GOOD = (Outcome.RIGHT, Outcome.ASKED)
# A wrong answer costs what three right ones bring: people who are told something wrong do not ask again.
POINTS = {Outcome.RIGHT: 2, Outcome.ASKED: 1, Outcome.MISSED: 0, Outcome.WRONG: -6}
ENOUGH = 100  # questions from which a mean error of confidences says something
CALIBRATION_SLACK = 0.05  # by how much that error may grow: chance alone moves it a little


class GateError(Exception):
    """The new index does worse than the live one; the message names each loss and how to overrule."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the golden questions say of a new index, beside the live one.

    `refusals` are reasons not to go live, empty if it passes; `lost` and `gained` name questions that fare otherwise.
    """

    summary: str
    refusals: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()

    @property
    def against(self) -> tuple[str, ...]:
        """All that speaks against it, a line each."""
        return (*self.refusals, *(f"  {line}" for line in self.lost)) if self.refusals else ()


Told = Callable[[Verdict], None]


def examination(
    knowledge: Path, most_wrong: float, today: date, progress: Step, *, reason: str = "", told: Told = lambda _: None
) -> Examine:
    """Look at a new engine with the golden questions of the knowledge folder, if it has some.

    Raises GateError if it is worse than the live one, unless a `reason` overrules that; KnowledgeError if the golden
    file is wrong. `told` is given the verdict in any case.
    """

    def examine(new: Engine, live: Engine | None) -> tuple[str, ...]:
        found = verdict(new, live, knowledge, most_wrong, today, progress)
        told(found)
        if found.refusals and not reason:
            text = "\n".join([*found.against, found.summary])
            raise GateError(f"{text}\nNothing was changed. Mend this, or overrule with --force 'the reason'.")
        overruled = (f"Overruled ({reason}):", *found.against) if found.refusals else ()
        return (found.summary, *overruled)

    return examine


def verdict(
    new: Engine, live: Engine | None, knowledge: Path, most_wrong: float, today: date, progress: Step
) -> Verdict:
    """Put the golden questions to both engines; keeps the new one's scores beside it, as thresholds follow from them.

    Raises KnowledgeError if the golden file is wrong.
    """
    halves = tuple(_lost_translations(live.snapshot.entries, new.snapshot.entries)) if live else ()
    path = golden_file(knowledge)
    if path is None:
        text = "No golden.yaml beside the knowledge: nothing checks whether this index answers well (docs/editing.md)."
        return Verdict(text, halves)
    golden = read_golden(
        path, {entry.id for entry in new.snapshot.entries}, [course.name for course in new.snapshot.school]
    )
    encoder = Remembering(new.encoder)
    ask = partial(judge, questions=golden, today=today)

    def step(done: int, total: int) -> None:
        progress("Golden questions", done, total)

    usual = limits_of(new.snapshot)[0]  # nothing is promised of it yet
    judged = ask(replace(new, encoder=encoder), limits=usual, progress=step)
    _keep(new.snapshot.folder, judged)
    limits, kept = limits_of(new.snapshot, most_wrong)
    if limits != usual:
        judged = ask(replace(new, encoder=encoder), limits=limits)
    if live is None:
        return Verdict(_summary(judged))
    old_limits, promised = limits_of(live.snapshot, most_wrong)
    before = ask(replace(live, encoder=encoder), limits=old_limits)
    refusals = (*_worse(before, judged), *_uncalibrated(before, judged, promised, kept), *halves)
    return Verdict(_summary(judged), refusals, _losses(before, judged), _gains(before, judged))


def _lost_translations(before: Iterable[Entry], after: Iterable[Entry]) -> Iterator[str]:
    """Entries that were answered in both languages and are in one alone: the other half of a link is dead."""
    had, has = ({(e.id, e.language) for e in entries if not e.draft} for entries in (before, tuple(after)))
    places = {(entry.id, entry.language): entry for entry in after}
    for id_, language in sorted(had - has):
        here = places.get((id_, "en" if language == "fr" else "fr"))
        if here and (id_, here.language) in has & had:
            name = "French" if language == "fr" else "English"
            yield f"{here.path}:{here.line}: '{id_}' has lost its {name} version: write it, or remove both"


def _worse(before: Sequence[Judged], after: Sequence[Judged]) -> Iterator[str]:
    if points(after) < points(before):
        yield f"The index does worse on the golden questions: {points(after)} points, {points(before)} before."


def _uncalibrated(
    before: Sequence[Judged], after: Sequence[Judged], promised: Promise | None, kept: Promise | None
) -> Iterator[str]:
    """Confidences that have come to mean less: a certified promise lost, or further from the share that is right."""
    if promised and promised.certified and not (kept and kept.certified):
        yield "The promised error rate, certified for the live index, is not certified for this one."
    old, new = (expected_error(*scored(judged)) for judged in (before, after))
    if sum(one.golden.single for one in after) >= ENOUGH and new > old + CALIBRATION_SLACK:
        yield f"Confidences are off by {new:.0%} on average, the live index's by {old:.0%}: see 'guichet eval'."


def points(judged: Sequence[Judged]) -> int:
    """How well an index does, as one number."""
    return sum(POINTS[one.outcome] for one in judged)


def _count(judged: Sequence[Judged], *outcomes: Outcome) -> int:
    return sum(one.outcome in outcomes for one in judged)


def _summary(judged: Sequence[Judged]) -> str:
    counts = ", ".join(f"{_count(judged, outcome)} {outcome}" for outcome in Outcome)
    return f"Golden questions: {counts}, of {len(judged)}."


def _losses(before: Sequence[Judged], after: Sequence[Judged]) -> tuple[str, ...]:
    """Each question that was well treated and is not any more, with what is found instead."""
    return tuple(
        _line(old, new)
        for old, new in zip(before, after, strict=True)
        if (old.outcome in GOOD and new.outcome not in GOOD) or (new.outcome is Outcome.WRONG is not old.outcome)
    )


def _gains(before: Sequence[Judged], after: Sequence[Judged]) -> tuple[str, ...]:
    """Each question that is well treated and was not."""
    return tuple(
        _line(old, new)
        for old, new in zip(before, after, strict=True)
        if new.outcome in GOOD and old.outcome not in GOOD
    )


def _line(old: Judged, new: Judged) -> str:
    return f"{GOLDEN}:{new.golden.line}: {_short(new.golden)} was {old.outcome}, is {new.outcome}: {_found(new)}"


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

    With too few golden questions to certify one, the default thresholds hold; more is offered as a choice where the
    school has not trained.
    """
    usual = Limits() if (snapshot.folder / CALIBRATOR).is_file() else UNTRAINED
    try:
        data: dict[str, Any] = json.loads((snapshot.folder / EXAMINED).read_text(encoding="utf-8"))
        kept = promise(np.array(data["confidence"], float), np.array(data["right"], bool), most_wrong)
    except (OSError, ValueError, KeyError):
        return usual, None
    return (replace(usual, answer=kept.answer) if kept.certified else usual), kept
