"""Entries whose time is nearly over: staff hear of each once for each date, in office hours, before it is withheld."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox, timers
from bot.delivery.outbox import Priority
from bot.desk import hours as office
from bot.desk.desk import Desk
from bot.dialogue import times
from bot.dialogue.cards import short
from bot.dialogue.texts import texts
from bot.records.tables import Setting
from indexer.ageing import Ageing, ageing
from indexer.entries import Entry, Language

AGEING = "ageing"  # the timer, and the setting that knows what was told
SHOWN = 10  # entries in a message
QUESTION = 120  # characters


async def plan(tx: AsyncSession, desk: Desk, now: datetime) -> None:
    """Look through the entries when the team is there next, which may be now."""
    if due := office.opening(desk.hours, now):
        await timers.set_timer(tx, AGEING, AGEING, due, {})


async def remind(tx: AsyncSession, entries: Sequence[Entry], *, desk: Desk, now: datetime) -> None:
    """Tell staff of entries that end soon or have ended, unless they were told; look again next working day."""
    local = now.astimezone(desk.hours.zone)
    if not office.is_open(desk.hours, now):
        await plan(tx, desk, now)
        return
    kept = await tx.get(Setting, AGEING)
    told = set(json.loads(kept.value)) if kept else set()
    due = {_name(one): one for one in ageing(entries, local.date())}
    new = [one for name, one in due.items() if name not in told]
    for number, part in enumerate(_parts(new)):
        key = f"{AGEING}:{now.timestamp():.0f}:{number}"
        text = _message(part, desk.language)
        await outbox.put(tx, desk.chat, "sendMessage", {"text": text}, key=key, priority=Priority.REMINDER)
    # What is no longer due is forgotten, so that a date moved and moved back is told again.
    await tx.merge(Setting(key=AGEING, value=json.dumps(sorted(due))))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    await plan(tx, desk, midnight + timedelta(days=1))


def _name(one: Ageing) -> str:
    """An entry in its language, and the date: an entry that is given another date is told of again."""
    return f"{one.entry.id} {one.entry.language} {one.ends}"


def _parts(found: Sequence[Ageing]) -> list[list[list[Ageing]]]:
    """Messages of entries, each with its translations that end on the same day."""
    ordered = sorted(found, key=lambda one: (one.ends, one.entry.id, one.entry.language))
    entries = [list(group) for _, group in groupby(ordered, key=lambda one: (one.ends, one.entry.id))]
    return [entries[start : start + SHOWN] for start in range(0, len(entries), SHOWN)]


def _message(entries: Sequence[Sequence[Ageing]], staff: Language) -> str:
    words = texts(staff)
    return "\n\n".join([words.ageing_title, *(_lines(versions, staff) for versions in entries), words.ageing_how])


def _lines(versions: Sequence[Ageing], staff: Language) -> str:
    words, first = texts(staff), versions[0]
    date = times.written(first.ends, staff)
    said = words.ageing_soon if first.days >= 0 else words.ageing_over
    told = [said.format(question=short(first.entry.question, QUESTION), date=date, days=first.days)]
    told += [f"{one.entry.path}:{one.entry.line}" for one in versions]
    owners = dict.fromkeys(one.entry.owner for one in versions if one.entry.owner)
    return "\n".join([*told, *([words.ageing_owner.format(owner=", ".join(owners))] if owners else [])])
