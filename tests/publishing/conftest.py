from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.publishing.replica import Replica
from bot.records.sessions import open_database

from .examples import Machine


@pytest.fixture
async def machines(postgres_url: str, tmp_path: Path) -> AsyncIterator[tuple[Machine, Machine]]:
    databases = [open_database(postgres_url) for _ in range(2)]
    one, two = (Machine(Replica(db, tmp_path / name)) for db, name in zip(databases, ("one", "two"), strict=True))
    yield one, two
    for db in databases:
        await db.close()
