"""/status says where a question stands and what may be expected: how long, and when the team is there."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.desk.waits import FEWEST
from bot.dialogue.texts import texts
from indexer.encoder import OnnxEncoder
from indexer.engine import index
from indexer.entries import Language

from .house import House, Json, house
from .test_clock import Clock

NOON = datetime(2026, 11, 30, 11, tzinfo=UTC)  # a Monday, noon in Paris
ASKED: dict[Language, str] = {"en": "/human Where can I park?", "fr": "/human Où puis-je me garer ?"}
HALF_AN_HOUR: dict[Language, str] = {"en": "30 minutes", "fr": "30 min"}
CLOSES: dict[Language, str] = {"en": "17:30", "fr": "17\u00a0h\u00a030"}
BACK: dict[Language, tuple[str, str]] = {
    "en": ("Tuesday 1 December", "9:00"),
    "fr": ("mardi 1er décembre", "9\u00a0h"),
}
ASKED_ON: dict[Language, str] = {"en": "30 November 2026", "fr": "30 novembre 2026"}
WEEK: dict[Language, str] = {
    "en": "Monday to Friday 9:00–17:30",
    "fr": "du lundi au vendredi 9\u00a0h–17\u00a0h\u00a030",
}


async def answered_within(flow: House, clock: Clock, span: timedelta) -> None:
    """As many questions as it takes to tell a usual wait, each answered after that time."""
    cards = [await flow.handed_over(flow.candidate(f"Person {place}"), ASKED["en"]) for place in range(FEWEST)]
    clock.moment += span
    for card in cards:
        await flow.group(flow.marie, "Behind the mill.", reply_to=card)


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_question_that_waits(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path, language: Language) -> None:
    clock, words = Clock(NOON), texts(language)
    own: Json = {"office_hours": "Mon-Fri 09:00-17:30", "timezone": "Europe/Paris", "knowledge_dir": knowledge}
    engine = index(knowledge, encoder, tmp_path / "index").engine
    async with house(engine, tmp_path / "data", now=clock, **own) as flow:
        sara = flow.candidate("Sara", language)

        async def status() -> str:
            (said,) = await flow.ask(sara, "/status")
            return str(said["text"])

        card = await flow.handed_over(sara, ASKED[language])
        there = words.wait_open.format(time=CLOSES[language])
        stands = words.status_open.format(date=ASKED_ON[language])
        assert await status() == f"{stands}\n\n{there}"  # of how long, nothing is known yet
        await answered_within(flow, clock, timedelta(minutes=20))
        usual = words.wait_usual.format(wait=HALF_AN_HOUR[language])
        assert await status() == f"{stands}\n\n{usual}\n{there}"
        clock.moment = NOON + timedelta(hours=7)
        day, at = BACK[language]
        away = (
            words.human_outside.format(hours=WEEK[language]),
            words.wait_back.format(day=day, time=at),
            words.wait_usual_away.format(wait=HALF_AN_HOUR[language]),
        )
        assert await status() == "\n\n".join((stands, "\n".join(away)))
        (again,) = await flow.ask(sara, "/human")
        assert again["text"] == "\n\n".join((words.human_already, "\n".join(away)))
        await flow.group(flow.marie, "Behind the mill.", reply_to=card)
        assert await status() == words.status_waiting.format(date=ASKED_ON[language])  # it is the candidate's turn


async def test_where_nobody_has_set_hours_none_are_told(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path) -> None:
    words, engine = texts("en"), index(knowledge, encoder, tmp_path / "index").engine
    async with house(engine, tmp_path / "data", now=Clock(NOON), knowledge_dir=knowledge) as flow:
        sara = flow.candidate()
        await flow.handed_over(sara, ASKED["en"])
        (said,) = await flow.ask(sara, "/status")
        assert said["text"] == words.status_open.format(date="30 November 2026")
