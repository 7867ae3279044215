from indexer.engine import Engine
from indexer.related import related


def test_the_nearest_answered_entries_come_first_and_neither_itself_nor_drafts(engine: Engine) -> None:
    entry = engine.entry("employer-support", "en")
    assert entry
    found = list(related(engine.snapshot, entry))
    assert "freelance" in found[:5]
    assert entry.id not in found
    assert len(found) == len(set(found))
    assert all(engine.entry(id_, "en") for id_ in found)
    assert {one.id for one in engine.snapshot.entries if not one.draft} == {entry.id, *found}
