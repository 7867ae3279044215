"""A proposal waits in the database: made on one machine, decided on another."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from bot.publishing.live import Live
from bot.publishing.proposal import Proposal, waiting
from bot.records.tables import WAITING_PROPOSAL, Setting, StoredSnapshot
from indexer import store
from indexer.engine import with_live_snapshot
from indexer.snapshot import SnapshotError
from indexer.store import Note
from tests.indexer.standin import WordEncoder

from .examples import TODAY, Machine, add, contents, first_index, following, put, while_building

NOTE = Note("Marie", "published", reason="a test")
Two = tuple[Live, Live]
Machines = tuple[Machine, Machine]


@pytest.fixture
async def both(machines: Machines, knowledge: Path) -> Two:
    """The bots of two machines that have the knowledge folder in common."""
    one, two = machines
    engine = await first_index(one, knowledge)
    await two.replica.level()
    there = with_live_snapshot(WordEncoder(), two.root)
    return Live(engine, knowledge, one.root, replica=one.replica), Live(there, knowledge, two.root, replica=two.replica)


async def stored(machine: Machine) -> set[str]:
    async with machine.replica.db.read() as tx:
        return set((await tx.execute(select(StoredSnapshot.id))).scalars())


async def test_what_waits_on_one_machine_is_published_by_another(both: Two, knowledge: Path) -> None:
    here, there = both
    proposal = await put(here)
    assert await there.proposal(proposal.snapshot) == proposal
    assert isinstance(proposal.origins[0].at, datetime)
    await there.accept(proposal, NOTE, 5)
    assert "dogs.en.md" in contents(knowledge)
    assert there.engine.snapshot.id == proposal.snapshot
    async with following(here) as log:
        await log.heard(f"index live snapshot={proposal.snapshot}")
    assert await here.proposal() is await there.proposal() is None
    await there.roll_back("Marie")
    assert await there.proposal() is None  # what was published once does not wait again
    assert await here.propose(TODAY, lambda *_: None, 8) is not None  # the files still say it


async def test_what_waits_on_one_machine_is_discarded_by_another(
    both: Two, machines: Machines, knowledge: Path
) -> None:
    here, there = both
    before = contents(knowledge)
    proposal = await put(here)
    assert proposal.snapshot in await stored(machines[0])
    assert await there.discard(proposal.snapshot)
    assert await here.proposal() is None
    assert proposal.snapshot not in await stored(machines[0])
    assert contents(knowledge) == before
    assert await here.propose(TODAY, lambda *_: None, 8) is None
    assert waiting(machines[0].root) is None


async def test_what_another_machine_published_is_not_taken_back_by_who_had_proposed_it(
    both: Two, knowledge: Path
) -> None:
    here, there = both
    proposal = await put(here)
    await there.accept(proposal, NOTE, 5)
    assert not await here.discard(proposal.snapshot)  # pressed before the news of the other index has come
    assert "dogs.en.md" in contents(knowledge)


async def test_files_that_reach_two_machines_add_up(both: Two, knowledge: Path) -> None:
    here, there = both
    await put(here)
    second = await put(there, "cats")
    assert [edit.path for edit in second.edits] == ["dogs.en.md", "cats.en.md"]
    assert await here.proposal() == second
    await here.accept(second, NOTE, 5)
    assert {"dogs.en.md", "cats.en.md"} <= contents(knowledge).keys()


async def test_files_that_reach_two_machines_at_once_add_up(both: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = both
    while_building(monkeypatch, lambda: put(there, "cats"))
    proposal = await put(here)
    assert {edit.path for edit in proposal.edits} == {"dogs.en.md", "cats.en.md"}
    assert await there.proposal() == proposal


async def go_live(machine: Machine, knowledge: Path, before: str | None) -> None:
    """An index of the files as they are now takes the place of the one `before`."""
    engine = await asyncio.to_thread(machine.build, knowledge)
    await machine.replica.publish(engine.snapshot.folder, before)


async def lose(machine: Machine, proposal: Proposal) -> None:
    async with machine.replica.db.begin() as tx:
        await tx.execute(delete(StoredSnapshot).where(StoredSnapshot.id == proposal.snapshot))


async def test_a_proposal_whose_snapshot_is_lost_is_discarded(both: Two, machines: Machines) -> None:
    here, there = both
    proposal = await put(here)
    await lose(machines[0], proposal)
    assert await there.discard(proposal.snapshot)
    assert await here.proposal() is await there.proposal() is None
    assert (await put(there, "cats")).edits


async def test_a_proposal_whose_snapshot_is_lost_is_built_anew(both: Two, machines: Machines) -> None:
    here, there = both
    proposal = await put(here)
    await lose(machines[0], proposal)
    second = await put(there, "cats")
    assert [edit.path for edit in second.edits] == ["dogs.en.md", "cats.en.md"]
    assert await here.proposal() == second


async def test_newer_indexes_leave_what_waits(both: Two, machines: Machines, knowledge: Path) -> None:
    here, there = both
    proposal = await put(here)
    two = machines[1]
    for number in range(store.KEPT + 1):
        before = await two.replica.level()
        add(knowledge, number)
        await go_live(two, knowledge, before)
        await machines[0].replica.level()
    assert proposal.snapshot in await stored(two)
    for live, machine in ((here, machines[0]), (there, two)):
        await live.discard("another")
        assert waiting(machine.root) == await live.proposal() == proposal


async def test_what_waited_on_disk_before_the_database_knew_of_it_still_waits(
    both: Two, machines: Machines, knowledge: Path
) -> None:
    here, there = both
    proposal = await put(here)
    await lose(machines[0], proposal)
    async with machines[0].replica.db.begin() as tx:  # as the version before left it
        await tx.execute(delete(Setting).where(Setting.key == WAITING_PROPOSAL))
    assert await here.proposal(proposal.snapshot) == proposal
    second = await put(here, "cats")
    assert [edit.path for edit in second.edits] == ["dogs.en.md", "cats.en.md"]
    await there.accept(second, NOTE, 5)
    assert {"dogs.en.md", "cats.en.md"} <= contents(knowledge).keys()
    assert await here.proposal() is None


async def test_a_proposal_whose_snapshot_is_lost_is_refused_by_name(
    both: Two, machines: Machines, knowledge: Path
) -> None:
    here, there = both
    before = contents(knowledge)
    proposal = await put(here)
    await lose(machines[0], proposal)
    with pytest.raises(SnapshotError, match=proposal.snapshot):
        await there.accept(proposal, NOTE, 5)
    assert contents(knowledge) == before


async def test_another_index_that_went_live_keeps_the_file_that_waits(
    both: Two, machines: Machines, knowledge: Path
) -> None:
    here, there = both
    proposal = await put(here)
    add(knowledge)
    await go_live(machines[1], knowledge, there.engine.snapshot.id)
    with pytest.raises(SnapshotError, match="another index went live"):
        await there.accept(proposal, NOTE, 5)
    anew = await there.propose(TODAY, lambda *_: None, 8)
    assert anew
    assert anew.proposal.edits == proposal.edits
    await there.accept(anew.proposal, NOTE, 5)
    assert "dogs.en.md" in contents(knowledge)
