"""What building again takes from the snapshot before, and that it is what building from nothing gives."""

import shutil
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer import building, head, nearest
from indexer.building import build
from indexer.entries import LANGUAGES, Entry
from indexer.lexical import Bm25
from indexer.maxsim import TokenVectors
from indexer.passages import cut
from indexer.snapshot import Snapshot, load
from tests.indexer.examples import entry
from tests.indexer.standin import WordEncoder

ENTRIES = (
    entry("bench", "Where is the bench?", course="glass", answer="By the door."),
    entry("kiln", also=("Is it hot?",)),
    entry("kiln", "Le four est-il chaud ?", "fr", answer="Il atteint 1 240 degrés."),
    entry("fee", "How much is a term?", also=("Is it dear?",), answer="", draft=True),
)
CHANGES = (
    ENTRIES,
    ENTRIES[1:],
    (*ENTRIES, entry("a-new-one", "Are there tools?", answer="Yes.")),
    (ENTRIES[0], replace(ENTRIES[1], also=("Is it warm?",)), *ENTRIES[2:]),
    (replace(ENTRIES[0], course="pottery"), *ENTRIES[1:]),
    (*ENTRIES[:3], replace(ENTRIES[3], answer="A hundred euros.", draft=False)),
    tuple(replace(one, topic_name="Everything", line=7) for one in ENTRIES),
)
WORDS = "bench door four hot kiln how everything term"


def told(index: Bm25) -> list[Sequence[float]]:
    """All that an index says about some words, and about each alone."""
    found = [index.match(words) for words in (WORDS.split(), *([word] for word in WORDS.split()))]
    return [[*match.bm25, *match.share, *match.held, match.known] for match in found]


def assert_alike(one: Snapshot, other: Snapshot) -> None:
    assert one.entries == other.entries
    assert one.spelling == other.spelling
    assert np.array_equal(one.segments, other.segments)
    assert np.array_equal(one.vectors, other.vectors)
    assert np.array_equal(one.head, other.head)
    for field in fields(TokenVectors):
        assert np.array_equal(getattr(one.tokens, field.name), getattr(other.tokens, field.name))
    for language in LANGUAGES:
        a, b = one.lexicons[language], other.lexicons[language]
        assert told(a.words) == told(b.words)
        assert told(a.grams) == told(b.grams)


@pytest.mark.parametrize("entries", CHANGES)
def test_building_again_gives_what_building_from_nothing_gives(entries: Sequence[Entry], tmp_path: Path) -> None:
    old = build(ENTRIES, WordEncoder(), tmp_path / "old")
    again = build(entries, WordEncoder(), tmp_path / "again", old=old.folder)
    fresh = build(entries, WordEncoder(), tmp_path / "fresh")
    assert_alike(load(again.folder), load(fresh.folder))


@settings(max_examples=10)
@given(st.lists(st.sampled_from(range(len(CHANGES))), min_size=2, max_size=4))
def test_one_change_after_another_gives_what_the_last_gives_alone(changes: list[int]) -> None:
    with TemporaryDirectory() as name:
        old: Path | None = None
        for change in changes:
            old = build(CHANGES[change], WordEncoder(), Path(name), old=old).folder
        assert old
        fresh = build(CHANGES[changes[-1]], WordEncoder(), Path(name) / "fresh")
        assert_alike(load(old), load(fresh.folder))


def test_only_what_has_changed_is_cut_and_parsed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = build(ENTRIES, WordEncoder(), tmp_path)
    seen: list[str] = []

    def watched(one: Entry, number: int) -> list[object]:
        seen.append(one.id)
        return list(cut(one, number))

    monkeypatch.setattr(building, "cut", watched)
    build([replace(ENTRIES[0], answer="Near it."), *ENTRIES[1:]], WordEncoder(), tmp_path, old=old.folder)
    assert seen == ["bench"]


def test_the_classifier_is_fitted_only_for_other_ways_of_asking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = build(ENTRIES, WordEncoder(), tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(head, "fit", lambda *_: pytest.fail("fitted"))
        answered = [replace(ENTRIES[0], answer="Near it."), *ENTRIES[1:]]
        same = build(answered, WordEncoder(), tmp_path, old=old.folder)
    assert np.array_equal(load(same.folder).head, load(old.folder).head)
    asked = [replace(ENTRIES[0], also=("Is there a bench?",)), *ENTRIES[1:]]
    other = build(asked, WordEncoder(), tmp_path, old=same.folder)
    assert not np.array_equal(load(other.folder).head, load(old.folder).head)


def test_a_build_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nearest, "write", full)
    with pytest.raises(OSError, match="No space left"):
        build(ENTRIES, WordEncoder(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_larger_index_is_in_clusters_and_a_change_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "MOST_EXACT", 20)
    monkeypatch.setattr(nearest, "FEW", 10)
    many = [entry(f"e-{number}", f"Is room {number} open?", answer=f"Until {number}.") for number in range(40)]
    first = build(many, WordEncoder(), tmp_path)
    facts = load(first.folder).manifest["index"]
    assert facts["kind"] == "clusters"
    assert nearest.RECALL <= facts["recall"] <= 1
    monkeypatch.setattr(nearest, "_trained", lambda _: pytest.fail("found anew"))
    again = build([*many, entry("bench", "Where is the bench?")], WordEncoder(), tmp_path, old=first.folder)
    shutil.rmtree(first.folder)
    snapshot = load(again.folder)
    vector = WordEncoder().queries(["Where is the bench?"])[0]
    (row,) = snapshot.nearest.search(vector, 1, [(0, len(snapshot.vectors))])
    assert snapshot.vectors[row] @ vector == pytest.approx(1)
