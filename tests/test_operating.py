"""`guichet status`, `backup` and `restore`, as an operator uses them."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.records.people import chat_of
from bot.records.sessions import open_database
from bot.records.states import ChatKind, OutgoingState, UpdateState
from bot.records.tables import TELEGRAM_SILENT, Chat, Outgoing, Process, Role, Setting, Update, utc_now

from .postgres import Postgres
from .records.test_people import ALICE, SECRET, person

Fill = Callable[..., None]
AGO = timedelta(hours=2)


@pytest.fixture(autouse=True)
def machine(database_url: str, cache: Path, index_root: Path, knowledge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of a machine that runs a bot."""
    own = {"CACHE_DIR": cache, "DATA_DIR": index_root.parent, "KNOWLEDGE_DIR": knowledge, "DATABASE_URL": database_url}
    for name, value in own.items():
        monkeypatch.setenv(f"GUICHET_{name}", str(value))


@pytest.fixture
def put(database_url: str) -> Fill:
    """Writes rows into the machine's database."""

    async def write(*rows: Any, people: bool = False, group: bool = False) -> None:
        db = open_database(database_url)
        async with db.begin() as tx:
            if people:
                await person(tx, ALICE, SECRET)
            chat = await chat_of(tx, 5, "private")
            if group:
                chat.kind, chat.unreachable_since, chat.reason = ChatKind.GROUP, utc_now(), "Forbidden"
            for row in rows:
                if isinstance(row, Outgoing):
                    row.chat_id = chat.id
                tx.add(row)
        await db.close()

    return lambda *rows, **more: asyncio.run(write(*rows, **more))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def status(code: int = 1) -> dict[str, Any]:
    done = run("status", "--json")
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def update(number: int, **values: Any) -> Update:
    raw = {"message": {"text": SECRET}}
    return Update(update_id=number, kind="message", raw=raw, **values)


def message(key: str, **values: Any) -> Outgoing:
    return Outgoing(key=key, method="sendMessage", payload={"text": SECRET}, **({"priority": 0} | values))


def test_a_bot_at_rest_needs_nobody(database_url: str, index_root: Path) -> None:
    found = status(code=0)
    assert found["attention"] == []
    assert found["index"]["id"] == (index_root / "current").read_text(encoding="utf-8")
    assert found["database"] == ("sqlite" if database_url.startswith("sqlite") else "postgresql")
    assert found["size"] > 1000
    shown = run("status").stdout
    assert "Nothing needs you" in shown
    assert str(index_root) in shown.replace("\n", "")


def test_what_waits_is_counted_with_its_age(put: Fill) -> None:
    put(
        update(1, received_at=utc_now() - AGO),
        update(2),
        message("a", created_at=utc_now() - AGO),
        message("b", priority=3),
        message("c", priority=3, created_at=utc_now() - 2 * AGO, not_before=utc_now() + AGO),
    )
    found = status()
    assert found["inbox"]["waiting"] == {"message": 2}
    assert found["outbox"]["waiting"] == {"answer": 1, "reminder": 2}
    assert ["nobody takes them" in text for text in found["attention"]] == [True, False]
    assert "are not sent" in found["attention"][1]
    assert "the oldest for 2 h" in run("status").stdout


def test_workers_are_listed_with_their_roles(put: Fill) -> None:
    now = utc_now()
    put(Process(name="one", started_at=now, beat_at=now), Process(name="two", started_at=now - AGO, beat_at=now - AGO))
    put(Role(name="poll", held_by="one"), Role(name="send", held_by="one"))
    workers = status(code=0)["workers"]
    assert [(worker["name"], worker["roles"]) for worker in workers] == [("one", ["poll", "send"]), ("two", [])]
    shown = run("status").stdout
    assert "poll and send for all" in shown
    assert "two, heard of 2 h ago" in shown


def test_when_no_worker_lives_somebody_is_needed(put: Fill) -> None:
    put(Process(name="one", started_at=utc_now() - AGO, beat_at=utc_now() - AGO))
    (told,) = status()["attention"]
    assert "no process has written a sign of life lately" in told
    assert "'guichet doctor'" in told


