"""Each check of `guichet doctor`, well and ill, with its remedy."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import make_url

from bot.delivery.processes import Roles, present
from bot.doctor import examine
from bot.listening import bound
from bot.records.migrations import migrate
from bot.records.sessions import open_database
from bot.sandbox.botapi import BotApi, serve
from bot.sandbox.people import Chat
from bot.settings import load_settings
from indexer.encoder import OnnxEncoder
from indexer.engine import index
from indexer.model import DEFAULT_MODEL, model_folder

from .conftest import DATA, REPOSITORY
from .flows.house import TOKEN
from .indexer.standin import WordEncoder
from .postgres import Postgres


@dataclass
class Practice:
    """A school that has set everything up, and what may befall it."""

    api: BotApi
    staff: Chat
    set: pytest.MonkeyPatch
    folder: Path

    async def findings(self) -> dict[str, tuple[str, str]]:
        """Subject to grade and text; of several with one subject the gravest."""
        graded = ["ok", "note", "fault"]
        found: dict[str, tuple[str, str]] = {}
        async for finding in examine():
            before = found.get(finding.subject, ("ok", ""))
            if graded.index(finding.grade) >= graded.index(before[0]):
                found[finding.subject] = finding.grade, finding.text
        return found

    async def of(self, subject: str) -> tuple[str, str]:
        return (await self.findings())[subject]


@pytest.fixture(scope="module")
def indexed(encoder: OnnxEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the small course's files."""
    root = tmp_path_factory.mktemp("doctor") / "index"
    index(DATA / "pottery", encoder, root)
    return root


@pytest.fixture
async def practice(
    indexed: Path, cache: Path, knowledge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Practice]:
    api = BotApi(TOKEN, privacy=False)
    staff = api.group("Admissions", supergroup=True, admins=[api.user("Marie")])
    shutil.copytree(indexed, tmp_path / "data" / "index")
    async with serve(api) as address:
        own = {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_BASE_URL": address,
            "STAFF_CHAT_ID": str(staff.id),
            "ADMIN_IDS": "1, 2",
            "DATA_DIR": str(tmp_path / "data"),
            "KNOWLEDGE_DIR": str(knowledge),
            "CACHE_DIR": str(cache),
            "OPERATOR": "A school",
            "PRIVACY_CONTACT": "dpo@example.org",
        }
        for name, value in own.items():
            monkeypatch.setenv(f"GUICHET_{name}", value)
        yield Practice(api, staff, monkeypatch, tmp_path)


async def test_a_school_in_good_health(practice: Practice) -> None:
    findings = [finding async for finding in examine()]
    assert {finding.subject for finding in findings if finding.grade != "ok"} <= {"knowledge"}
    assert [finding.subject for finding in findings if finding.grade == "ok"] == [
        "settings",
        "knowledge",
        "model",
        "index",
        "database",
        "token",
        "webhook",
        "privacy mode",
        "inline mode",
        "staff group",
        "rights",
    ]
    assert "4 entries with 6 answers, and 1 drafts, in 3 files" in findings[1].text
    assert "@guichet_bot" in findings[-6].text


async def anything(practice: Practice, subject: str) -> str:
    """All that is said of a subject."""
    return "\n".join([finding.text async for finding in examine() if finding.subject == subject])


async def test_inline_mode_is_switched_on_at_botfather(practice: Practice) -> None:
    practice.api.world.inline = False
    grade, said = await practice.of("inline mode")
    assert grade == "note"
    assert "/setinline at @BotFather" in said


async def test_settings_are_named_all_at_once_and_the_token_never_shown(practice: Practice) -> None:
    practice.set.setenv("GUICHET_TELEGRAM_TOKEN", "my secret token")
    practice.set.setenv("GUICHET_TIMEZONE", "Mars/Olympus")
    practice.set.setenv("GUICHET_STAF_CHAT_ID", "5")
    said = await anything(practice, "settings")
    for part in ("GUICHET_TELEGRAM_TOKEN", "GUICHET_TIMEZONE", "did you mean GUICHET_STAFF_CHAT_ID?"):
        assert part in said
    assert "my secret token" not in said
    assert list(await practice.findings()) == ["settings"]


