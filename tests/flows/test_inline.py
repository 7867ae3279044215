"""`@bot question` in any chat: entries to send, and nothing kept of who typed what."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.dialogue.texts import texts
from bot.records.tables import utc_now
from bot.sandbox.people import User
from indexer.engine import Engine
from indexer.entries import Language

from .house import LECTURERS, PATIENCE, PRICE, House, house

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def offered(flow: House, person: User, query: str) -> dict[str, Any]:
    """What the bot offers to somebody who types its name and this."""
    typed = flow.api.inline(person, query)
    answer = await flow.api.wait_for(lambda api: api.answer_to(typed), PATIENCE)
    await flow.quiet()
    assert answer is not None
    return answer


def titles(answer: dict[str, Any]) -> list[str]:
    return [one["title"] for one in answer["results"]]


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_question_offers_entries_with_their_source(flow: House, language: Language) -> None:
    person = flow.candidate(language=language)
    answer = await offered(flow, person, LECTURERS[language])
    assert 1 <= len(answer["results"]) <= 5
    first = answer["results"][0]
    text = first["input_message_content"]["message_text"]
    assert first["title"] in text
    assert "Emmanuel Renaux" in text
    assert first["description"]
    assert str(answer["is_personal"]).lower() == "true"
    assert 0 <= int(answer["cache_time"]) <= 60
    (((more,),),) = (first["reply_markup"]["inline_keyboard"],)
    assert more["url"].startswith("https://t.me/guichet_bot?start=")
    assert more["text"] == texts(language).inline_more


async def test_the_question_s_own_language_counts(flow: House) -> None:
    answer = await offered(flow, flow.candidate(language="en"), LECTURERS["fr"])
    assert "Source\u00a0: " in answer["results"][0]["input_message_content"]["message_text"]


async def test_nothing_is_offered_that_nobody_has_answered(flow: House, sara: User, engine: Engine) -> None:
    drafts = {entry.question for entry in engine.snapshot.entries if entry.draft}
    for query in (PRICE["en"], "xqzt blorf", "Who won the football world cup?"):
        assert not drafts & set(titles(await offered(flow, sara, query)))
    assert titles(await offered(flow, sara, "xqzt blorf")) == []


async def test_before_anything_is_typed_favourites_stand_there(flow: House, sara: User) -> None:
    await flow.ask(sara, LECTURERS["en"])
    answer = await offered(flow, sara, "  ")
    assert len(answer["results"]) == 5
    assert "Emmanuel Renaux" in answer["results"][0]["input_message_content"]["message_text"]
    assert any("academics" in one["description"] for one in answer["results"])


async def test_nothing_of_it_is_kept_and_it_is_no_ticket(flow: House) -> None:
    stranger = flow.candidate("Zénobie")
    for query in ("a plumber from Tourcoing", PRICE["en"], ""):
        await offered(flow, stranger, query)
    kept, logged = await flow.everything_kept(), "\n".join(flow.log.lines)
    for trace in ("plumber", "Tourcoing", "Zénobie", str(stranger.id)):
        assert trace not in kept
        assert trace not in logged
    assert await flow.tickets() == []
    assert await flow.questions() == []
    assert flow.received(flow.staff) == []


async def test_a_query_that_is_over_troubles_nobody(flow: House, sara: User) -> None:
    flow.api.fail("answerInlineQuery", "Bad Request: query is too old and response timeout expired")
    typed = flow.api.inline(sara, LECTURERS["en"])
    await flow.log.heard("inline query not answered")
    assert flow.api.answer_to(typed) is None


@pytest.mark.parametrize("query", ["\u202e\u200b", "a" * 256, "<b>&", "\x00"])
async def test_strange_queries_are_answered(flow: House, sara: User, query: str) -> None:
    assert "results" in await offered(flow, sara, query)


async def test_what_has_expired_or_is_too_long(engine: Engine, tmp_path: Path) -> None:
    entries = tuple(
        replace(one, valid_until=(utc_now() - timedelta(days=2)).date())
        if one.id == "lecturers"
        else replace(one, answer="Long. **Very** long 🙂. " * 400)
        for one in engine.snapshot.entries
    )
    aged = replace(engine, snapshot=replace(engine.snapshot, entries=entries))
    async with house(aged, tmp_path) as flow:
        for query in (LECTURERS["en"], ""):
            answer = await offered(flow, flow.candidate(), query)
            assert "academics" not in json.dumps(answer["results"])
            for one in answer["results"]:
                text = one["input_message_content"]["message_text"]
                assert len(text.encode("utf-16-le")) // 2 <= 4096
                assert "Source: " in text
