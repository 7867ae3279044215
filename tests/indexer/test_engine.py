import errno
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from indexer import store
from indexer.encoder import Encoded
from indexer.engine import Indexed, index, open_engine, with_live_snapshot
from indexer.entries import KnowledgeError
from indexer.features import FEATURES
from indexer.snapshot import SnapshotError
from tests.indexer.standin import WordEncoder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "index"


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_indexing_builds_activates_and_finds(knowledge: Path, root: Path) -> None:
    indexed = index(knowledge, WordEncoder(), root)
    assert indexed.built
    assert store.live(root) == indexed.built.folder
    assert (indexed.built.entries, indexed.built.drafts) == (4, 1)
    assert indexed.engine.find("How hot does the kiln get?", "en")[0].entry.id == "kiln"
    assert with_live_snapshot(WordEncoder(), root).snapshot.id == indexed.built.snapshot_id
    assert tuple(indexed.engine.snapshot.courses) == ("pottery",)


def test_nothing_is_built_when_nothing_has_changed(knowledge: Path, root: Path) -> None:
    index(knowledge, WordEncoder(), root)
    before, encoder = everything(root), WordEncoder()
    again = index(knowledge, encoder, root)
    assert again.built is None
    assert encoder.encoded == []
    assert everything(root) == before


def test_only_what_has_changed_is_encoded(knowledge: Path, root: Path) -> None:
    old = index(knowledge, WordEncoder(), root).engine
    rewrite(knowledge / "later.en.md", "by the clay store", "by the glaze shed")
    encoder = WordEncoder()
    new = index(knowledge, encoder, root)
    assert new.built
    assert all("glaze shed" in text for text in encoder.encoded)
    assert new.built.encoded == 3
    assert "glaze shed" in str(new.engine.entry("bicycle", "en"))
    assert "clay store" in str(old.entry("bicycle", "en"))  # whoever holds the old engine keeps it


def test_knowledge_may_go_back_and_forth_within_a_second(knowledge: Path, root: Path) -> None:
    ids = [index(knowledge, WordEncoder(), root).engine.snapshot.id]
    for old, new in [("clay store", "glaze shed"), ("glaze shed", "clay store")]:
        rewrite(knowledge / "later.en.md", old, new)
        ids.append(index(knowledge, WordEncoder(), root).engine.snapshot.id)
    assert len(set(ids)) == 3
    assert [folder.name for folder in store.history(root)] == ids[::-1]