async def test_a_demonstration_is_called_one(practice: Practice) -> None:
    practice.set.delenv("GUICHET_PRIVACY_CONTACT")
    grade, said = await practice.of("operator")
    assert grade == "note"
    assert "demonstration" in said
    assert "GUICHET_PRIVACY_CONTACT" in said


async def test_broken_knowledge(practice: Practice) -> None:
    (practice.folder / "knowledge" / "new.en.md").write_text("## No id\n\nx\n", encoding="utf-8")
    grade, said = await practice.of("knowledge")
    assert grade == "fault"
    assert "new.en.md:" in said


@pytest.mark.parametrize("file", ["trained.json", "golden.yaml"])
async def test_a_broken_file_beside_the_knowledge(practice: Practice, file: str) -> None:
    (practice.folder / "knowledge" / file).write_text("<<<<<<< HEAD\n", encoding="utf-8")
    grade, said = await practice.of("knowledge")
    assert grade == "fault"
    assert file in said


async def test_what_another_version_has_learnt(practice: Practice) -> None:
    (practice.folder / "knowledge" / "trained.json").write_text('{"fusion": [1]}', encoding="utf-8")
    told = [(one.grade, one.text) async for one in examine() if one.subject == "knowledge"]
    assert told[0][0] == "ok"
    assert told[1][0] == "note"
    assert "left unused: run 'guichet train'" in told[1][1]


async def test_no_knowledge_folder(practice: Practice) -> None:
    practice.set.setenv("GUICHET_KNOWLEDGE_DIR", str(practice.folder / "nowhere"))
    grade, said = await practice.of("knowledge")
    assert grade == "fault"
    assert "nowhere" in said


async def test_a_model_that_is_not_prepared_yet(practice: Practice) -> None:
    practice.set.setenv("GUICHET_CACHE_DIR", str(practice.folder / "empty"))
    grade, said = await practice.of("model")
    assert grade == "note"
    assert "guichet index" in said
    assert not (practice.folder / "empty" / "models").exists()


