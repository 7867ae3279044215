"""Staff do not hear somebody for a time: that person is told until when, and it ends by itself."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.desk import bans as desk_bans
from bot.desk import mutes
from bot.dialogue.texts import texts
from bot.handlers.context import desk_of
from bot.records import bans
from bot.records.tables import Ban, Candidate, Ticket
from indexer.engine import Engine
from indexer.entries import Language

from .house import LECTURERS, PRICE, House, buttons, house
from .test_clock import Clock

EN = texts("en")
NOON = datetime(2026, 11, 30, 11, tzinfo=UTC)  # a Monday, noon in Paris
UNTIL = {"en": "Tuesday 1 December at 12:00", "fr": "mardi 1er décembre à 12\u00a0h"}


@pytest.fixture
async def still(engine: Engine, tmp_path: Path) -> AsyncIterator[tuple[House, Clock]]:
    """A bot of the test's own, on a clock that stands still."""
    clock = Clock(NOON)
    async with house(engine, tmp_path / "data", now=clock) as flow:
        yield flow, clock


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_who_is_muted_is_told_until_when_and_not_heard_until_then(
    still: tuple[House, Clock], language: Language
) -> None:
    (flow, clock), words = still, texts(language)
    sara = flow.candidate("Sara", language)
    card = await flow.handed_over(sara, PRICE[language])
    (told,) = await flow.group(flow.paul, "/mute 1d", reply_to=card)
    name = (await flow.tickets())[0].candidate_id
    assert told["text"] == EN.staff_muted.format(candidate=name, until=UNTIL["en"])
    said = words.muted.format(until=UNTIL[language])
    assert flow.received(sara)[-1]["text"] == said
    shown, heard = len(flow.received(flow.staff)), len(flow.received(sara))
    assert await flow.ask(sara, LECTURERS[language]) == []
    flow.api.send_media(sara, "photo")
    await flow.quiet()
    assert (len(flow.received(flow.staff)), len(flow.received(sara))) == (shown, heard)
    for command in ("/human", "/menu", "/start", "/start admissions"):
        assert [one["text"] for one in await flow.ask(sara, command)] == [said]
    assert len(flow.received(flow.staff)) == shown
    clock.moment += timedelta(days=1)
    await flow.ask(sara, LECTURERS[language])
    assert "ActuIA" in flow.received(sara)[-1]["text"]


async def test_the_team_may_still_write_and_end_it_before(still: tuple[House, Clock]) -> None:
    flow, _ = still
    sara = flow.candidate()
    card = await flow.handed_over(sara)
    await flow.group(flow.paul, "/mute", reply_to=card)
    await flow.group(flow.marie, "Here is the table of prices.", reply_to=card)
    assert flow.received(sara)[-1]["text"].endswith("Here is the table of prices.")
    name = (await flow.tickets())[0].candidate_id
    (freed,) = await flow.group(flow.paul, f"/unmute {name.lower()}")
    assert freed["text"] == EN.staff_unmuted.format(candidate=name)
    assert flow.received(sara)[-1]["text"] == EN.unmuted
    (nobody,) = await flow.group(flow.paul, "/unmute", reply_to=card)
    assert nobody["text"] == EN.staff_unmute_whom
    await flow.ask(sara, "One more thing")
    assert flow.received(flow.staff)[-1]["text"].endswith("One more thing")


async def test_a_button_offers_how_long(still: tuple[House, Clock]) -> None:
    flow, clock = still
    sara = flow.candidate()
    card = await flow.handed_over(sara)
    (asked,) = await flow.press_in_group(flow.marie, card, EN.button_mute)
    assert buttons(asked) == ["an hour", "24 hours", "7 days", EN.button_leave]
    await flow.press_in_group(flow.marie, asked, "an hour")
    async with flow.bot.deps.db.read() as tx:
        (until,) = (await tx.execute(select(Candidate.muted_until))).scalars()
    assert until == clock.moment + timedelta(hours=1)
    ticket = (await flow.tickets())[0].id
    before = len(flow.received(sara))
    await flow.press_in_group(flow.marie, card, f"t:h:{ticket}:{24 * 365}", forged=True)
    assert len(flow.received(sara)) == before