@pytest.mark.parametrize("name", ["classes.en.md", "later.en.md"])
def test_broken_knowledge_leaves_the_live_index_as_it_was(knowledge: Path, root: Path, name: str) -> None:
    index(knowledge, WordEncoder(), root)
    before = everything(root)
    rewrite(knowledge / name, "language: en", "language: xx")
    with pytest.raises(KnowledgeError, match="'language' is 'xx'"):
        index(knowledge, WordEncoder(), root)
    assert everything(root) == before


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("could not write")])
def test_a_build_that_fails_leaves_the_live_index_as_it_was(
    knowledge: Path, root: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    live = index(knowledge, WordEncoder(), root).engine.snapshot.id
    rewrite(knowledge / "later.en.md", "by the clay store", "by the glaze shed")
    with monkeypatch.context() as broken:

        def fail(*_: object) -> None:
            raise fault

        broken.setattr("faiss.write_index", fail)
        with pytest.raises(SnapshotError, match=r"could not be written \(.+\): check free space and rights"):
            index(knowledge, WordEncoder(), root)
    assert with_live_snapshot(WordEncoder(), root).snapshot.id == live
    after = index(knowledge, WordEncoder(), root)  # the next one works, and clears what the failed one left
    assert after.built
    assert not [path for path in store.snapshot_folder(root).iterdir() if path.name.startswith(".")]


def test_a_root_that_cannot_be_written_is_told(knowledge: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    with pytest.raises(SnapshotError, match=r"file.*check"):
        index(knowledge, WordEncoder(), tmp_path / "file" / "index")


def test_knowledge_of_drafts_alone_is_refused(knowledge: Path, root: Path) -> None:
    for path in knowledge.glob("classes.*"):
        path.unlink()
    rewrite(knowledge / "later.en.md", "In the courtyard", "TODO: ask. In the courtyard")
    with pytest.raises(SnapshotError, match="no answered question yet"):
        index(knowledge, WordEncoder(), root)
    assert store.live(root) is None


def test_without_an_index_the_remedy_is_told(root: Path) -> None:
    with pytest.raises(SnapshotError, match="there is no index yet: run 'guichet index'"):
        with_live_snapshot(WordEncoder(), root)


def test_an_index_of_another_model_is_refused_and_built_again_on_request(knowledge: Path, root: Path) -> None:
    index(knowledge, WordEncoder("small@1"), root)
    with pytest.raises(SnapshotError) as caught:
        with_live_snapshot(WordEncoder("large@2"), root)
    for part in ("small@1", "large@2", "GUICHET_MODEL", "run 'guichet index'"):
        assert part in str(caught.value)
    assert index(knowledge, WordEncoder("large@2"), root).built
    assert with_live_snapshot(WordEncoder("large@2"), root)


def test_a_damaged_index_is_refused_and_indexing_mends_it(knowledge: Path, root: Path) -> None:
    built = index(knowledge, WordEncoder(), root).built
    assert built
    vectors = built.folder / "vectors.npy"
    vectors.write_bytes(vectors.read_bytes()[:-4] + b"\x00\x00\x80\x3f")
    with pytest.raises(SnapshotError, match=r"vectors.npy was changed"):
        with_live_snapshot(WordEncoder(), root)
    mended = index(knowledge, WordEncoder(), root)
    assert mended.built
    assert np.abs(np.linalg.norm(mended.engine.snapshot.vectors, axis=1) - 1).max() < 1e-5


def test_a_pointer_to_a_removed_snapshot_is_mended_by_indexing(knowledge: Path, root: Path) -> None:
    index(knowledge, WordEncoder(), root)
    (root / "current").write_text("20200101-000000-gone", encoding="utf-8")
    with pytest.raises(SnapshotError, match="Run 'guichet index'"):
        with_live_snapshot(WordEncoder(), root)
    assert index(knowledge, WordEncoder(), root).built


def test_old_snapshots_are_pruned(knowledge: Path, root: Path) -> None:
    for number in range(4):
        rewrite(knowledge / "later.en.md", "In the courtyard", f"In the courtyard {number}")
        index(knowledge, WordEncoder(), root, kept=2)
        rewrite(knowledge / "later.en.md", f"In the courtyard {number}", "In the courtyard")
    assert len(store.history(root)) == 2


def test_progress_names_the_step(knowledge: Path, root: Path) -> None:
    told: list[tuple[str, int, int]] = []
    built = index(knowledge, WordEncoder(), root, lambda *step: told.append(step)).built
    assert built
    assert ("Encoding", built.encoded, built.encoded) in told


def test_an_entry_is_given_in_the_language_or_the_other_and_never_as_a_draft(knowledge: Path, root: Path) -> None:
    engine = index(knowledge, WordEncoder(), root).engine
    found = {
        (id_, language): engine.entry(id_, language) for id_ in ("who", "kiln", "fee", "none") for language in ("fr",)
    }
    assert {key: entry and entry.language for key, entry in found.items()} == {
        ("who", "fr"): "fr",
        ("kiln", "fr"): "en",
        ("fee", "fr"): None,
        ("none", "fr"): None,
    }


def test_hits_are_rated_by_the_engines_calibrator(knowledge: Path, root: Path) -> None:
    engine = index(knowledge, WordEncoder(), root).engine
    never = replace(engine.calibrator, weights=(0.0,) * len(engine.calibrator.weights), bias=-9.0)
    assert {hit.confidence < 0.001 for hit in replace(engine, calibrator=never).find("How hot?", "en")} == {True}


def test_opening_prepares_the_model_and_takes_what_is_live(cache: Path, index_root: Path) -> None:
    opened = open_engine("multilingual-e5-small-fr-en", cache, index_root)
    assert opened.find("Qui sont les enseignants ?", "fr")[0].confidence > 0.5


def test_two_runs_at_once_take_turns(knowledge: Path, root: Path) -> None:
    """The first waits in the middle of its work until the second has begun: neither removes what the other writes."""
    begun, other = Event(), Thread(target=lambda: finished.append(index(knowledge, WordEncoder(), root)))
    finished: list[Indexed] = []

    def examine(*_: object) -> tuple[str, ...]:
        other.start()
        begun.wait(0.2)
        assert not finished
        return ()

    first = index(knowledge, WordEncoder(), root, examine=examine)
    other.join(30)
    assert first.built
    assert [indexed.built for indexed in finished] == [None]
    assert store.live(root) == first.built.folder


def test_a_question_with_slips_is_found_as_if_it_had_none(knowledge: Path, root: Path) -> None:
    engine = index(knowledge, WordEncoder(), root).engine
    right, slipped = (
        engine.find("So where can I leave my bicycle?", "en"),
        engine.find("So where can I leave my bicyle?", "en"),
    )
    assert slipped[0].entry.id == right[0].entry.id
    assert slipped[0].confidence == right[0].confidence


def test_what_is_found_beyond_doubt_is_not_searched_corrected(knowledge: Path, root: Path) -> None:
    engine, asked = index(knowledge, WordEncoder(), root).engine, list[str]()

    class Listening(WordEncoder):
        def questions(self, texts: Sequence[str]) -> list[Encoded]:
            asked.extend(texts)
            return super().questions(texts)

    def searched(margin: float) -> list[str]:
        asked.clear()
        weights = tuple(margin if name == "margin" else 0.0 for name in FEATURES)
        rated = replace(engine, encoder=Listening(), calibrator=replace(engine.calibrator, weights=weights, bias=0.0))
        rated.find("So where can I leave my bicyle?", "en")
        return asked

    assert searched(margin=1000) == ["So where can I leave my bicyle?"]
    assert searched(margin=0) == ["So where can I leave my bicyle?", "So where can I leave my bicycle?"]


def test_what_was_mended_is_not_taken_for_an_entrys_own_words(knowledge: Path, root: Path) -> None:
    """That "prize" means "price" is a guess, and no person's."""
    engine = index(knowledge, WordEncoder(), root).engine
    own, mended = (engine.find(f"Where can I park a {word}?", "en")[0] for word in ("bicycle", "bicyle"))
    assert (own.verbatim, mended.verbatim, mended.entry.id) == (True, False, own.entry.id)
    assert mended.confidence < own.confidence == 1


def test_a_question_that_no_entry_answers_is_known_as_such_from_the_next_index_on(knowledge: Path, root: Path) -> None:
    asked = "What is the hottest kiln?"
    before = index(knowledge, WordEncoder(), root).engine.find(asked, "en")
    (knowledge / "outside.txt").write_text(f"# remarks\n{asked}\n", encoding="utf-8")
    indexed = index(knowledge, encoder := WordEncoder(), root)
    assert indexed.built
    assert encoder.encoded == [asked]
    after = indexed.engine.find("what is the hottest KILN", "en")
    assert [hit.entry.id for hit in after] == [hit.entry.id for hit in before]
    assert [hit.outside for hit in (*before, *after)] == [False] * len(before) + [True] * len(after)
    assert not any(hit.outside for hit in indexed.engine.find("What is the hottest clay?", "en"))
    assert index(knowledge, encoder, root).built is None
    (knowledge / "outside.txt").unlink()
    assert not any(hit.outside for hit in index(knowledge, WordEncoder(), root).engine.find(asked, "en"))


def test_slips_of_the_keyboard_do_not_hide_that_no_entry_answers(knowledge: Path, root: Path) -> None:
    (knowledge / "outside.txt").write_text("Where can I sell a bicycle?\n", encoding="utf-8")
    engine = index(knowledge, WordEncoder(), root).engine
    for asked in ("Where can I sell a bicycle?", "Where can I sell a bicyle?"):
        assert engine.find(asked, "en")[0].outside, asked


def test_an_entrys_own_question_is_answered_whatever_else_lists_it(knowledge: Path, root: Path) -> None:
    (knowledge / "outside.txt").write_text("How hot does the kiln get?\n", encoding="utf-8")
    first = index(knowledge, WordEncoder(), root).engine.find("How hot does the kiln get?", "en")[0]
    assert (first.verbatim, first.outside) == (True, False)
