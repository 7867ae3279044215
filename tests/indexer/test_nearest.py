from pathlib import Path

import numpy as np
import pytest

from indexer import nearest
from indexer.encoder import Vectors
from indexer.nearest import Before, Nearest

DIMS, MANY = 16, 3_000
ALL = np.arange(MANY)


def clustered(count: int = MANY, seed: int = 0) -> Vectors:
    """Unit vectors around a hundred directions."""
    chance = np.random.default_rng(seed)
    rows = np.random.default_rng(9).normal(size=(100, DIMS))[chance.integers(0, 100, count)]
    rows += 0.5 * chance.normal(size=rows.shape)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few thousand vectors are many."""
    monkeypatch.setattr(nearest, "MOST_EXACT", 1_000)
    monkeypatch.setattr(nearest, "FEW", 200)
    monkeypatch.setattr(nearest, "FOUND", 30)


def written(vectors: Vectors, folder: Path, before: Before | None = None) -> tuple[Nearest, dict[str, object]]:
    folder.mkdir()
    facts = nearest.write(vectors, np.arange(0, len(vectors), 3), folder, before)
    return nearest.load(folder, facts, vectors), facts


def questions(vectors: Vectors) -> Vectors:
    """What stands near some of the vectors, and is none of them."""
    aside = vectors[::50] + 0.3 * np.random.default_rng(5).normal(size=vectors[::50].shape) / DIMS**0.5
    return np.asarray(aside / np.linalg.norm(aside, axis=1, keepdims=True), np.float32)


def recall(index: Nearest, vectors: Vectors, start: int, end: int) -> float:
    """The share of the ten nearest that are among those found, by comparing with everything."""
    found = []
    for question in questions(vectors):
        truth = np.argsort(-(vectors[start:end] @ question))[:10] + start
        found.append(np.isin(truth, index.search(question, 30, [(start, end)])).mean())
    return float(np.mean(found))


@pytest.mark.parametrize(("start", "end"), [(0, 1_000), (100, 300), (990, 1_000)])
def test_few_vectors_are_found_exactly(tmp_path: Path, start: int, end: int) -> None:
    vectors = clustered(1_000)
    index, facts = written(vectors, tmp_path / "index")
    assert facts == {"kind": "flat", "recall": 1.0}
    assert recall(index, vectors, start, end) == 1


def test_few_vectors_are_all_compared_once(tmp_path: Path) -> None:
    vectors = clustered(1_000)
    index, _ = written(vectors, tmp_path / "index")
    parts = [(100, 300), (700, 750)]
    inside = np.concatenate([np.arange(*part) for part in parts])
    cosines = index.cosines(vectors[5], parts)
    assert cosines is not None
    np.testing.assert_allclose(cosines[inside], vectors[inside] @ vectors[5], atol=1e-6)
    assert (np.delete(cosines, inside) == -1).all()
    known = index.search(vectors[5], 30, parts, cosines)
    np.testing.assert_array_equal(known, index.search(vectors[5], 30, parts))
    np.testing.assert_array_equal(known, inside[np.argsort(-cosines[inside], kind="stable")[:30]])


def test_many_vectors_are_not_compared_one_by_one(tmp_path: Path) -> None:
    vectors = clustered()
    index, _ = written(vectors, tmp_path / "index")
    assert index.cosines(vectors[0], [(0, MANY)]) is None


def test_many_vectors_are_found_as_well_as_the_manifest_says(tmp_path: Path) -> None:
    vectors = clustered()
    index, facts = written(vectors, tmp_path / "index")
    assert facts["kind"] == "clusters"
    assert isinstance(facts["recall"], float)
    assert nearest.RECALL <= facts["recall"] <= 1
    assert 0 < index.probes < index.index.nlist  # faster than looking everywhere
    assert recall(index, vectors, 0, MANY) == pytest.approx(facts["recall"], abs=0.03)


@pytest.mark.parametrize(("start", "end"), [(0, 200), (1_500, 1_700), (700, 1_700), (2_999, 3_000)])
def test_a_part_of_many_is_found_as_well_as_all(tmp_path: Path, start: int, end: int) -> None:
    vectors = clustered()
    index, _ = written(vectors, tmp_path / "index")
    assert recall(index, vectors, start, end) >= nearest.RECALL - 0.02
    rows = index.search(vectors[0], 30, [(start, end)])
    assert ((rows >= start) & (rows < end)).all()
    assert (np.diff(vectors[rows] @ vectors[0]) < 0.01).all()  # nearest first, but for rounding to a byte


@pytest.mark.parametrize("parts", [[(10, 60), (2_900, 2_950)], [(0, 700), (2_000, 2_900)]])
def test_several_parts_are_searched_together(tmp_path: Path, parts: list[tuple[int, int]]) -> None:
    vectors = clustered()
    index, _ = written(vectors, tmp_path / "index")
    inside = np.concatenate([np.arange(*part) for part in parts])
    found = []
    for question in questions(vectors):
        rows = index.search(question, 30, parts)
        assert np.isin(rows, inside).all()
        found.append(np.isin(inside[np.argsort(-(vectors[inside] @ question))[:10]], rows).mean())
    assert np.mean(found) >= nearest.RECALL - 0.02


def test_clusters_are_found_once_and_only_new_vectors_are_put_into_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = clustered()
    _, facts = written(vectors, tmp_path / "old")
    monkeypatch.setattr(nearest, "_trained", lambda _: pytest.fail("found anew"))
    rows = np.concatenate([np.arange(100, MANY), [-1, -1]])
    changed = np.concatenate([vectors[100:], clustered(2, seed=1)])
    index, again = written(changed, tmp_path / "new", Before(tmp_path / "old", facts, rows))
    assert again["trained_on"] == MANY
    old, new = (np.load(tmp_path / name / nearest.CELLS) for name in ("old", "new"))
    assert np.array_equal(new[:-2], old[100:])
    assert new.min() >= 0
    assert index.search(changed[-1], 1, [(0, len(changed))]).tolist() == [len(changed) - 1]
    assert recall(index, changed, 0, len(changed)) >= nearest.RECALL - 0.02


@pytest.mark.parametrize("count", [1_500, 2_400])
def test_clusters_made_for_another_number_of_vectors_are_found_anew(tmp_path: Path, count: int) -> None:
    _, facts = written(clustered(2_400 if count == 1_500 else 1_500), tmp_path / "old")
    before = Before(tmp_path / "old", facts, np.full(count, -1))
    assert written(clustered(count), tmp_path / "new", before)[1]["trained_on"] == count


def test_an_index_grows_out_of_comparing_everything(tmp_path: Path) -> None:
    _, facts = written(clustered(900), tmp_path / "old")
    before = Before(tmp_path / "old", facts, np.concatenate([np.arange(900), np.full(MANY - 900, -1)]))
    assert written(clustered(), tmp_path / "new", before)[1]["kind"] == "clusters"
