import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from indexer import confidence
from indexer.confidence import CalibratorError
from indexer.engine import TRAINED, index
from indexer.features import DEFAULT_FUSION, FEATURES, PARTS
from indexer.training import STEPS, Example, Pair, TooFewError, fit_fusion, train
from tests.indexer.examples import entry
from tests.indexer.standin import WordEncoder

WORDS = ["hot", "warm", "degrees", "temperature", "burns", "heat", "fire", "oven"]
KILN = entry("kiln", also=tuple(f"Is the {word} kiln {word} enough?" for word in WORDS))
CLAY = entry("clay", "Which clay?", also=tuple(f"Is the {word} clay {word} enough?" for word in WORDS), answer="Red.")
PRICE = entry("price", "What is the price?", also=tuple(f"Price of {word}?" for word in WORDS), answer="", draft=True)


def example(parts: list[list[float]], right: int) -> Example:
    wide = np.zeros((len(parts), len(PARTS)), np.float32)
    wide[:, : len(parts[0])] = parts
    return Example(Pair("?", "en", "kiln"), None, wide[0], wide, np.arange(len(parts)) == right)  # type: ignore[arg-type]  # not looked at


def test_the_fusion_learns_which_part_tells() -> None:
    telling = [example([[0.2, 0.9 - k / 100], [0.8, 0.1]], 0) for k in range(20)]
    fusion = dict(zip(PARTS, fit_fusion(telling), strict=True))
    assert fusion[PARTS[1]] > fusion[PARTS[0]]
    assert np.linalg.norm(list(fusion.values())) == pytest.approx(np.linalg.norm(DEFAULT_FUSION))


def test_no_examples_leave_the_default() -> None:
    assert fit_fusion([]) == DEFAULT_FUSION


def test_training_holds_questions_out_and_gives_a_calibrator(tmp_path: Path) -> None:
    encoder, root = WordEncoder(), tmp_path / "index"
    folder = written(tmp_path / "knowledge")
    live = index(folder, encoder, root).engine
    steps: list[int] = []
    trained = train(
        (KILN, CLAY, PRICE),
        encoder,
        live.snapshot.folder,
        DEFAULT_FUSION,
        [Pair("Will it rain?", "en", None)] * 4,
        lambda done, _: steps.append(done),
    )
    assert steps == list(range(STEPS + 1))
    assert 0 <= trained.before <= 1
    assert trained.calibrator.features == FEATURES
    # A question and its own entry make the calibrator surer than an unrelated one.
    own = replace(live, calibrator=trained.calibrator).find("How hot is the kiln?", "en")
    other = replace(live, calibrator=trained.calibrator).find("Will it rain tomorrow?", "en")
    assert own[0].entry.id == "kiln"
    assert own[0].confidence > other[0].confidence


@pytest.mark.parametrize(("ways", "fewest"), [(8, 50), (1, 2), (0, 1)])
def test_too_few_pairs_teach_nothing(tmp_path: Path, ways: int, fewest: int) -> None:
    encoder = WordEncoder()
    live = index(written(tmp_path / "knowledge"), encoder, tmp_path / "index").engine
    few = [replace(one, also=one.also[:ways]) for one in (KILN, CLAY)]
    with pytest.raises(TooFewError, match=rf"too few to learn from: .*{fewest} that do.*other ways of asking"):
        train(few, encoder, live.snapshot.folder, DEFAULT_FUSION, fewest=fewest)


def test_a_fixed_fusion_is_kept(tmp_path: Path) -> None:
    encoder = WordEncoder()
    live = index(written(tmp_path / "knowledge"), encoder, tmp_path / "index").engine
    trained = train((KILN, CLAY, PRICE), encoder, live.snapshot.folder, DEFAULT_FUSION, fixed=DEFAULT_FUSION)
    assert trained.calibrator.fusion == pytest.approx(DEFAULT_FUSION)


def test_what_was_trained_goes_with_the_index(tmp_path: Path) -> None:
    encoder, root, folder = WordEncoder(), tmp_path / "index", written(tmp_path / "knowledge")
    first = index(folder, encoder, root).engine
    unsure = replace(first.calibrator, bias=-20.0, weights=(0.0,) * len(FEATURES))
    confidence.save(unsure, folder / TRAINED)
    second = index(folder, encoder, root)
    assert second.built
    assert second.engine.calibrator.bias == -20.0
    assert second.engine.find("So how hot is the kiln?", "en")[0].confidence < 0.01


OLD = json.dumps(asdict(confidence.load()) | {"features": ["cosine"], "weights": [1]})


@pytest.mark.parametrize("content", ['{"fusion": [1]}', OLD])
def test_a_trained_file_of_another_version_is_left_unused_and_told(tmp_path: Path, content: str) -> None:
    folder, root = written(tmp_path / "knowledge"), tmp_path / "index"
    plain = index(folder, WordEncoder(), root)
    (folder / TRAINED).write_text(content, encoding="utf-8")
    indexed = index(folder, WordEncoder(), root)
    assert indexed.built is None  # nothing that counts has changed
    assert [str(warning) for warning in indexed.knowledge.warnings if warning.path == TRAINED] == [
        "trained.json:1: another version of Guichet has learnt this, so it is left unused: "
        "run 'guichet train', then 'guichet index'"
    ]
    assert indexed.engine.calibrator == plain.engine.calibrator == confidence.load()
    confidence.save(confidence.load(), folder / TRAINED)
    assert not [warning for warning in index(folder, WordEncoder(), root).knowledge.warnings if warning.path == TRAINED]


def test_a_trained_file_that_is_damaged_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "knowledge")
    (folder / TRAINED).write_text("<<<<<<< HEAD\n", encoding="utf-8")
    with pytest.raises(CalibratorError, match="guichet train"):
        index(folder, WordEncoder(), tmp_path / "index")


def written(folder: Path) -> Path:
    folder.mkdir()
    page = [
        "---",
        "course: pottery",
        "topic: classes",
        "language: en",
        "source: Leaflet",
        "reviewed: 2026-09-01",
        "---",
    ]
    for item in (KILN, CLAY, PRICE):
        also = [f"- {text}" for text in item.also]
        page += [
            "",
            f"## {item.question} {{#{item.id}}}",
            "",
            "Also asked:",
            *also,
            "",
            item.answer or "TODO: the price",
        ]
    (folder / "classes.en.md").write_text("\n".join(page), encoding="utf-8")
    return folder
