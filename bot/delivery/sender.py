"""The sender: takes what is due from the outbox, within Telegram's budgets, and records how it ended.

One process sends at a time: budgets and calls under way are known to that process alone.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot

from bot.delivery.budgets import Budgets, Limits
from bot.delivery.calls import Letter, Outcome, Sent, deliver
from bot.delivery.files import with_file
from bot.delivery.outcomes import Ended, OnRefusal, nobody_minds, others_wait, record, settle
from bot.delivery.picking import Void, pick
from bot.delivery.retry import backoff, place
from bot.records.news import Signal
from bot.records.sessions import Database
from bot.records.tables import utc_now
from bot.watch.metrics import Metrics

log = logging.getLogger(__name__)

AT_ONCE = 16  # calls under way: as many messages may be repeated after a crash


class Sender:
    """Sends; `ended` rings when how a call ended may let others go. `refused` hears, as it is noted, what will not
    be sent. `mine` tells whether this process still is the one that sends: frozen, it may have been taken for dead.
    """

    def __init__(
        self,
        db: Database,
        bot: Bot,
        *,
        limits: Limits | None = None,
        ended: Signal | None = None,
        metrics: Metrics | None = None,
        now: Callable[[], datetime] = utc_now,
        refused: OnRefusal = nobody_minds,
        mine: Callable[[], bool] = lambda: True,
    ) -> None:
        self._db, self._bot, self._now, self._refused, self._mine = db, bot, now, refused, mine
        self._budgets = Budgets(limits or Limits())
        self._ended = ended or Signal()
        self._metrics = metrics or Metrics()
        self._busy: dict[int, Letter] = {}  # calls under way by chat: one at a time keeps their order
        self._over: list[Ended] = []  # not noted yet
        self._noting = asyncio.Lock()

    async def start(self, calls: asyncio.TaskGroup) -> datetime | None:
        """Starts what may go now; returns when to look again, None if only news can tell."""
        now = self._now()
        if len(self._busy) >= AT_ONCE:
            return None
        if (free := self._budgets.free_at(now)) > now:
            return free
        resting = self._budgets.resting(now)
        async with self._db.glance() as connection:
            picked = await pick(connection, now, self._busy.keys() | resting.keys())
        letters = [item for item in picked.items if isinstance(item, Letter)]
        for letter in letters:
            if not self._begin(letter, calls):
                return self._budgets.free_at(self._now()) if len(self._busy) < AT_ONCE else None
        if voids := [item for item in picked.items if isinstance(item, Void)]:
            async with self._db.begin() as tx:
                await settle(tx, voids)
            return now
        resting |= self._budgets.resting(self._now())
        return min([*resting.values(), *([picked.again] if picked.again else [])], default=None)

    def _begin(self, letter: Letter, calls: asyncio.TaskGroup) -> bool:
        now = self._now()
        if len(self._busy) >= AT_ONCE or self._budgets.free_at(now) > now:
            return False
        self._busy[letter.chat_id] = letter
        self._budgets.spend(letter.chat_id, letter.method, now, group=letter.group)
        calls.create_task(self._send(letter))
        return True

    async def _send(self, letter: Letter) -> None:
        try:
            ready = await with_file(self._db, letter)
            if not self._mine():
                self._free([letter])
                return
            outcome = await deliver(self._bot, ready, self._now)
            await self._record(letter, outcome)
            self._metrics.called(type(outcome).__name__.lower())
            if isinstance(outcome, Sent):
                self._metrics.sent((self._now() - letter.since).total_seconds())
        except BaseException:
            self._free([letter])
            self._ended.ring()
            raise

    def _free(self, letters: Iterable[Letter]) -> None:
        for letter in letters:
            if self._busy.get(letter.chat_id) is letter:
                del self._busy[letter.chat_id]

    async def _record(self, letter: Letter, outcome: Outcome) -> None:
        self._over.append((letter, outcome))
        async with self._noting:  # those that end while others are being noted share the next commit
            if self._over:
                await self._note([])

    async def _note(self, ended: list[Ended]) -> None:
        """Notes how calls ended, however long the database needs: a sent message not noted would be sent again."""
        failures = 0
        while not await self._noted(ended):
            await asyncio.sleep(backoff(failures).total_seconds())
            failures += 1
            if len(ended) > 1:  # one that cannot be noted must not keep the others from it
                await asyncio.gather(*(self._note([one]) for one in ended))
                return

    async def _noted(self, ended: list[Ended]) -> bool:
        try:
            async with self._db.begin() as tx:
                ended += self._over  # now: others may have ended while this waited for its turn to write
                self._over = []
                await record(tx, ended, self._now(), self._refused)
        except SQLAlchemyError as error:
            rows = [row_id for letter, _ in ended for row_id in letter.row_ids]
            log.error("outcome not recorded yet", extra={"rows": rows, "error": place(error)})  # noqa: TRY400  a trace may quote texts
            return False
        self._free(letter for letter, _ in ended)
        if await self._others_wait():
            self._ended.ring()
        return True

    async def _others_wait(self) -> bool:
        """Looked at once the chats of what has ended are free: who looks from now on for what may go finds theirs."""
        try:
            async with self._db.glance() as connection:
                return await others_wait(connection, list(self._busy.values()))
        except SQLAlchemyError:
            return True  # who looks will be told