async def test_a_damaged_model(practice: Practice) -> None:
    folder = model_folder(DEFAULT_MODEL, practice.folder / "cache")
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{", encoding="utf-8")
    practice.set.setenv("GUICHET_CACHE_DIR", str(practice.folder / "cache"))
    grade, said = await practice.of("model")
    assert grade == "fault"
    assert "delete this folder" in said
    assert (await practice.of("index"))[0] == "fault"


async def test_no_index_yet(practice: Practice) -> None:
    shutil.rmtree(practice.folder / "data" / "index")
    assert await practice.of("index") == ("fault", "there is none yet: run 'guichet index'")


async def test_an_index_that_workers_share_is_fetched_at_the_start(practice: Practice, postgres_url: str) -> None:
    shutil.rmtree(practice.folder / "data" / "index")
    practice.set.setenv("GUICHET_DATABASE_URL", postgres_url)
    grade, said = await practice.of("index")
    assert (grade, "fetched at the start" in said) == ("note", True)


async def test_an_index_of_another_model(practice: Practice) -> None:
    root = practice.folder / "data" / "index"
    index(practice.folder / "knowledge", WordEncoder("words@1"), root)
    grade, said = await practice.of("index")
    assert grade == "fault"
    assert "words@1" in said
    assert "guichet index" in said


async def test_a_damaged_index(practice: Practice) -> None:
    (snapshot,) = (practice.folder / "data" / "index" / "snapshots").iterdir()
    largest = max((path for path in snapshot.iterdir() if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 0xFF
    largest.chmod(0o600)
    largest.write_bytes(content)
    grade, said = await practice.of("index")
    assert grade == "fault"
    assert "guichet index" in said


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:////nowhere/at/all.sqlite", "postgresql+psycopg://localhost:1/x"])
async def test_a_database_that_does_not_open(practice: Practice, url: str) -> None:
    practice.set.setenv("GUICHET_DATABASE_URL", url)
    grade, said = await practice.of("database")
    assert grade == "fault"
    assert "GUICHET_DATABASE_URL" in said


async def test_a_disk_without_room(practice: Practice) -> None:
    assert "disk" not in await practice.findings()
    practice.set.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    assert await practice.of("disk") == ("fault", "1 MB are free for GUICHET_DATA_DIR: free some")


async def test_a_server_that_takes_no_writes(practice: Practice, postgres: Postgres, postgres_url: str) -> None:
    practice.set.setenv("GUICHET_DATABASE_URL", postgres_url)
    assert await practice.of("database") == ("ok", "opens, and can be written to")
    name = make_url(postgres_url).database
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    grade, said = await practice.of("database")
    assert grade == "fault"
    assert "it is read-only" in said


@pytest.mark.parametrize(
    ("host", "said"), [("localhost:1", "nobody listens there"), ("nowhere.invalid", "unknown host")]
)
async def test_why_there_is_no_connection(practice: Practice, host: str, said: str) -> None:
    practice.set.setenv("GUICHET_DATABASE_URL", f"postgresql://x:hunter2@{host}/y")
    found = await practice.of("database")
    assert said in found[1]
    assert "hunter2" not in found[1]


async def test_a_group_whose_id_is_not_known_yet(practice: Practice) -> None:
    practice.set.setenv("GUICHET_STAFF_CHAT_ID", "0")
    grade, said = await practice.of("staff group")
    assert grade == "fault"
    assert "write /start there: it tells the id" in said


async def test_a_server_that_is_no_bot_api_prints_no_trace(practice: Practice) -> None:
    address = os.environ["GUICHET_TELEGRAM_BASE_URL"].removesuffix("/bot")
    script = "import asyncio; from bot.checkup import report; asyncio.run(report())"
    around = os.environ | {"GUICHET_TELEGRAM_BASE_URL": f"{address}/xx/bot", "PYTHONPATH": str(REPOSITORY)}
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], env=around, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    assert "GUICHET_TELEGRAM_BASE_URL" in done.stdout


async def test_a_model_that_may_not_exist(practice: Practice) -> None:
    practice.set.setenv("GUICHET_MODEL", "nosuchmodel")
    assert (await practice.of("model"))[1].endswith("if the model hub has that name")


async def test_a_port_that_is_taken(practice: Practice) -> None:
    with bound("127.0.0.1", 0) as other:
        other.listen()
        port = other.getsockname()[1]
        practice.set.setenv("GUICHET_HEALTH_PORT", str(port))
        grade, said = await practice.of("address")
        assert grade == "fault"
        assert f"GUICHET_HEALTH_PORT: cannot listen on 127.0.0.1, port {port} (Address already in use)" in said
        db = open_database(load_settings().database)
        await migrate(db)
        async with present(db, "bot", Roles()):
            assert (await practice.of("address"))[0] == "note"
        await db.close()
    assert "address" not in await practice.findings()


async def test_an_address_of_another_machine(practice: Practice) -> None:
    practice.set.setenv("GUICHET_HEALTH_PORT", "9090")
    practice.set.setenv("GUICHET_LISTEN_ADDRESS", "192.0.2.1")
    assert (await practice.of("address"))[0] == "fault"


async def test_one_port_for_two(practice: Practice) -> None:
    with bound("127.0.0.1", 0) as free:
        port = str(free.getsockname()[1])
    practice.set.setenv("GUICHET_HEALTH_PORT", port)
    practice.set.setenv("GUICHET_WEBHOOK_PORT", port)
    practice.set.setenv("GUICHET_WEBHOOK_URL", "https://bot.example.org/hook")
    assert "GUICHET_WEBHOOK_PORT: cannot listen" in (await practice.of("address"))[1]


async def test_no_token(practice: Practice) -> None:
    practice.set.delenv("GUICHET_TELEGRAM_TOKEN")
    grade, said = await practice.of("token")
    assert grade == "fault"
    assert "@BotFather" in said
    assert "staff group" not in await practice.findings()
    practice.set.delenv("GUICHET_STAFF_CHAT_ID")
    grade, said = await practice.of("staff group")  # named at once, as `run` does
    assert grade == "fault"
    assert "GUICHET_STAFF_CHAT_ID is not set" in said


async def test_a_wrong_token(practice: Practice) -> None:
    practice.set.setenv("GUICHET_TELEGRAM_TOKEN", "99:not-known-to-telegram")
    grade, said = await practice.of("token")
    assert grade == "fault"
    assert "copy GUICHET_TELEGRAM_TOKEN again" in said
    assert "not-known" not in said


async def test_telegram_out_of_reach(practice: Practice) -> None:
    practice.set.setenv("GUICHET_TELEGRAM_BASE_URL", "http://127.0.0.1:9/bot")
    grade, said = await practice.of("Telegram")
    assert grade == "fault"
    assert "GUICHET_TELEGRAM_BASE_URL" in said


async def test_a_webhook_in_the_way(practice: Practice) -> None:
    practice.api.world.queue.set_webhook("https://example.org/hook", "", 40)
    grade, said = await practice.of("webhook")
    assert grade == "note"
    assert "will remove it" in said


async def test_a_webhook_of_ours(practice: Practice) -> None:
    queue, url = practice.api.world.queue, "http://127.0.0.1:1/hook"
    practice.set.setenv("GUICHET_WEBHOOK_URL", url)
    grade, said = await practice.of("webhook")
    assert (grade, "will do it" in said) == ("note", True)
    queue.set_webhook(url, "", 40)
    assert (await practice.of("webhook"))[0] == "ok"
    practice.api.push({"message": {"text": "waits"}})
    await practice.api.wait_for(lambda _: queue.webhook and queue.webhook.last_error)
    grade, said = await practice.of("webhook")
    assert (grade, "ConnectError" in said) == ("fault", True)


async def test_privacy_mode(practice: Practice) -> None:
    practice.api.world.privacy = True
    grade, said = await practice.of("privacy mode")
    assert grade == "note"
    assert "/setprivacy" in said


@pytest.mark.parametrize("befall", ["unset", "unknown", "channel", "removed", "left"])
async def test_a_staff_s_group_that_cannot_be_used(practice: Practice, befall: str) -> None:
    match befall:
        case "unset":
            practice.set.delenv("GUICHET_STAFF_CHAT_ID")
        case "unknown":
            practice.set.setenv("GUICHET_STAFF_CHAT_ID", "-1001")
        case "channel":
            practice.staff.kind = "channel"
        case "removed":
            practice.api.remove_bot(practice.staff)
        case "left":
            practice.staff.members[practice.api.bot.id] = "left"
    grade, said = await practice.of("staff group")
    assert grade == "fault"
    remedy = "add the bot to the group" if befall in ("removed", "left") else "GUICHET_STAFF_CHAT_ID"
    assert remedy in said


async def test_a_staff_s_group_that_became_a_supergroup(practice: Practice) -> None:
    small = practice.api.group("Admissions", members=[practice.api.user("Paul")])
    practice.set.setenv("GUICHET_STAFF_CHAT_ID", str(small.id))
    large = practice.api.migrate(small)
    grade, said = await practice.of("staff group")
    assert grade == "note"
    assert f"GUICHET_STAFF_CHAT_ID={large.id}" in said


async def test_a_plain_member_and_no_admins(practice: Practice) -> None:
    practice.api.add_bot(practice.staff, admin=False)
    practice.set.delenv("GUICHET_ADMIN_IDS")
    found = await practice.findings()
    assert (found["rights"][0], found["admins"][0]) == ("note", "note")
    assert "GUICHET_ADMIN_IDS" in found["admins"][1]


async def test_every_routed_group_is_checked_and_named(practice: Practice) -> None:
    stranger = practice.api.group("Elsewhere", supergroup=True)
    stranger.members[practice.api.bot.id] = "left"
    practice.set.setenv("GUICHET_ROUTES", f"law={practice.staff.id}; law/fees={stranger.id}")
    found = await practice.findings()
    assert found["staff group of law"][0] == "ok"
    assert found["staff group of law/fees"][0] == "fault"
    assert found["routes"] == (
        "note",
        "GUICHET_ROUTES law/fees: there is no course 'law' with a course.yaml, so nothing goes there",
    )
