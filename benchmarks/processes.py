"""Bots as processes of their own on one database, and what their database knows."""

import asyncio
import os
import shutil
import signal
import socket
import sqlite3
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from bot.sandbox.botapi import BotApi
from bot.sandbox.people import Chat

REPOSITORY = Path(__file__).parents[1]
STOPPING = 20.0  # seconds that a bot may take to end when asked
TOKEN = "123456:TEST-token-of-nobody"
LEFT = (
    "SELECT (SELECT count(*) FROM \"update\" WHERE state = 'new')"
    " + (SELECT count(*) FROM outgoing WHERE state = 'waiting')"
)
Row = tuple[Any, ...]


@dataclass(slots=True)
class Bot:
    """One process, started again as often as need be; each life has a log of its own."""

    name: str
    folder: Path
    surroundings: Mapping[str, str]
    arguments: Sequence[str] = ()
    lives: int = 0
    process: Process | None = None

    async def start(self) -> None:
        """Start it; when this returns it is far from ready."""
        self.lives += 1
        command = [sys.executable, str(Path(__file__).with_name("unbudgeted.py")), *self.arguments]
        with (self.folder / f"{self.name}-{self.lives}.log").open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command, env=self.surroundings, cwd=self.folder, stdout=log, stderr=log
            )

    async def kill(self) -> None:
        """kill -9: it has no time to do anything."""
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def stop(self) -> None:
        """SIGTERM; raises RuntimeError if it does not end well."""
        if self.process and self.process.returncode is None:
            self.process.terminate()
            code, said = await asyncio.wait_for(self.process.wait(), STOPPING), self.log()
            # One that is only just starting has nothing to finish: the signal itself may end it.
            if code and not (code == -signal.SIGTERM and "started" not in said):
                raise RuntimeError(f"{self.name} ended with code {code}, its log: {said[-500:]}")

    def log(self) -> str:
        """What its present life has logged."""
        return (self.folder / f"{self.name}-{self.lives}.log").read_text(encoding="utf-8", errors="replace")

    @property
    def health_port(self) -> int:
        """Where it shows its figures."""
        return int(self.surroundings["GUICHET_HEALTH_PORT"])

    @property
    def pid(self) -> int:
        """The number of the running process."""
        assert self.process
        return self.process.pid


@dataclass(frozen=True, slots=True)
class Ledger:
    """The database of bots that may be dead, read from outside."""

    url: str

    def ask(self, statement: str) -> list[Row]:
        """The rows of a query in SQL that both databases know; none before there are tables."""
        address = make_url(self.url)
        if address.get_backend_name() == "sqlite":
            if not Path(str(address.database)).is_file():
                return []
            with closing(sqlite3.connect(str(address.database), timeout=30)) as db:
                try:
                    return list(db.execute(statement))
                except sqlite3.OperationalError:  # killed before its migrations
                    return []
        with psycopg.connect(address.set(drivername="postgresql").render_as_string(hide_password=False)) as server:
            try:
                return server.execute(statement.encode()).fetchall()
            except psycopg.errors.UndefinedTable:
                return []

    async def idle(self) -> bool:
        """Whether there is nothing to handle or to send."""
        return await asyncio.to_thread(self.ask, LEFT) in ([(0,)], [])


@dataclass(slots=True)
class Stage:
    """A Bot API server with a staff's group, bots that speak with it, and their database."""

    api: BotApi
    staff: Chat
    bots: list[Bot]
    ledger: Ledger
    folder: Path

    async def idle(self, seconds: float) -> None:
        """Until Telegram has nothing for the bots, and they nothing to do; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            # Nobody tells when other processes have nothing to do.
            while self.api.world.queue.pending or not await self.ledger.idle():  # noqa: ASYNC110
                await asyncio.sleep(0.1)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@asynccontextmanager
async def stage(
    api: BotApi,
    address: str,
    folder: Path,
    *,
    index: Path,
    cache: Path,
    database: str | None = None,
    bots: int = 1,
    **own: str,
) -> AsyncIterator[Stage]:
    """Bots that are not started yet, in surroundings made for them alone; killed at the end if they still run."""
    staff = api.group("Admissions", admins=[api.user("Marie")])
    data = folder / "data"
    data.mkdir(parents=True)
    shutil.copytree(index, data / "index")
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith("GUICHET_")}
    ours = {
        "GUICHET_TELEGRAM_BASE_URL": address,
        "GUICHET_TELEGRAM_TOKEN": TOKEN,
        "GUICHET_STAFF_CHAT_ID": str(staff.id),
        "GUICHET_CACHE_DIR": str(cache),
        "GUICHET_DATA_DIR": str(data),
        "GUICHET_KNOWLEDGE_DIR": str(REPOSITORY / "knowledge"),
    }
    if database:
        ours["GUICHET_DATABASE_URL"] = database
    url = database or f"sqlite:///{data / 'guichet.sqlite'}"
    surroundings = inherited | ours | own
    processes = [
        Bot(f"bot{number}", folder, surroundings | {"GUICHET_HEALTH_PORT": str(free_port())}) for number in range(bots)
    ]
    try:
        yield Stage(api, staff, processes, Ledger(url), folder)
    finally:
        for bot in processes:
            await bot.kill()
