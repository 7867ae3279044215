"""Staff's buttons to mute a candidate for a time, or to ban them: asked once more, then done."""

from datetime import timedelta

from bot.desk import bans, mutes, relay
from bot.dialogue import times
from bot.dialogue.message import Button, Message
from bot.handlers.press import Press, take_away
from bot.records.tables import Candidate


async def ask_ban(press: Press) -> str:
    """Whether the candidate should really be banned."""
    words, candidate = press.words, await press.tx.get_one(Candidate, press.ticket.candidate_id)
    buttons = (
        Button(words.button_ban_yes, data=f"t:y:{press.ticket.id}"),
        Button(words.button_leave, data=f"t:n:{press.ticket.id}"),
    )
    asked = words.staff_ban_ask.format(candidate=candidate.known_as)
    await relay.tell(press.tx, press.desk, press.ticket, Message(asked, buttons=(buttons,)), key=press.key)
    return ""


async def ban(press: Press) -> str:
    """Ban the candidate."""
    await bans.ban(press.tx, press.desk, press.ticket, press.deps.now(), key=press.key)
    await take_away(press)
    return ""


async def ask_mute(press: Press) -> str:
    """For how long the candidate should not be heard."""
    words, candidate = press.words, await press.tx.get_one(Candidate, press.ticket.candidate_id)
    hours = [round(span.total_seconds() / 3600) for span in mutes.OFFERED]
    choices = tuple(
        Button(times.length(span, press.desk.language), data=f"t:h:{press.ticket.id}:{number}")
        for span, number in zip(mutes.OFFERED, hours, strict=True)
    )
    leave = (Button(words.button_leave, data=f"t:n:{press.ticket.id}"),)
    asked = words.staff_mute_ask.format(candidate=candidate.known_as)
    await relay.tell(press.tx, press.desk, press.ticket, Message(asked, buttons=(choices, leave)), key=press.key)
    return ""


async def mute(press: Press) -> str:
    """Mute the candidate for as many hours as the button says, if it is one that was offered."""
    span = timedelta(hours=press.number)
    if span not in mutes.OFFERED:
        return press.words.staff_gone
    if not await mutes.mute(press.tx, press.desk, press.ticket, press.deps.now() + span, key=press.key):
        return press.words.staff_gone
    await take_away(press)
    return ""
