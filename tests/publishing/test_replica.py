"""Two machines, each with a folder of its own, and one PostgreSQL database between them."""

import asyncio
import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from bot.publishing import replica as replicas
from bot.publishing.gate import EXAMINED
from bot.publishing.live import Live
from bot.publishing.proposal import Brought
from bot.publishing.replica import OvertakenError, Replica, replica_of
from bot.records.news import listen
from bot.records.sessions import Database
from bot.records.tables import SnapshotFile, StoredSnapshot
from indexer import store
from indexer.engine import with_live_snapshot
from indexer.snapshot import SnapshotError
from indexer.store import Note, UnwritableError
from indexer.tables import Found
from indexer.upload import Sent, Upload
from tests.conftest import DATA
from tests.flows.house import Log
from tests.indexer.standin import WordEncoder

from .examples import Machine, add, contents, first_index, following, publish


async def test_an_empty_machine_fetches_what_is_active(
    machines: tuple[Machine, Machine], knowledge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "CHUNK", 100)  # so that files come in several pieces
    one, two = machines
    engine = one.build(knowledge)
    (engine.snapshot.folder / EXAMINED).write_text('{"golden": 0}', encoding="utf-8")  # what thresholds follow from
    await one.replica.publish(engine.snapshot.folder, None)
    assert await two.replica.level() == engine.snapshot.id
    assert two.files() == one.files()
    assert EXAMINED in two.files()
    assert with_live_snapshot(WordEncoder(), two.root).snapshot.id == engine.snapshot.id


async def test_a_database_without_snapshots_takes_the_local_one(
    machines: tuple[Machine, Machine], knowledge: Path
) -> None:
    one, two = machines
    assert await two.replica.level() is None
    engine = one.build(knowledge)
    assert await one.replica.level() == engine.snapshot.id
    assert await two.replica.level() == engine.snapshot.id


async def test_a_folder_that_takes_no_index_is_told_as_that(machines: tuple[Machine, Machine], knowledge: Path) -> None:
    """By the commands that open the database for it, which tell what it refuses: OSError would be taken for that."""
    one, two = machines
    await first_index(one, knowledge)
    obstacle = two.root / f".current-{os.getpid()}"  # where the pointer to the live one would be written
    obstacle.mkdir(parents=True)
    with pytest.raises(
        UnwritableError, match=r"two: the index could not be written \(.+\): check free space and rights"
    ):
        await two.replica.level()
    obstacle.rmdir()
    two.build(knowledge)  # with an index of its own a machine goes on with that
    obstacle.mkdir()
    assert await two.replica.level() == await one.replica.active()


async def test_reindexing_on_one_machine_reaches_the_other(machines: tuple[Machine, Machine], knowledge: Path) -> None:
    one, two = machines
    engine = await first_index(one, knowledge)
    await two.replica.level()
    here = Live(engine, knowledge, one.root, replica=one.replica)
    there = Live(with_live_snapshot(WordEncoder(), two.root), knowledge, two.root, replica=two.replica)
    add(knowledge)
    published = await publish(here)
    async with following(there) as log:
        await log.heard(f"index live snapshot={published.snapshot.id}")
    assert there.engine.snapshot.id == here.engine.snapshot.id != engine.snapshot.id
    assert there.engine.entry("dog1", "en") == here.engine.entry("dog1", "en") is not None
    assert there.limits == here.limits
    assert store.live(two.root) == two.root / "snapshots" / here.engine.snapshot.id


async def test_who_made_an_index_live_is_known_on_every_machine(
    machines: tuple[Machine, Machine], knowledge: Path
) -> None:
    one, two = machines
    first = await first_index(one, knowledge)
    await two.replica.level()
    there = Live(with_live_snapshot(WordEncoder(), two.root), knowledge, two.root, replica=two.replica)
    add(knowledge)
    second = await publish(there)
    await one.replica.level()
    await there.roll_back("Marie")
    told = [(made.snapshot, made.act, made.by) for made in await one.replica.history()]
    assert told == [
        (first.snapshot.id, "rolled back", "Marie"),
        (second.snapshot.id, "published", "Marie"),
        (first.snapshot.id, "indexed", ""),
    ]


