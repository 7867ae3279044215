"""Several processes on one database: who is alive, what one of them alone may do, and who goes on for the dead."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from telegram import Update
from telegram.ext import Application, TypeHandler

from bot.delivery import claims, inbox, outbox, processes, sqlitefile
from bot.delivery.budgets import LIFTED
from bot.delivery.loops import Loops, run
from bot.delivery.processes import (
    DEAD,
    POLL,
    SEND,
    SURE,
    NameTakenError,
    Roles,
    at_work,
    beat,
    join,
    leave,
    present,
    share,
)
from bot.records.news import WORDS, Signal, told
from bot.records.sessions import Database, open_database
from bot.records.states import UpdateState
from bot.records.tables import Chat, Outgoing, Process, Role, utc_now
from bot.records.tables import Update as Row
from bot.sandbox.botapi import BotApi, serve
from bot.sandbox.people import User
from bot.watch.beats import Beats
from tests.postgres import Postgres

from .conftest import acquaintance

BOTH = (POLL, SEND)


async def starts(db: Database, name: str, roles: Collection[str] = BOTH) -> frozenset[str]:
    async with db.begin() as tx:
        await join(tx, name, roles)
    return await beats(db, name, roles)


async def beats(db: Database, name: str, roles: Collection[str] = BOTH, *, judge: bool = True) -> frozenset[str]:
    async with db.begin() as tx:
        return await beat(tx, name, roles, judge=judge)


async def falls_silent(db: Database, name: str) -> None:
    async with db.begin() as tx:
        long_ago = utc_now() - DEAD - timedelta(seconds=1)
        await tx.execute(update(Process).where(Process.name == name).values(beat_at=long_ago))


async def claims_a_chat(db: Database, name: str, update_id: int = 1) -> claims.Claimed:
    message = {"text": "hello", "chat": {"id": update_id, "type": "private"}}
    async with db.begin() as tx:
        await inbox.receive(tx, [{"update_id": update_id, "message": message}])
        [claimed] = await claims.claim(tx, f"{name}/0", utc_now())
    assert claimed
    return claimed


async def leased_by(db: Database) -> list[str | None]:
    async with db.read() as tx:
        return list((await tx.execute(select(Chat.leased_by).order_by(Chat.id))).scalars())


async def test_a_role_has_one_holder_until_it_leaves(db: Database) -> None:
    assert await starts(db, "a") == {POLL, SEND}
    assert await starts(db, "b") == set()
    assert await beats(db, "a") == {POLL, SEND}
    news = db.news.processes.next()
    async with db.begin() as tx:
        await leave(tx, "a")
    assert news.is_set()
    assert await beats(db, "b") == {POLL, SEND}


async def test_the_work_of_a_silent_process_goes_on_elsewhere(db: Database) -> None:
    await starts(db, "a")
    await starts(db, "b")
    await claims_a_chat(db, "a")
    await beats(db, "b")
    assert await leased_by(db) == ["a/0"]
    await falls_silent(db, "a")
    assert await beats(db, "b") == {POLL, SEND}
    assert await leased_by(db) == [None]


async def claims_what_has_no_chat(db: Database, name: str) -> claims.Claimed | None:
    async with db.begin() as tx:
        await inbox.receive(tx, [{"update_id": 1, "poll": {"id": "1"}}])
        return next(iter(await claims.claim(tx, f"{name}/0", utc_now())), None)


async def test_what_belongs_to_no_chat_goes_on_elsewhere_as_well(db: Database) -> None:
    await starts(db, "a")
    await starts(db, "b")
    assert await claims_what_has_no_chat(db, "a")
    await beats(db, "b")
    assert await claims_what_has_no_chat(db, "b") is None
    await falls_silent(db, "a")
    await beats(db, "b")
    again = await claims_what_has_no_chat(db, "b")
    assert again
    assert again.attempts == 2


async def test_what_belongs_to_no_chat_waits_for_its_next_try(db: Database) -> None:
    await starts(db, "a")
    claimed = await claims_what_has_no_chat(db, "a")
    assert claimed
    async with db.begin() as tx:
        assert not await inbox.failed(tx, claimed, "KeyError", utc_now())
    assert await claims_what_has_no_chat(db, "a") is None


async def test_a_worker_goes_on_with_what_the_database_cut_short(db: Database) -> None:
    await starts(db, "a")
    assert await claims_what_has_no_chat(db, "a")
    assert await claims_what_has_no_chat(db, "a")


async def test_who_is_at_work(db: Database, empty_database: str) -> None:
    assert await at_work(db) == []
    await starts(db, "a")
    await starts(db, "b")
    assert await at_work(db) == ["a", "b"]
    await falls_silent(db, "a")
    assert await at_work(db) == ["b"]
    empty = open_database(empty_database)
    assert list(await at_work(empty)) == []
    await empty.close()


def is_shared(db: Database) -> bool:
    return db.news.shared


async def shares(db: Database, name: str) -> tuple[bool, set[str]]:
    """Whether others are to hear the news, and what they are told since they may have missed it."""
    async with db.begin() as tx:
        await share(tx, name, db.news)
        return db.news.shared, told(tx)


async def test_who_comes_is_told_what_was_not_told_while_nobody_listened(db: Database) -> None:
    await starts(db, "a")
    assert await shares(db, "a") == (False, set())
    await starts(db, "b")
    assert await shares(db, "a") == (True, set(WORDS))
    assert await shares(db, "a") == (True, set())
    async with db.begin() as tx:
        await leave(tx, "b")
    assert await shares(db, "a") == (False, set())


async def test_a_process_hears_at_once_that_another_has_come(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "BEAT", 3600)  # so that only news lead to a heartbeat
    one, other, roles = open_database(postgres_url), open_database(postgres_url), Roles()
    begun = roles.changed.next()
    async with asyncio.timeout(120), present(one, "a", roles):
        await begun.wait()
        assert not one.news.shared
        async with present(other, "b", Roles()):
            while not is_shared(one):
                await one.news.timers.next().wait()  # rung where all is told, and by the listener as it begins
    await one.close()
    await other.close()


async def test_a_heartbeat_that_hangs_is_no_sign_of_life(sqlite_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    moment, hangs = 0.0, asyncio.Event()

    async def for_ever(*_: object, **__: object) -> frozenset[str]:
        hangs.set()
        return await asyncio.Future()

    monkeypatch.setattr(processes, "beat", for_ever)
    beats = Beats(clock=lambda: moment)
    async with asyncio.timeout(120), present(sqlite_db, "a", Roles(), beats):
        await hangs.wait()
        moment = 200.0
        assert list(beats.hanging(120)) == ["heartbeat"]
    assert beats.late() == {}


async def test_of_two_with_one_name_the_second_does_not_begin(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "BEAT", 0.2)
    async with asyncio.timeout(120), present(db, "a", Roles()):
        with pytest.raises(NameTakenError, match="another process works as 'a'"):
            async with present(db, "a", Roles()):
                pass
        async with db.read() as tx:
            assert (await tx.execute(select(Process.name))).scalars().all() == ["a"]


async def test_of_two_with_one_name_that_start_in_the_same_instant_one_does_not_begin(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: object) -> None:
        """Neither has been heard of when the other one looks."""

    monkeypatch.setattr(processes, "alone_by_name", nobody)
    refused = asyncio.Event()

    async def begin() -> None:
        try:
            async with present(db, "a", Roles()):
                await refused.wait()
        except NameTakenError:
            refused.set()
            raise

    async with asyncio.timeout(120):
        ends = await asyncio.gather(begin(), begin(), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["NameTakenError", "NoneType"]


async def test_the_first_on_a_file_gives_way_to_one_that_was_quicker_to_join(sqlite_db: Database) -> None:
    with sqlitefile.only_process(sqlite_db) as since:
        assert since
        await starts(sqlite_db, "a")
        with pytest.raises(NameTakenError):
            async with sqlite_db.begin() as tx:
                await join(tx, "a", BOTH, since)
        assert await beats(sqlite_db, "a") == {POLL, SEND}


async def test_the_first_on_a_file_leaves_their_chats_to_those_who_were_quicker_to_join(sqlite_db: Database) -> None:
    await starts(sqlite_db, "dead")
    await claims_a_chat(sqlite_db, "dead", 1)
    with sqlitefile.only_process(sqlite_db) as since:
        assert since
        await starts(sqlite_db, "b")
        await claims_a_chat(sqlite_db, "b", 2)
        async with sqlite_db.begin() as tx:
            await join(tx, "a", BOTH, since)
    assert await leased_by(sqlite_db) == [None, "b/0"]


async def test_who_died_before_the_clock_was_set_back_is_taken_for_dead(db: Database) -> None:
    await starts(db, "a")
    async with db.begin() as tx:
        await tx.execute(update(Process).values(beat_at=utc_now() + timedelta(hours=1)))
    await starts(db, "b")
    assert await beats(db, "b") == {POLL, SEND}


async def test_a_clock_that_is_set_back_keeps_no_process_from_its_name(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with db.begin() as tx:
        tomorrow = utc_now() + timedelta(days=1)
        tx.add(Process(name="a", started_at=tomorrow, beat_at=tomorrow))
    assert await at_work(db) == []
    async with asyncio.timeout(120), present(db, "a", Roles()):
        assert await at_work(db) == ["a"]


async def test_who_was_killed_may_begin_again_under_its_name(
    postgres_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "BEAT", 0.2)
    monkeypatch.setattr(processes, "DEAD", timedelta(seconds=1))
    await starts(postgres_db, "a")
    async with asyncio.timeout(120), present(postgres_db, "a", Roles()):
        pass


async def test_who_was_silent_itself_does_not_judge_others(db: Database) -> None:
    await starts(db, "a")
    await starts(db, "b")
    await falls_silent(db, "a")
    assert await beats(db, "b", judge=False) == set()
    assert await beats(db, "a") == {POLL, SEND}


async def test_a_process_taken_for_dead_comes_back_without_its_roles(db: Database) -> None:
    await starts(db, "a")
    await starts(db, "b")
    await falls_silent(db, "a")
    await beats(db, "b")
    assert await beats(db, "a") == set()
    assert await beats(db, "b") == {POLL, SEND}


async def test_a_restart_under_the_same_name_frees_what_the_earlier_life_held(db: Database) -> None:
    await starts(db, "a")
    await starts(db, "ab")
    await claims_a_chat(db, "a", 1)
    await claims_a_chat(db, "ab", 2)
    await falls_silent(db, "a")
    assert await starts(db, "a") == {POLL, SEND}
    assert await leased_by(db) == [None, "ab/0"]


async def test_who_is_alone_with_a_file_need_not_wait_for_the_dead(sqlite_db: Database) -> None:
    await starts(sqlite_db, "dead")
    await claims_a_chat(sqlite_db, "dead")
    roles = Roles()
    async with present(sqlite_db, "new", roles):
        gained = roles.changed.next()
        if not roles.holds(POLL):
            async with asyncio.timeout(120):
                await gained.wait()
        assert await leased_by(sqlite_db) == [None]
        assert roles.holds(POLL)
        second = Roles()
        async with present(sqlite_db, "second", second):
            async with sqlite_db.read() as tx:
                names = set((await tx.execute(select(Process.name))).scalars())
            assert names == {"new", "second"}
    async with sqlite_db.read() as tx:
        assert (await tx.execute(select(Process.name))).all() == []
        assert set((await tx.execute(select(Role.held_by))).scalars()) == {None}


def test_roles_are_relied_on_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    roles = Roles()
    assert not roles.holds(POLL)
    roles.renew(frozenset({POLL}), 100.0)
    assert roles.holds(POLL)
    assert not roles.holds(SEND)
    moment = 100.0 + SURE
    assert not roles.holds(POLL)
    assert DEAD.total_seconds() > SURE


async def test_what_a_worker_did_after_it_lost_its_chat_is_not_committed_twice(db: Database) -> None:
    """The lost worker was only slow: both do the same work, and the database lets one of them commit."""
    await starts(db, "slow")
    await starts(db, "quick")
    await claims_a_chat(db, "slow")
    await falls_silent(db, "slow")
    await beats(db, "quick")
    async with db.begin() as tx:
        [taken] = await claims.claim(tx, "quick/0", utc_now())
        assert taken
    async with db.begin() as tx:
        await outbox.put(tx, taken.chat_id or 0, "sendMessage", {"text": "quick"}, key="quick")
        await inbox.done(tx, 1)

    async def finish_late() -> None:
        async with db.begin() as tx:
            await outbox.put(tx, taken.chat_id or 0, "sendMessage", {"text": "slow"}, key="slow")
            await inbox.done(tx, 1)

    with pytest.raises(inbox.AlreadyDoneError):
        await finish_late()
    async with db.read() as tx:
        assert (await tx.execute(select(Outgoing.key))).scalars().all() == ["quick"]


class Fleet:
    """Processes of a bot, each with its own engine, on one database and one Bot API server."""

    def __init__(self, url: str, address: str, token: str) -> None:
        self._url, self._address, self._token = url, address, token
        self.running: list[tuple[Loops, asyncio.Task[None]]] = []
        self.handled: list[tuple[str, int, str]] = []  # process, chat, text
        self._news = Signal()

    async def start(self, name: str) -> Loops:
        """One more process, at work once it has been heard of."""
        db = open_database(self._url)
        builder = Application.builder().token(self._token).base_url(self._address)
        application = builder.updater(None).job_queue(None).build()
        application.add_handler(TypeHandler(Update, lambda update, _: self._answer(db, name, update)))
        await application.initialize()
        loops = Loops(db, application, name=name, limits=LIFTED, long_poll=1, net=0.5, grace=5)
        self.running.append((loops, asyncio.create_task(run(loops))))
        return loops

    async def _answer(self, db: Database, name: str, update: Update) -> None:
        assert update.message
        text = update.message.text or ""
        async with db.begin() as tx:
            chat_id = (await tx.execute(select(Row.chat_id).where(Row.update_id == update.update_id))).scalar_one()
            assert chat_id
            await outbox.put(tx, chat_id, "sendMessage", {"text": text}, key=f"u{update.update_id}")
            await inbox.done(tx, update.update_id)
        self.handled.append((name, chat_id, text))
        self._news.ring()

    async def handles(self, count: int) -> None:
        """Until so many updates have been handled."""
        async with asyncio.timeout(120):
            while len(self.handled) < count:
                await self._news.next().wait()

    async def end(self) -> None:
        for loops, _ in self.running:
            loops.stop.set()
        await asyncio.gather(*(task for _, task in self.running), return_exceptions=True)
        for loops, _ in self.running:
            await loops.application.shutdown()
            await loops.db.close()


@pytest.fixture
async def fleet(postgres_url: str, api: BotApi) -> AsyncIterator[Fleet]:
    async with serve(api) as address:
        processes = Fleet(postgres_url, address, api.token)
        yield processes
        await processes.end()


def replies(api: BotApi, user: User) -> list[str]:
    return [message["text"] for message in api.messages(user) if message["from"]["is_bot"]]


async def test_three_processes_share_the_work_and_keep_each_chat_in_order(fleet: Fleet, api: BotApi) -> None:
    people = [acquaintance(api, f"Person {number}") for number in range(20)]  # more than one handles at once
    for name in "abc":
        await fleet.start(name)
    for number in range(8):
        for person in people:
            api.say(person, str(number))
    await api.wait_for(lambda api: all(len(replies(api, person)) == 8 for person in people))
    for person in people:
        assert replies(api, person) == [str(number) for number in range(8)]
    assert len(fleet.handled) == 8 * len(people)
    assert len({name for name, _, _ in fleet.handled}) > 1


async def test_when_the_one_that_polls_and_sends_stops_another_goes_on_at_once(fleet: Fleet, api: BotApi) -> None:
    alice = acquaintance(api, "Alice")
    first = await fleet.start("first")
    api.say(alice, "one")
    await api.wait_for(lambda api: replies(api, alice) == ["one"])
    assert first.roles.holds(POLL)
    second = await fleet.start("second")
    assert not second.roles.holds(POLL)
    first.stop.set()
    api.say(alice, "two")
    await api.wait_for(lambda api: replies(api, alice) == ["one", "two"])
    assert second.roles.holds(POLL)
    assert second.roles.holds(SEND)


async def test_a_flood_from_one_chat_delays_nobody_on_postgresql(fleet: Fleet, api: BotApi) -> None:
    flooder, alice = acquaintance(api, "Flooder"), acquaintance(api, "Alice")
    for number in range(300):
        api.say(flooder, str(number))
    api.say(alice, "hello?")
    for name in "ab":
        await fleet.start(name)
    await api.wait_for(lambda api: replies(api, alice) == ["hello?"])
    texts = [text for _, _, text in fleet.handled]
    assert texts.index("hello?") < 150
    await fleet.handles(301)
    texts = [text for _, _, text in fleet.handled if text != "hello?"]
    assert texts == [str(number) for number in range(300)]


async def test_postgresql_restarted_in_the_middle_loses_nothing(
    fleet: Fleet, api: BotApi, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    people = [acquaintance(api, f"Person {number}") for number in range(5)]
    running = await fleet.start("a")
    for number in range(6):
        for person in people:
            api.say(person, str(number))
    await api.wait_for(lambda api: sum(len(replies(api, person)) for person in people) >= 5)
    postgres.stop()
    for person in people:
        api.say(person, "6")
    postgres.start()
    for person in people:
        api.say(person, "7")
    await api.wait_for(lambda api: all(set(replies(api, person)) == set("01234567") for person in people))
    async with running.db.read() as tx:
        states = (await tx.execute(select(Row.state, Row.attempts))).all()
    assert {state for state, _ in states} == {UpdateState.DONE}
    assert "will try again" in str([record.__dict__ for record in caplog.records])
