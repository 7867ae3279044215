import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from bot.delivery import claims, inbox
from bot.delivery.claims import LEASE, Claimed
from bot.delivery.inbox import ATTEMPTS, AlreadyDoneError
from bot.records.people import chat_of
from bot.records.sessions import Database
from bot.records.states import UpdateState
from bot.records.tables import Chat, Update, utc_now

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Raw = dict[str, Any]


def message(update_id: int, chat: int = 1, kind: str = "private") -> Raw:
    return {"update_id": update_id, "message": {"text": "hello", "chat": {"id": chat, "type": kind}}}


async def receive(db: Database, *raw: object) -> int:
    async with db.begin() as tx:
        return len(await inbox.receive(tx, raw))


async def claim(db: Database, worker: str, now: datetime) -> Claimed | None:
    async with db.begin() as tx:
        return next(iter(await claims.claim(tx, worker, now)), None)


async def must_claim(db: Database, now: datetime = NOW, worker: str = "main/0") -> Claimed:
    claimed = await claim(db, worker, now)
    assert claimed is not None
    return claimed


async def close(db: Database, claimed: Claimed) -> None:
    async with db.begin() as tx:
        await inbox.close(tx, [claimed])


async def fail(db: Database, claimed: Claimed, now: datetime = NOW) -> None:
    async with db.begin() as tx:
        await inbox.failed(tx, claimed, "KeyError at bot.handlers:1", now)


async def stored(db: Database) -> Sequence[Update]:
    async with db.read() as tx:
        return (await tx.execute(select(Update).order_by(Update.seq))).scalars().all()


async def test_the_same_update_is_kept_once(db: Database) -> None:
    assert await receive(db, message(7), message(8), message(7)) == 2
    assert await receive(db, message(8), message(9)) == 1
    assert [row.update_id for row in await stored(db)] == [7, 8, 9]


async def test_a_number_that_telegram_gives_again_after_a_quiet_week_is_another_update(db: Database) -> None:
    await receive(db, message(7), message(8))
    async with db.begin() as tx:
        aged = update(Update).where(Update.update_id == 7).values(received_at=utc_now() - timedelta(days=7))
        await tx.execute(aged.execution_options(synchronize_session=False))
    for _ in range(2):
        await receive(db, message(7, chat=2), message(8))
    assert [row.update_id for row in await stored(db)] == [-1, 8, 7]


async def test_two_pollers_with_the_same_updates_keep_them_once(db: Database) -> None:
    batch = [message(number) for number in range(20)]
    counts = await asyncio.gather(*(receive(db, *batch) for _ in range(4)))
    assert sum(counts) == 20


async def test_what_cannot_be_an_update_is_left_out_and_holds_nothing_up(db: Database) -> None:
    strange: list[object] = [None, [], "x", {}, {"update_id": "7"}, {"update_id": True}, {"update_id": 2**63}]
    assert await receive(db, *strange, message(7)) == 1


@pytest.mark.parametrize(
    ("content", "telegram_id"),
    [
        ({"message": {"chat": {"id": 5, "type": "private"}}}, 5),
        ({"edited_message": {"chat": {"id": -5, "type": "group"}}}, -5),
        ({"my_chat_member": {"chat": {"id": 5, "type": "private"}, "from": {"id": 6}}}, 5),
        ({"callback_query": {"message": {"chat": {"id": -5, "type": "supergroup"}}, "from": {"id": 6}}}, -5),
        ({"callback_query": {"inline_message_id": "x", "from": {"id": 6}}}, 6),
        ({"inline_query": {"from": {"id": 6}}}, None),
        ({"something_new": {"chat": {"id": 5, "type": "private"}}}, None),
        ({"message": {"chat": {"id": "5", "type": "private"}}}, None),
        ({"message": {"chat": {"id": 5, "type": "planet"}}}, None),
        ({"message": [1]}, None),
        ({"message": None}, None),
        ({}, None),
    ],
)
async def test_the_chat_is_found_in_the_raw_update(db: Database, content: Raw, telegram_id: int | None) -> None:
    await receive(db, {"update_id": 1, **content})
    async with db.read() as tx:
        found = await tx.execute(select(Chat.telegram_id).join(Update, Update.chat_id == Chat.id))
        assert found.scalar_one_or_none() == telegram_id


async def test_who_writes_is_reachable_again(db: Database) -> None:
    async with db.begin() as tx:
        chat = await chat_of(tx, 1, "private")
        chat.unreachable_since, chat.reason = NOW, "Forbidden"
    left = {"chat": {"id": 1, "type": "private"}, "new_chat_member": {"status": "kicked"}}
    await receive(db, {"update_id": 1, "my_chat_member": left})
    async with db.read() as tx:
        assert (await tx.execute(select(Chat.unreachable_since))).scalar_one() == NOW
    await receive(db, message(2))
    async with db.read() as tx:
        assert (await tx.execute(select(Chat.unreachable_since))).scalar_one() is None


