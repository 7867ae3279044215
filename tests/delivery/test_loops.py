import asyncio
import logging
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, select
from sqlalchemy import update as change
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from telegram import Bot, Update
from telegram.ext import Application, TypeHandler

from bot.delivery import inbox, loops, outbox, silence, sqlitefile
from bot.delivery.budgets import LIFTED
from bot.delivery.claims import release_all
from bot.delivery.loops import Loops, TokenRefusedError, run
from bot.delivery.sqlitefile import FileGoneError
from bot.delivery.wake import wait
from bot.records import sqlite
from bot.records.people import chat_of, move_chat
from bot.records.sessions import Database
from bot.records.states import UpdateState
from bot.records.tables import TELEGRAM_SILENT, Chat, Outgoing, Setting, utc_now
from bot.records.tables import Update as Row
from bot.sandbox.botapi import BotApi
from bot.sandbox.people import User
from tests.flows.house import Log

from .conftest import acquaintance

Handler = Callable[[Update], Coroutine[Any, Any, None]]
Start = Callable[..., Any]


@pytest.fixture
async def start(db: Database, bot: Bot) -> Start:
    """Runs the loops with one handler for everything, until the block ends."""

    @asynccontextmanager
    async def running(handler: Handler, **options: Any) -> AsyncIterator[Loops]:
        application = Application.builder().bot(bot).updater(None).job_queue(None).build()
        application.add_handler(TypeHandler(Update, lambda update, _: handler(update)))
        async with application:
            values: dict[str, Any] = {"limits": LIFTED, "long_poll": 1, "net": 0.2, "grace": 5} | options
            these = Loops(db, application, **values)
            task = asyncio.create_task(run(these))
            yield these
            these.stop.set()
            await task
            await bot.initialize()  # the application ended it

    return running


@pytest.fixture
def log() -> Iterator[Log]:
    """What the bot logs, line by line."""
    with Log().listening() as log:
        yield log


def echo(db: Database, *, before: Handler | None = None) -> Handler:
    """A handler as they are to be: one transaction for the effects and for done."""

    async def handler(update: Update) -> None:
        if before is not None:
            await before(update)
        if update.message is None or update.message.text is None:
            return
        payload = {"text": f"re: {update.message.text}"}
        async with db.begin() as tx:
            row = (await tx.execute(select(Row).where(Row.update_id == update.update_id))).scalar_one()
            assert row.chat_id is not None
            await outbox.put(tx, row.chat_id, "sendMessage", payload, key=f"u{update.update_id}")
            await inbox.done(tx, update.update_id)

    return handler


def replies(api: BotApi, user: User) -> list[str]:
    return [message["text"] for message in api.messages(user) if message["from"]["is_bot"]]


async def rows(db: Database) -> Sequence[Row]:
    async with db.read() as tx:
        return (await tx.execute(select(Row).order_by(Row.seq))).scalars().all()


async def settled(db: Database, running: Loops) -> None:
    """Waits until nothing in the inbox is to be handled; that it is noted how handling ended rings nowhere."""
    async with asyncio.timeout(120):
        while True:
            news = running.wake.updates.next()
            if all(row.state is not UpdateState.NEW for row in await rows(db)):
                return
            await wait(news, 0.05)


async def test_each_chat_is_answered_in_order(start: Start, db: Database, api: BotApi) -> None:
    people = [acquaintance(api, name) for name in ("Alice", "Bob", "Zoé")]
    async with start(echo(db)):
        for number in range(10):
            for person in people:
                api.say(person, str(number))
        await api.wait_for(lambda api: all(len(replies(api, person)) == 10 for person in people))
    for person in people:
        assert replies(api, person) == [f"re: {number}" for number in range(10)]
    assert {(row.state, row.raw) for row in await rows(db)} == {(UpdateState.DONE, None)}