async def test_only_the_team_can(still: tuple[House, Clock]) -> None:
    flow, _ = still
    sara = flow.candidate()
    await flow.handed_over(sara)
    ticket = (await flow.tickets())[0].id
    (shown,) = await flow.ask(sara, "/privacy")
    await flow.press(sara, shown, f"t:h:{ticket}:24", forged=True)
    await flow.ask(sara, "/mute 1d")
    async with flow.bot.deps.db.read() as tx:
        assert list((await tx.execute(select(Candidate.muted_until))).scalars()) == [None]


async def test_what_is_no_time_is_said(still: tuple[House, Clock]) -> None:
    flow, _ = still
    card = await flow.handed_over(flow.candidate())
    for written in ("/mute for ever", "/mute 0h", "/mute 1w", "/mute -1d"):
        assert [one["text"] for one in await flow.group(flow.paul, written, reply_to=card)] == [EN.staff_mute_how]
    assert [one["text"] for one in await flow.group(flow.paul, "/mute 1d")] == [EN.staff_which_card]


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_forgetting_ends_no_muting_and_nothing_of_it_stays(
    engine: Engine, tmp_path: Path, language: Language
) -> None:
    async with house(engine, tmp_path / "data") as flow:  # what is erased is erased now, not at another time
        sara, words = flow.candidate("Sara", language), texts(language)
        card = await flow.handed_over(sara, PRICE[language])
        await flow.group(flow.paul, "/mute 1d", reply_to=card)
        until = flow.received(sara)[-1]["text"]
        (sure,) = await flow.ask(sara, "/forget")
        (done,) = await flow.press(sara, sure, words.button_yes)
        kept = words.forget_mute.partition("{")[0]
        assert kept in sure["text"]
        assert kept in done["text"]
        assert str(sara.id) not in await flow.everything_kept()
        assert await flow.ask(sara, LECTURERS[language]) == []
        assert [one["text"] for one in await flow.ask(sara, "/human")] == [until]
        (sure,) = await flow.ask(sara, "/forget")
        await flow.press(sara, sure, words.button_yes)
        async with flow.bot.deps.db.begin() as tx:
            await bans.end(tx, flow.bot.deps.now() + timedelta(hours=23))
            assert await tx.scalar(select(func.count()).select_from(Ban)) == 1
            await bans.end(tx, flow.bot.deps.now() + timedelta(hours=25))
            assert await tx.scalar(select(func.count()).select_from(Ban)) == 0


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("", 24),
        ("1h", 1),
        ("12H", 12),
        ("2 d", 48),
        ("7j", 168),
        ("999d", 720),
        ("0h", None),
        ("h", None),
        ("1m", None),
    ],
)
def test_how_long(written: str, hours: int | None) -> None:
    assert mutes.span(written) == (None if hours is None else timedelta(hours=hours))


async def test_a_changed_wish_for_a_person_reaches_nobody_either(still: tuple[House, Clock]) -> None:
    flow, _ = still
    sara = flow.candidate()
    asked = flow.api.say(sara, "/human Is there a lift?")
    await flow.quiet()
    card = flow.received(flow.staff)[-1]
    await flow.group(flow.paul, "/mute 1d", reply_to=card)
    flow.api.edit(sara, asked, "/human You are all fools")
    await flow.quiet()
    assert "fools" not in flow.api.world.chats[flow.staff.id].messages[card["message_id"]]["text"]
    assert flow.received(sara)[-1]["text"] == EN.muted.format(until=UNTIL["en"])


async def test_a_ban_takes_the_place_of_a_muting(still: tuple[House, Clock]) -> None:
    flow, _ = still
    sara = flow.candidate()
    card = await flow.handed_over(sara)
    await flow.group(flow.paul, "/mute 7d", reply_to=card)
    async with flow.bot.deps.db.begin() as tx:
        (ticket,) = (await tx.execute(select(Ticket))).scalars()
        await desk_bans.ban(tx, desk_of(flow.bot.deps), ticket, NOON, key="ban")
    await flow.quiet()
    (refused,) = await flow.group(flow.paul, "/mute 1h", reply_to=card)
    assert refused["text"] == EN.staff_mute_banned
    await flow.group(flow.paul, "/unban", reply_to=card)
    assert "ActuIA" in (await flow.ask(sara, LECTURERS["en"]))[-1]["text"]
