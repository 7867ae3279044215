from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.diff import Diff, diff, marked
from indexer.entries import Entry
from tests.indexer.examples import entry
from tests.indexer.strategies import DRAFTS, ENTRIES, WORDS

KEYS = st.sampled_from(["a", "b", "c", "d"])
SETS = st.lists(
    st.builds(
        lambda made, key, path, line: replace(made, id=key, path=path, line=line),
        st.one_of(ENTRIES, DRAFTS),
        KEYS,
        st.sampled_from(["a.md", "b.md"]),
        st.integers(1, 9),
    ),
    max_size=5,
    unique_by=lambda made: (made.id, made.language),
)


def placed(entries: list[Entry]) -> set[Entry]:
    return {replace(one, line=0) for one in entries}


def applied(change: Diff, old: list[Entry]) -> set[Entry]:
    changed = (*change.changed, *change.moved)
    gone = placed([*change.removed, *(both.old for both in changed)])
    assert gone <= placed(old)
    return (placed(old) - gone) | placed([*change.added, *(both.new for both in changed)])


@settings(max_examples=25)
@given(SETS, SETS, st.data())
def test_a_difference_applied_to_the_old_gives_the_new(old: list[Entry], new: list[Entry], data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.sampled_from(old), unique=True)) if old else []
    new = list({(one.id, one.language): one for one in [*new, *kept]}.values())
    change = diff(old, new)
    assert applied(change, old) == placed(new)
    assert bool(change) == (placed(old) != placed(new))


@settings(max_examples=10)
@given(SETS)
def test_nothing_differs_from_itself(entries: list[Entry]) -> None:
    assert diff(entries, [replace(one, line=one.line + 7) for one in reversed(entries)]) == Diff()


@given(WORDS, WORDS)
def test_marked_words_are_both_texts(old: str, new: str) -> None:
    pieces = marked(old, new)
    assert "".join(piece.text for piece in pieces if piece.kind != "new") == old
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == new


def test_what_became_of_each_entry_is_told() -> None:
    stays, goes, moves, changes = (entry(name) for name in ("stays", "goes", "moves", "changes"))
    comes = entry("stays", language="fr")
    moved, changed = replace(moves, path="other.md", line=9), replace(changes, answer="Less.", also=("Why?",), line=3)
    found = diff([stays, goes, moves, changes], [stays, comes, moved, changed])
    assert (found.added, found.removed) == ((comes,), (goes,))
    assert [(both.old, both.new) for both in found.moved] == [(moves, moved)]
    assert [(both.old, both.new, both.fields) for both in found.changed] == [(changes, changed, ("also", "answer"))]
    assert str(found) == "1 added, 1 changed, 1 removed, 1 moved"
    assert str(Diff()) == "no entry changed"
