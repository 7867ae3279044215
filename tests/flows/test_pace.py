"""Somebody writes more than one person may: told once, kindly; their own data stay within reach."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.dialogue.texts import texts
from bot.records.tables import Update, utc_now
from indexer.encoder import OnnxEncoder
from indexer.engine import index

from .house import House, house

EN = texts("en")


@pytest.fixture
async def strict(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A bot that takes two messages a day from a person."""
    engine = index(knowledge, encoder, tmp_path / "index").engine
    async with house(engine, tmp_path / "data", knowledge_dir=knowledge, most_a_minute=0, most_a_day=2) as running:
        yield running


async def test_who_writes_too_much_is_told_once_and_others_are_answered(strict: House) -> None:
    sara = strict.candidate()
    for _ in range(2):
        assert [m["text"] for m in await strict.ask(sara, "Hello")] == [EN.greeting]
    assert [m["text"] for m in await strict.ask(sara, "Hello")] == [EN.too_many]
    assert await strict.ask(sara, "/human Is anybody there?") == []
    assert await strict.tickets() == []
    assert [m["text"] for m in await strict.ask(strict.candidate("Karim"), "Hello")] == [EN.greeting]


async def test_who_presses_or_begins_anew_too_often_is_told_once(strict: House) -> None:
    sara = strict.candidate()
    (menu,) = await strict.ask(sara, "/start")
    before = len(strict.received(sara))
    for _ in range(4):
        await strict.press(sara, menu, (0, 0))
    pressed = strict.received(sara)[before:]
    assert [m["text"] for m in pressed if m["text"] == EN.too_many] == [EN.too_many]
    assert [m["text"] for m in await strict.ask(sara, "Hello")] == [EN.greeting]  # counted apart
    for command in ("/start", "/menu", "/help", "/status", "/language", "/nonsense"):
        assert await strict.ask(sara, command) == []
    (sure,) = await strict.ask(sara, "/forget")
    (done,) = await strict.press(sara, sure, EN.button_yes)
    assert done["text"].startswith(EN.forget_done)


async def test_who_types_a_query_too_often_gets_no_more_of_them(
    encoder: OnnxEncoder, knowledge: Path, tmp_path: Path
) -> None:
    engine, moment = index(knowledge, encoder, tmp_path / "index").engine, utc_now()
    folder = tmp_path / "data"
    async with house(engine, folder, knowledge_dir=knowledge, most_a_minute=1, now=lambda: moment) as running:
        sara, karim = running.candidate(), running.candidate("Karim")
        typed = [running.api.inline(sara, f"kiln {number}") for number in range(5)]
        other = running.api.inline(karim, "kiln")
        await running.quiet()
        answers = [running.api.answer_to(one) for one in (*typed, other)]
        assert [bool(answer and answer["results"]) for answer in answers] == [True] * 3 + [False] * 2 + [True]
        assert None not in answers  # or Telegram would show that it still waits
        moment += timedelta(minutes=1)
        again = running.api.inline(sara, "kiln")
        await running.api.wait_for(lambda api: api.answer_to(again))


async def test_only_what_was_written_within_the_span_counts(
    encoder: OnnxEncoder, knowledge: Path, tmp_path: Path
) -> None:
    engine = index(knowledge, encoder, tmp_path / "index").engine
    async with house(engine, tmp_path / "data", knowledge_dir=knowledge, most_a_minute=3, most_a_day=5) as running:
        sara = running.candidate()
        for _ in range(3):
            assert [m["text"] for m in await running.ask(sara, "Hello")] == [EN.greeting]
        assert [m["text"] for m in await running.ask(sara, "Hello")] == [EN.too_fast]
        async with running.bot.deps.db.begin() as tx:
            await tx.execute(update(Update).values(received_at=utc_now() - timedelta(seconds=61)))
        assert [m["text"] for m in await running.ask(sara, "Hello")] == [EN.greeting]
        assert [m["text"] for m in await running.ask(sara, "Hello")] == [EN.too_many]


async def test_own_data_are_never_out_of_reach(strict: House) -> None:
    sara = strict.candidate()
    for _ in range(4):
        await strict.ask(sara, "Hello")
    assert len(await strict.ask(sara, "/mydata")) == 2
    (sure,) = await strict.ask(sara, "/forget")
    (done,) = await strict.press(sara, sure, EN.button_yes)
    assert done["text"].startswith(EN.forget_done)


async def test_after_a_minute_of_too_much_one_is_heard_again(
    encoder: OnnxEncoder, knowledge: Path, tmp_path: Path
) -> None:
    engine = index(knowledge, encoder, tmp_path / "index").engine
    async with house(engine, tmp_path / "data", knowledge_dir=knowledge, most_a_minute=2, most_a_day=0) as flow:
        sara = flow.candidate()
        for _ in range(2):
            assert [m["text"] for m in await flow.ask(sara, "Hello")] == [EN.greeting]
        told = [m["text"] for _ in range(3) for m in await flow.ask(sara, "Hello")]
        assert set(told) == {EN.too_fast}
        assert len(told) <= 2  # once, or twice where a minute of the clock ended in between
        async with flow.bot.deps.db.begin() as tx:
            await tx.execute(update(Update).values(received_at=flow.bot.deps.now() - timedelta(seconds=61)))
        assert [m["text"] for m in await flow.ask(sara, "Hello")] == [EN.greeting]
