"""Kept from a database and restored into another, of either kind."""

import asyncio
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select, text

from bot import backup
from bot.backup import BackupError
from bot.delivery.processes import Roles, present
from bot.publishing.replica import replica_of
from bot.records import dump as dumping
from bot.records import sessions
from bot.records.dump import dump, load
from bot.records.migrations import migrate, upgrade
from bot.records.people import chat_of
from bot.records.sessions import Database, open_database
from bot.records.states import ChatKind
from bot.records.tables import ACTIVE_SNAPSHOT, Base, Chat, Setting, Ticket
from bot.settings import Settings
from indexer import store
from indexer.engine import index

from .flows.house import settings
from .indexer.standin import WordEncoder
from .records.test_people import ALICE, BOB, SECRET, person

NEVER = {"snapshot", "snapshot_file", "process", "role"}
ODD = "Dvořák \u2028 «L'été» 🎓 \x7f \\n 'quoted'"


@pytest.fixture
def school(knowledge: Path, tmp_path: Path) -> Settings:
    """Where the backup is made: knowledge, and an index of it."""
    chosen = settings(tmp_path / "school", knowledge_dir=knowledge)
    index(knowledge, WordEncoder(), chosen.index_root)
    return chosen


@pytest.fixture
def other(tmp_path: Path) -> Settings:
    """Where it is restored: an empty machine."""
    return settings(tmp_path / "other", knowledge_dir=tmp_path / "other-knowledge")


async def fill(db: Database) -> None:
    """Rows in every table, references in a circle, all kinds of values, and numbers that were given and are gone."""
    async with db.begin() as tx:
        await person(tx, ALICE, SECRET)
        await person(tx, BOB, ODD)
        gone = Chat(telegram_id=1, kind=ChatKind.PRIVATE)
        tx.add_all([gone, Setting(key="odd", value=ODD)])
        await tx.flush()
        await tx.delete(gone)


async def everything(db: Database) -> dict[str, list[Any]]:
    """Every value of every table of ours, in Python's terms."""
    async with db.read() as tx:
        found = {}
        for table in Base.metadata.sorted_tables:
            if table.name not in NEVER:
                rows = await tx.execute(select(table).order_by(*table.primary_key))
                found[table.name] = [tuple(row) for row in rows if row[0] != ACTIVE_SNAPSHOT]
        return found


