"""Staff hear of an entry before it is withheld: once for each date, and only while they work."""

from dataclasses import replace
from datetime import date, datetime
from functools import partial

from bot.delivery import timers
from bot.desk import ageing
from bot.desk.desk import Desk
from bot.dialogue.texts import texts
from bot.records.people import chat_of
from bot.records.sessions import Database
from indexer.entries import Entry
from tests.indexer.examples import entry

from .examples import STAFF, outbox
from .test_reminders import HOURS, due, paris

EN = texts("en")
FRIDAY = "2026-03-06"
MONDAY = paris("2026-03-09 09:00")


async def told(db: Database, desk: Desk, entries: list[Entry], now: datetime) -> list[str]:
    """What staff read when the timer that is due then has run."""
    async with db.read() as tx:
        before = len(await outbox(tx))
    handler = partial(ageing.remind, entries=entries, desk=desk, now=now)
    assert await timers.run_next(db, {ageing.AGEING: lambda tx, _: handler(tx)}, now)
    async with db.read() as tx:
        return [row.payload["text"] for row in (await outbox(tx))[before:]]


async def planned(db: Database, now: datetime) -> Desk:
    async with db.begin() as tx:
        desk = Desk((await chat_of(tx, STAFF, "supergroup")).id, "en", HOURS)
        await ageing.plan(tx, desk, now)
    return desk


async def test_what_ends_soon_is_told_once_with_owner_place_and_remedy(db: Database) -> None:
    ends = date(2026, 3, 20)
    english = entry(valid_until=ends, owner="Marie", path="classes.en.md", line=9)
    french = replace(english, language="fr", path="classes.fr.md", line=7)
    later = entry("clay", "Which clay?", valid_until=date(2026, 6, 1))
    desk = await planned(db, paris(f"{FRIDAY} 22:00"))
    assert await due(db) == {ageing.AGEING: MONDAY}
    (said,) = await told(db, desk, [english, french, later], MONDAY)
    for part in (english.question, "20 March 2026", "11", "classes.en.md:9", "classes.fr.md:7", "Marie", EN.ageing_how):
        assert part in said
    assert "Which clay?" not in said
    tuesday = paris("2026-03-10 09:00")
    assert await due(db) == {ageing.AGEING: tuesday}
    assert await told(db, desk, [english, french, later], tuesday) == []
    moved = replace(english, valid_until=date(2026, 3, 25))
    (said,) = await told(db, desk, [moved, french, later], paris("2026-03-11 09:00"))
    assert "25 March 2026" in said
    assert "classes.fr.md" not in said


async def test_a_timer_that_comes_late_and_at_night_waits_for_the_morning(db: Database) -> None:
    desk = await planned(db, paris(f"{FRIDAY} 10:00"))
    over = entry(valid_until=date(2026, 3, 1))
    assert await told(db, desk, [over], paris(f"{FRIDAY} 23:00")) == []
    assert await due(db) == {ageing.AGEING: MONDAY}
    (said,) = await told(db, desk, [over], MONDAY)
    assert EN.ageing_over.format(question=over.question, date="1 March 2026") in said


async def test_a_restart_tells_nothing_again(db: Database) -> None:
    over, monday = entry(valid_until=date(2026, 3, 1)), MONDAY
    desk = await planned(db, monday)
    assert len(await told(db, desk, [over], monday)) == 1
    await planned(db, paris("2026-03-09 11:00"))
    assert await told(db, desk, [over], paris("2026-03-09 11:00")) == []


async def test_many_are_told_in_messages_that_fit(db: Database) -> None:
    entries = [entry(f"e{number}", "Why? " * 200, valid_until=date(2026, 3, 1)) for number in range(25)]
    said = await told(db, await planned(db, MONDAY), entries, MONDAY)
    assert len(said) == 3
    assert all(len(text) < 4096 for text in said)
