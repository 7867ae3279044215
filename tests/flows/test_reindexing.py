"""Admins have the knowledge files read again, and the bot answers from them at once."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from bot.dialogue.texts import texts
from bot.publishing.proposal import Examine, propose, waiting
from bot.sandbox.people import User
from indexer import store
from indexer.encoder import Encoder, OnnxEncoder
from indexer.engine import Step, index

from .house import House, Json, buttons, house

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


async def decide(flow: House, shown: Json, button: str, person: User | None = None) -> Json:
    """An admin presses a button below a proposal; what the bot says to that, last."""
    flow.api.press(person or flow.marie, shown, button)
    await flow.quiet()
    return flow.received(flow.staff)[-1]


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
    assert "Can I bring my dog? [en, classes.en.md:" in shown["text"]
    assert shown["text"].endswith(EN.reindex_proposed)
    assert "edit_date" in shown
    (still,) = await pottery.ask(pottery.candidate("Ana"), "Can I bring my dog?")
    assert "under the table" not in still["text"]
    done = await decide(pottery, shown, EN.button_publish)
    assert done["text"].startswith(EN.reindex_done.split("\n")[0])
    assert buttons(pottery.received(pottery.staff)[-2]) == []
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
    monkeypatch.setattr("bot.publishing.live.propose", lambda *_: 1 // 0)
    (shown,) = await pottery.group(pottery.marie, "/reindex")
    assert shown["text"].startswith(EN.reindex_refused.splitlines()[0])
    assert "reindex failed" in pottery.log.errors[0]


async def test_without_listed_admins_the_group_s_administrators_may(pottery: House) -> None:
    (refused,) = await pottery.group(pottery.paul, "/reindex")
    assert refused["text"] == EN.admins_only
    (done,) = await pottery.group(pottery.marie, "/reindex@guichet_bot")
    assert done["text"] == EN.reindex_unchanged
    pottery.api.push(anonymous(pottery, "/reindex"))
    await pottery.quiet()
    assert pottery.received(pottery.staff)[-1]["text"] == EN.reindex_unchanged
    pottery.api.fail("getChatMember", "Bad Request: user not found")
    (unsure,) = await pottery.group(pottery.marie, "/reindex")
    assert unsure["text"] == EN.admins_only


async def test_listed_admins_alone_may(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path) -> None:
    engine = index(knowledge, encoder, tmp_path / "index").engine
    async with house(engine, tmp_path, knowledge_dir=knowledge, admin_ids=(7_654_321,)) as flow:
        (refused,) = await flow.group(flow.marie, "/reindex")
        assert refused["text"] == EN.admins_only
        flow.api.push(anonymous(flow, "/reindex"))
        await flow.quiet()
        assert flow.received(flow.staff)[-1]["text"] == EN.admins_only
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

    def slowly(folder: Path, encoder: Encoder, root: Path, examine: Examine, step: Step, shown: int, **_: None) -> Any:
        step("Encoding", 3, 8)
        go_on.wait(20)
        return propose(folder, encoder, root, examine, step, shown)

    monkeypatch.setattr("bot.publishing.live.propose", slowly)
    monkeypatch.setattr("bot.handlers.publishing.PROGRESS_EVERY", 0)
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
    assert first["text"].endswith(EN.reindex_proposed)
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


async def test_what_is_discarded_never_goes_live(pottery: House, knowledge: Path, tmp_path: Path) -> None:
    more(classes(knowledge), NEW)
    (shown,) = await pottery.group(pottery.marie, "/reindex")
    assert (await decide(pottery, shown, EN.button_discard))["text"] == EN.reindex_discarded
    assert len(store.history(tmp_path / "index")) == 1
    (note,) = await pottery.ask(pottery.candidate(), "Can I bring my dog?")
    assert "under the table" not in note["text"]
    pottery.api.press(pottery.marie, shown, f"i:p:{'x' * 20}", forged=True)
    await pottery.quiet()
    assert pottery.received(pottery.staff)[-1]["text"] == EN.reindex_gone


async def test_only_admins_in_the_staff_s_group_decide(pottery: House, knowledge: Path, tmp_path: Path) -> None:
    more(classes(knowledge), NEW)
    (shown,) = await pottery.group(pottery.marie, "/reindex")
    await decide(pottery, shown, EN.button_publish, pottery.paul)
    sara = pottery.candidate()
    (answer,) = await pottery.ask(sara, KILN)
    proposal = waiting(tmp_path / "index")
    assert proposal
    await pottery.press(sara, answer, f"i:p:{proposal.snapshot}", forged=True)
    assert waiting(tmp_path / "index") == proposal
    live = store.live(tmp_path / "index")
    assert live
    assert live.name == proposal.base


async def test_the_gate_is_overruled_by_an_admin_s_reason_and_rollback_goes_back(
    pottery: House, knowledge: Path, tmp_path: Path
) -> None:
    french = knowledge / "classes.fr.md"
    french.write_text(french.read_text(encoding="utf-8").replace("{#who}", "{#who-else}"), encoding="utf-8")
    (shown,) = await pottery.group(pottery.marie, "/reindex")
    assert "'who' has lost its French version" in shown["text"]
    assert buttons(shown) == [EN.button_discard]
    proposal = waiting(tmp_path / "index")
    assert proposal
    pottery.api.press(pottery.marie, shown, f"i:p:{proposal.snapshot}", forged=True)  # no reason, no publishing
    await pottery.quiet()
    assert waiting(tmp_path / "index") == proposal
    (refused,) = await pottery.group(pottery.paul, "because I say so", reply_to=shown)
    assert refused["text"] == EN.admins_only
    (done,) = await pottery.group(pottery.marie, "The fair is\ntomorrow", reply_to=shown)
    assert done["text"].startswith(EN.reindex_done.split("\n")[0])
    last = store.activations(tmp_path / "index")[0]
    assert (last.by, last.act, last.reason) == ("Marie", "published", "The fair is tomorrow")
    assert last.changes == "1 added, 1 removed"
    (refused,) = await pottery.group(pottery.paul, "/rollback")
    assert refused["text"] == EN.admins_only
    (back,) = await pottery.group(pottery.marie, "/rollback")
    assert back["text"] == EN.rollback_done.format(snapshot=proposal.base)
    (no_more,) = await pottery.group(pottery.marie, "/rollback")
    assert no_more["text"] == EN.rollback_refused.format(problem="there is no earlier index to go back to")


async def test_a_proposal_that_was_overtaken_is_not_published(
    pottery: House, encoder: OnnxEncoder, knowledge: Path, tmp_path: Path
) -> None:
    more(classes(knowledge), NEW)
    (shown,) = await pottery.group(pottery.marie, "/reindex")
    more(classes(knowledge), NEW.replace("dog", "cat"))
    live = await asyncio.to_thread(index, knowledge, encoder, tmp_path / "index")
    assert "another index went live" in (await decide(pottery, shown, EN.button_publish))["text"]
    assert store.live(tmp_path / "index") == live.engine.snapshot.folder
