import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.sandbox.people import User
from indexer import engine as engines
from indexer.encoder import OnnxEncoder
from indexer.engine import Engine

from ..conftest import DATA
from .house import House, house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One bot for a module whose tests each bring people of their own."""
    with pytest.MonkeyPatch.context() as surroundings:
        for name in [name for name in os.environ if name.startswith("GUICHET_")]:
            surroundings.delenv(name)
        async with house(engine, tmp_path_factory.mktemp("house")) as running:
            yield running


@pytest_asyncio.fixture(loop_scope="module")
async def flow(shared: House) -> AsyncIterator[House]:
    """The module's bot, as if new; a test must leave it without trouble, but for one that it expects."""
    await shared.begin()
    yield shared
    await shared.quiet()
    assert shared.trouble_expected or await shared.troubles() == []
    await shared.begin()


@pytest.fixture
def sara(flow: House) -> User:
    """A candidate."""
    return flow.candidate()


@pytest.fixture(scope="session")
def school(encoder: OnnxEncoder, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine for two courses of a school, and what is common to both."""
    return engines.index(DATA / "school", encoder, tmp_path_factory.mktemp("school") / "index").engine
