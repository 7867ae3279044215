"""News between the parts of a process and, on PostgreSQL, between processes: told within a transaction, heard after it.

A word wakes those who wait for it; what there is to do, they read from the tables.
"""

import asyncio
import logging
import secrets
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncSession

log = logging.getLogger(__name__)

CHANNEL = "guichet"
AGAIN = 2.0  # seconds until a listener that has lost its connection tries again
# A connection that a firewall forgot, or whose server lost its power, is noticed within half a minute.
KEEPALIVE: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds: where something was sent, keepalives do not look
}
# The same from the server's side, for a client that is gone.
SERVERS_KEEPALIVE = {f"tcp_{name}": str(value) for name, value in KEEPALIVE.items() if name.startswith("keepalives")}
NOTIFY = text("SELECT pg_notify(:channel, :payload)")

Word = Literal["updates", "messages", "timers", "processes", "snapshot"]
WORDS: tuple[Word, ...] = get_args(Word)


class Signal:
    """`ring` wakes everybody who took `next` before it, and nobody is left out by who looked first."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def next(self) -> asyncio.Event:
        """Take it before looking whether there is work; it is set by the next `ring`."""
        return self._event

    def ring(self) -> None:
        """There is news."""
        self._event.set()
        self._event = asyncio.Event()


@dataclass(slots=True)
class News:
    """The kinds of news, each with its signal, and whether other processes are to hear of them."""

    updates: Signal = field(default_factory=Signal)  # the inbox has some
    messages: Signal = field(default_factory=Signal)  # the outbox has some, or a call has ended
    timers: Signal = field(default_factory=Signal)  # one was set
    processes: Signal = field(default_factory=Signal)  # one has left: its roles are free
    snapshot: Signal = field(default_factory=Signal)  # another index was activated
    source: str = field(default_factory=lambda: secrets.token_hex(8))  # who tells: nobody need hear themselves
    shared: bool = True  # False where no other process is known: to tell nobody takes the server as long as a change

    def ring(self, word: str) -> None:
        """Wakes those who wait for this; a word of a later version wakes nobody."""
        if word in WORDS:
            getattr(self, word).ring()

    def ring_all(self) -> None:
        """Wakes everybody: something may have been missed."""
        for word in WORDS:
            self.ring(word)


def tell(tx: AsyncSession, word: Word) -> None:
    """Lets everybody concerned know, once this transaction of `Database.begin` has been committed."""
    tx.info.setdefault("news", set()).add(word)


def told(tx: AsyncSession) -> set[str]:
    """What `tell` was given in this transaction."""
    words: set[str] = tx.info.get("news", set())
    return words


async def publish(tx: AsyncSession, news: News) -> None:
    """Sends what was told to the other processes, at the commit that follows (PostgreSQL)."""
    for word in told(tx) if news.shared else ():
        await tx.execute(NOTIFY, {"channel": CHANNEL, "payload": f"{word} {news.source}"})


async def listen(url: URL, news: News) -> None:
    """Rings what other processes tell, until cancelled; without a connection it tries again and again."""
    import psycopg  # noqa: PLC0415  # not loaded by a bot on SQLite

    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(address, autocommit=True, **KEEPALIVE) as connection:
                await connection.execute(f"LISTEN {CHANNEL}".encode())
                news.ring_all()  # something may have been told before
                async for notice in connection.notifies():
                    word, _, source = notice.payload.partition(" ")
                    if source != news.source:
                        news.ring(word)
        except psycopg.Error as error:
            log.warning("listening interrupted, will try again", extra={"error": type(error).__name__})
        await asyncio.sleep(AGAIN)
