"""Reminders of questions that wait, and the morning's digest: over lunch and weekend, on the test's own clock."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import timers
from bot.delivery.timers import Payload
from bot.desk import endings, reminders, tickets
from bot.desk import hours as office
from bot.desk.desk import Desk
from bot.desk.groups import Groups
from bot.desk.hours import Hours
from bot.dialogue.render import Reason
from bot.dialogue.texts import texts
from bot.records.people import chat_of
from bot.records.sessions import Database
from bot.records.states import TicketState
from bot.records.tables import Ticket, Timer
from indexer.courses import Course

from .examples import asked, outbox

PARIS = ZoneInfo("Europe/Paris")
HOURS = Hours(office.parse("Mon-Fri 09:00-12:30,13:30-17:30"), PARIS, stated=True)
WEEK = timedelta(days=7)
EN, FR = texts("en"), texts("fr")


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


FRIDAY = paris("2026-03-06 16:30")


async def waiting(tx: AsyncSession) -> tuple[Desk, Ticket]:
    """A question handed over on a Friday, an hour before the weekend."""
    desk, candidate, question = await asked(tx, "Combien ?", 11)
    desk = replace(desk, hours=HOURS, reminders=(timedelta(hours=2), timedelta(hours=6)))
    number = await tickets.hand_over(tx, desk, candidate, question, Reason.OUTSIDE, (), FRIDAY, key="k")
    return desk, await tx.get_one(Ticket, number)


async def due(db: Database) -> dict[str, datetime]:
    async with db.read() as tx:
        return {row.key: row.due_at for row in (await tx.execute(select(Timer.key, Timer.due_at))).all()}


async def run(db: Database, desk: Desk, now: datetime) -> list[str]:
    """What staff are told by the timers that are due at a moment."""

    def handler(of: Callable[..., Awaitable[None]]) -> Callable[[AsyncSession, Payload], Awaitable[None]]:
        return partial(of, desk=desk, now=now)

    async with db.read() as tx:
        before = len(await outbox(tx))
    known = {
        reminders.REMIND: handler(reminders.remind),
        reminders.DIGEST: handler(reminders.digest),
        reminders.QUIET: handler(endings.grown_quiet),
    }
    while await timers.run_next(db, known, now):
        pass
    async with db.read() as tx:
        return [row.payload["text"] for row in (await outbox(tx))[before:] if "text" in row.payload]


async def test_reminders_skip_the_weekend_and_grow_more_urgent(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await waiting(tx)
    name = reminders.key(ticket.id)
    assert await due(db) == {name: paris("2026-03-09 10:00")}  # two hours of office time later
    assert await run(db, desk, paris("2026-03-09 09:59")) == []
    assert await run(db, desk, paris("2026-03-09 10:00")) == [EN.reminder.format(age="2 hours")]
    assert await due(db) == {name: paris("2026-03-09 15:00")}  # six hours, over lunch
    assert await run(db, desk, paris("2026-03-09 15:00")) == [EN.reminder_last.format(age="6 hours")]
    assert await due(db) == {}


async def test_a_reminder_that_comes_late_at_night_waits_for_the_morning(db: Database) -> None:
    async with db.begin() as tx:
        desk, _ = await waiting(tx)
    assert await run(db, desk, paris("2026-03-09 22:00")) == []
    assert list((await due(db)).values()) == [paris("2026-03-10 09:00")]


@pytest.mark.parametrize("ending", ["answered", "close"])
async def test_a_reply_or_the_end_cancels_the_reminder(db: Database, ending: str) -> None:
    async with db.begin() as tx:
        desk, ticket = await waiting(tx)
        if ending == "answered":
            await tickets.answered(tx, desk, ticket, None, FRIDAY)
        else:
            await tickets.close(tx, ticket.id, FRIDAY)
    assert await due(db) == {}


async def test_a_candidate_who_writes_again_starts_the_clock_anew(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await waiting(tx)
        await tickets.answered(tx, desk, ticket, None, FRIDAY)
        assert await tickets.written(tx, desk, ticket, paris("2026-03-09 13:30"))
    assert list((await due(db)).values()) == [paris("2026-03-09 15:30")]


async def test_what_is_answered_ends_after_a_week_without_news(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await waiting(tx)
        desk = replace(desk, close_after=WEEK)
        await tickets.answered(tx, desk, ticket, None, FRIDAY)
    assert await due(db) == {reminders.key(ticket.id): FRIDAY + WEEK}
    said = await run(db, desk, FRIDAY + WEEK)
    assert [one for one in said if one in {FR.closed_by_team, FR.rate_ask}] == [FR.closed_by_team, FR.rate_ask]
    async with db.read() as tx:
        assert (await tx.get_one(Ticket, ticket.id)).closed_at == FRIDAY + WEEK
    assert await due(db) == {}


@pytest.mark.parametrize("turn", ["written", "release"])
async def test_what_is_the_team_s_turn_again_does_not_end_by_itself(db: Database, turn: str) -> None:
    async with db.begin() as tx:
        desk, ticket = await waiting(tx)
        desk = replace(desk, close_after=WEEK, reminders=())
        await tickets.answered(tx, desk, ticket, None, FRIDAY)
        if turn == "written":
            await tickets.written(tx, desk, ticket, FRIDAY)
        else:
            await tickets.release(tx, ticket.id)
    assert await run(db, desk, FRIDAY + WEEK) == []
    async with db.read() as tx:
        assert (await tx.get_one(Ticket, ticket.id)).state is TicketState.OPEN


async def test_the_digest_comes_each_working_morning(db: Database) -> None:
    async with db.begin() as tx:
        desk, _ = await waiting(tx)
        await reminders.plan_digest(tx, replace(desk, reminders=()), FRIDAY - timedelta(hours=1), keep=True)
        await timers.cancel(tx, reminders.key(1))
    monday = paris("2026-03-09 09:00")
    assert await due(db) == {reminders.DIGEST: monday}
    (told,) = await run(db, desk, monday)
    assert told.splitlines()[0] == EN.digest.format(open=1, answered=0)
    assert told.splitlines()[1] == EN.digest_oldest.format(date="6 March 2026")
    assert "handed over 1, conversations closed 0" in told
    assert await due(db) == {reminders.DIGEST: monday + timedelta(days=1)}


async def test_the_digest_counts_apart_what_waits_for_the_candidate(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await waiting(tx)
        await reminders.plan_digest(tx, desk, FRIDAY)
        await tickets.answered(tx, desk, ticket, None, FRIDAY)
    (told,) = await run(db, desk, paris("2026-03-09 09:00"))
    first, second = told.splitlines()
    assert first == EN.digest.format(open=0, answered=1)
    assert second.startswith(EN.digest_before.partition(":")[0])


async def test_no_digest_without_office_hours(db: Database) -> None:
    async with db.begin() as tx:
        desk, _ = await waiting(tx)
        await reminders.plan_digest(tx, replace(desk, hours=Hours()), FRIDAY)
    assert reminders.DIGEST not in await due(db)


async def test_each_group_s_digest_tells_of_its_own(db: Database) -> None:
    async with db.begin() as tx:
        desk, candidate, question = await asked(tx, "Which oven?", 21)
        kitchen = await chat_of(tx, -100700009, "supergroup")
        school = (Course("law", "Droit", "Law"), Course("ai", "IA", "AI"))
        both = replace(desk, school=school, groups=Groups(desk.chat, {"ai": kitchen.id}))
        question.asked_at = FRIDAY
        assert await tickets.hand_over(tx, both, candidate, question, Reason.OUTSIDE, (), FRIDAY, key="k21")
        since = {"since": (FRIDAY - timedelta(days=1)).timestamp()}
        for group in (desk.chat, kitchen.id, 987):
            await reminders.digest(tx, {**since, "group": group}, desk=both, now=FRIDAY)
        await tx.flush()
        told = {row.chat_id: row.payload["text"] for row in await outbox(tx) if row.key.startswith("digest")}
    assert set(told) == {desk.chat, kitchen.id}
    assert told[kitchen.id].splitlines()[0] == EN.digest.format(open=1, answered=0)
    assert told[kitchen.id].splitlines()[-1] == "AI: 1"
    assert told[desk.chat].splitlines()[0] == EN.digest.format(open=0, answered=0)