def test_who_may_only_read_sees_how_it_stands(database_url: str, request: pytest.FixtureRequest) -> None:
    """Whoever watches the bot need not have the right to write; what processes write tells whether they can."""
    where = make_url(database_url).database
    assert where
    if not database_url.startswith("sqlite"):
        server: Postgres = request.getfixturevalue("postgres")
        server.execute(f"ALTER DATABASE {where} SET default_transaction_read_only = on")
        assert status(code=0)["attention"] == []
        return
    before = Path(where).read_bytes()
    assert status(code=0)["attention"] == []
    assert Path(where).read_bytes() == before


def test_telegram_out_of_reach_needs_somebody(put: Fill) -> None:
    put(Setting(key=TELEGRAM_SILENT, value="2026-03-01T12:00:00+00:00 NetworkError: Bad Gateway"))
    told = "since 2026-03-01T12:00:00+00:00 (NetworkError: Bad Gateway): see 'guichet doctor'"
    assert status()["attention"] == [f"Telegram does not let itself be polled {told}"]


def test_what_has_just_come_needs_nobody(put: Fill) -> None:
    put(update(1), message("a"))
    assert status(code=0)["inbox"]["waiting"] == {"message": 1}


def test_what_was_set_aside_is_listed_and_can_be_put_back(put: Fill, database_url: str) -> None:
    error = "KeyError at candidate.py:79"
    put(update(7, state=UpdateState.SET_ASIDE, error=error, attempts=5, finished_at=utc_now()))
    (aside,) = status()["set_aside"]
    assert (aside["kind"], aside["error"], aside["attempts"]) == ("message", error, 5)
    assert error in run("status").stdout
    assert run("status", "retry", str(aside["row"])).exit_code == 0
    found = status(code=0)
    assert found["set_aside"] == []
    assert found["inbox"]["waiting"] == {"message": 1}
    again = run("status", "retry", str(aside["row"]))
    assert again.exit_code == 2
    assert "was not set aside" in again.stderr


def test_what_telegram_refused_is_listed_unless_somebody_blocked_the_bot(put: Fill) -> None:
    blocked = Chat(telegram_id=9, kind="private", unreachable_since=utc_now(), reason="Forbidden")
    put(message("old", state=OutgoingState.FAILED, created_at=utc_now() - timedelta(days=2)), blocked)
    assert status(code=0)["failed"] == []
    put(message("new", state=OutgoingState.FAILED, error="BadRequest"))
    assert [(one["method"], one["error"]) for one in status()["failed"]] == [("sendMessage", "BadRequest")]


def test_a_staff_group_out_of_reach_needs_somebody(put: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUICHET_STAFF_CHAT_ID", "-424242")
    lost = {"kind": "group", "unreachable_since": utc_now(), "reason": "BadRequest: Chat not found"}
    put(Chat(telegram_id=-424242, **lost), Chat(telegram_id=-7, **lost))  # the other was left on purpose
    told = "the staff group -424242 cannot be reached (BadRequest: Chat not found): see 'guichet doctor'"
    assert status()["attention"] == [told]


def test_what_a_group_did_not_get_is_listed(put: Fill) -> None:
    put(message("card", state=OutgoingState.FAILED, error="Forbidden"))
    put(group=True)
    found = status()
    assert [one["error"] for one in found["failed"]] == ["Forbidden"]
    assert "cannot be reached" in found["attention"][0]


def test_people_are_not_quoted(put: Fill) -> None:
    put(people=True)
    shown = run("status").stdout + run("status", "--json").stdout
    assert SECRET not in shown
    assert str(ALICE) not in shown
    assert json.loads(run("status", "--json").stdout)["tickets"]["waiting"] == {"open": 1}


def test_a_machine_without_an_index_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GUICHET_DATA_DIR", str(tmp_path / "none"))
    assert status()["attention"] == ["there is no index: run 'guichet index'"]


def test_a_database_without_tables_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GUICHET_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'new.db'}")
    assert "never run" in status()["attention"][0]
    again = run("status", "retry", "5")
    assert (again.exit_code, again.stderr) == (2, "the bot has never run with this database: 'guichet run' starts it\n")


