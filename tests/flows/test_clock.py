"""What takes minutes or days, on a clock that the test moves: a rush of tickets, a reminder over a weekend."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from bot.delivery import timers
from bot.delivery.budgets import LIFTED, Limits
from bot.delivery.sender import Sender
from bot.delivery.wake import wait
from bot.dialogue.texts import texts
from bot.records.news import Signal
from bot.records.sessions import Database
from bot.records.states import OutgoingState, TicketState
from bot.records.tables import Outgoing, utc_now
from bot.sandbox.botapi import BotApi
from indexer.engine import Engine

from .house import LECTURERS, PATIENCE, PRICE, TOKEN, House, Json, house

EN = texts("en")
PARIS = ZoneInfo("Europe/Paris")


class Clock:
    """Time stands still until somebody moves it."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment.astimezone(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.moment

    def seconds(self) -> float:
        return self.moment.timestamp()


class Rest:
    """Once it is `over`, a sender that has nothing to do moves the clock to when it has something to do again."""

    def __init__(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        self.over, look = False, Sender.start

        async def start(sender: Sender, calls: asyncio.TaskGroup) -> datetime | None:
            again = await look(sender, calls)
            if self.over and again and not sender._busy:
                clock.moment = max(clock.moment, again)
            return again

        monkeypatch.setattr(Sender, "start", start)


def time_passes(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[[House, timedelta], Awaitable[None]]:
    """Gives what moves the clock and waits until all that is due then is done."""
    looked, look = Signal(), timers.run_next

    async def run_next(db: Database, handlers: Mapping[str, timers.Handler], now: datetime) -> bool:
        done = await look(db, handlers, now)
        if not done and now == clock.moment:
            looked.ring()
        return done

    async def passed(flow: House, time: timedelta) -> None:
        news = looked.next()
        clock.moment += time
        flow.bot.deps.db.news.timers.ring()
        async with asyncio.timeout(PATIENCE):
            await news.wait()
        await flow.quiet()

    monkeypatch.setattr(timers, "run_next", run_next)
    return passed


async def handed_over(flow: House, count: int) -> None:
    """Until so many tickets are there, sent or not."""
    async with asyncio.timeout(3 * PATIENCE):
        while len(await flow.tickets()) < count:
            await wait(flow.bot.deps.db.news.messages.next(), 0.1)


def refused_for_haste(flow: House) -> list[Json]:
    return [call.answer for call in flow.api.exchange.calls if call.answer.get("error_code") == 429]


@pytest.mark.parametrize("budgets", [LIFTED, Limits()], ids=["held back by Telegram", "holding back by itself"])
async def test_forty_tickets_in_a_minute_reach_a_group_that_takes_twenty(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budgets: Limits
) -> None:
    clock = Clock(utc_now())
    begun, rest = clock.moment, Rest(clock, monkeypatch)
    api = BotApi(TOKEN, flood=True, now=clock.seconds)
    async with house(engine, tmp_path, api=api, budgets=budgets, now=clock) as flow:
        people = [flow.candidate(f"P{number}") for number in range(40)]
        for number, person in enumerate(people):
            flow.api.say(person, f"How much is place number {number} in euros?")
        await handed_over(flow, 40)
        assert clock.moment == begun  # all in the same minute
        assert len(flow.cards()) <= 20
        rest.over = True
        flow.bot.deps.db.news.messages.ring()
        await flow.quiet()
        known = {question.id: question.text for question in await flow.questions()}
        wanted = [known[ticket.question_id or 0] for ticket in await flow.tickets()]
        shown = [text for card in flow.cards() for text in wanted if f"\n{text}\n" in card["text"]]
        assert shown == wanted  # each of the forty once, the oldest first
        assert all(flow.received(person)[-1]["text"].startswith(EN.escalated) for person in people)
        assert bool(refused_for_haste(flow)) is (budgets is LIFTED)
        assert timedelta(minutes=1) <= clock.moment - begun <= timedelta(minutes=4)
        async with flow.bot.deps.db.read() as tx:
            tried_again = (Outgoing.attempts > 0) | (Outgoing.state == OutgoingState.FAILED)
            assert (await tx.execute(select(func.count()).where(tried_again))).scalar_one() == 0


async def test_a_question_of_friday_evening_is_reminded_of_on_monday(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    friday, monday = (datetime(2026, 3, day, 16, 30, tzinfo=PARIS) for day in (6, 9))
    clock = Clock(friday)
    passed = time_passes(clock, monkeypatch)
    week: Json = {"office_hours": "Mon-Fri 09:00-17:30", "timezone": "Europe/Paris", "remind_after": (2,)}
    async with house(engine, tmp_path, api=BotApi(TOKEN, now=clock.seconds), now=clock, **week) as flow:
        sara = flow.candidate()
        card = await flow.handed_over(sara, PRICE["en"])
        assert EN.wait_open.format(time="17:30") in flow.received(sara)[-1]["text"]
        while clock.moment < monday:  # hour by hour
            await passed(flow, timedelta(hours=1))
        digest, reminder = flow.received(flow.staff)[1:]
        assert digest["text"].startswith(EN.digest.format(open=1, answered=0))
        assert reminder["text"].startswith(EN.reminder_last.partition("{")[0])
        assert reminder["reply_to_message"]["message_id"] == card["message_id"]
        told = [datetime.fromtimestamp(one["date"], PARIS) for one in (digest, reminder)]
        assert [f"{moment:%A %H:%M}" for moment in told] == ["Monday 09:30", "Monday 10:30"]


async def test_a_week_after_the_team_s_reply_the_assistant_speaks_again(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(datetime(2026, 3, 6, 16, 30, tzinfo=PARIS))
    passed = time_passes(clock, monkeypatch)
    async with house(engine, tmp_path, api=BotApi(TOKEN, now=clock.seconds), now=clock) as flow:
        sara = flow.candidate()
        card = await flow.handed_over(sara, PRICE["en"])
        await flow.group(flow.marie, "It is free.", reply_to=card)
        await passed(flow, timedelta(days=6))
        (quiet,) = await flow.tickets()
        assert quiet.state is TicketState.WAITING
        await passed(flow, timedelta(days=1))
        assert [one["text"] for one in flow.received(sara)[-2:]] == [EN.closed_by_team, EN.rate_ask]
        (answer,) = await flow.ask(sara, LECTURERS["en"])
        assert "ActuIA" in answer["text"]
        (told,) = await flow.tickets()
        assert told.state is TicketState.CLOSED
