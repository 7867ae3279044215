"""Staff's buttons to mute a candidate for a time, or to ban them: asked once more, then done."""

from datetime import timedelta

from bot.desk import bans, mutes
from bot.dialogue import times
from bot.dialogue.message import Button, Message
from bot.handlers.press import Press
from bot.records.tables import Candidate


async def ask_ban(press: Press) -> str:
    """Whether the candidate should really be banned."""
    yes = Button(press.words.button_ban_yes, data=f"t:y:{press.ticket.id}")
    return await _ask(press, press.words.staff_ban_ask, (yes, _leave(press)))


async def ban(press: Press) -> str:
    """Ban the candidate."""
    await bans.ban(press.tx, press.desk, press.ticket, press.deps.now(), key=press.key)
    await press.take_away()
    return ""


async def ask_mute(press: Press) -> str:
    """For how long the candidate should not be heard."""
    hours = [round(span.total_seconds() / 3600) for span in mutes.OFFERED]
    choices = tuple(
        Button(times.length(span, press.desk.language), data=f"t:h:{press.ticket.id}:{number}")
        for span, number in zip(mutes.OFFERED, hours, strict=True)
    )
    return await _ask(press, press.words.staff_mute_ask, choices, (_leave(press),))


async def mute(press: Press) -> str:
    """Mute the candidate for as many hours as the button says, if it is one that was offered."""
    span = timedelta(hours=press.number)
    if span not in mutes.OFFERED:
        return press.words.staff_gone
    if not await mutes.mute(press.tx, press.desk, press.ticket, press.deps.now() + span, key=press.key):
        return press.words.staff_gone
    await press.take_away()
    return ""


def _leave(press: Press) -> Button:
    return Button(press.words.button_leave, data=f"t:n:{press.ticket.id}")


async def _ask(press: Press, question: str, *buttons: tuple[Button, ...]) -> str:
    candidate = await press.tx.get_one(Candidate, press.ticket.candidate_id)
    await press.tell(Message(question.format(candidate=candidate.known_as), buttons=buttons))
    return ""
