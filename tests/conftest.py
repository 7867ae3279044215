import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase
from platformdirs import user_cache_path

from indexer import engine as engines
from indexer.encoder import OnnxEncoder
from indexer.engine import Engine
from indexer.model import DEFAULT_MODEL, prepare

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
    """An index of the project's own knowledge, as GUICHET_DATA_DIR/index holds it."""
    root = tmp_path_factory.mktemp("data") / "index"
    engines.index(REPOSITORY / "knowledge", encoder, root)
    return root


@pytest.fixture(scope="session")
def engine(encoder: OnnxEncoder, index_root: Path) -> Engine:
    return engines.with_live_snapshot(encoder, index_root)
