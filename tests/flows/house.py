"""A whole bot at work against a Bot API server on loopback: only Telegram's wire is not the real one."""

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import func, select, text

from bot.app import Guichet, guichet
from bot.delivery.budgets import LIFTED, Limits
from bot.delivery.loops import run
from bot.delivery.wake import wait
from bot.dialogue.texts import texts
from bot.logs import Events
from bot.records.news import Signal
from bot.records.states import UpdateState
from bot.records.tables import Base, Question, Ticket, Update, utc_now
from bot.sandbox.botapi import BotApi, serve
from bot.sandbox.people import Chat, User
from bot.settings import Settings
from indexer.engine import Engine

Json = dict[str, Any]
TOKEN = "123456:TEST-token-of-nobody"
PATIENCE = 120.0  # seconds, for a machine that is busy with other things
# What the bot has still to handle or to send; in plain SQL, since it is asked again and again.
LEFT = text(
    "SELECT (SELECT count(*) FROM \"update\" WHERE state = 'new')"
    " + (SELECT count(*) FROM outgoing WHERE state = 'waiting')"
)
LECTURERS = {"en": "Who are the lecturers?", "fr": "Qui sont les enseignants ?"}
PRICE = {"en": "How much does the course cost?", "fr": "Combien coûte la formation ?"}
VAGUE = {"en": "project", "fr": "projet"}


