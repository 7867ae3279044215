import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase
from platformdirs import user_cache_path

from bot.records.migrations import migrate
from bot.records.sessions import Database, open_database
from indexer import engine as engines
from indexer.encoder import OnnxEncoder
from indexer.engine import Engine
from indexer.model import DEFAULT_MODEL, prepare

from .postgres import Postgres, running

REPOSITORY = Path(__file__).parents[1]
DATA = Path(__file__).parent / "data"
# A fresh machine makes the default model once, in the run; every later run finds it here.
CACHE = Path(os.environ.get("GUICHET_CACHE_DIR") or user_cache_path("guichet")).absolute()

# A busy machine is no failure; and examples are kept here, whatever the working folder.
settings.register_profile(
    "guichet",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=DirectoryBasedExampleDatabase(REPOSITORY / ".hypothesis" / "examples"),
)
settings.load_profile("guichet")


@pytest.fixture(autouse=True)
def clean_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the developer's settings: neither GUICHET_ variables nor a `.env` in the working folder."""
    for name in [name for name in os.environ if name.upper().startswith("GUICHET_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def cache() -> Path:
    return CACHE


@pytest.fixture(scope="session")
def encoder(cache: Path) -> OnnxEncoder:
    return OnnxEncoder(prepare(DEFAULT_MODEL, cache))


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    """A small folder of good files about a pottery course: two languages, one English-only entry, one draft."""
    return Path(shutil.copytree(DATA / "pottery", tmp_path / "knowledge"))


@pytest.fixture(scope="session")
def index_root(encoder: OnnxEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the project's own knowledge, as GUICHET_DATA_DIR/index holds it: to be read and copied."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # of all processes: the first that comes builds it
    root = base / "data-of-all" / "index"
    engines.index(REPOSITORY / "knowledge", encoder, root)
    return root


@pytest.fixture(scope="session")
def engine(encoder: OnnxEncoder, index_root: Path) -> Engine:
    return engines.with_live_snapshot(encoder, index_root)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server, started when the first test asks for it, ended with the last."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    _migrated(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> Iterator[str]:
    """The name of a PostgreSQL database with all tables, to be copied."""
    with postgres.database() as name:
        _migrated(postgres.url(name))
        yield name


def _migrated(url: str) -> None:
    async def prepare_tables() -> None:
        database = open_database(url)
        await migrate(database)
        await database.close()

    asyncio.run(prepare_tables())


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables, of either kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"  # beside one with tables, where a test has both
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as name:
        yield server.url(name)


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """The address of a SQLite file of the test's own, with all tables."""
    return f"sqlite+aiosqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'guichet.db')}"


@pytest.fixture
def postgres_url(postgres: Postgres, migrated_postgres: str) -> Iterator[str]:
    """The address of a PostgreSQL database of the test's own, with all tables."""
    with postgres.database(migrated_postgres) as name:
        yield postgres.url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a database with all tables, of either kind in turn."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A database with all tables, of either kind in turn."""
    database = open_database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def sqlite_db(sqlite_url: str) -> AsyncIterator[Database]:
    """A SQLite database with all tables, for what is SQLite's alone."""
    database = open_database(sqlite_url)
    yield database
    await database.close()


@pytest.fixture
async def postgres_db(postgres_url: str) -> AsyncIterator[Database]:
    """A PostgreSQL database with all tables, for what is PostgreSQL's alone."""
    database = open_database(postgres_url)
    yield database
    await database.close()
