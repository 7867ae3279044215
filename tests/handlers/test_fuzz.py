"""Hundreds of updates that nobody should send, through the inbox and all handlers: none raises, none is lost."""

import asyncio
import os
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot.app import Guichet, guichet
from bot.delivery import inbox
from bot.delivery.handling import note_failure
from bot.delivery.loops import work
from bot.dialogue.rich import visible
from bot.handlers import staff
from bot.records import sqlite
from bot.records.states import OutgoingState, UpdateState
from bot.records.tables import Outgoing, Update, utc_now
from bot.sandbox.botapi import BotApi, serve
from indexer.encoder import OnnxEncoder
from indexer.engine import Engine, index
from tests.flows.house import TOKEN, settings

from .odd import Odd

COUNT = int(os.environ.get("GUICHET_FUZZ", "500"))  # how many; set the variable for a longer run
BATCH, WORKERS = 250, 2
MARKS = {"parse_mode", "parse_modes"}


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only speed: no fsync, no waiting for notes that will not come, each question searched once."""
    pragmas = tuple("PRAGMA synchronous=OFF" if "synchronous" in one else one for one in sqlite.PRAGMAS)
    monkeypatch.setattr(sqlite, "PRAGMAS", pragmas)
    monkeypatch.setattr(staff, "NOTING_TRIES", 1)
    monkeypatch.setattr(staff, "NOTING_PAUSE", 0)
    found: dict[Any, Any] = {}
    find = Engine.find

    def once(engine: Engine, *asked: Any, **more: Any) -> Any:
        key = (asked, tuple(more.items()))
        if key not in found:
            found[key] = find(engine, *asked, **more)
        return found[key]

    monkeypatch.setattr(Engine, "find", once)


async def sent(bot: Guichet) -> None:
    """As if Telegram had taken everything that waits."""
    async with bot.deps.db.begin() as tx:
        waiting = update(Outgoing).where(Outgoing.state == OutgoingState.WAITING)
        gone = {"state": OutgoingState.SENT, "message_id": 1000 + Outgoing.id, "sent_at": utc_now()}
        await tx.execute(waiting.values(gone).execution_options(synchronize_session=False))


async def due(bot: Guichet) -> int:
    """How many updates nobody has begun."""
    async with bot.deps.db.read() as tx:
        fresh = select(func.count()).where(Update.state == UpdateState.NEW, Update.not_before.is_(None))
        return (await tx.execute(fresh)).scalar_one()


def faults(payload: dict[str, Any]) -> list[str]:
    """What is wrong with a message: markup that Telegram would read, marks beside the text, deceiving signs."""
    text = str(payload.get("text", payload.get("caption", "")))
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    marks = [*payload.get("entities", ()), *payload.get("caption_entities", ())]
    found = [f"{name} is set" for name in MARKS & payload.keys()]
    found += [f"mark {mark}" for mark in marks if mark["offset"] < 0 or mark["offset"] + mark["length"] > units]
    found += [f"mark {mark}" for mark in marks if mark["type"] in {"text_mention", "mention"}]
    return found + (["hidden signs"] if visible(text) != text else [])


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("hasty")
async def test_nothing_that_anybody_sends_raises_or_is_lost(
    encoder: OnnxEncoder, knowledge: Path, tmp_path: Path
) -> None:
    engine, api = index(knowledge, encoder, tmp_path / "index").engine, BotApi(TOKEN)
    marie, paul = api.user("Marie"), api.user("Paul <b>")
    group = api.group("Admissions", members=[paul], admins=[marie], forum=True)
    source = Odd(group.id, (marie.json(), paul.json(), {"id": 1, "is_bot": False, "first_name": "Stranger"})).updates()
    async with serve(api) as base_url:
        own = {"telegram_base_url": base_url, "staff_chat_id": group.id, "knowledge_dir": knowledge}
        async with guichet(settings(tmp_path / "data", **own), engine) as bot:
            bot.loops.application.add_error_handler(note_failure)
            workers = [asyncio.create_task(work(bot.loops, f"{bot.loops.name}/{n}")) for n in range(WORKERS)]
            for _ in range(COUNT // BATCH):
                async with bot.deps.db.begin() as tx:
                    assert await inbox.receive(tx, list(islice(source, BATCH))) == BATCH
                bot.loops.wake.updates.ring()
                while await due(bot):
                    await asyncio.wait(workers, timeout=0.02)
                await sent(bot)
            bot.loops.stop.set()
            bot.loops.wake.updates.ring()
            await asyncio.gather(*workers)
            async with bot.deps.db.read() as tx:
                ended = (await tx.execute(select(Update.state, Update.attempts, Update.error, Update.kind))).all()
                letters = (await tx.execute(select(Outgoing.method, Outgoing.payload, Outgoing.key))).all()

    tried_again = Counter(f"{row.kind}: {row.error}" for row in ended if row.attempts != 1)
    assert not tried_again, tried_again
    assert Counter(row.state for row in ended)[UpdateState.DONE] > 0.9 * COUNT
    assert len(ended) == COUNT
    assert not [row for row in ended if row.state is UpdateState.NEW]
    wrong = Counter(f"{row.method}: {fault}" for row in letters for fault in faults(row.payload))
    assert not wrong, wrong.most_common(20)
    assert len(letters) > COUNT / 4