async def test_what_happens_is_counted_and_timed(start: Start, db: Database, api: BotApi, alice: User) -> None:
    async with start(echo(db)) as running:
        api.say(alice, "one")
        api.push({"telepathy": {"strength": 3}})
        await api.wait_for(lambda api: replies(api, alice) == ["re: one"])
        await settled(db, running)
        assert {"poll", "send", "work"} <= running.watch.beats.late().keys()
    value = running.watch.metrics.registry.get_sample_value
    assert value("guichet_updates_received_total", {"kind": "message"}) == 1
    assert value("guichet_updates_received_total", {"kind": "other"}) == 1
    assert value("guichet_updates_handled_total", {"outcome": "done"}) == 2
    assert value("guichet_messages_total", {"outcome": "sent"}) == 1
    for stage, count in (("waiting", 2), ("handling", 2), ("sending", 1)):
        assert value("guichet_stage_seconds_count", {"stage": stage}) == count
        assert 0 < (value("guichet_stage_seconds_sum", {"stage": stage}) or 0) < 30
    assert running.watch.beats.late() == {}


async def test_an_update_that_need_not_wait_is_claimed_as_it_comes_and_freed_as_it_is_done(
    start: Start, db: Database, api: BotApi, alice: User
) -> None:
    statements: list[str] = []

    def note(*given: Any) -> None:
        statements.append(given[2])

    event.listen(db.writing.sync_engine, "before_cursor_execute", note)
    async with start(echo(db), net=3600) as running:
        await api.wait_for(lambda api: api.calls("getUpdates"))
        await settled(db, running)
        statements.clear()
        for _ in range(3):
            before = len(replies(api, alice))
            api.say(alice, "again")
            await api.wait_for(lambda api: len(replies(api, alice)) > before)  # noqa: B023  # waited for here
            await settled(db, running)
        leases = [one for one in statements if one.startswith("UPDATE chat SET leased_by")]
    assert len(leases) == 6
    assert not [one for one in statements if one.startswith("WITH following")]  # nobody has looked for others


async def test_nobody_overtakes_those_who_wait_for_room(db: Database, bot: Bot, api: BotApi) -> None:
    application = Application.builder().bot(bot).updater(None).job_queue(None).build()
    async with application, asyncio.TaskGroup() as handlers:
        these = Loops(db, application)
        these.under_way.handlers, these.under_way.slots = handlers, ["one"]
        for crowded in (True, False):
            these.under_way.crowded = crowded
            api.say(acquaintance(api, "Alice"), "hello")
            await loops.take_in(these, api.pending())
            assert len(these.under_way.claimed) == (not crowded)
    await bot.initialize()  # the application ended it


async def test_updates_of_no_chat_are_handled_without_looking_at_the_clock(start: Start, db: Database) -> None:
    async def handler(update: Update) -> None:
        async with db.begin() as tx:
            await inbox.done(tx, update.update_id)

    who = {"id": 6, "is_bot": False, "first_name": "Alice"}
    query = {"id": "1", "from": who, "query": "price", "offset": ""}
    async with start(handler, net=3600) as running:
        await settled(db, running)
        await loops.take_in(running, [{"update_id": number, "inline_query": query} for number in range(1, 20)])
        await settled(db, running)
    assert [row.state for row in await rows(db)] == [UpdateState.DONE] * 19


async def test_what_is_committed_although_intake_was_cut_off_is_handled_without_looking_at_the_clock(
    start: Start, db: Database, alice: User
) -> None:
    async def handler(update: Update) -> None:
        async with db.begin() as tx:
            await inbox.done(tx, update.update_id)

    about = {"id": alice.id, "type": "private", "first_name": "Alice"}
    message = {"message_id": 1, "date": 1_700_000_000, "chat": about, "from": {**about, "is_bot": False}, "text": "hi"}
    async with start(handler, net=3600) as running:
        await settled(db, running)
        taking = asyncio.create_task(loops.take_in(running, [{"update_id": 1, "message": message}]))

        def cut_off(_: Session) -> None:
            if asyncio.current_task() is taking:
                raise asyncio.CancelledError

        event.listen(Session, "after_commit", cut_off)
        try:
            with pytest.raises(asyncio.CancelledError):
                await taking
        finally:
            event.remove(Session, "after_commit", cut_off)
        await settled(db, running)
    assert [row.state for row in await rows(db)] == [UpdateState.DONE]


