import json
from dataclasses import asdict, replace
from math import exp
from pathlib import Path

import numpy as np
import pytest

from indexer.confidence import CalibratorError, fit, load, save
from indexer.engine import Engine
from indexer.features import FEATURES
from indexer.passages import Hit
from tests.indexer.examples import entry

PLAIN = replace(load(), weights=tuple(0.1 * number for number in range(len(FEATURES))), bias=-1.0, pairs=10)


def hit(*first: float) -> Hit:
    return Hit(entry(), 1.0, (*first, *[0.0] * (len(FEATURES) - len(first))))


def test_confidence_is_the_logistic_formula() -> None:
    (rated,) = PLAIN.rated([hit(5, 1, 2)])
    assert rated.confidence == pytest.approx(1 / (1 + exp(-(-1.0 + 0.1 * 1 + 0.2 * 2))))
    assert replace(rated, confidence=0.0) == hit(5, 1, 2)


def test_an_entrys_own_question_is_certain() -> None:
    assert PLAIN.rated([replace(hit(-1e9), verbatim=True)])[0].confidence == 1


def test_no_hits_have_no_confidence() -> None:
    assert PLAIN.rated([]) == ()


@pytest.mark.parametrize(("value", "confidence"), [(1e9, 1.0), (-1e9, 0.0)])
def test_extremes_stay_probabilities(value: float, confidence: float) -> None:
    (rated,) = PLAIN.rated([hit(0, value)])
    assert rated.confidence == pytest.approx(confidence, abs=1e-9)


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    save(PLAIN, tmp_path / "calibrator.json")
    assert load(tmp_path / "calibrator.json") == PLAIN


def test_the_one_that_comes_with_guichet_fits_its_features() -> None:
    assert load().features == FEATURES


def written(**changes: object) -> str:
    return json.dumps(asdict(PLAIN) | changes)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is not a calibrator"),
        ("[]", "is not a calibrator"),
        ("{}", "is not a calibrator"),
        (written(weights=None), "is not a calibrator"),
        (written(bias="much"), "is not a calibrator"),
        (
            written(features=["cosine"]),
            "was fitted by another version of Guichet: run 'guichet index', then 'guichet train'",
        ),
        (
            written(features=FEATURES[::-1]),
            "was fitted by another version of Guichet: run 'guichet index', then 'guichet train'",
        ),
        (
            written(fusion=[0.1]),
            "was fitted by another version of Guichet: run 'guichet index', then 'guichet train'",
        ),
        (
            written(heads=[]),
            "was fitted by another version of Guichet: run 'guichet index', then 'guichet train'",
        ),
        (
            written(weights=[0.1]),
            "was fitted by another version of Guichet: run 'guichet index', then 'guichet train'",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "calibrator.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CalibratorError, match=reason):
        load(path)


def test_without_a_file_of_ones_own_the_one_that_comes_with_guichet_is_used(tmp_path: Path) -> None:
    assert load(tmp_path / "none.json") == load()


def test_fitting_learns_what_tells_right_from_wrong() -> None:
    chance = np.random.default_rng(1)
    features = chance.normal(size=(400, len(FEATURES))).astype(np.float32)
    answers = features[:, 3] > 0.2
    fitted = fit(features, answers, PLAIN.fusion)
    assert (fitted.pairs, fitted.fusion) == (400, PLAIN.fusion)
    assert np.mean((fitted.confidences(features.tolist()) > 0.5) == answers) > 0.95


def test_what_is_known_is_surer_than_what_is_not(engine: Engine) -> None:
    """The engine's own calibrator, on clear cases: an answered question and those of another world."""
    known = engine.find("Who are the lecturers?", "en")[0]
    strange = [engine.find(question, "en")[0] for question in ("How do I descale a kettle?", "Best pizza in Naples?")]
    assert all(known.confidence > hit.confidence + 0.3 for hit in strange)
