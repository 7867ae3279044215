"""The whole bot on a SQLite file in need: the disk is full, another program holds the file."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, select

from bot.records import sqlite
from bot.records.states import OutgoingState, UpdateState
from bot.records.tables import Outgoing, Update
from indexer.engine import Engine

from .house import LECTURERS, House, house


async def all_is_well_again(flow: House, *, answered: int) -> None:
    """Each question has its one answer, the candidate has staff's reply once, and nothing waits or was given up."""
    await flow.quiet()
    async with flow.bot.deps.db.read() as tx:
        assert {*(await tx.execute(select(Update.state))).scalars()} == {UpdateState.DONE}
        assert OutgoingState.FAILED not in (await tx.execute(select(Outgoing.state))).scalars().all()
    people = [person for person in flow.api.world.users.values() if person.first_name.startswith("Person")]
    assert [len(flow.received(person)) for person in people] == [1] * answered
    assert flow._told_in_the_log() == []


async def test_a_full_disk_loses_nothing_and_needs_no_restart(engine: Engine, tmp_path: Path) -> None:
    async with house(engine, tmp_path) as flow:
        sara = flow.candidate()
        card = await flow.handed_over(sara)
        flow.trouble_expected = True
        pages = 1  # no more than there are

        def limit(connection: Connection) -> None:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

        event.listen(flow.bot.deps.db.writing.sync_engine, "begin", limit)
        for number in range(8):
            flow.api.say(flow.candidate(f"Person {number}"), LECTURERS["en"] + " " * 3000 + "?")
        flow.api.say(flow.marie, "1,500 euros.", chat=flow.staff, reply_to=card)
        await flow.log.heard("loop failed")
        pages = 2**30
        await flow.api.wait_for(lambda _: any("1,500 euros." in one["text"] for one in flow.received(sara)))
        await all_is_well_again(flow, answered=8)
        assert sum("1,500 euros." in one["text"] for one in flow.received(sara)) == 1


async def test_a_locked_file_is_waited_for(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(engine, tmp_path) as flow:
        flow.trouble_expected = True
        monkeypatch.setattr(sqlite, "PATIENCE", sqlite.HASTE)
        await flow.api.wait_for(lambda api: api.world.queue.polled)
        lock = sqlite3.connect(tmp_path / "guichet.sqlite", isolation_level=None, check_same_thread=False)
        await asyncio.to_thread(lock.execute, "BEGIN IMMEDIATE")
        for number in range(3):
            flow.api.say(flow.candidate(f"Person {number}"), LECTURERS["en"])
        await flow.log.heard("loop failed")
        lock.execute("ROLLBACK")
        lock.close()
        await all_is_well_again(flow, answered=3)