async def test_a_group_that_moves_stays_one_chat(db: Database) -> None:
    before, move, after = message(1, -5, "group"), message(2, -5, "group"), message(3, -1005, "supergroup")
    move["message"]["migrate_to_chat_id"] = -1005
    await receive(db, before, move, after)
    assert len({row.chat_id for row in await stored(db)}) == 1
    async with db.read() as tx:
        assert (await tx.execute(select(Chat.telegram_id))).scalar_one() == -1005


async def test_a_group_that_moves_twice_told_stays_one_chat(db: Database) -> None:
    await receive(db, message(1, -5, "group"), message(2, -1005, "supergroup"))
    moves = [message(number, -5, "group") for number in (3, 4)]
    for move in moves:
        move["message"]["migrate_to_chat_id"] = -1005
    await receive(db, *moves, message(5, -1005, "supergroup"))
    assert [(row.update_id, row.chat_id) for row in await stored(db)] == [(number, 1) for number in range(1, 6)]
    async with db.read() as tx:
        assert (await tx.execute(select(Chat.telegram_id))).scalar_one() == -1005


@pytest.mark.parametrize("ended", [True, False])
async def test_a_group_that_moves_takes_the_lease_along_unless_it_has_one(db: Database, ended: bool) -> None:
    await receive(db, message(1, -5, "group"))
    old = await must_claim(db, worker="one/work")
    await receive(db, message(2, -1005, "supergroup"), message(3, -1005, "supergroup"))
    new = await must_claim(db, worker="two/work")
    if ended:
        await close(db, old)
    move = message(4, -5, "group")
    move["message"]["migrate_to_chat_id"] = -1005
    await receive(db, move)
    assert (old.update_id, new.update_id) == (1, 2)
    assert await claim(db, "three/work", NOW) is None
    async with db.read() as tx:
        assert (await tx.execute(select(Chat.leased_by))).all() == [("two/work" if ended else "one/work",)]


async def test_who_writes_and_leaves_in_one_batch_can_be_reached(db: Database) -> None:
    async with db.begin() as tx:
        for number in (1, 2):
            chat = await chat_of(tx, number, "private")
            chat.unreachable_since, chat.reason = NOW, "Forbidden"
    left = [{"chat": {"id": number, "type": "private"}} for number in (1, 2)]
    await receive(
        db, {"update_id": 1, "my_chat_member": left[0]}, message(2), {"update_id": 3, "my_chat_member": left[1]}
    )
    async with db.read() as tx:
        since = (await tx.execute(select(Chat.unreachable_since).order_by(Chat.telegram_id))).scalars().all()
    assert since == [None, NOW]