@pytest.mark.parametrize("command", ["status", "backup"])
def test_a_database_out_of_reach_is_told(
    command: str, monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> None:
    away = {"sqlite": "sqlite+aiosqlite:////proc/none.db", "postgresql": "postgresql+psycopg://u:secret@127.0.0.1:1/x"}
    monkeypatch.setenv("GUICHET_DATABASE_URL", away[database_url.partition("+")[0]])
    done = run(command)
    assert done.exit_code == 2
    assert "the database cannot be used (OperationalError" in done.stderr
    assert "secret" not in done.output + done.stderr


def test_backup_and_restore(put: Fill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(Setting(key="mine", value="1"))
    done = run("backup", str(tmp_path / "kept.tar.gz"))
    assert done.exit_code == 0, done.stderr
    assert str(tmp_path / "kept.tar.gz") in done.stdout
    refused = run("restore", str(tmp_path / "kept.tar.gz"))
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--force" in refused.stderr
    monkeypatch.setenv("GUICHET_DATA_DIR", str(tmp_path / "elsewhere"))
    done = run("restore", str(tmp_path / "kept.tar.gz"), "--force")
    assert done.exit_code == 0, done.stderr
    assert "2 rows restored" in done.stdout
    assert "is live" in done.stdout
    assert status(code=0)["index"]["id"] in done.stdout


def test_backups_go_to_the_data_folder_and_the_oldest_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GUICHET_DATA_DIR", str(tmp_path / "data"))
    for name in ("guichet-20200101-000000.tar.gz", "guichet-20200102-000000.tar.gz"):
        (tmp_path / "data" / "backups").mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / "backups" / name).touch()
    assert run("backup", "--keep", "1").exit_code == 0
    (left,) = (tmp_path / "data" / "backups").iterdir()
    assert left.stat().st_size > 500


@pytest.mark.parametrize("command", ["history", "status"])
def test_what_an_index_is_asked_without_its_database(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GUICHET_DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/x")
    monkeypatch.setenv("GUICHET_DATA_DIR", str(tmp_path / "new"))
    done = run("index", command)
    assert done.exit_code == 2
    assert "the database cannot be used (OperationalError, nobody listens there)" in done.stderr


def test_an_index_made_with_the_command_reaches_all_machines(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GUICHET_DATA_DIR", str(tmp_path / "one"))
    assert run("index").exit_code == 0
    made = status(code=0)["index"]["id"]
    monkeypatch.setenv("GUICHET_DATA_DIR", str(tmp_path / "two"))
    asked = run("ask", "--json", "How hot does the kiln get?")
    if database_url.startswith("sqlite"):
        assert "there is no index yet" in asked.stderr
    else:
        assert json.loads(asked.stdout)["snapshot"] == made
        again = run("index")
        assert "Nothing has changed" in again.stdout
        monkeypatch.setenv("GUICHET_DATA_DIR", str(tmp_path / "three"))
        assert made in run("index", "status").stdout


def test_each_kind_is_shown_with_its_period_and_its_oldest(put: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUICHET_KEEP_INBOX", "7")
    monkeypatch.setenv("GUICHET_KEEP_BANS", "0")
    done = UpdateState.DONE
    put(*(Update(update_id=n, kind="message", state=done, received_at=utc_now() - n * AGO) for n in (1, 36)))
    shown = [" ".join(line.split()) for line in run("status").output.splitlines()]
    assert "inbox: 7 d; the oldest for 3 d" in shown
    assert "bans: without end; none" in shown
    kept = {one["kind"]: one["days"] for one in status(0)["kept"]}
    assert (kept["inbox"], kept["bans"], kept["people"]) == (7, 0, 365)


def test_what_is_kept_past_its_period_needs_somebody(put: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUICHET_KEEP_INBOX", "7")
    old = utc_now() - timedelta(days=12)
    put(Update(update_id=1, kind="message", state=UpdateState.DONE, received_at=old))
    (said,) = status()["attention"]
    assert said.startswith("data are held beyond their period")
