"""/gaps: what candidates ask that nothing answers, for staff; a theme becomes an entry, or is dismissed."""

import asyncio
from datetime import UTC, datetime

from telegram import Message as Shown
from telegram import Update

from bot.delivery import inbox, outbox
from bot.delivery.files import put_file
from bot.delivery.outbox import Priority
from bot.desk import gaps
from bot.desk.export import gaps_table
from bot.desk.gaps import Gap
from bot.desk.insight import Period, period
from bot.desk.insight import Theme as Bar
from bot.desk.picture import draw_themes
from bot.dialogue.lacking import Theme, themes_list
from bot.dialogue.message import Message
from bot.dialogue.texts import texts
from bot.handlers import notices
from bot.handlers.alerts import alert
from bot.handlers.context import Context, Deps, desk_of
from bot.handlers.desk import argument
from bot.handlers.insight import when
from bot.handlers.people import member_of
from bot.handlers.rights import Role

PRESSED = r"^g:[wdt]:\d{1,18}:\d{1,11}:\d{1,11}$"
DRAWN = 8


async def on_gaps(update: Update, context: Context) -> None:
    """/gaps [period] in the staff's group: a picture, and a list with buttons."""
    deps, received, key = context.deps, update.effective_message, f"u{update.update_id}:gaps"
    assert received
    words = texts(deps.settings.staff_language)
    chosen = period(argument(received) or "30d", deps.local_now)
    if chosen is None:
        await notices.say(update, deps, words.gaps_which)
        return
    found = await _found(deps, chosen)
    bars = [Bar(gap.first.text, len(gap.questions)) for gap in found[:DRAWN]]
    picture = await asyncio.to_thread(draw_themes, bars, _title(deps, chosen), words.gaps_chart) if bars else b""
    async with deps.db.begin() as tx:
        if picture:
            drawn = f"{key}:picture:list"
            await put_file(tx, deps.staff_chat, "photo", "gaps.png", picture, key=drawn, **notices.topic_of(update))
        await notices.end(tx, deps, update, _list(deps, found, chosen), f"{key}:list")


async def _found(deps: Deps, chosen: Period) -> list[Gap]:
    """What this group's questions show: each group sees those that are routed to it."""
    async with deps.db.read() as tx:
        asked = await gaps.asked(tx, chosen)
    desk = desk_of(deps)
    own = [one for one in asked if desk.route(one.question.course, one.question.topic) == desk.chat]
    return await asyncio.to_thread(gaps.gaps, own, deps.live.engine, deps.limits, deps.local_now.date())


def _title(deps: Deps, chosen: Period) -> str:
    staff = deps.settings.staff_language
    return texts(staff).gaps_title.format(period=when(chosen, staff, deps.settings.zone))


def _list(deps: Deps, found: list[Gap], chosen: Period) -> Message:
    since = int(chosen.since.timestamp()) if chosen.since else 0
    place = f"{since}:{int(chosen.until.timestamp()) + 1}"
    return themes_list([_theme(gap) for gap in found], _title(deps, chosen), place, deps.settings.staff_language)


def _theme(gap: Gap) -> Theme:
    near = gap.near.fills or next(iter(gap.near.similar), "")
    return Theme(gap.number, len(gap.questions), gap.examples(), near, is_draft=gap.near.fills is not None)


async def on_press(update: Update, context: Context) -> None:
    """Write an entry or Not a gap, for staff; the table for admins alone."""
    deps, query = context.deps, update.callback_query
    assert query
    words = texts(deps.settings.staff_language)
    _, act, number, since, until = (query.data or "").split(":")
    if not await notices.pressed_by(Role.ADMIN if act == "t" else Role.STAFF, update, context):
        return
    zone = deps.settings.zone
    first = datetime.fromtimestamp(int(since), UTC).astimezone(zone) if int(since) else None
    chosen = Period(first, datetime.fromtimestamp(int(until), UTC))
    found = await _found(deps, chosen)
    gap = next((one for one in found if int(number) in {question.id for question in one.questions}), None)
    if act == "t":
        said = await _send_table(update, deps, found)
    elif gap is None:
        await notices.over(update, deps)
        said = words.gaps_gone
    elif act == "w":
        said = await _propose(update, deps, gap)
    else:
        said = await _dismiss(update, deps, gap, chosen)
    await alert(query, said)


async def _send_table(update: Update, deps: Deps, found: list[Gap]) -> str:
    content, said = gaps_table(found, deps.settings.zone), texts(deps.settings.staff_language).gaps_export_done
    name = f"guichet-gaps-{deps.local_now:%Y-%m-%d}.csv"
    await notices.send_file(update, deps, "document", name, content, said)
    return ""


async def _propose(update: Update, deps: Deps, gap: Gap) -> str:
    words = texts(deps.settings.staff_language)
    async with deps.db.begin() as tx:
        member = await member_of(tx, update, deps.now())
        made = await gaps.propose(tx, desk_of(deps), gap, member.chat_id, key=f"u{update.update_id}:proposal")
        await inbox.done(tx, update.update_id)
    return "" if made else words.gaps_proposed


async def _dismiss(update: Update, deps: Deps, gap: Gap, chosen: Period) -> str:
    """The list is shown again without it."""
    query = update.callback_query
    async with deps.db.begin() as tx:
        await gaps.dismiss(tx, gap, deps.now())
    left = _list(deps, await _found(deps, chosen), chosen)
    async with deps.db.begin() as tx:
        if query and isinstance(query.message, Shown):
            shown = {"reply_markup": {"inline_keyboard": []}} | left.payload()
            shown["message_id"] = query.message.message_id
            key = f"u{update.update_id}:gaps:list"
            await outbox.put(tx, deps.staff_chat, "editMessageText", shown, key=key, priority=Priority.NOTICE)
        await inbox.done(tx, update.update_id)
    return texts(deps.settings.staff_language).gaps_dismissed
