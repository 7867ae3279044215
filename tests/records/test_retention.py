from datetime import timedelta

from sqlalchemy import func, select, update

from bot.desk.desk import Desk
from bot.desk.retention import DONE, RETAIN, plan, retain
from bot.records.people import chat_of
from bot.records.sessions import Database
from bot.records.states import OutgoingState, TicketState
from bot.records.tables import Base, Candidate, Chat, Outgoing, Question, Setting, Ticket, Timer, Update, utc_now

from .test_people import ALICE, BOB, STAFF, everything, person

PERIODS = {"questions": 100, "tickets": 100, "messages": 50, "inbox": 10, "people": 300, "bans": 0}
NOW = utc_now()


async def aged(db: Database, days: int, *, closed: bool = True, seen: int = 0) -> None:
    """Alice, whose things are that old, and Bob, of today; she was seen more lately."""
    ago = NOW - timedelta(days=days)
    async with db.begin() as tx:
        await person(tx, ALICE, "Alice's words")
        ended = {"state": TicketState.CLOSED, "closed_at": ago} if closed else {}
        await tx.execute(update(Ticket).values(opened_at=ago, **ended))
        await tx.execute(update(Question).values(asked_at=ago))
        await tx.execute(update(Outgoing).values(created_at=ago, state=OutgoingState.SENT))
        await tx.execute(update(Update).values(received_at=ago))
        await tx.execute(update(Candidate).values(last_seen_at=NOW - timedelta(days=seen)))
        await person(tx, BOB, "Bob's words")


async def night(db: Database) -> int:
    """The job until nothing is left; in how many transactions."""
    for count in range(1, 100):
        async with db.begin() as tx:
            desk = Desk((await chat_of(tx, STAFF, "supergroup")).id, "en")
            if await retain(tx, desk, PERIODS, NOW):
                return count
    raise AssertionError("it does not end")


async def left(db: Database, *tables: type[Base]) -> list[int]:
    async with db.read() as tx:
        return [(await tx.execute(select(func.count()).select_from(table))).scalar_one() for table in tables]


async def test_nothing_goes_before_its_time(db: Database) -> None:
    await aged(db, 5)
    before = await left(db, Question, Ticket, Outgoing, Update, Candidate)
    assert await night(db) == 1
    assert await left(db, Question, Ticket, Outgoing, Update, Candidate) == before


async def test_what_is_past_its_period_goes_and_what_others_have_stays(db: Database) -> None:
    await aged(db, 150)
    assert await night(db) > 3
    async with db.read() as tx:
        kept = await everything(tx)
    assert "Alice's words" not in kept
    assert kept.count("Bob's words") > 3
    assert await left(db, Candidate, Question, Ticket, Update) == [2, 1, 1, 1]


async def test_each_kind_has_a_period_of_its_own(db: Database) -> None:
    await aged(db, 20)
    await night(db)
    assert await left(db, Question, Ticket, Update) == [2, 2, 1]


async def test_an_open_conversation_stays_however_old_it_is(db: Database) -> None:
    await aged(db, 1000, closed=False, seen=1000)
    await night(db)
    assert await left(db, Candidate, Ticket, Question) == [2, 2, 2]


async def test_who_has_been_silent_for_too_long_is_forgotten(db: Database) -> None:
    await aged(db, 5, seen=301)
    await night(db)
    async with db.read() as tx:
        kept = await everything(tx)
        assert await tx.scalar(select(Chat).where(Chat.telegram_id == ALICE)) is None
    assert "Alice's words" not in kept
    assert "Bob's words" in kept


async def test_the_job_goes_on_at_once_while_something_is_left_and_then_next_night(db: Database) -> None:
    await aged(db, 150)
    async with db.begin() as tx:
        desk = Desk((await chat_of(tx, STAFF, "supergroup")).id, "en")
        await plan(tx, desk, NOW)
        assert not await retain(tx, desk, PERIODS, NOW)
        assert await tx.scalar(select(Timer.due_at).where(Timer.key == RETAIN)) == NOW
    await night(db)
    async with db.read() as tx:
        due = await tx.scalar(select(Timer.due_at).where(Timer.key == RETAIN))
        assert due is not None
        assert NOW < due <= NOW + timedelta(days=1)
        assert (await tx.get_one(Setting, DONE)).value == NOW.isoformat()
