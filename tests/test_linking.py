"""`guichet link`: the address, its QR code, and topics that do not exist."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.sandbox.botapi import BotApi, serve
from indexer.encoder import OnnxEncoder
from indexer.engine import index

from .conftest import DATA
from .flows.house import TOKEN

PNG = b"\x89PNG\r\n"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def roots(encoder: OnnxEncoder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Data folders with an index: of one course, and of a school."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("pottery", "school")}
    for name, folder in folders.items():
        index(DATA / name, encoder, folder / "index")
    return folders


@pytest.fixture
async def address() -> AsyncIterator[str]:
    async with serve(BotApi(TOKEN)) as base_url:
        yield base_url


async def link(*arguments: str, data: Path, address: str, token: str = TOKEN) -> Done:
    """Run `guichet link` in a process of its own."""
    own = {"GUICHET_TELEGRAM_TOKEN": token, "GUICHET_TELEGRAM_BASE_URL": address, "GUICHET_DATA_DIR": str(data)}
    done = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "link", *arguments,
        env=own | {"PYTHONPATH": str(DATA.parents[1]), "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await done.communicate()
    return Done(done.returncode or 0, out.decode(), err.decode())


async def test_a_topic_s_link_and_its_qr_code(roots: dict[str, Path], address: str, tmp_path: Path) -> None:
    png = tmp_path / "code.png"
    done = await link("classes", "--png", str(png), data=roots["pottery"], address=address)
    assert done.code == 0, done.err
    first, *drawn = done.out.splitlines()
    assert first == "https://t.me/guichet_bot?start=classes"
    assert any("█" in line or "▀" in line for line in drawn)
    assert str(png) in drawn[-1]
    assert png.read_bytes().startswith(PNG)


async def test_without_a_topic_the_link_opens_the_first_words(roots: dict[str, Path], address: str) -> None:
    done = await link(data=roots["pottery"], address=address)
    assert done.out.splitlines()[0] == "https://t.me/guichet_bot"


async def test_a_course_and_its_topic(roots: dict[str, Path], address: str) -> None:
    done = await link("fees", "--course", "law", data=roots["school"], address=address)
    assert done.out.splitlines()[0] == "https://t.me/guichet_bot?start=law_fees"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("dancing",), "There is no topic 'dancing' with an answer: known are"),
        (("fees", "--course", "greek"), "There is no course 'greek': known are baking, law"),
        (("housing", "--png", "/nowhere/at/all.png"), "/nowhere/at/all.png"),
    ],
)
async def test_what_does_not_exist_is_named_with_what_does(
    roots: dict[str, Path], address: str, arguments: tuple[str, ...], told: str
) -> None:
    done = await link(*arguments, data=roots["school"], address=address)
    assert done.code == 2
    assert told in done.err
    assert "Traceback" not in done.err


async def test_a_token_that_telegram_does_not_know(roots: dict[str, Path], address: str) -> None:
    done = await link(data=roots["pottery"], address=address, token="999:unknown-token")
    assert done.code == 2
    assert "Telegram does not know the token" in done.err
    assert "unknown-token" not in done.err


async def test_without_an_index(address: str, tmp_path: Path) -> None:
    done = await link(data=tmp_path, address=address)
    assert done.code == 2
    assert "run 'guichet index'" in done.err
