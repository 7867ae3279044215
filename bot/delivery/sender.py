"""The sender: takes what is due from the outbox, within Telegram's budgets, and records how it ended.

One process sends at a time: budgets and calls under way are known to that process alone.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, assert_never

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Bot

from bot.delivery.budgets import Budgets, Limits
from bot.delivery.calls import Later, Letter, Moved, Outcome, Paused, Refused, Sent, deliver
from bot.delivery.picking import Void, next_moment, pick
from bot.delivery.retry import backoff, place
from bot.delivery.wake import Signal
from bot.records.people import move_chat, remove_forgotten
from bot.records.sessions import Database
from bot.records.states import OutgoingState
from bot.records.tables import Chat, Outgoing, utc_now

log = logging.getLogger(__name__)

AT_ONCE = 16  # calls under way


class Sender:
    """Sends; `ended` rings after each call."""

    def __init__(
        self,
        db: Database,
        bot: Bot,
        *,
        limits: Limits | None = None,
        ended: Signal | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._db, self._bot, self._now = db, bot, now
        self._budgets = Budgets(limits or Limits())
        self._ended = ended or Signal()
        self._busy: set[int] = set()  # chats with a call under way: one at a time keeps their order

    async def start(self, calls: asyncio.TaskGroup) -> datetime | None:
        """Starts what may go now; returns when to look again, None if only news can tell."""
        now = self._now()
        if len(self._busy) >= AT_ONCE:
            return None
        if (free := self._budgets.free_at()) > now:
            return free
        resting = self._budgets.resting(now)
        async with self._db.read() as tx:
            picked = await pick(tx, now, self._busy | set(resting))
            moment = None if picked else await next_moment(tx, now)
        if picked:
            for item in picked:
                await self._take(item, calls)
            return now
        return min([*resting.values(), *([moment] if moment else [])], default=None)

    async def _take(self, item: Letter | Void, calls: asyncio.TaskGroup) -> None:
        if isinstance(item, Void):
            async with self._db.begin() as tx:
                await _settle(tx, item.row_id, item.chat_id, state=item.state, error=item.error)
            return
        now = self._now()
        if len(self._busy) < AT_ONCE and self._budgets.free_at() <= now:
            self._busy.add(item.chat_id)
            self._budgets.spend(item.chat_id, item.method, now, group=item.group)
            calls.create_task(self._send(item))

    async def _send(self, letter: Letter) -> None:
        try:
            outcome = await deliver(self._bot, letter, self._now())
            await self._record(letter, outcome)
        finally:
            self._busy.discard(letter.chat_id)
            self._ended.ring()

    async def _record(self, letter: Letter, outcome: Outcome) -> None:
        """Notes the outcome, however long the database needs: a sent message not noted would be sent again."""
        failures = 0
        while True:
            try:
                async with self._db.begin() as tx:
                    await record(tx, letter, outcome, self._now())
            except SQLAlchemyError as error:
                log.error("outcome not recorded yet", extra={"row": letter.row_id, "error": place(error)})  # noqa: TRY400  a trace may quote texts
                await asyncio.sleep(backoff(failures).total_seconds())
                failures += 1
            else:
                return


async def record(tx: AsyncSession, letter: Letter, outcome: Outcome, now: datetime) -> None:
    """Writes how a call ended."""
    values: dict[str, Any]
    match outcome:
        case Sent(message_id):
            values = {"state": OutgoingState.SENT, "message_id": message_id, "sent_at": now, "error": None}
        case Refused(error, unreachable):
            values = {"state": OutgoingState.FAILED, "error": error}
            log.warning("message refused", extra={"row": letter.row_id, "chat": letter.chat_id, "error": error})
            if unreachable:
                await _change_chat(tx, letter.chat_id, unreachable_since=now, reason=error)
        case Later(at, error):
            values = {"not_before": at, "attempts": letter.attempts + 1, "error": error}
            log.warning("message delayed", extra={"row": letter.row_id, "chat": letter.chat_id, "error": error})
        case Paused(until):
            log.warning("chat paused", extra={"chat": letter.chat_id, "until": until.isoformat()})
            await _change_chat(tx, letter.chat_id, paused_until=until)
            return
        case Moved(telegram_id):
            log.warning("group became a supergroup", extra={"chat": letter.chat_id})
            await move_chat(tx, letter.chat_id, telegram_id)
            return
        case _:
            assert_never(outcome)
    await _settle(tx, letter.row_id, letter.chat_id, **values)


async def _settle(tx: AsyncSession, row_id: int, chat_id: int, **values: Any) -> None:
    """Changes a row that still waits; the last one of a forgotten chat goes with it.

    What was sent is noted so even if it was dropped meanwhile.
    """
    open_states = [OutgoingState.WAITING]
    if values.get("state") is OutgoingState.SENT:
        open_states.append(OutgoingState.DROPPED)
    which = (Outgoing.id == row_id) & Outgoing.state.in_(open_states)
    await tx.execute(update(Outgoing).where(which).values(**values))
    await remove_forgotten(tx, chat_id)


async def _change_chat(tx: AsyncSession, chat_id: int, **values: Any) -> None:
    await tx.execute(update(Chat).where(Chat.id == chat_id).values(**values))
