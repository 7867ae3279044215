"""The whole bot on PostgreSQL: its server restarted in the middle, several workers at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import select

from bot.app import guichet
from bot.delivery.budgets import LIFTED
from bot.delivery.loops import run
from bot.delivery.wake import wait
from bot.records.states import UpdateState
from bot.records.tables import Update
from indexer.engine import Engine
from tests.postgres import Postgres

from .house import LECTURERS, PATIENCE, PRICE, House, house

FIRST, SECOND = PRICE["en"], "When does the next session start?"


@asynccontextmanager
async def another_worker(flow: House, engine: Engine) -> AsyncIterator[list[object]]:
    """A second bot on the same database and group, once it is heard of; gives the updates that it has handled."""
    chosen = flow.bot.deps.settings.model_copy(update={"process_name": "second"})
    async with guichet(chosen, engine, LIFTED) as bot:
        handled: list[object] = []
        process = bot.loops.application.process_update

        async def note(update: object) -> None:
            await process(update)
            handled.append(update)

        bot.loops.application.process_update = note  # type: ignore[method-assign]  # to see who did it
        running = asyncio.create_task(run(bot.loops))
        try:
            while not bot.loops.roles.heard(PATIENCE):
                await wait(bot.deps.db.news.processes.next(), 0.05)
            yield handled
        finally:
            bot.loops.stop.set()
            await running


def carried(flow: House, thread: int) -> tuple[int, int]:
    """How often the first and the second message stand in a topic."""
    shown = [m.get("text", "") for m in flow.received(flow.staff) if m.get("message_thread_id") == thread]
    return sum(FIRST in text for text in shown), sum(SECOND in text for text in shown)


async def test_two_first_messages_at_once_make_one_ticket_one_topic_one_card(
    engine: Engine, tmp_path: Path, database_url: str
) -> None:
    async with house(engine, tmp_path, group={"forum": True}, database_url=database_url) as flow:
        people = [flow.candidate(f"Person {number}") for number in range(20)]  # more than one handles at once

        async def everybody_writes_twice() -> None:
            for person in people:
                flow.api.say(person, FIRST)
                flow.api.say(person, SECOND)
            await flow.quiet()

        if database_url.startswith("sqlite"):  # which is for one worker
            await everybody_writes_twice()
        else:
            async with another_worker(flow, engine) as handled:
                await everybody_writes_twice()
            assert 0 < len(handled) < 2 * len(people)
        tickets = await flow.tickets()
        assert len({ticket.candidate_id for ticket in tickets}) == len(tickets) == len(people)
        topics = list(flow.staff.topics.values())
        assert len(topics) == len(flow.cards()) == len(people)
        assert [carried(flow, topic.id) for topic in topics] == [(1, 1)] * len(people)


async def test_postgresql_restarted_in_the_middle_of_traffic(
    engine: Engine, tmp_path: Path, postgres_url: str, postgres: Postgres
) -> None:
    async with house(engine, tmp_path, database_url=postgres_url) as flow:
        sara, people = flow.candidate(), [flow.candidate(f"Person {number}") for number in range(12)]
        card = await flow.handed_over(sara)
        flow.trouble_expected = True
        for person in people[:6]:
            flow.api.say(person, LECTURERS["en"])
        await flow.api.wait_for(lambda _: flow.received(people[0]))
        await asyncio.to_thread(postgres.stop)
        try:
            for person in people[6:]:
                flow.api.say(person, LECTURERS["en"])
            reply = flow.api.say(flow.marie, "1,500 euros.", chat=flow.staff, reply_to=card)
            await flow.log.heard("will try again")
            await flow.log.heard("heartbeat failed")
        finally:
            await asyncio.to_thread(postgres.start)
        await flow.api.wait_for(lambda _: all(flow.received(person) for person in [*people, sara]))
        await flow.api.wait_for(lambda api: api.reactions(reply))
        await flow.quiet()
        assert [len(flow.received(person)) for person in people] == [1] * len(people)
        assert sum("1,500 euros." in message["text"] for message in flow.received(sara)) == 1
        async with flow.bot.deps.db.read() as tx:
            assert {*(await tx.execute(select(Update.state))).scalars()} == {UpdateState.DONE}
        assert not [line for line in flow.log.lines if "Traceback" in line]
        assert flow._told_in_the_log() == []
        assert len(flow.log.errors) < 60  # a minute's silence is told, not shouted
