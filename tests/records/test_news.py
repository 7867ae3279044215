import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from bot.records.news import Signal, listen, tell
from bot.records.sessions import Database, open_database
from tests.postgres import Postgres


@asynccontextmanager
async def another_process(db: Database) -> AsyncIterator[Database]:
    """A second process on the same database, that listens."""
    other = open_database(db.engine.url.render_as_string(hide_password=False))
    connected = other.news.updates.next()  # all are rung at first: something may have been missed
    listening = asyncio.create_task(listen(other.engine.url, other.news))
    async with asyncio.timeout(120):
        await connected.wait()
    yield other
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await other.close()


async def heard(news: asyncio.Event) -> None:
    async with asyncio.timeout(120):
        await news.wait()


async def test_news_are_heard_after_the_commit_and_not_after_a_rollback(db: Database) -> None:
    news = db.news.messages.next()
    with suppress(LookupError):
        async with db.begin() as tx:
            tell(tx, "messages")
            raise LookupError
    assert not news.is_set()
    async with db.begin() as tx:
        tell(tx, "messages")
        assert not news.is_set()
    assert news.is_set()


async def test_other_processes_hear_what_was_told_and_nothing_else(postgres_db: Database) -> None:
    async with another_process(postgres_db) as other:
        updates, snapshot = other.news.updates.next(), other.news.snapshot.next()
        async with postgres_db.begin() as tx:
            tell(tx, "snapshot")
        await heard(snapshot)
        assert not updates.is_set()


async def test_a_process_does_not_hear_itself_twice(postgres_db: Database) -> None:
    async with another_process(postgres_db) as other:
        async with other.begin() as tx:
            tell(tx, "updates")
        own = other.news.updates.next()  # rung by its own commit already
        snapshot = other.news.snapshot.next()
        async with postgres_db.begin() as tx:
            tell(tx, "snapshot")  # arrives after what it told itself
        await heard(snapshot)
        assert not own.is_set()


async def test_who_knows_of_no_other_process_tells_itself_alone(postgres_db: Database) -> None:
    async with another_process(postgres_db) as other:
        updates, snapshot = other.news.updates.next(), other.news.snapshot.next()
        own = postgres_db.news.updates.next()
        postgres_db.news.shared = False
        async with postgres_db.begin() as tx:
            tell(tx, "updates")
        assert own.is_set()
        postgres_db.news.shared = True
        async with postgres_db.begin() as tx:
            tell(tx, "snapshot")
        await heard(snapshot)
        assert not updates.is_set()


async def test_a_listener_finds_its_way_back(
    postgres_db: Database, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    async with another_process(postgres_db) as other:
        back = other.news.updates.next()
        postgres.stop()
        postgres.start()
        await heard(back)
        news = other.news.messages.next()
        async with postgres_db.begin() as tx:
            tell(tx, "messages")
        await heard(news)
    assert "listening interrupted" in caplog.text


def test_a_signal_wakes_those_who_took_it_before() -> None:
    signal = Signal()
    early = signal.next()
    signal.ring()
    assert early.is_set()
    assert not signal.next().is_set()