async def test_who_waits_for_room_is_looked_for_even_if_nobody_heard_of_them(
    start: Start, db: Database, api: BotApi
) -> None:
    async with start(echo(db), net=3600, workers=2) as running:
        await api.wait_for(lambda api: api.calls("getUpdates"))
        await settled(db, running)
        here, slots = running.under_way, running.under_way.slots
        here.slots = []
        running.wake.updates.ring()  # a look without room
        for _ in range(20):
            await asyncio.sleep(0)
        assert here.crowded
        here.slots = slots
        people = [acquaintance(api, name) for name in ("Alice", "Bob", "Zoé")]
        for person in people:
            api.say(person, "hello")
        await api.wait_for(lambda api: all(replies(api, person) for person in people))


async def test_an_update_in_hand_is_not_begun_again_when_its_lease_is_lost(
    start: Start, db: Database, api: BotApi, alice: User
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    seen: list[str] = []

    async def slow(update: Update) -> None:
        assert update.message
        seen.append(update.message.text or "")
        begun.set()
        await go_on.wait()

    async with start(echo(db, before=slow), net=0.2) as running:
        api.say(alice, "one")
        await begun.wait()
        async with db.begin() as tx:  # as another process does that takes this one for dead
            await release_all(tx, running.name)
        api.say(alice, "two")
        await api.wait_for(lambda api: not api.pending())
        await asyncio.sleep(0.5)
        assert seen == ["one"]
        go_on.set()
        await api.wait_for(lambda api: replies(api, alice) == ["re: one", "re: two"])
    assert seen == ["one", "two"]


async def test_an_update_in_hand_is_counted_once_more_at_most_when_its_group_moves(start: Start, db: Database) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    seen: list[int] = []

    async def slow(update: Update) -> None:
        seen.append(update.update_id)
        begun.set()
        await go_on.wait()
        async with db.begin() as tx:
            await inbox.done(tx, update.update_id)

    chat = {"id": -1005, "type": "supergroup", "title": "Staff"}
    message = {"message_id": 1, "date": 1_700_000_000, "chat": chat, "text": "hello"}
    async with db.begin() as tx:
        old = (await chat_of(tx, -5, "group")).id
    async with start(slow) as running:
        await loops.take_in(running, [{"update_id": number, "message": message} for number in (1, 2)])
        await begun.wait()
        async with db.begin() as tx:
            await move_chat(tx, old, -1005)
        for _ in range(6):
            running.wake.updates.ring()
            await asyncio.sleep(0.05)
        assert seen == [1]
        assert (await rows(db))[0].attempts <= 2
        go_on.set()
        await settled(db, running)
        assert seen == [1, 2]
    async with db.read() as tx:
        assert (await tx.execute(select(Chat.leased_by))).all() == [(None,)]


async def test_intake_and_a_handler_that_hold_two_chats_do_not_wait_for_each_other(
    start: Start, db: Database, log: Log
) -> None:
    halfway = asyncio.Event()

    def said(number: int, chat: int, kind: str) -> dict[str, Any]:
        who = {"id": 77, "is_bot": False, "first_name": "Marie"}
        about = {"id": chat, "type": kind, "title": "Staff", "first_name": "Marie"}
        message = {"message_id": number, "date": 1_700_000_000, "chat": about, "from": who, "text": "hello"}
        return {"update_id": number, "message": message}

    async def handler(update: Update) -> None:
        async with db.begin() as tx:
            if update.update_id == 1:
                await chat_of(tx, 77, "private")
                halfway.set()
                await asyncio.sleep(0.3)
            await inbox.done(tx, update.update_id)

    async with db.begin() as tx:
        await chat_of(tx, 77, "private")
    async with start(handler) as running:
        await settled(db, running)
        await loops.take_in(running, [said(1, -100, "supergroup")])
        await halfway.wait()
        await loops.take_in(running, [said(2, -100, "supergroup"), said(3, 77, "private")])
        await settled(db, running)
    assert log.errors == []


async def test_a_flood_from_one_chat_is_handled_without_looking_at_the_clock(
    start: Start, db: Database, api: BotApi, alice: User
) -> None:
    for number in range(20):
        api.say(alice, str(number))
    async with start(echo(db), net=3600):
        await api.wait_for(lambda api: len(replies(api, alice)) == 20)


async def test_updates_wait_in_the_inbox_while_nobody_works(
    start: Start, db: Database, api: BotApi, alice: User
) -> None:
    api.say(alice, "anyone?")
    async with start(echo(db), workers=0):
        await api.wait_for(lambda api: not api.pending())
    assert [row.state for row in await rows(db)] == [UpdateState.NEW]
    async with start(echo(db)):
        await api.wait_for(lambda api: replies(api, alice) == ["re: anyone?"])


async def test_a_crash_between_commit_and_offset_neither_loses_nor_repeats(
    start: Start, db: Database, api: BotApi, alice: User
) -> None:
    api.say(alice, "once")
    async with db.begin() as tx:  # committed, and then the process died before it told Telegram
        await inbox.receive(tx, api.pending())
    api.say(alice, "then")
    async with start(echo(db)):
        await api.wait_for(lambda api: len(replies(api, alice)) == 2)
        await api.wait_for(lambda api: not api.pending())
    assert replies(api, alice) == ["re: once", "re: then"]


async def test_update_ids_that_start_anew_after_a_quiet_week_are_not_missed(
    start: Start, db: Database, api: BotApi, alice: User
) -> None:
    async with start(echo(db)):
        api.say(alice, "before")
        await api.wait_for(lambda api: [call.params.get("offset") for call in api.calls("getUpdates")].count(None) > 1)
        chat = {"id": alice.id, "type": "private"}
        api.push({"update_id": 5, "message": {"message_id": 900, "date": 0, "chat": chat, "text": "after"}})
        await api.wait_for(lambda api: replies(api, alice) == ["re: before", "re: after"])


async def test_after_a_quiet_week_an_update_may_have_the_number_of_an_earlier_one(
    start: Start, db: Database, api: BotApi, alice: User
) -> None:
    chat = {"id": alice.id, "type": "private"}

    def said(text: str) -> dict[str, Any]:
        return {"update_id": 5, "message": {"message_id": 900, "date": 0, "chat": chat, "text": text}}

    async with start(echo(db)):
        api.push(said("before"))
        await api.wait_for(lambda api: replies(api, alice) == ["re: before"])
        async with db.begin() as tx:
            ago = utc_now() - timedelta(days=7)
            await tx.execute(change(Row).values(received_at=ago).execution_options(synchronize_session=False))
            await tx.execute(change(Outgoing).values(created_at=ago).execution_options(synchronize_session=False))
        api.push(said("after"))
        await api.wait_for(lambda api: replies(api, alice) == ["re: before", "re: after"])


async def test_a_handler_that_fails_is_called_again_and_keeps_its_chat_in_order(
    start: Start, db: Database, api: BotApi, alice: User
) -> None:
    failures = ["once"]

    async def stumble(_: Update) -> None:
        if failures:
            raise LookupError(failures.pop())

    async with start(echo(db, before=stumble)):
        api.say(alice, "first")
        api.say(alice, "second")
        await api.wait_for(lambda api: len(replies(api, alice)) == 2)
    assert replies(api, alice) == ["re: first", "re: second"]
    assert [row.attempts for row in await rows(db)] == [2, 1]


async def test_poison_is_set_aside_without_quoting_it(
    start: Start,
    db: Database,
    api: BotApi,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def choke(update: Update) -> None:
        if update.message and update.message.text == "poison":
            raise ValueError(update.message.text)

    monkeypatch.setattr(inbox, "ATTEMPTS", 1)
    async with start(echo(db, before=choke)) as running:
        api.say(alice, "poison")
        api.say(alice, "water")
        await api.wait_for(lambda api: replies(api, alice) == ["re: water"])
        await settled(db, running)
    poison, water = await rows(db)
    assert (poison.state, water.state) == (UpdateState.SET_ASIDE, UpdateState.DONE)
    assert poison.raw is not None
    assert poison.error is not None
    assert poison.error.startswith("ValueError at tests.delivery.test_loops:")
    assert "poison" not in "".join(str(record.__dict__) for record in caplog.records)


async def test_what_cannot_be_parsed_is_set_aside_at_once(start: Start, db: Database, api: BotApi, alice: User) -> None:
    chat = {"id": alice.id, "type": "private"}
    api.push({"update_id": 1, "message": {"message_id": 1, "date": "yesterday", "chat": chat, "text": "x"}})
    api.push({"update_id": 2, "message": 17})
    api.say(alice, "fine")
    async with start(echo(db)) as running:
        await api.wait_for(lambda api: replies(api, alice) == ["re: fine"])
        await settled(db, running)
    assert [(row.state, row.attempts) for row in await rows(db)] == [
        (UpdateState.SET_ASIDE, 1),
        (UpdateState.SET_ASIDE, 1),
        (UpdateState.DONE, 1),
    ]


async def test_kinds_that_nobody_handles_are_done(start: Start, db: Database, api: BotApi) -> None:
    api.push({"update_id": 1, "telepathy": {"thought": "x"}})
    async with start(echo(db)) as running:
        await api.wait_for(lambda api: not api.pending())
        await settled(db, running)
    assert [(row.kind, row.state) for row in await rows(db)] == [("telepathy", UpdateState.DONE)]


async def test_a_handler_that_hangs_is_stopped(
    start: Start, db: Database, api: BotApi, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "ATTEMPTS", 1)

    async def hang(_: Update) -> None:
        await asyncio.Event().wait()

    async with start(hang, handling=0.05) as running:
        api.say(alice, "hello")
        await api.wait_for(lambda api: not api.pending())
        await settled(db, running)
    [row] = await rows(db)
    assert (row.state, (row.error or "").split()[0]) == (UpdateState.SET_ASIDE, "TimeoutError")


async def test_an_update_whose_workers_all_died_is_not_begun_again(
    start: Start, db: Database, api: BotApi, alice: User
) -> None:
    api.say(alice, "deadly")
    async with db.begin() as tx:
        await inbox.receive(tx, api.pending())
        (await tx.execute(select(Row))).scalar_one().attempts = inbox.ATTEMPTS
    async with start(echo(db)) as running:
        await settled(db, running)
    assert [row.state for row in await rows(db)] == [UpdateState.SET_ASIDE]
    assert replies(api, alice) == []


async def test_stopping_finishes_what_runs_and_leaves_the_rest(
    start: Start, db: Database, api: BotApi, alice: User
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: Update) -> None:
        begun.set()
        await go_on.wait()

    began = time.monotonic()
    async with start(echo(db, before=slow), long_poll=50, workers=1) as running:
        api.say(alice, "first")
        api.say(alice, "second")
        await begun.wait()
        await api.wait_for(lambda api: not api.pending())
        running.stop.set()
        go_on.set()
    assert time.monotonic() - began < 10
    assert [row.state for row in await rows(db)] == [UpdateState.DONE, UpdateState.NEW]


async def test_stopping_does_not_wait_for_ever_and_the_next_start_takes_over_at_once(
    start: Start, db: Database, api: BotApi, alice: User
) -> None:
    begun = asyncio.Event()

    async def stuck(_: Update) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with start(stuck, grace=0.1):
        api.say(alice, "hello")
        await begun.wait()
    assert [row.state for row in await rows(db)] == [UpdateState.NEW]
    async with start(echo(db)):
        await api.wait_for(lambda api: replies(api, alice) == ["re: hello"])


@pytest.mark.parametrize(
    ("error", "hints"),
    [
        (409, ["another process polls with this token"]),
        (502, ["will try again"]),
        ("drop_before", ["will try again"]),
        (429, []),
    ],
)
async def test_polling_survives_errors(
    start: Start,
    db: Database,
    api: BotApi,
    alice: User,
    error: int | str,
    hints: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    api.fail("getUpdates", error)
    async with start(echo(db)):
        api.say(alice, "still there?")
        await api.wait_for(lambda api: replies(api, alice) == ["re: still there?"])
    assert [record.__dict__["hint"] for record in caplog.records if record.name == loops.__name__] == hints


async def test_a_token_that_telegram_refuses_ends_the_run_with_a_clear_error(
    db: Database, bot: Bot, api: BotApi
) -> None:
    api.fail("getUpdates", 401)
    application = Application.builder().bot(bot).updater(None).job_queue(None).build()
    async with application:
        with pytest.raises(TokenRefusedError, match="GUICHET_TELEGRAM_TOKEN"):
            await run(Loops(db, application))


def take_away(file: Path, *, replaced: bool) -> None:
    elsewhere = file.rename(file.with_name("elsewhere.db"))
    if replaced:
        shutil.copy(elsewhere, file)


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_that_is_taken_from_under_the_bot_ends_the_run(
    sqlite_db: Database, bot: Bot, monkeypatch: pytest.MonkeyPatch, *, replaced: bool
) -> None:
    """What it goes on writing would be in a file that nobody finds again."""
    monkeypatch.setattr(sqlitefile, "LOOK", 0.1)
    application = Application.builder().bot(bot).updater(None).job_queue(None).build()
    file = Path(str(sqlite_db.engine.url.database))
    async with application, asyncio.timeout(120):
        these = Loops(sqlite_db, application, grace=1)
        at_work = these.roles.changed.next()
        task = asyncio.create_task(run(these))
        await at_work.wait()
        await asyncio.sleep(0.3)  # some looks
        assert not task.done()
        take_away(file, replaced=replaced)
        with pytest.raises(FileGoneError, match=f"{file} was moved, removed or replaced"):
            await task
    await bot.initialize()  # the application ended it


async def test_logs_name_neither_people_nor_texts_nor_the_token(
    start: Start, db: Database, api: BotApi, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    api.fail("sendMessage", 502)
    async with start(echo(db)):
        api.say(alice, "a secret wish")
        await api.wait_for(lambda api: len(replies(api, alice)) == 1)
        api.block(alice)
    ours = "".join(str(record.__dict__) for record in caplog.records if record.name.startswith("bot."))
    for secret in ("secret wish", str(alice.id), api.token):
        assert secret not in ours
    assert "message delayed" in ours


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_full_disk_delays_and_loses_nothing(
    start: Start, db: Database, api: BotApi, alice: User, log: Log
) -> None:
    pages = 1  # no more than there are

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    event.listen(db.writing.sync_engine, "begin", limit)
    long = "x" * 4000
    async with start(echo(db)):
        for number in range(8):
            api.say(alice, f"{number}{long}")
        await log.heard("loop failed")
        assert api.pending()
        pages = 2**30
        await api.wait_for(lambda api: len(replies(api, alice)) >= 8)
        await log.heard("loop works again")
    assert "SQLITE_FULL at bot." in "\n".join(log.lines)
    assert {text[4] for text in replies(api, alice) if text.startswith("re: ")} == set("01234567")
    assert {row.state for row in await rows(db)} == {UpdateState.DONE}


async def test_that_telegram_is_out_of_reach_is_noted_until_it_answers(
    start: Start, db: Database, api: BotApi, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "LONG", timedelta(0))

    async def noted() -> str | None:
        async with db.read() as tx:
            return (await tx.execute(select(Setting.value).where(Setting.key == TELEGRAM_SILENT))).scalar_one_or_none()

    api.fail("getUpdates", "drop_before", times=2)
    async with start(echo(db)) as running:
        await log.heard("loop failed")
        assert "NetworkError" in (await noted() or "")
        await log.heard("loop works again")
        assert await noted() is None
        assert running.watch.metrics.registry.get_sample_value("guichet_polling_failing_seconds") == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_locked_database_delays_and_loses_nothing(
    start: Start, db: Database, api: BotApi, alice: User, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", sqlite.HASTE)
    async with start(echo(db)):
        await api.wait_for(lambda api: api.world.queue.polled)
        lock = sqlite3.connect(str(db.engine.url.database), isolation_level=None, check_same_thread=False)
        await asyncio.to_thread(lock.execute, "BEGIN IMMEDIATE")  # waiting here would keep the bot from letting go
        api.say(alice, "hello")
        await log.heard("loop failed")
        lock.execute("ROLLBACK")
        lock.close()
        await api.wait_for(lambda api: replies(api, alice) == ["re: hello"])
    assert [(row.state, row.attempts) for row in await rows(db)] == [(UpdateState.DONE, 1)]


@pytest.mark.parametrize("tries", [1, 5])
async def test_a_database_in_need_is_not_the_update_s_fault(
    start: Start, db: Database, api: BotApi, alice: User, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "ATTEMPTS", 1)
    monkeypatch.setattr(inbox, "SOON", timedelta(0))
    failures = [OperationalError("", {}, psycopg.OperationalError("gone")) for _ in range(tries)]

    async def cut_off(_: Update) -> None:
        if failures:
            raise failures.pop()

    async with start(echo(db, before=cut_off)):
        api.say(alice, "hello")
        await api.wait_for(lambda api: replies(api, alice) == ["re: hello"])
    assert [(row.state, row.attempts) for row in await rows(db)] == [(UpdateState.DONE, 1)]