async def test_many_updates_take_no_more_statements_than_one(db: Database) -> None:
    statements: list[str] = []
    event.listen(db.writing.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    await receive(db, message(1, chat=1))
    alone = len(statements)
    await receive(db, *(message(number, chat=number) for number in range(2, 30)))
    assert len(statements) - alone <= alone + 1  # and PostgreSQL locks several chats in one order


async def test_done_frees_the_chat_and_tells_whether_more_waits_there(db: Database) -> None:
    await receive(db, message(1), message(2), message(3, chat=2))
    found = []
    for _ in range(3):
        own = inbox.handling(await must_claim(db), lambda: False)
        async with db.begin() as tx:
            await inbox.done(tx, own.claimed.update_id)
        assert own.freed
        found.append((own.claimed.update_id, own.more))
    assert found == [(1, True), (3, False), (2, False)]


async def test_while_others_wait_the_chats_of_what_is_done_are_freed_together(db: Database) -> None:
    await receive(db, message(1, chat=1), message(2, chat=2), message(3, chat=1))
    async with db.begin() as tx:
        claimed = await claims.claim(tx, "main/0", NOW, 2)
    own = inbox.handling(claimed[0], lambda: True)
    async with db.begin() as tx:
        await inbox.done(tx, own.claimed.update_id)
    assert (own.done, own.freed) == (True, False)
    assert await claim(db, "main/1", NOW) is None
    async with db.begin() as tx:
        await inbox.close(tx, claimed, {1, 2})  # of the second that is not true: it is handled again
    assert [row.state for row in await stored(db)] == [UpdateState.DONE, UpdateState.NEW, UpdateState.NEW]
    assert {(await must_claim(db, worker=f"main/{number}")).update_id for number in (1, 2)} == {2, 3}


async def test_failing_after_done_while_others_wait_frees_the_chat(db: Database) -> None:
    await receive(db, message(1), message(2))
    own = inbox.handling(await must_claim(db), lambda: True)
    async with db.begin() as tx:
        await inbox.done(tx, 1)
    await fail(db, own.claimed)
    assert (await must_claim(db, worker="main/1")).update_id == 2


async def test_done_leaves_alone_what_another_worker_has_taken_over(db: Database) -> None:
    await receive(db, message(1), message(2))
    own = inbox.handling(await must_claim(db), lambda: False)
    async with db.begin() as tx:
        await claims.release_all(tx, "main")
    other = await must_claim(db, worker="other/0")
    async with db.begin() as tx:
        await inbox.done(tx, own.claimed.update_id)
    assert (other.update_id, own.more) == (1, False)
    assert await claim(db, "main/1", NOW) is None


async def test_failing_after_done_does_not_free_the_chat_of_the_next(db: Database) -> None:
    await receive(db, message(1), message(2))
    own = inbox.handling(await must_claim(db), lambda: False)
    async with db.begin() as tx:
        await inbox.done(tx, 1)
    assert (await must_claim(db)).update_id == 2  # by the same worker
    async with db.begin() as tx:
        await inbox.failed(tx, own.claimed, "KeyError at bot.handlers:1", NOW, freed=own.freed)
        await inbox.put_back(tx, own.claimed, "OSError at bot.handlers:1", NOW, freed=own.freed)
        await inbox.set_aside(tx, own.claimed, "unreadable", freed=own.freed)
    assert await claim(db, "main/1", NOW) is None
    assert [row.state for row in await stored(db)] == [UpdateState.DONE, UpdateState.NEW]


async def test_of_given_chats_those_that_are_free_are_claimed_each_with_its_oldest_update(db: Database) -> None:
    await receive(db, *(message(number, chat=(number - 1) % 4 + 1) for number in range(1, 9)))
    held = await must_claim(db, worker="other/0")
    await fail(db, await must_claim(db))  # chat 2 waits for another try
    async with db.begin() as tx:
        claimed = await claims.claim_in(tx, "main/0", NOW, [1, 2, 3])
        assert [(one.chat_id, one.update_id) for one in claimed] == [(3, 3)]
        assert await claims.claim_in(tx, "main/0", NOW, [1, 2, 3], claimed) == []
        assert await claims.claim_in(tx, "main/0", NOW, []) == []
    assert held.chat_id == 1
    later = [await must_claim(db, NOW + timedelta(seconds=1), f"main/{number}") for number in (1, 2)]
    assert [one.update_id for one in later] == [4, 2]  # chat 2 was let go


async def test_updates_of_many_chats_that_come_together_keep_their_order(db: Database) -> None:
    batch = [message(number, chat=-number % 7 + 1) for number in range(1, 101)]
    assert await receive(db, *batch) == 100
    assert [row.update_id for row in await stored(db)] == list(range(1, 101))
    async with db.read() as tx:
        rows = await tx.execute(select(Update.update_id, Chat.telegram_id).join(Chat, Chat.id == Update.chat_id))
        assert dict(rows.all()) == {number: -number % 7 + 1 for number in range(1, 101)}


async def test_a_chat_is_handled_in_order_by_one_worker_at_a_time(db: Database) -> None:
    await receive(db, message(1), message(2))
    first = await must_claim(db)
    assert first.update_id == 1
    assert await claim(db, "main/1", NOW) is None
    await close(db, first)
    assert (await must_claim(db)).update_id == 2


async def test_only_one_of_many_workers_gets_a_chat(db: Database) -> None:
    await receive(db, message(1))
    claims = await asyncio.gather(*(claim(db, f"main/{number}", NOW) for number in range(8)))
    assert sum(claimed is not None for claimed in claims) == 1


async def test_done_erases_what_people_wrote(db: Database) -> None:
    await receive(db, message(1))
    async with db.begin() as tx:
        await inbox.done(tx, 1)
    [row] = await stored(db)
    assert (row.state, row.raw) == (UpdateState.DONE, None)
    assert row.finished_at is not None


async def test_done_twice_undoes_the_second_transaction(db: Database) -> None:
    async def effects() -> None:
        async with db.begin() as tx:
            await chat_of(tx, 99, "private")
            await inbox.done(tx, 1)

    await receive(db, message(1))
    async with db.begin() as tx:
        await inbox.done(tx, 1)
    with pytest.raises(AlreadyDoneError):
        await effects()
    async with db.read() as tx:
        assert (await tx.execute(select(Chat.telegram_id))).scalars().all() == [1]


async def test_a_chat_waits_for_the_retry_of_its_oldest_update(db: Database) -> None:
    await receive(db, message(1), message(2), message(3, chat=2))
    await fail(db, await must_claim(db))
    other = await must_claim(db)
    assert other.update_id == 3
    await close(db, other)
    assert await claim(db, "main/0", NOW) is None
    again = await must_claim(db, NOW + timedelta(seconds=1))
    assert (again.update_id, again.attempts) == (1, 2)


async def test_an_update_that_always_fails_is_set_aside_and_the_chat_goes_on(db: Database) -> None:
    await receive(db, message(1), message(2))
    now = NOW
    for _ in range(ATTEMPTS):
        now += timedelta(hours=1)
        poison = await must_claim(db, now)
        assert poison.update_id == 1
        await fail(db, poison, now)
    assert (await must_claim(db, now)).update_id == 2
    row = (await stored(db))[0]
    assert (row.state, row.error) == (UpdateState.SET_ASIDE, "KeyError at bot.handlers:1")
    assert row.raw == message(1)


async def test_failing_after_done_does_not_bring_an_update_back(db: Database) -> None:
    await receive(db, message(1))
    claimed = await must_claim(db)
    async with db.begin() as tx:
        await inbox.done(tx, 1)
    await fail(db, claimed)
    assert (await stored(db))[0].state is UpdateState.DONE


async def test_a_flood_from_one_chat_delays_the_others_by_one_update(db: Database) -> None:
    await receive(db, *(message(number) for number in range(300)))
    first = await must_claim(db)
    await receive(db, message(1000, chat=2), message(1001, chat=3))
    await close(db, first)
    served = []
    for seconds in range(1, 5):
        claimed = await must_claim(db, NOW + timedelta(seconds=seconds))
        served.append(claimed.update_id)
        await close(db, claimed)
    assert served == [1000, 1001, 1, 2]


async def test_what_a_dead_worker_held_is_taken_over_when_its_lease_ends(db: Database) -> None:
    await receive(db, message(1), {"update_id": 2, "something_new": {}})
    assert {(await must_claim(db)).update_id, (await must_claim(db, worker="main/1")).update_id} == {1, 2}
    assert await claim(db, "other/0", NOW + LEASE - timedelta(seconds=1)) is None
    late = NOW + LEASE
    taken = [await must_claim(db, late, worker) for worker in ("other/0", "other/1")]
    assert {claimed.update_id for claimed in taken} == {1, 2}


async def test_a_process_that_starts_again_need_not_wait_for_its_own_leases(db: Database) -> None:
    await receive(db, message(1), message(2, chat=2))
    await must_claim(db, worker="main/0")
    await must_claim(db, worker="main2/0")
    async with db.begin() as tx:
        await claims.release_all(tx, "main")
    assert (await must_claim(db)).update_id == 1
    assert await claim(db, "main/1", NOW) is None


async def test_a_worker_does_not_free_a_chat_that_another_has_taken_over(db: Database) -> None:
    await receive(db, message(1), message(2))
    slow = await must_claim(db)
    await must_claim(db, NOW + LEASE, "main/1")
    await close(db, slow)
    assert await claim(db, "main/2", NOW + LEASE) is None


async def test_several_chats_are_claimed_at_once_each_with_its_oldest_update(db: Database) -> None:
    await receive(db, message(1), message(2), message(3, chat=2), {"update_id": 4, "poll": {"id": "1"}})
    async with db.begin() as tx:
        claimed = await claims.claim(tx, "main/0", NOW, 8)
    assert {one.update_id for one in claimed} == {1, 3, 4}


async def test_what_a_worker_is_at_work_on_it_does_not_claim_again(db: Database) -> None:
    await receive(db, message(1), message(2), {"update_id": 3, "poll": {"id": "1"}})
    async with db.begin() as tx:
        claimed = await claims.claim(tx, "main/0", NOW, 2)
    async with db.begin() as tx:
        assert await claims.claim(tx, "main/0", NOW, 2, claimed) == []
        # The control: what it does not work on was left by a try that the database cut short.
        assert {one.update_id for one in await claims.claim(tx, "main/0", NOW, 2)} == {1, 3}


async def test_intake_and_release_of_the_same_chats_do_not_wait_for_each_other(postgres_db: Database) -> None:
    there, back = [message(10 + chat, chat) for chat in range(1, 9)], range(8, 0, -1)
    await receive(postgres_db, *there)
    async with postgres_db.begin() as tx:
        claimed = await claims.claim(tx, "main/0", NOW, 8)

    async def close_all() -> None:
        async with postgres_db.begin() as tx:
            await inbox.close(tx, claimed)

    async def take_in(number: int) -> int:
        return await receive(postgres_db, *(message(100 * number + chat, chat) for chat in back))

    async with asyncio.timeout(120):
        kept = await asyncio.gather(take_in(1), close_all(), take_in(2))
    assert kept[0] == kept[2] == 8


async def test_a_chat_of_no_readable_kind_stops_nobody(db: Database) -> None:
    odd = {"update_id": 1, "message": {"chat": {"id": 5, "type": []}}}
    async with db.begin() as tx:
        assert [*await inbox.receive(tx, [odd])] == [odd["update_id"]]
