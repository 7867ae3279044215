import json
import shutil
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.building import Built, build
from indexer.entries import LANGUAGES, Entry
from indexer.passages import Kind, cut
from indexer.snapshot import Snapshot, SnapshotError, content_hash, load
from tests.indexer.examples import entry
from tests.indexer.standin import WordEncoder

ENTRIES = (
    entry("kiln", also=("Is it hot?",)),
    entry("kiln", "Le four est-il chaud ?", "fr", answer="Il atteint 1 240 degrés."),
    entry("bench", "Where is the bench?", course="glass", answer="By the door."),
    entry("fee", "How much is a term?", answer="", draft=True),
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(ENTRIES, WordEncoder(), tmp_path_factory.mktemp("snapshots"))


@pytest.fixture
def copy(built: Built, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(built.folder, tmp_path / built.folder.name))


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def passages_of(snapshot: Snapshot, folder: Path) -> list[tuple[str, Kind, str, tuple[float, ...]]]:
    """Entry id, kind, text and vector of every passage, as the loaded snapshot has them."""
    texts = json.loads((folder / "passages.json").read_text(encoding="utf-8"))
    found = []
    for group, (id_, _) in enumerate(snapshot.versions.items()):
        for kind in Kind:
            start, end = snapshot.segments[group * len(Kind) + kind :][:2]
            found += [(id_, kind, texts[row], tuple(snapshot.vectors[row])) for row in range(start, end)]
    return found


WORDS = st.lists(st.from_regex(r"[a-zéà]{1,7}", fullmatch=True), min_size=1, max_size=5).map(" ".join)
ANY = st.lists(
    st.builds(
        entry,
        id_=st.sampled_from(["a", "b", "c-1"]),
        question=WORDS,
        language=st.sampled_from(LANGUAGES),
        also=st.lists(WORDS, max_size=2).map(tuple),
        answer=st.lists(WORDS, min_size=1, max_size=3).map(". ".join),
        draft=st.booleans(),
        address=st.sampled_from([None, "https://example.org/"]),
        valid_until=st.one_of(st.none(), st.dates()),
    ).map(
        lambda one: replace(one, course="glass" if one.id == "b" else "pottery", answer="" if one.draft else one.answer)
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda one: (one.id, one.language),
)


@settings(max_examples=15)
@given(ANY)
def test_what_is_built_is_what_is_loaded(entries: list[Entry]) -> None:
    encoder = WordEncoder()
    with TemporaryDirectory() as folder:
        made = build(entries, encoder, Path(folder))
        snapshot = load(made.folder)
        assert sorted(snapshot.entries, key=repr) == sorted(entries, key=repr)
        assert {id_: {snapshot.entries[at].language for at in group} for id_, group in snapshot.versions.items()} == {
            one.id: {other.language for other in entries if other.id == one.id} for one in entries
        }
        expected = [
            (one.id, passage.kind, passage.text, encode([passage.text])[0])
            for one in entries
            for passage in cut(one, 0)
            for encode in [encoder.queries if passage.kind == Kind.ASKED else encoder.passages]
        ]
        assert sorted(passages_of(snapshot, made.folder)) == sorted(
            (*head, tuple(vector)) for *head, vector in expected
        )
        assert snapshot.nearest.index.ntotal == made.passages == len(expected)


def test_the_manifest_says_what_is_inside(built: Built) -> None:
    manifest = load(built.folder).manifest
    assert manifest["id"] == built.snapshot_id == built.folder.name
    assert manifest["model"] == {"identity": "words@1", "dims": 64}
    assert (manifest["entries"], manifest["drafts"], manifest["passages"]) == (2, 1, built.passages)
    assert set(manifest["files"]) == set(files(built.folder)) - {"manifest.json"}
    assert manifest["content"] == content_hash(ENTRIES, "words@1")


def test_the_content_is_the_same_in_any_order_and_other_with_any_change() -> None:
    same = content_hash(ENTRIES, "words@1")
    assert content_hash(ENTRIES[::-1], "words@1") == same
    changed = [replace(ENTRIES[0], answer="Warm."), *ENTRIES[1:]]
    outside = content_hash(ENTRIES, "words@1", outside=["Where is the cinema?"])
    golden = content_hash(ENTRIES, "words@1", golden="Where is the cinema?")
    assert len({same, content_hash(changed, "words@1"), content_hash(ENTRIES, "words@2"), outside, golden}) == 5


def test_entries_of_a_course_stand_together(built: Built) -> None:
    snapshot = load(built.folder)
    courses = {
        course: {snapshot.entries[unit].id for group in snapshot.groups[first:last] for unit in group}
        for course, (first, last) in snapshot.courses.items()
    }
    assert courses == {"glass": {"bench"}, "pottery": {"kiln", "fee"}}


def test_vectors_are_mapped_and_cannot_be_written(built: Built) -> None:
    snapshot = load(built.folder)
    assert isinstance(snapshot.vectors.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        snapshot.vectors[0, 0] = 1
    with pytest.raises(FrozenInstanceError):
        snapshot.id = "other"  # type: ignore[misc]  # that is the point


def test_building_anew_touches_no_other_snapshot(copy: Path) -> None:
    before = files(copy)
    again = build([*ENTRIES, entry("new", "New?")], WordEncoder(), copy.parent, old=copy)
    assert again.folder != copy
    assert files(copy) == before


def test_only_changed_texts_are_encoded_again(built: Built, tmp_path: Path) -> None:
    encoder = WordEncoder()
    changed = [replace(ENTRIES[0], answer="It reaches 1,260 degrees."), *ENTRIES[1:]]
    again = build(changed, encoder, tmp_path, old=built.folder)
    assert sorted(encoder.encoded) == [
        "Classes How hot is the kiln? It reaches 1,260 degrees.",
        "How hot is the kiln? It reaches 1,260 degrees.",
        "It reaches 1,260 degrees.",
    ]
    assert again.encoded == 3
    fresh = build(changed, WordEncoder(), tmp_path / "fresh")
    assert np.array_equal(load(again.folder).vectors, load(fresh.folder).vectors)


def test_one_text_is_encoded_once_for_each_way_of_encoding(tmp_path: Path) -> None:
    encoder = WordEncoder()
    build([entry("a", "Hot?", also=("Hot?",)), entry("b", "Hot?", course="glass")], encoder, tmp_path)
    assert encoder.encoded.count("Hot?") == 2


@pytest.mark.parametrize("other", [WordEncoder("words@2"), WordEncoder("words@2", 32)])
def test_vectors_of_another_model_are_not_used(built: Built, tmp_path: Path, other: WordEncoder) -> None:
    again = build(ENTRIES, other, tmp_path, old=built.folder)
    assert again.encoded == len(other.encoded) > 0


def test_vectors_of_a_damaged_snapshot_are_not_used(copy: Path, tmp_path: Path) -> None:
    """Otherwise building again, the remedy that we tell, would carry the damage on."""
    flip(copy / "vectors.npy")
    again = build(ENTRIES, WordEncoder(), tmp_path / "again", old=copy)
    fresh = build(ENTRIES, WordEncoder(), tmp_path / "fresh")
    assert np.array_equal(load(again.folder).vectors, load(fresh.folder).vectors)


def test_progress_runs_from_nothing_to_all(tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    made = build(ENTRIES, WordEncoder(), tmp_path, progress=lambda *step: steps.append(step))
    told = [(done, total) for name, done, total in steps if name == "Encoding"]
    assert told[0] == (0, made.encoded)
    assert told[-1] == (made.encoded, made.encoded)
    assert told == sorted(told)


def test_nothing_to_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="add at least one question"):
        build([], WordEncoder(), tmp_path)


def flip(path: Path) -> None:
    """Change the last byte, so that the size stays."""
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("harm", "reason"),
    [(flip, "was changed after"), (truncate, "has another size"), (Path.unlink, "is missing")],
)
def test_harm_to_any_file_is_noticed_and_the_remedy_told(
    built: Built, copy: Path, harm: Callable[[Path], None], reason: str
) -> None:
    for name, content in files(built.folder).items():
        if name == "manifest.json":
            continue
        harm(copy / name)
        with pytest.raises(SnapshotError, match=rf"{name} {reason}.*to build it again, or 'guichet index rollback'"):
            load(copy)
        (copy / name).write_bytes(content)
    load(copy)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": 1}', '{"format": 1, "files": []}', "\ud800"])
def test_an_unreadable_manifest_is_noticed_and_the_remedy_told(copy: Path, content: str) -> None:
    (copy / "manifest.json").write_text(content, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(SnapshotError, match="Run 'guichet index' to build it again"):
        load(copy)


def test_a_folder_without_manifest_is_no_snapshot(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="no readable manifest"):
        load(tmp_path)


def test_a_snapshot_of_another_version_is_refused(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    (copy / "manifest.json").write_text(json.dumps(manifest | {"format": 0}), encoding="utf-8")
    with pytest.raises(SnapshotError, match=r"made by another version of Guichet. Run 'guichet index'"):
        load(copy)
