from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.records.migrations import migrate
from bot.records.sessions import Database, open_database


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite+aiosqlite:///{tmp_path / 'guichet.db'}")
    await migrate(database)
    yield database
    await database.close()
