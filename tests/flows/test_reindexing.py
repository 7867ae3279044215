"""Admins have the knowledge files read again, and the bot answers from them at once."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from bot.dialogue.texts import texts
from bot.sandbox.people import User
from indexer.encoder import Encoder, OnnxEncoder
from indexer.engine import Indexed, Step, index

from .house import House, Json, house

EN = texts("en")
KILN = "How hot does the kiln get?"
NEW = "\n## Can I bring my dog? {#dog}\n\nWell-behaved dogs may lie under the table.\n"


@pytest.fixture
async def pottery(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A bot for a small course whose files a test may change."""
    engine = index(knowledge, encoder, tmp_path / "index").engine
    async with house(engine, tmp_path, knowledge_dir=knowledge) as running:
        yield running


def classes(knowledge: Path) -> Path:
    return knowledge / "classes.en.md"


def more(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def anonymous(flow: House, text: str) -> Json:
    """What an administrator says in the group's name."""
    bot = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    message: Json = {"message_id": 950, "date": 1, "chat": flow.staff.json(), "from": bot, "text": text}
    entity = {"type": "bot_command", "offset": 0, "length": len(text)}
    return {"message": message | {"sender_chat": flow.staff.json(), "entities": [entity]}}


async def test_a_changed_file_is_live_at_once(pottery: House, knowledge: Path) -> None:
    sara = pottery.candidate()
    (note,) = await pottery.ask(sara, "Can I bring my dog?")
    assert "under the table" not in note["text"]
    more(classes(knowledge), NEW)
    (shown,) = await pottery.group(pottery.marie, "/reindex")
    assert shown["text"].startswith(EN.reindex_done.split("\n")[0])
    assert "edit_date" in shown
    karim = pottery.candidate("Karim")
    (answer,) = await pottery.ask(karim, "Can I bring my dog?")
    assert "Well-behaved dogs" in answer["text"]
    (unchanged,) = await pottery.group(pottery.marie, "/reindex")
    assert unchanged["text"] == EN.reindex_unchanged


async def test_a_broken_file_is_refused_by_file_and_line(pottery: House, knowledge: Path) -> None:
    line = len(classes(knowledge).read_text(encoding="utf-8").splitlines()) + 2
    more(classes(knowledge), "\n## No id here\n\nAn answer.\n")
    (shown,) = await pottery.group(pottery.marie, "/reindex")
    assert shown["text"].startswith(EN.reindex_refused.splitlines()[0])
    assert f"classes.en.md:{line}" in shown["text"]
    (answer,) = await pottery.ask(pottery.candidate(), KILN)
    assert "1,240" in answer["text"]


async def test_no_answers_at_all_are_refused(pottery: House, knowledge: Path) -> None:
    shutil.rmtree(knowledge)
    (shown,) = await pottery.group(pottery.marie, "/reindex")
    assert shown["text"].startswith(EN.reindex_refused.splitlines()[0])
    (answer,) = await pottery.ask(pottery.candidate(), KILN)
    assert "1,240" in answer["text"]


async def test_an_unforeseen_fault_is_said_and_logged(pottery: House, monkeypatch: pytest.MonkeyPatch) -> None:
    pottery.trouble_expected = True
    monkeypatch.setattr("bot.publishing.live.index", lambda *_: 1 // 0)
    (shown,) = await pottery.group(pottery.marie, "/reindex")
    assert shown["text"].startswith(EN.reindex_refused.splitlines()[0])
    assert "reindex failed" in pottery.log.errors[0]


async def test_without_listed_admins_the_group_s_administrators_may(pottery: House) -> None:
    (refused,) = await pottery.group(pottery.paul, "/reindex")
    assert refused["text"] == EN.reindex_admins_only
    (done,) = await pottery.group(pottery.marie, "/reindex@guichet_bot")
    assert done["text"] == EN.reindex_unchanged
    pottery.api.push(anonymous(pottery, "/reindex"))
    await pottery.quiet()
    assert pottery.received(pottery.staff)[-1]["text"] == EN.reindex_unchanged
    pottery.api.fail("getChatMember", "Bad Request: user not found")
    (unsure,) = await pottery.group(pottery.marie, "/reindex")
    assert unsure["text"] == EN.reindex_admins_only


async def test_listed_admins_alone_may(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path) -> None:
    engine = index(knowledge, encoder, tmp_path / "index").engine
    async with house(engine, tmp_path, knowledge_dir=knowledge, admin_ids=(7_654_321,)) as flow:
        (refused,) = await flow.group(flow.marie, "/reindex")
        assert refused["text"] == EN.reindex_admins_only
        flow.api.push(anonymous(flow, "/reindex"))
        await flow.quiet()
        assert flow.received(flow.staff)[-1]["text"] == EN.reindex_admins_only
        admin = flow.api.user("Ada", user_id=7_654_321)
        (done,) = await flow.group(admin, "/reindex")
        assert done["text"] == EN.reindex_unchanged


async def test_candidates_and_other_groups_cannot_reindex(pottery: House) -> None:
    (unknown,) = await pottery.ask(pottery.marie, "/reindex")
    assert unknown["text"] == EN.unknown_command
    other = pottery.api.group("Elsewhere", admins=[pottery.marie])
    pottery.api.say(pottery.marie, "/reindex", chat=other)
    await pottery.quiet()
    assert pottery.received(other)[0]["text"] == EN.staff_group_id.format(id=other.id)


async def test_progress_is_shown_and_a_second_run_waits(
    pottery: House, knowledge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = Event()

    def slowly(folder: Path, encoder: Encoder, root: Path, progress: Step, *rest: Any) -> Indexed:
        progress("Encoding", 3, 8)
        go_on.wait(20)
        return index(folder, encoder, root, progress, *rest)

    monkeypatch.setattr("bot.publishing.live.index", slowly)
    monkeypatch.setattr("bot.handlers.staff.PROGRESS_EVERY", 0)
    more(classes(knowledge), NEW)
    pottery.api.say(pottery.marie, "/reindex", chat=pottery.staff)
    half = EN.reindex_progress.format(done=3, total=8)
    try:
        await pottery.api.wait_for(lambda _: half in [m["text"] for m in pottery.received(pottery.staff)])
        pottery.api.say(pottery.marie, "/reindex", chat=pottery.staff)
        await pottery.api.wait_for(lambda _: EN.reindex_running in [m["text"] for m in pottery.received(pottery.staff)])
        sara = pottery.candidate()
        pottery.api.say(sara, KILN)
        await pottery.api.wait_for(lambda _: pottery.received(sara))
        assert "1,240" in pottery.received(sara)[-1]["text"]
    finally:
        go_on.set()
    await pottery.quiet()
    first, second = pottery.received(pottery.staff)
    assert first["text"].startswith(EN.reindex_done.split("\n")[0])
    assert second["text"] == EN.reindex_running


async def test_what_another_process_activates_is_taken_over(
    pottery: House, encoder: OnnxEncoder, knowledge: Path, tmp_path: Path
) -> None:
    deps, stop = pottery.bot.deps, asyncio.Event()
    following = asyncio.create_task(deps.live.follow(stop, seconds=0.02))
    more(classes(knowledge), NEW)
    built = await asyncio.to_thread(index, knowledge, encoder, tmp_path / "index")
    await pottery.log.heard(f"index live snapshot={built.engine.snapshot.id}")
    stop.set()
    await following
    sara: User = pottery.candidate()
    (answer,) = await pottery.ask(sara, "Can I bring my dog?")
    assert "Well-behaved dogs" in answer["text"]
