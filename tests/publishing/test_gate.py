import json
from datetime import date
from pathlib import Path

import pytest

from bot.dialogue.decide import UNTRAINED, Limits
from bot.evaluation.golden import Golden
from bot.evaluation.judging import Outcome, judge
from bot.publishing.gate import EXAMINED, GateError, Verdict, examination, limits_of, points
from indexer import store
from indexer.confidence import load, save
from indexer.encoder import OnnxEncoder
from indexer.engine import TRAINED, index
from indexer.entries import KnowledgeError

GOLDEN = """\
- {ask: "What temperature does the oven for clay reach?", language: en, expect: kiln}
- {ask: "Will it rain tomorrow in Lille?", language: en, expect: escalate}
"""
TODAY = date(2026, 11, 22)
PAGE = """\
---
course: pottery
topic: classes
language: en
source: The workshop's leaflet
reviewed: 2026-09-01
---

## How hot is the kiln? {#kiln}

Also asked:
- What is the temperature of the oven?
- How many degrees does the kiln reach?

It reaches 1,240 degrees.

## Which clay do we use? {#clay}

Stoneware from the valley.
"""
WORSE = PAGE.replace(PAGE[PAGE.index("## How hot") : PAGE.index("## Which clay")], "").replace(
    "## Which clay do we use? {#clay}",
    "## Which clay do we use? {#clay}\n\nAlso asked:\n- What temperature does the clay oven reach?",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    knowledge = tmp_path / "knowledge"
    knowledge.mkdir()
    (knowledge / "classes.en.md").write_text(PAGE, encoding="utf-8")
    (knowledge / "golden.yaml").write_text(GOLDEN, encoding="utf-8")
    return knowledge


def build(folder: Path, encoder: OnnxEncoder, root: Path, *, reason: str = "") -> tuple[str, ...]:
    examine = examination(folder, 0.03, TODAY, lambda *_: None, reason=reason)
    return index(folder, encoder, root, examine=examine).told


def without_the_kiln(folder: Path) -> None:
    """The kiln's answer goes to a page that nobody would look for it on; the golden file still knows the id."""
    (folder / "classes.en.md").write_text(WORSE, encoding="utf-8")
    elsewhere = PAGE[: PAGE.index("## How")] + "## Where are the chairs? {#kiln}\n\nAlong the wall.\n"
    (folder / "chairs.en.md").write_text(elsewhere, encoding="utf-8")


def test_a_first_index_is_measured_and_its_scores_are_kept(folder: Path, encoder: OnnxEncoder, tmp_path: Path) -> None:
    root = tmp_path / "index"
    assert build(folder, encoder, root)[0].startswith("Golden questions: ")
    live = store.live(root)
    assert live
    assert (live / EXAMINED).is_file()


def test_an_index_that_does_worse_is_refused_with_each_loss(folder: Path, encoder: OnnxEncoder, tmp_path: Path) -> None:
    root = tmp_path / "index"
    build(folder, encoder, root)
    before = store.live(root)
    without_the_kiln(folder)
    with pytest.raises(GateError, match=r"golden\.yaml:1: .*finds"):
        build(folder, encoder, root)
    assert store.live(root) == before
    told = build(folder, encoder, root, reason="the fair")
    assert "Overruled (the fair):" in told
    assert store.live(root) != before


def test_a_golden_file_with_unknown_ids_refuses_the_index(folder: Path, encoder: OnnxEncoder, tmp_path: Path) -> None:
    (folder / "golden.yaml").write_text('- {ask: "A?", language: en, expect: nowhere}\n', encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"golden\.yaml:1: expects nowhere"):
        build(folder, encoder, tmp_path / "index")
    assert store.live(tmp_path / "index") is None


def test_without_golden_questions_nothing_is_promised(folder: Path, encoder: OnnxEncoder, tmp_path: Path) -> None:
    (folder / "golden.yaml").unlink()
    indexed = index(folder, encoder, tmp_path, examine=examination(folder, 0.03, TODAY, lambda *_: None))
    assert "nothing checks" in indexed.told[0]
    assert limits_of(indexed.engine.snapshot) == (UNTRAINED, None)


def test_golden_questions_that_are_new_are_asked_though_no_entry_is(
    folder: Path, encoder: OnnxEncoder, tmp_path: Path
) -> None:
    golden = folder / "golden.yaml"
    golden.unlink()
    build(folder, encoder, tmp_path / "index")
    golden.write_text(GOLDEN, encoding="utf-8")
    assert build(folder, encoder, tmp_path / "index")[0].endswith("of 2.")
    live = store.live(tmp_path / "index")
    assert live
    assert (live / EXAMINED).is_file()
    assert build(folder, encoder, tmp_path / "index") == ()  # the same questions once more
    golden.write_text(GOLDEN + '- {ask: "Is there tea?", language: en, expect: escalate}\n', encoding="utf-8")
    assert build(folder, encoder, tmp_path / "index")[0].endswith("of 3.")


def test_few_golden_questions_leave_the_default_threshold(folder: Path, encoder: OnnxEncoder, tmp_path: Path) -> None:
    indexed = index(folder, encoder, tmp_path, examine=examination(folder, 0.03, TODAY, lambda *_: None))
    limits, kept = limits_of(indexed.engine.snapshot)
    assert limits == UNTRAINED
    assert kept
    assert not kept.certified


def test_a_school_that_has_not_trained_offers_more_of_what_may_answer(
    folder: Path, encoder: OnnxEncoder, tmp_path: Path
) -> None:
    untrained = limits_of(index(folder, encoder, tmp_path).engine.snapshot)[0]
    save(load(), folder / TRAINED)
    trained = limits_of(index(folder, encoder, tmp_path).engine.snapshot)[0]
    assert trained == Limits()
    assert untrained.maybe < trained.maybe
    assert untrained.answer == trained.answer


def test_a_wrong_answer_costs_what_three_right_ones_bring(folder: Path, encoder: OnnxEncoder, tmp_path: Path) -> None:
    engine = index(folder, encoder, tmp_path).engine
    (right,) = judge(engine, [Golden(ask="How hot is the kiln?", language="en", expect=("kiln",))], Limits(), TODAY)
    (wrong,) = judge(engine, [Golden(ask="How hot is the kiln?", language="en", expect=("clay",))], Limits(), TODAY)
    assert (right.outcome, wrong.outcome) == (Outcome.RIGHT, Outcome.WRONG)
    assert points([right, right, right, wrong]) == 0


BOTH = PAGE.replace("language: en", "language: fr").replace("How hot is the kiln?", "Quelle chaleur ?")


def test_an_entry_that_loses_its_translation_is_refused_by_place(
    folder: Path, encoder: OnnxEncoder, tmp_path: Path
) -> None:
    (folder / "classes.fr.md").write_text(BOTH, encoding="utf-8")
    build(folder, encoder, tmp_path / "index")
    (folder / "classes.fr.md").write_text(BOTH.replace("It reaches 1,240 degrees.", "TODO"), encoding="utf-8")
    with pytest.raises(GateError, match=r"classes\.en\.md:9: 'kiln' has lost its French version"):
        build(folder, encoder, tmp_path / "index")
    assert len(store.history(tmp_path / "index")) == 1  # what was refused is not kept
    (folder / "classes.fr.md").unlink()
    assert any("'clay' has lost" in line for line in build(folder, encoder, tmp_path / "index", reason="closed"))


def test_a_certified_promise_is_not_lost_silently(folder: Path, encoder: OnnxEncoder, tmp_path: Path) -> None:
    build(folder, encoder, tmp_path / "index")
    live = store.live(tmp_path / "index")
    assert live
    sure = {"golden": 200, "confidence": [0.99] * 200, "right": [True] * 200}
    (live / EXAMINED).write_text(json.dumps(sure), encoding="utf-8")
    (folder / "classes.en.md").write_text(PAGE.replace("the valley", "the hills"), encoding="utf-8")
    with pytest.raises(GateError, match="error rate, certified for the live index, is not certified"):
        build(folder, encoder, tmp_path / "index")


def test_what_is_gained_is_named_too(folder: Path, encoder: OnnxEncoder, tmp_path: Path) -> None:
    without_the_kiln(folder)
    build(folder, encoder, tmp_path / "index")
    (folder / "chairs.en.md").unlink()
    (folder / "classes.en.md").write_text(PAGE, encoding="utf-8")
    seen: list[Verdict] = []
    examine = examination(folder, 0.03, TODAY, lambda *_: None, told=seen.append)
    index(folder, encoder, tmp_path / "index", examine=examine)
    assert seen[0].refusals == seen[0].lost == ()
    assert seen[0].gained[0].startswith("golden.yaml:1: ")
    assert seen[0].gained[0].endswith("finds kiln")