async def test_news_of_an_index_come_at_once(machines: tuple[Machine, Machine], knowledge: Path) -> None:
    """Without waiting for the next look, which would come in an hour here."""
    one, two = machines
    engine = await first_index(one, knowledge)
    await two.replica.level()
    there = Live(with_live_snapshot(WordEncoder(), two.root), knowledge, two.root, replica=two.replica)
    db, stop = two.replica.db, asyncio.Event()
    with Log().listening() as log:
        connected = db.news.snapshot.next()
        tasks = [asyncio.create_task(listen(db.engine.url, db.news))]
        await asyncio.wait_for(connected.wait(), 120)
        tasks.append(asyncio.create_task(there.follow(stop, seconds=3600)))
        add(knowledge)
        better = one.build(knowledge).snapshot
        await one.replica.publish(better.folder, engine.snapshot.id)
        await log.heard(f"index live snapshot={better.id}")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert there.engine.snapshot.id == better.id


async def test_what_arrives_damaged_is_refused_and_fetched_again(
    machines: tuple[Machine, Machine], knowledge: Path
) -> None:
    one, two = machines
    engine = await first_index(one, knowledge)
    await two.replica.level()
    there = Live(with_live_snapshot(WordEncoder(), two.root), knowledge, two.root, replica=two.replica)
    add(knowledge)
    better = one.build(knowledge).snapshot
    await one.replica.publish(better.folder, engine.snapshot.id)
    damaged = SnapshotFile.name == "vectors.npy", SnapshotFile.snapshot_id == better.id
    async with one.replica.db.begin() as tx:
        whole = (await tx.execute(select(SnapshotFile.data).where(*damaged))).scalar_one()
        await tx.execute(update(SnapshotFile).where(*damaged).values(data=whole[:-1] + b"?"))
    async with following(there) as log:
        await log.heard("snapshot refused")
        assert there.engine.snapshot.id == engine.snapshot.id
        assert store.live(two.root) == two.root / "snapshots" / engine.snapshot.id
        async with one.replica.db.begin() as tx:
            await tx.execute(update(SnapshotFile).where(*damaged).values(data=whole))
        await log.heard(f"index live snapshot={better.id}")
    assert there.engine.snapshot.id == better.id
    assert [p.name for p in (two.root / "snapshots").iterdir() if p.name.startswith(".")] == []


async def test_a_missing_piece_is_noticed(machines: tuple[Machine, Machine], knowledge: Path) -> None:
    one, two = machines
    engine = await first_index(one, knowledge)
    async with one.replica.db.begin() as tx:
        await tx.execute(delete(SnapshotFile).where(SnapshotFile.name == "entries.json"))
    with pytest.raises(SnapshotError, match=r"entries\.json is missing"):
        await two.replica.fetch(engine.snapshot.id)
    assert store.live(two.root) is None


async def test_a_damaged_active_index_stops_neither_a_start_nor_a_new_one(
    machines: tuple[Machine, Machine], knowledge: Path
) -> None:
    one, two = machines
    old = await first_index(one, knowledge)
    await two.replica.level()
    add(knowledge)
    active = one.build(knowledge).snapshot
    await one.replica.publish(active.folder, old.snapshot.id)
    async with one.replica.db.begin() as tx:
        await tx.execute(delete(SnapshotFile).where(SnapshotFile.snapshot_id == active.id))
    with Log().listening() as log:
        assert await two.replica.level() == active.id
    assert f"active index not usable snapshot={active.id}" in log.errors[0]
    assert store.live(two.root) == two.root / "snapshots" / old.snapshot.id
    add(knowledge, 2)
    mended = two.build(knowledge).snapshot
    await two.replica.publish(mended.folder, active.id)
    assert await one.replica.level() == mended.id


async def test_a_damaged_local_copy_is_fetched_anew(machines: tuple[Machine, Machine], knowledge: Path) -> None:
    one, two = machines
    engine = await first_index(one, knowledge)
    folder = await two.replica.fetch(engine.snapshot.id)
    (folder / "entries.json").write_text("[]", encoding="utf-8")
    assert await two.replica.level() == engine.snapshot.id
    assert two.files() == one.files()


async def test_a_damaged_index_is_not_shared(machines: tuple[Machine, Machine], knowledge: Path) -> None:
    one, _ = machines
    folder = one.build(knowledge).snapshot.folder
    (folder / "entries.json").write_text("[]", encoding="utf-8")
    with pytest.raises(SnapshotError, match="damaged"):
        await one.replica.publish(folder, None)
    assert await one.replica.active() is None


