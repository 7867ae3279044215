"""Staff press a button below a card or a list: `t:` what `:` ticket `:` number, or `l:` whose `:` page."""

from collections.abc import Awaitable, Callable
from functools import partial

from telegram import Update

from bot.delivery import inbox
from bot.desk import cards, copies, endings, moving, sending, tickets
from bot.dialogue.rich import Rich, plain
from bot.dialogue.texts import texts
from bot.handlers import notices, silencing
from bot.handlers.alerts import alert
from bot.handlers.answers import shown_answer
from bot.handlers.context import Context, desk_of
from bot.handlers.lists import show_list
from bot.handlers.people import member_of
from bot.handlers.press import Press
from bot.handlers.rights import Role
from bot.handlers.speaker import row_number
from bot.records.states import TicketState
from bot.records.tables import Member, Ticket


async def on_staff_press(update: Update, context: Context) -> None:
    """A button in a group: done if a member of staff pressed it in their group; what happened is said above it."""
    assert update.callback_query
    if await notices.pressed_by(Role.STAFF, update, context):
        await alert(update.callback_query, await _pressed(update, context))


async def _pressed(update: Update, context: Context) -> str:
    deps, query, key = context.deps, update.callback_query, f"u{update.update_id}"
    assert query
    shown = query.message.message_id if query.message else 0
    kind, *rest = (query.data or "").split(":")
    async with deps.db.begin() as tx:
        member, desk = await member_of(tx, update, deps.now()), desk_of(deps)
        said = texts(desk.language).staff_gone
        place = {"message_id": shown} if shown else {}
        if kind == "l" and len(rest) == 2 and rest[1].isdecimal():
            await show_list(tx, desk, member, rest[0], int(rest[1][:6]), deps.now(), key=key, place=place)
            said = ""
        elif kind == "t" and len(rest) in {2, 3} and rest[0] in PRESSES:
            numbers = [row_number(part) for part in (*rest[1:], "")]
            ticket = None if numbers[0] is None else await tx.get(Ticket, numbers[0])
            if ticket and desk.here(ticket):
                number = -1 if numbers[1] is None else numbers[1]
                press = Press(tx, deps, desk, ticket, member, number, shown, key)
                said = await PRESSES[rest[0]](press)
        await inbox.done(tx, update.update_id)
    return said


async def _claim(press: Press) -> str:
    if not await tickets.claim(press.tx, press.ticket.id, press.member.chat_id):
        await press.tx.refresh(press.ticket)
        if press.ticket.state is TicketState.CLOSED:
            return press.words.staff_is_closed
        name = await cards.owner(press.tx, press.ticket) or press.words.staff_somebody
        return press.words.staff_has_it.format(owner=name)
    await press.refresh()
    return ""


async def _release(press: Press) -> str:
    if not await tickets.release(press.tx, press.ticket.id):
        return press.words.staff_nothing_to_release
    await press.refresh()
    return press.words.staff_released


async def _close(press: Press) -> str:
    now = press.deps.now()
    closed = await endings.close(press.tx, press.desk, press.ticket, now, key=press.key, by_team=True)
    return press.words.staff_closed if closed else press.words.staff_is_closed


async def _answers(press: Press) -> str:
    found = [(f"t:p:{press.ticket.id}:{place}", one["question"]) for place, one in enumerate(press.ticket.found)]
    if not found:
        return press.words.staff_no_answers
    await press.choose(press.words.staff_choose_answer, found)
    return ""


async def _canned(press: Press) -> str:
    known = await sending.canned(press.tx, press.ticket)
    if not known:
        return press.words.staff_no_canned
    options = [(f"t:v:{press.ticket.id}:{number}", title) for number, title in known]
    await press.choose(press.words.staff_choose_canned, options)
    return ""


async def _reply(press: Press, *, is_canned: bool) -> Rich | None:
    """The reply that a button stands for: an entry's answer or a canned one; None if it is gone."""
    if is_canned:
        text = await sending.canned_text(press.tx, press.ticket, press.number)
        return plain(text) if text else None
    if not 0 <= press.number < len(press.ticket.found):
        return None
    language = endings.tongue(press.ticket)
    entry = press.deps.live.engine.entry(press.ticket.found[press.number]["entry"], language)
    return shown_answer(press.deps.live.engine, entry, language) if entry else None


async def _preview(press: Press, *, is_canned: bool = False) -> str:
    reply = await _reply(press, is_canned=is_canned)
    if reply is None:
        return press.words.staff_gone
    data = f"t:{'q' if is_canned else 's'}:{press.ticket.id}:{press.number}"
    await sending.preview(press.tx, press.desk, press.ticket, reply, data, key=press.key)
    await press.take_away()
    return ""


async def _send(press: Press, *, is_canned: bool = False) -> str:
    reply, who = await _reply(press, is_canned=is_canned), press.member
    if reply is None or not await _still_shown(press, reply):
        return press.words.staff_gone
    # What is sent twice by two who press at once is worse than what one of them has to press again.
    key = f"t{press.ticket.id}m{press.shown}"
    await sending.send(press.tx, press.desk, press.ticket, reply, who.name, press.shown, key=key)
    await tickets.answered(press.tx, press.desk, press.ticket, who.chat_id, press.deps.now())
    await press.refresh()
    return ""


async def _still_shown(press: Press, reply: Rich) -> bool:
    """Whether the preview shows what would go: knowledge, canned reply or question may have changed since."""
    preview = await copies.sent_as(press.tx, press.desk.chat, press.shown)
    shown = str(preview[0].payload.get("text", "")) if preview else ""
    return shown.endswith(reply.text) or reply.text.endswith(shown)  # or the last part of a long one


async def _leave(press: Press) -> str:
    await press.take_away()
    return ""


async def _assign(press: Press) -> str:
    chosen = await press.tx.get(Member, press.number)
    if chosen is None or not await tickets.assign(press.tx, press.ticket.id, chosen.chat_id):
        return press.words.staff_gone
    await press.tell(press.words.staff_assigned.format(owner=chosen.name))
    await press.refresh()
    await press.take_away()
    return ""


async def _where(press: Press) -> str:
    options = sending.moves(press.desk, press.ticket)
    if not options:
        return press.words.staff_move_nowhere
    await press.choose(press.words.staff_move_where, options)
    return ""


async def _move(press: Press) -> str:
    known = press.number in press.desk.known.every
    by = press.member.name
    if not known or not await moving.move(press.tx, press.desk, press.ticket.id, press.number, by, key=press.key):
        return press.words.staff_gone
    await press.take_away()
    return ""


async def _go(press: Press) -> str:
    await press.tell(press.words.staff_here.format(number=press.ticket.id))
    return ""


PRESSES: dict[str, Callable[[Press], Awaitable[str]]] = {
    "c": _claim,
    "r": _release,
    "x": _close,
    "a": _answers,
    "p": _preview,
    "s": _send,
    "k": _canned,
    "v": partial(_preview, is_canned=True),
    "q": partial(_send, is_canned=True),
    "b": silencing.ask_ban,
    "y": silencing.ban,
    "n": _leave,
    "u": silencing.ask_mute,
    "h": silencing.mute,
    "w": _assign,
    "g": _go,
    "o": _where,
    "m": _move,
}
