"""Lists that staff see in their group, with buttons that turn pages and show cards."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.delivery.references import Payload
from bot.desk import listing
from bot.desk.desk import Desk
from bot.desk.listing import PAGE, Line
from bot.dialogue import times
from bot.dialogue.cards import short
from bot.dialogue.message import Button, Message
from bot.dialogue.texts import texts
from bot.records.tables import Member

QUESTION = 120  # characters of a question in a list
IN_A_ROW = 4  # buttons with numbers


async def show_list(
    tx: AsyncSession, desk: Desk, member: Member, whose: str, page: int, now: datetime, *, key: str, place: Payload
) -> None:
    """The open tickets of `all`, or `mine`; `place` is a topic, or the message in whose place the list is shown."""
    mine, words = whose == "mine", texts(desk.language)
    lines, count = await listing.open_ones(tx, page, member.chat_id if mine else None, here=desk.holds())
    if not count:
        message = Message(words.staff_list_mine_empty if mine else words.staff_list_empty)
    else:
        title = (words.staff_list_mine if mine else words.staff_list).format(count=count)
        message = list_message(title, lines, desk, now, turns=_turns(whose, page, count, desk))
    method = "editMessageText" if "message_id" in place else "sendMessage"
    await outbox.put(tx, desk.chat, method, message.payload() | place, key=f"{key}:list", priority=Priority.NOTICE)


def list_message(title: str, lines: list[Line], desk: Desk, now: datetime, turns: tuple[Button, ...] = ()) -> Message:
    """Tickets with their age and owner, and a button for each."""
    words = texts(desk.language)
    shown = [_shown(line, desk, now) for line in lines]
    numbers = [Button(f"#{line.ticket_id}", data=f"t:g:{line.ticket_id}") for line in lines]
    rows = [tuple(numbers[start : start + IN_A_ROW]) for start in range(0, len(numbers), IN_A_ROW)]
    return Message("\n\n".join([title, *shown, words.staff_list_hint]), buttons=(*rows, turns))


def _shown(line: Line, desk: Desk, now: datetime) -> str:
    words = texts(desk.language)
    state = getattr(words, f"state_{line.state.value}").format(owner=line.owner or words.staff_somebody)
    age = times.length(now - line.since, desk.language)
    course = f" · {title}" if (title := desk.title(line.course)) else ""
    return f"#{line.ticket_id} · {line.candidate} · {age} · {state}{course}\n{short(line.question, QUESTION)}"


def _turns(whose: str, page: int, count: int, desk: Desk) -> tuple[Button, ...]:
    words, turns = texts(desk.language), []
    if page > 0:
        turns.append(Button(words.button_previous, data=f"l:{whose}:{page - 1}"))
    if (page + 1) * PAGE < count:
        turns.append(Button(words.button_next, data=f"l:{whose}:{page + 1}"))
    return tuple(turns)