async def test_of_two_machines_that_index_at_once_one_is_told(
    machines: tuple[Machine, Machine], knowledge: Path
) -> None:
    one, two = machines
    engine = await first_index(one, knowledge)
    await two.replica.level()
    add(knowledge)
    others = two.build(knowledge).snapshot
    await two.replica.publish(others.folder, engine.snapshot.id)
    add(knowledge, 2)
    with pytest.raises(OvertakenError, match="another machine"):
        await one.replica.publish(one.build(knowledge).snapshot.folder, engine.snapshot.id)
    assert await one.replica.active() == others.id
    async with one.replica.db.read() as tx:  # nothing of the second was kept
        assert (await tx.execute(select(func.count()).select_from(StoredSnapshot))).scalar_one() == 2
    assert await one.replica.level() == others.id


async def test_an_upload_that_another_machine_overtook_is_not_written(
    machines: tuple[Machine, Machine], knowledge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machines
    engine = await first_index(one, knowledge)
    await two.replica.level()
    before = contents(knowledge)
    live = Live(engine, knowledge, one.root, replica=one.replica)
    brought = Brought(Upload(found=(Found("Dogs?", "They may.", 2, language="en"),)), Sent("a.csv", date(2026, 3, 1)))
    proposed = await live.propose(date(2026, 3, 1), lambda *_: None, 0, brought)
    assert proposed
    share = Replica.share

    async def late(replica: Replica, folder: Path, before: str | None) -> None:
        await two.replica.publish(two.build(DATA / "school").snapshot.folder, before)
        await share(replica, folder, before)

    monkeypatch.setattr(Replica, "share", late)
    with pytest.raises(OvertakenError):
        await live.accept(proposed.proposal, Note("Marie", "published", reason="a test"), 5)
    assert contents(knowledge) == before


async def test_going_back_needs_no_new_copy(machines: tuple[Machine, Machine], knowledge: Path) -> None:
    one, two = machines
    first = await first_index(one, knowledge)
    add(knowledge)
    second = one.build(knowledge).snapshot
    await one.replica.publish(second.folder, first.snapshot.id)
    await one.replica.publish(first.snapshot.folder, second.id)
    assert await two.replica.level() == first.snapshot.id


async def test_as_many_are_kept_as_one_wishes(machines: tuple[Machine, Machine], knowledge: Path) -> None:
    one, two = (Machine(replace(machine.replica, kept=3)) for machine in machines)
    made = [await first_index(one, knowledge)]
    for number in range(4):
        add(knowledge, number)
        made.append(one.build(knowledge, 3))
        await one.replica.publish(made[-1].snapshot.folder, made[-2].snapshot.id)
        await two.replica.level()
    async with one.replica.db.read() as tx:
        kept = (await tx.execute(select(StoredSnapshot.id).order_by(StoredSnapshot.id))).scalars().all()
        files = set((await tx.execute(select(SnapshotFile.snapshot_id))).scalars())
    assert kept == [engine.snapshot.id for engine in made[-3:]]
    assert files == set(kept)
    assert len(store.history(two.root)) == 3


async def test_an_index_of_another_model_is_refused_by_name(machines: tuple[Machine, Machine], knowledge: Path) -> None:
    one, two = machines
    engine = await first_index(one, knowledge)
    with pytest.raises(SnapshotError, match=r"words@1.*GUICHET_MODEL now means other@2"):
        await two.replica.take(engine.snapshot.id, WordEncoder("other@2"))
    assert store.live(two.root) is None


async def test_a_file_name_cannot_leave_the_folder(machines: tuple[Machine, Machine], knowledge: Path) -> None:
    one, two = machines
    engine = await first_index(one, knowledge)
    async with one.replica.db.begin() as tx:
        outside = update(SnapshotFile).where(SnapshotFile.name == "entries.json").values(name="../../entries.json")
        await tx.execute(outside)
    with pytest.raises(SnapshotError, match="outside its folder"):
        await two.replica.fetch(engine.snapshot.id)


async def test_with_sqlite_the_local_folder_is_the_truth(sqlite_db: Database, tmp_path: Path) -> None:
    assert replica_of(sqlite_db, tmp_path) is None
