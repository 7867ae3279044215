"""Thousands of updates that nobody should send, through the inbox and all handlers: none raises, none is lost."""

import asyncio
import json
import os
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as trying
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from telegram.request import RequestData

from bot.app import Guichet, guichet
from bot.delivery import inbox
from bot.delivery.handling import note_failure
from bot.delivery.loops import work
from bot.delivery.requests import AiohttpRequest
from bot.delivery.wake import wait
from bot.dialogue.signs import visible
from bot.handlers import busy, staff
from bot.records import sqlite
from bot.records.states import OutgoingState, UpdateState
from bot.records.tables import Outgoing, Update, utc_now
from bot.sandbox.botapi import BotApi
from indexer.encoder import OnnxEncoder
from indexer.engine import Engine, index
from tests.flows.house import TOKEN, settings

from .odd import Json, Odd

COUNT = int(os.environ.get("GUICHET_FUZZ", "10000"))  # how many; set the variable for a longer run
EACH = 25  # updates of one example
MARKS = {"parse_mode", "parse_modes"}


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> BotApi:
    """Only speed: no HTTP, no fsync, no waiting for notes that will not come, each question searched once."""
    api = BotApi(TOKEN)
    pragmas = tuple("PRAGMA synchronous=OFF" if "synchronous" in one else one for one in sqlite.PRAGMAS)
    monkeypatch.setattr(sqlite, "PRAGMAS", pragmas)
    monkeypatch.setattr(staff, "NOTING_TRIES", 1)
    monkeypatch.setattr(staff, "NOTING_PAUSE", 0)
    monkeypatch.setattr(busy, "SOON", 3600)
    found: dict[Any, Any] = {}
    find = Engine.find

    def once(engine: Engine, *asked: Any, **more: Any) -> Any:
        key = (asked, tuple(more.items()))
        if key not in found:
            found[key] = find(engine, *asked, **more)
        return found[key]

    async def called(_: AiohttpRequest, url: str, method: str, data: RequestData | None = None, **__: Any) -> Any:
        assert method == "POST"
        answer = await api.exchange.answer(url.rpartition("/")[2], dict(data.parameters) if data else {})
        return answer.get("error_code", 200), json.dumps(answer).encode()

    monkeypatch.setattr(Engine, "find", once)
    monkeypatch.setattr(AiohttpRequest, "do_request", called)
    return api


@dataclass
class Storm:
    """A bot that updates rain upon, and up to where they have been looked at."""

    bot: Guichet
    updates: int = 0
    letters: int = 0

    async def strike(self, raw: list[Json]) -> None:
        """Handle all of these, and look at what became of them and at what is to be sent."""
        async with self.bot.deps.db.begin() as tx:
            assert len(await inbox.receive(tx, raw)) == len(raw)
        self.bot.loops.wake.updates.ring()
        while await self._left():
            await wait(self.bot.loops.wake.messages.next(), 0.05)
        async with self.bot.deps.db.read() as tx:
            new = select(Update).where(Update.seq > self.updates).order_by(Update.seq)
            ended = (await tx.execute(new)).scalars().all()
            sent = select(Outgoing.id, Outgoing.method, Outgoing.payload).where(Outgoing.id > self.letters)
            letters = (await tx.execute(sent.order_by(Outgoing.id))).all()
        assert len(ended) == len(raw)
        self.updates, self.letters = ended[-1].seq, letters[-1].id if letters else self.letters
        failed = [f"{row.error} in {row.raw}" for row in ended if row.error and _is_trouble(row)]
        assert not failed, failed
        assert not [row for row in ended if _is_trouble(row)]
        wrong = Counter(f"{row.method}: {fault}" for row in letters for fault in faults(row.payload))
        assert not wrong, wrong
        await self._sent()

    async def _left(self) -> int:
        """How many updates are still to be handled; those that failed once need not be waited for."""
        async with self.bot.deps.db.read() as tx:
            fresh = select(func.count()).where(Update.state == UpdateState.NEW, Update.seq > self.updates)
            failed = fresh.where(Update.error.is_not(None))
            return 0 if (await tx.execute(failed)).scalar_one() else (await tx.execute(fresh)).scalar_one()

    async def _sent(self) -> None:
        """As if Telegram had taken everything that waits."""
        async with self.bot.deps.db.begin() as tx:
            waiting = update(Outgoing).where(Outgoing.state == OutgoingState.WAITING)
            gone = {"state": OutgoingState.SENT, "message_id": 1000 + Outgoing.id, "sent_at": utc_now()}
            await tx.execute(waiting.values(gone).execution_options(synchronize_session=False))


def _is_trouble(row: Update) -> bool:
    """Whether an update was not done at once, nor seen to be none that Telegram would send."""
    unreadable = row.state is UpdateState.SET_ASIDE and row.attempts == 1
    return not unreadable and (row.state is not UpdateState.DONE or row.attempts != 1)


def faults(payload: dict[str, Any]) -> list[str]:
    """What is wrong with a message: markup that Telegram would read, marks beside the text, deceiving signs."""
    text = str(payload.get("text", payload.get("caption", "")))
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    marks = [*payload.get("entities", ()), *payload.get("caption_entities", ())]
    found = [f"{name} is set" for name in MARKS & payload.keys()]
    found += [f"mark {mark}" for mark in marks if mark["offset"] < 0 or mark["offset"] + mark["length"] > units]
    found += [f"mark {mark}" for mark in marks if mark["type"] in {"text_mention", "mention"}]
    return found + (["hidden signs"] if visible(text) != text else [])


@pytest.mark.timeout(1800)
@pytest.mark.timeout(1200)  # two minutes where nothing else runs
async def test_nothing_that_anybody_sends_raises_or_is_lost(
    hasty: BotApi, encoder: OnnxEncoder, knowledge: Path, tmp_path: Path
) -> None:
    engine = index(knowledge, encoder, tmp_path / "index").engine
    marie, paul = hasty.user("Marie"), hasty.user("Paul <b>")
    group = hasty.group("Admissions", members=[paul], admins=[marie], forum=True)
    odd = Odd(group.id, (marie.json(), paul.json(), {"id": 1, "is_bot": False, "first_name": "Stranger"}))
    own = {"staff_chat_id": group.id, "knowledge_dir": knowledge}
    async with guichet(settings(tmp_path / "data", **own), engine) as bot:
        bot.loops.application.add_error_handler(note_failure)
        worker = asyncio.create_task(work(replace(bot.loops, workers=16, handling=3600)))
        storm, loop = Storm(bot), asyncio.get_running_loop()

        # One bot for all: what came before an update cannot be taken back, so nothing is made smaller.
        @trying(
            max_examples=COUNT // EACH,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            derandomize=True,  # the same each time: who asks for more gets others too
        )
        @given(st.randoms(use_true_random=False))
        def holds(chance: Random) -> None:
            raw = list(islice(odd.updates(chance), EACH))
            asyncio.run_coroutine_threadsafe(storm.strike(raw), loop).result()

        await asyncio.to_thread(holds)
        bot.loops.stop.set()
        bot.loops.wake.updates.ring()
        await worker
    assert storm.updates >= COUNT - EACH
    assert storm.letters > COUNT / 4