def buttons(message: Json) -> list[str]:
    """What stands on the buttons below a message."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


class Log(logging.Handler):
    """Every line that the bot logs, as its operator reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(Events(None))
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._news = Signal()

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        self.lines.append(line)
        if record.levelno >= logging.ERROR:
            self.errors.append(line)
        self._news.ring()

    async def heard(self, text: str) -> None:
        """Until a line of the log says so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                news = self._news.next()
                if any(text in line for line in self.lines):
                    return
                await news.wait()

    @contextmanager
    def listening(self) -> Iterator["Log"]:
        """Hear everything that the bot logs until the block ends, and what others log from WARNING on."""
        root, ours = logging.getLogger(), logging.getLogger("bot")
        root.addHandler(self)
        ours.setLevel(logging.DEBUG)
        try:
            yield self
        finally:
            ours.setLevel(logging.NOTSET)
            root.removeHandler(self)


@dataclass
class House:
    """The bot, its Telegram, and what tests look at."""

    api: BotApi
    bot: Guichet
    staff: Chat
    marie: User  # an administrator of the staff's group
    paul: User  # a plain member of it
    log: Log = field(default_factory=Log)
    trouble_expected: bool = False
    _since: dict[type[Base], int] = field(default_factory=dict)
    _since_message: int = 0

    async def begin(self) -> None:
        """From here on look only at what is new: a test that shares the bot with others."""
        async with self.bot.deps.db.read() as tx:
            for table, number in ((Update, Update.seq), (Ticket, Ticket.id), (Question, Question.id)):
                self._since[table] = (await tx.execute(select(func.max(number)))).scalar() or 0
        self._since_message = max((m["message_id"] for m in self.api.messages(self.staff)), default=0)
        self.trouble_expected = False
        self.log.lines.clear()
        self.log.errors.clear()
        self.api.exchange.faults.clear()

    def candidate(self, name: str = "Sara", language: str = "en", **more: Any) -> User:
        """Somebody who has not written yet."""
        return self.api.user(name, language_code=language, **more)

    def received(self, place: User | Chat) -> list[Json]:
        """What the bot wrote there, oldest first."""
        since = self._since_message if place.id == self.staff.id else 0
        return [m for m in self.api.messages(place) if m["from"]["id"] == self.api.bot.id and m["message_id"] > since]

    async def ask(self, person: User, text: str, **more: Any) -> list[Json]:
        """Somebody writes; all that the bot then writes to them."""
        before = len(self.received(person))
        self.api.say(person, text, **more)
        await self.quiet()
        return self.received(person)[before:]

    async def press(
        self, person: User, message: Json, button: str | tuple[int, int], *, forged: bool = False
    ) -> list[Json]:
        """Somebody presses a button; all that the bot then writes to them."""
        before = len(self.received(person))
        self.api.press(person, message, button, forged=forged)
        await self.quiet()
        return self.received(person)[before:]

    async def press_in_group(self, person: User, message: Json, button: str, *, forged: bool = False) -> list[Json]:
        """Somebody presses a button in the staff's group; all that the bot then writes there."""
        before = max((one["message_id"] for one in self.api.messages(self.staff)), default=0)
        self.api.press(person, message, button, forged=forged)
        await self.quiet()
        return [one for one in self.received(self.staff) if one["message_id"] > before]

    async def group(self, person: User, text: str, reply_to: Json | None = None, **more: Any) -> list[Json]:
        """Somebody writes in the staff's group; all that the bot then writes there."""
        before = len(self.received(self.staff))
        self.api.say(person, text, chat=self.staff, reply_to=reply_to, **more)
        await self.quiet()
        return self.received(self.staff)[before:]

    async def handed_over(self, person: User, text: str = PRICE["en"]) -> Json:
        """Somebody asks what nobody has answered yet; the card that staff see."""
        before = len(self.received(self.staff))
        await self.ask(person, text)
        (card,) = [message for message in self.received(self.staff)[before:] if "text" in message]
        return card

    def cards(self) -> list[Json]:
        """The cards in the staff's group."""
        title = texts(self.bot.deps.settings.staff_language).card_title
        return [message for message in self.received(self.staff) if message.get("text", "").startswith(title)]

    async def quiet(self) -> None:
        """Until Telegram has nothing for the bot, and the bot nothing to do."""
        await self.api.wait_for(lambda api: not api.pending(), PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while True:
                news = self.bot.deps.db.news.messages.next()
                if not self._at_work() and not await self._left():
                    return
                assert self.trouble_expected or not self.log.errors, self.log.errors
                await wait(news, 0.1)

    def _at_work(self) -> bool:
        """A handler may still tell Telegram something after its transaction."""
        return bool(self.bot.deps.tasks or self.bot.loops.under_way.claimed)

    async def _left(self) -> int:
        async with self.bot.deps.db.read() as tx:
            return int((await tx.execute(LEFT)).scalar_one())

    async def tickets(self) -> list[Ticket]:
        """All tickets, oldest first."""
        async with self.bot.deps.db.read() as tx:
            new = select(Ticket).where(Ticket.id > self._since.get(Ticket, 0))
            return list((await tx.execute(new.order_by(Ticket.id))).scalars())

    async def questions(self) -> list[Question]:
        """All questions, oldest first."""
        async with self.bot.deps.db.read() as tx:
            new = select(Question).where(Question.id > self._since.get(Question, 0))
            return list((await tx.execute(new.order_by(Question.id))).scalars())

    async def everything_kept(self) -> str:
        """Every value of every table."""
        async with self.bot.deps.db.read() as tx:
            return repr([(await tx.execute(select(table))).all() for table in Base.metadata.sorted_tables])

    async def troubles(self) -> list[str]:
        """Updates that failed, if only once, and errors in the log."""
        async with self.bot.deps.db.read() as tx:
            bad = (Update.state != UpdateState.DONE) | (Update.attempts != 1) | Update.error.is_not(None)
            rows = (await tx.execute(select(Update).where(bad, Update.seq > self._since.get(Update, 0)))).scalars()
            failed = [f"update {row.seq}: {row.state}, {row.attempts} attempts, {row.error}" for row in rows]
        return failed + self.log.errors + self._told_in_the_log()

    def _told_in_the_log(self) -> list[str]:
        """Lines of the log with the token, a Telegram id, or what people wrote."""
        world = self.api.world
        said = [message for chat in world.chats.values() for message in chat.messages.values()]
        texts = {str(message.get("text", "")) for message in said if not message["from"]["is_bot"]}
        secrets = {TOKEN, *map(str, [*world.users, *world.chats]), *(text for text in texts if len(text) > 7)}
        return [line for line in self.log.lines if any(secret in line for secret in secrets)]


def environment(cache: Path, index_root: Path, folder: Path) -> dict[str, str]:
    """For a process of its own: a data folder with an index that is ready, and the project's own knowledge."""
    shutil.copytree(index_root, folder / "data" / "index")
    own = {"GUICHET_CACHE_DIR": str(cache), "GUICHET_DATA_DIR": str(folder / "data")}
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GUICHET_")}
    return {**plain, **own, "GUICHET_KNOWLEDGE_DIR": str(Path(__file__).parents[2] / "knowledge")}


def settings(folder: Path, **own: Any) -> Settings:
    """Settings of a test alone; nothing of the environment."""
    values: dict[str, Any] = {"telegram_token": SecretStr(TOKEN), "data_dir": folder} | own
    return Settings(_env_file=None, **values)


@asynccontextmanager
async def house(
    engine: Engine,
    folder: Path,
    *,
    api: BotApi | None = None,
    group: Json | None = None,
    budgets: Limits = LIFTED,
    now: Callable[[], datetime] = utc_now,
    **own: Any,
) -> AsyncIterator[House]:
    """The bot running until the block ends, which it must do without any trouble but an expected one."""
    api = api or BotApi(TOKEN)
    marie, paul = api.user("Marie"), api.user("Paul")
    like: Json = {"members": [paul], "admins": [marie]} | (group or {})
    staff = api.group("Admissions", **like)
    async with serve(api) as base_url:
        chosen = settings(folder, **({"telegram_base_url": base_url, "staff_chat_id": staff.id} | own))
        async with guichet(chosen, engine, budgets, now) as bot:
            running = House(api, bot, staff, marie, paul)
            async with _at_work(running):
                yield running
                await running.quiet()
                assert running.trouble_expected or await running.troubles() == []


@asynccontextmanager
async def _at_work(place: House) -> AsyncIterator[None]:
    with place.log.listening():
        running = asyncio.create_task(run(place.bot.loops))
        try:
            yield
        finally:
            place.bot.loops.stop.set()
            await running
