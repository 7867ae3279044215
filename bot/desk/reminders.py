"""What happens to tickets by itself.

Staff are reminded, in office hours alone, of questions that wait, and each morning of all that is open. What they have
answered ends when nobody writes any more, so that the assistant speaks again.
"""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox, timers
from bot.delivery.outbox import Priority
from bot.delivery.timers import Payload
from bot.desk import hours as office
from bot.desk import relay
from bot.desk.desk import Desk
from bot.dialogue import times
from bot.dialogue.texts import texts
from bot.records.states import TicketState
from bot.records.tables import Question, Ticket

REMIND, DIGEST, QUIET = "remind", "digest", "quiet"  # kinds of timers


def key(ticket_id: int) -> str:
    """The name of a ticket's timer."""
    return f"remind{ticket_id}"


async def start(tx: AsyncSession, desk: Desk, ticket_id: int, since: datetime, number: int = 0) -> None:
    """Set the timer for the reminder with this number of a question that waits since then, if there is one."""
    due = office.after(desk.hours, since, desk.reminders[number]) if number < len(desk.reminders) else None
    if due:
        await timers.set_timer(tx, key(ticket_id), REMIND, due, {"ticket": ticket_id, "number": number})


async def start_quiet(tx: AsyncSession, desk: Desk, ticket_id: int, since: datetime) -> None:
    """Instead of a reminder, set the timer for the end of what was answered then, if it is to end by itself."""
    if desk.close_after:
        await timers.set_timer(tx, key(ticket_id), QUIET, since + desk.close_after, {"ticket": ticket_id})
    else:
        await timers.cancel(tx, key(ticket_id))


async def remind(tx: AsyncSession, payload: Payload, *, desk: Desk, now: datetime) -> None:
    """Remind staff below the card, and set the next timer; one that comes late and at night waits for the morning."""
    ticket = await tx.get(Ticket, payload["ticket"], with_for_update={"key_share": True})
    if ticket is None or ticket.asked_at is None:
        return
    if not office.is_open(desk.hours, now):
        if again := office.opening(desk.hours, now):
            await timers.set_timer(tx, key(ticket.id), REMIND, again, payload)
        return
    words, number = texts(desk.language), payload["number"]
    text = words.reminder_last if number + 1 >= len(desk.reminders) else words.reminder
    age = times.length(office.worked(desk.hours, ticket.asked_at, now), desk.language)
    name = f"{key(ticket.id)}:{ticket.asked_at.timestamp():.0f}:{number}"
    await relay.tell(tx, desk, ticket, text.format(age=age), key=name)
    await start(tx, desk, ticket.id, ticket.asked_at, number + 1)


async def plan_digest(
    tx: AsyncSession, desk: Desk, now: datetime, since: datetime | None = None, *, keep: bool = False
) -> None:
    """Set the timer for the next working morning; none as long as nobody has stated when the team works.

    With `keep`, as at the start of the bot, one that is set already stays.
    """
    tomorrow = now.astimezone(desk.hours.zone).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    morning = office.opening(desk.hours, tomorrow) if desk.hours.stated else None
    name = DIGEST if desk.chat == desk.known.main else f"{DIGEST}:{desk.chat}"
    if morning and keep and await timers.is_set(tx, name):
        return
    if morning:
        await timers.set_timer(tx, name, DIGEST, morning, {"since": (since or now).timestamp(), "group": desk.chat})
    else:
        await timers.cancel(tx, name)


async def digest(tx: AsyncSession, payload: Payload, *, desk: Desk, now: datetime) -> None:
    """Tell staff what is open and what happened since the last working morning; one too late for its day is left.

    Each group hears of its own; one that is no longer routed to hears nothing more.
    """
    if (group := payload.get("group", desk.known.main)) not in desk.known.every:
        return
    desk = replace(desk, chat=group)
    since = datetime.fromtimestamp(payload["since"], tz=now.tzinfo)
    told = office.is_open(desk.hours, now)
    if told:
        text, name = (
            await _digest(tx, desk, since),
            f"digest{now:%Y%m%d}" + ("" if group == desk.known.main else f":{group}"),
        )
        await outbox.put(tx, desk.chat, "sendMessage", {"text": text}, key=name, priority=Priority.REMINDER)
    await plan_digest(tx, desk, now, since=now if told else since)


async def _digest(tx: AsyncSession, desk: Desk, since: datetime) -> str:
    words = texts(desk.language)
    alive = select(func.count(), func.count(Ticket.asked_at), func.min(Ticket.asked_at))
    count, waiting, oldest = (await tx.execute(alive.where(desk.holds(), Ticket.state != TicketState.CLOSED))).one()
    lines = [words.digest.format(open=waiting, answered=count - waiting)]
    if oldest:
        date = times.written(oldest.astimezone(desk.hours.zone), desk.language)
        lines.append(words.digest_oldest.format(date=date))
    opened, closed = [
        (await tx.execute(select(func.count()).where(moment >= since, desk.holds()))).scalar_one()
        for moment in (Ticket.opened_at, Ticket.closed_at)
    ]
    asked = await _asked(tx, desk, since)
    lines.append(words.digest_before.format(asked=asked.total(), opened=opened, closed=closed))
    return "\n".join([*lines, *(f"{title}: {asked[name]}" for name in asked if (title := desk.title(name)))])


async def _asked(tx: AsyncSession, desk: Desk, since: datetime) -> Counter[str]:
    """How many questions of those that this group would get, by course."""
    kinds = select(Question.course, Question.topic, func.count()).where(Question.asked_at >= since)
    found: Counter[str] = Counter()
    for course, topic, count in await tx.execute(kinds.group_by(Question.course, Question.topic)):
        if desk.route(course, topic) == desk.chat:
            found[course] += count
    return found