def made_live(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> list[str]:
    """The indexes that went live in between, taken out: where it is shared, the history of all machines tells it."""
    kept = len(before["activation"])
    added, after["activation"] = after["activation"][kept:], after["activation"][:kept]
    return [noted["snapshot"] for _, noted in added]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    db = open_database(url)
    yield db
    await db.close()


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def source(request: pytest.FixtureRequest) -> str:
    """The address of the database that is kept, of either kind in turn."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def target(empty_database: str) -> str:
    """The address of another database, without tables, of either kind in turn."""
    return empty_database


async def test_what_was_kept_of_one_database_is_restored_into_any(
    source: str, target: str, school: Settings, other: Settings, tmp_path: Path
) -> None:
    async with opened(source) as old, opened(target) as new:
        await fill(old)
        path = await backup.make(old, school, tmp_path / "kept.tar.gz")
        restored = await backup.restore(new, other, path)
        before, after = await everything(old), await everything(new)
        noted = made_live(before, after)
        assert after == before
        assert noted == ([restored.snapshot] if new.postgresql else [])
        assert restored.rows == sum(map(len, before.values())) > 10
        await migrate(new)  # finds nothing to do
        # A number that was given to a row that is gone is not given again.
        async with old.begin() as tx, new.begin() as other_tx:
            assert (await chat_of(tx, 77, "private")).id == (await chat_of(other_tx, 77, "private")).id
    assert store.live(other.index_root) == store.snapshot_folder(other.index_root) / str(restored.snapshot)
    assert sorted(p.name for p in other.knowledge_dir.iterdir()) == sorted(
        p.name for p in school.knowledge_dir.iterdir()
    )


async def test_a_restored_postgresql_shares_the_index_with_all(
    sqlite_db: Database, postgres_db: Database, school: Settings, other: Settings, tmp_path: Path
) -> None:
    path = await backup.make(sqlite_db, school, tmp_path / "kept.tar.gz")
    restored = await backup.restore(postgres_db, other, path)
    replica = replica_of(postgres_db, tmp_path / "third")
    assert replica
    assert await replica.level() == restored.snapshot


async def test_an_index_that_only_the_database_has_is_kept_too(
    postgres_db: Database, school: Settings, other: Settings, tmp_path: Path
) -> None:
    replica = replica_of(postgres_db, school.index_root)
    assert replica
    active = await replica.level()
    await backup.make(postgres_db, other, tmp_path / "kept.tar.gz")
    with tarfile.open(tmp_path / "kept.tar.gz") as archive:
        assert f"index/{active}/manifest.json" in archive.getnames()


async def test_a_database_that_is_not_empty_is_replaced_only_when_asked(
    db: Database, school: Settings, tmp_path: Path
) -> None:
    await fill(db)
    path = await backup.make(db, school, tmp_path / "kept.tar.gz")
    kept = await everything(db)
    async with db.begin() as tx:
        await chat_of(tx, 4711, "private")
    changed = await everything(db)
    with pytest.raises(BackupError, match=r"not empty.*--force"):
        await backup.restore(db, school, path)
    assert await everything(db) == changed
    await backup.restore(db, school, path, force=True)
    now = await everything(db)
    made_live(kept, now)
    assert now == kept


async def test_what_other_programs_keep_in_the_database_is_left_alone(
    db: Database, school: Settings, tmp_path: Path
) -> None:
    async with db.begin() as tx:
        await tx.execute(text("CREATE TABLE library (book VARCHAR(20))"))
        await tx.execute(text("INSERT INTO library VALUES ('Emma')"))
    path = await backup.make(db, school, tmp_path / "kept.tar.gz")
    await fill(db)
    await backup.restore(db, school, path, force=True)
    async with db.read() as tx:
        assert (await tx.execute(text("SELECT book FROM library"))).scalar_one() == "Emma"


async def test_an_older_database_is_kept_before_it_is_migrated(
    target: str, school: Settings, other: Settings, sqlite_db: Database
) -> None:
    async with opened(target) as db:
        async with db.writing.begin() as connection:
            await connection.run_sync(upgrade, "0001")
        async with db.begin() as tx:
            await tx.execute(text("INSERT INTO setting (key, value) VALUES ('old', 'one')"))
        await backup.bring_up_to_date(db, school)
        (path,) = school.backups.iterdir()
        assert path.name.startswith("before-migration-of-0001-")
        await backup.bring_up_to_date(db, school)
        assert list(school.backups.iterdir()) == [path]
    await backup.restore(sqlite_db, other, path)  # and is migrated when it is restored
    async with sqlite_db.read() as tx:
        assert (await tx.get_one(Setting, "old")).value == "one"
        assert (await tx.execute(select(Ticket))).all() == []


async def test_a_new_database_needs_no_backup(empty_database: str, school: Settings) -> None:
    async with opened(empty_database) as db:
        await backup.bring_up_to_date(db, school)
    assert not school.backups.exists()


def test_only_the_newest_backups_of_a_kind_stay(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"before-migration-of-{number}.tar.gz").touch()
        os.utime(tmp_path / f"before-migration-of-{number}.tar.gz", (number, number))
    (tmp_path / "mine.tar.gz").touch()
    backup.thin_out(tmp_path, "before-migration-*.tar.gz", 2)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["before-migration-of-3.tar.gz", "before-migration-of-4.tar.gz", "mine.tar.gz"]


async def test_a_backup_is_one_moment_while_others_write(db: Database, school: Settings, tmp_path: Path) -> None:
    """Two rows that always belong together are kept together, whenever the backup looks."""
    stop = False

    async def write() -> int:
        number = 0
        while not stop:
            async with db.begin() as tx:
                number += 1
                await chat_of(tx, number, "private")
                await tx.merge(Setting(key="chats", value=str(number)))
        return number

    writing = asyncio.create_task(write())
    sizes = []
    for number in range(4):
        folder = tmp_path / str(number)
        folder.mkdir()
        await dump(db, folder)
        chats = len((folder / "chat.jsonl").read_text().splitlines())
        told = (folder / "setting.jsonl").read_text()
        sizes.append(chats)
        assert (f'"value": "{chats}"' in told) or chats == 0
    stop = True
    assert await writing >= sizes[-1]


async def test_others_may_not_read_it(sqlite_db: Database, school: Settings, tmp_path: Path) -> None:
    path = await backup.make(sqlite_db, school, tmp_path / "kept.tar.gz")
    assert path.stat().st_mode & 0o777 == 0o600


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[: len(data) // 2], "damaged"),
        (flipped, "damaged"),
        (lambda _: b"no archive", "damaged or no backup"),
        (lambda _: b"", "damaged or no backup"),
    ],
)
async def test_a_damaged_backup_changes_nothing(
    damage: Callable[[bytes], bytes],
    message: str,
    sqlite_db: Database,
    school: Settings,
    other: Settings,
    tmp_path: Path,
) -> None:
    path = await backup.make(sqlite_db, school, tmp_path / "kept.tar.gz")
    path.write_bytes(damage(path.read_bytes()))
    await fill(sqlite_db)
    before = await everything(sqlite_db)
    with pytest.raises(BackupError, match=message):
        await backup.restore(sqlite_db, other, path, force=True)
    assert await everything(sqlite_db) == before
    assert list(other.data_dir.iterdir()) == []


async def test_nothing_is_restored_while_a_bot_works_on_the_database(
    db: Database, school: Settings, tmp_path: Path
) -> None:
    await fill(db)
    path = await backup.make(db, school, tmp_path / "kept.tar.gz")
    async with present(db, "machine-7", Roles()):
        before = await everything(db)
        for force in (False, True):
            with pytest.raises(BackupError, match=r"a bot works on this database \(machine-7\): stop it and try again"):
                await backup.restore(db, school, path, force=force)
        assert await everything(db) == before
    assert (await backup.restore(db, school, path, force=True)).rows


async def test_a_changed_file_inside_is_noticed(
    sqlite_db: Database, school: Settings, other: Settings, tmp_path: Path
) -> None:
    path = await backup.make(sqlite_db, school, tmp_path / "kept.tar.gz")
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path / "inside", filter="data")
    (tmp_path / "inside" / "database" / "chat.jsonl").write_text("{}\n")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(tmp_path / "inside", "")
    with pytest.raises(BackupError, match=r"damaged \(database/chat\.jsonl\)"):
        await backup.restore(sqlite_db, other, path)


async def test_a_missing_file_is_named(sqlite_db: Database, other: Settings, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"nowhere\.tar\.gz: there is no such file"):
        await backup.restore(sqlite_db, other, tmp_path / "nowhere.tar.gz")


async def test_a_folder_is_no_backup(sqlite_db: Database, other: Settings, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=f"^{tmp_path} is a folder: give the file that 'guichet backup' wrote$"):
        await backup.restore(sqlite_db, other, tmp_path)


async def test_edited_knowledge_is_never_overwritten(
    sqlite_db: Database, school: Settings, knowledge: Path, tmp_path: Path
) -> None:
    path = await backup.make(sqlite_db, school, tmp_path / "kept.tar.gz")
    assert (await backup.restore(sqlite_db, school, path)).aside is None
    changed = knowledge / "classes.en.md"
    kept = changed.read_text(encoding="utf-8")
    changed.write_text("# Something else\n", encoding="utf-8")
    aside = (await backup.restore(sqlite_db, school, path)).aside
    assert aside
    assert aside.parent == school.backups  # the folder of the others need not be writable: in a container it is not
    assert (aside / "classes.en.md").read_text(encoding="utf-8") == kept
    assert changed.read_text(encoding="utf-8") == "# Something else\n"


WITH_A_SMALL_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
from bot import backup
from bot.records.sessions import open_database
from tests.flows.house import settings
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
data, knowledge, url, target = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    asyncio.run(backup.make(open_database(url), settings(Path(data), knowledge_dir=Path(knowledge)), Path(target)))
except backup.BackupError as error:
    print(error)
"""


def test_a_full_disk_leaves_no_half_file(sqlite_url: str, school: Settings, tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: writing fails in the middle."""
    target = tmp_path / "kept" / "kept.tar.gz"
    (school.knowledge_dir / "photo.jpg").write_bytes(os.urandom(200_000))
    done = subprocess.run(
        [sys.executable, "-c", WITH_A_SMALL_DISK, school.data_dir, school.knowledge_dir, sqlite_url, target],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "free some space" in done.stdout, done.stderr
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(("days", "left"), [(90, {"new", "notes.txt"}), (0, {"new", "old", "older", "notes.txt"})])
def test_backups_past_their_period_go(tmp_path: Path, days: int, left: set[str]) -> None:
    now = datetime(2026, 11, 29, tzinfo=UTC)
    ages = {"new": 89, "old": 91, "older": 400}
    files = {tmp_path / f"{name}{backup.SUFFIX}": age for name, age in ages.items()} | {tmp_path / "notes.txt": 400}
    for path, age in files.items():
        path.write_text("x")
        os.utime(path, times=2 * ((now - timedelta(days=age)).timestamp(),))
    backup.remove_old(tmp_path, days, now)
    assert {path.name.removesuffix(backup.SUFFIX) for path in tmp_path.iterdir()} == left


def test_a_folder_that_is_not_there_has_no_old_backups(tmp_path: Path) -> None:
    backup.remove_old(tmp_path / "none", 90, datetime(2026, 11, 29, tzinfo=UTC))
    assert not (tmp_path / "none").exists()


async def test_a_restore_may_read_for_long_between_two_statements(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "STANDSTILL", 0.3)
    db, order = open_database(postgres_url), dumping._order

    def slow(tables: Sequence[Table]) -> tuple[list[Table], dict[str, set[str]]]:
        time.sleep(1)
        return order(tables)

    monkeypatch.setattr(dumping, "_order", slow)
    async with db.begin() as tx:
        tx.add(Setting(key="staff_chat", value="7"))
    await load(db, tmp_path, await dump(db, tmp_path), force=True)
    async with db.read() as tx:
        assert (await tx.get_one(Setting, "staff_chat")).value == "7"
    await db.close()
