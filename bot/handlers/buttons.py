"""A candidate presses a button: data is one or two letters for what, the row that it is about, sometimes a number."""

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Message as Shown
from telegram import Update
from telegram.constants import ChatType

from bot.delivery import inbox, outbox
from bot.desk import relay, tickets
from bot.dialogue.message import Message
from bot.dialogue.render import Reason
from bot.dialogue.signs import visible
from bot.dialogue.texts import spoken, texts
from bot.handlers import anew, related, themes
from bot.handlers.aftercare import AFTER
from bot.handlers.alerts import alert
from bot.handlers.answers import answer_message, entry_message, others, shown_answer
from bot.handlers.asked import choose_course
from bot.handlers.attachments import show_to_a_person
from bot.handlers.commands import erase
from bot.handlers.context import Context, Deps, desk_of
from bot.handlers.escalation import escalate, found_near
from bot.handlers.menu import choose_language, turn
from bot.handlers.pace import paced
from bot.handlers.pressing import on_staff_press
from bot.handlers.speaker import own, say, tongue, who
from bot.records.states import Feedback
from bot.records.tables import Candidate, Question

HEARD = frozenset({"f", "j"})  # what also those may press whom the team does not hear
HANDS_OVER = frozenset({"p", "x"})  # what gives a question to the team
BESIDE = frozenset({"j", "s", "w", related.OFFER})  # what may be pressed beside another button of the same message


async def on_press(update: Update, context: Context) -> None:
    """Whatever was pressed; data that somebody made up, or of another person's question, does nothing."""
    query, chat = update.callback_query, update.effective_chat
    assert query
    if chat and chat.type != ChatType.PRIVATE:
        await on_staff_press(update, context)
        return
    await alert(query)
    if chat is None:  # below a message sent through another chat, which we have none of
        return
    kind, _, rest = (query.data or "").partition(":")
    if kind == "f" and rest == "yes":
        await erase(update, context)
        return
    await _heard(update, context)


@paced
async def _heard(update: Update, context: Context) -> None:
    deps, query = context.deps, update.callback_query
    assert query
    kind, _, rest = (query.data or "").partition(":")
    async with deps.db.begin() as tx:
        candidate = await who(tx, update)
        if candidate.silenced(deps.now()) and kind not in HEARD:
            await inbox.done(tx, update.update_id)
            return
        if kind in IN_PLACE:
            await IN_PLACE[kind](tx, deps, candidate, rest, query.message, f"u{update.update_id}")
            await inbox.done(tx, update.update_id)
            return
        left = _others(query.message, query.data, every=kind in BESIDE)
        await _take_buttons_away(tx, candidate, query.message, f"u{update.update_id}", left)
        if kind == "j":
            await themes.pressed(tx, deps, candidate, update, rest)
        elif kind in AFTER:
            await AFTER[kind](tx, deps, candidate, update, rest)
        else:
            sent = _sent_with(query.message)
            await _pressed(tx, deps, candidate, kind, rest, f"u{update.update_id}", sent)
            if kind in HANDS_OVER and sent and (ticket := await tickets.open_ticket(tx, candidate.id)):
                key = f"u{update.update_id}"
                await relay.show(tx, desk_of(deps), ticket, [sent], candidate.chat_id, key=key)
        await inbox.done(tx, update.update_id)


def _sent_with(shown: object) -> int | None:
    """The picture or file with which a question came, which our message is a reply to: it goes where that goes."""
    sent = shown.reply_to_message if isinstance(shown, Shown) else None
    return sent.message_id if sent and not sent.text else None


async def _pressed(
    tx: AsyncSession, deps: Deps, candidate: Candidate, kind: str, rest: str, key: str, sent: int | None
) -> None:
    number, _, place = rest.partition(":")
    words = texts(tongue(candidate))
    if kind == "f":
        await say(tx, candidate, Message(words.forget_not), key)
        return
    if kind == "u":
        known = number in {course.name for course in deps.live.engine.school}
        if known:
            await choose_course(tx, deps, candidate, number, key, then=place)
        else:
            await say(tx, candidate, Message(words.choice_gone), key)
        return
    if kind == "v":
        await show_to_a_person(tx, deps, candidate, rest, key)
        return
    question = await own(tx, Question, candidate, number)
    if question is None:
        await say(tx, candidate, Message(words.choice_gone), key)
    else:
        await _about(tx, deps, candidate, question, kind, place, key, sent=sent)


async def _about(
    tx: AsyncSession,
    deps: Deps,
    candidate: Candidate,
    question: Question,
    kind: str,
    place: str,
    key: str,
    *,
    sent: int | None,
) -> None:
    """What was said of a question, or chosen below it."""
    words = texts(tongue(candidate))
    match kind:
        case "h":
            question.feedback = Feedback.HELPED
            await say(tx, candidate, Message(words.feedback_thanks), key)
        case "n":
            question.feedback = Feedback.NOT_MINE
            await anew.show(tx, candidate, others(deps.live.engine, question), key, below=sent)
        case "p":
            reason = Reason.NOT_MINE if question.feedback is Feedback.NOT_MINE else Reason.PERSON
            question.feedback = question.feedback or Feedback.PERSON
            near = await found_near(deps, question)
            await escalate(tx, deps, candidate, question, reason, near, key, note="human_asked")
        case "x":
            question.feedback = Feedback.NOT_MINE
            near = await found_near(deps, question)
            await escalate(tx, deps, candidate, question, Reason.UNSURE, near, key, note="none_of_these")
        case related.OFFER:
            await related.offer(tx, deps, candidate, question, key)
        case related.CHOICE:
            await related.chosen(tx, deps, candidate, question, place, key)
        case "c":
            await _chosen(tx, deps, candidate, question, place, key, sent)
        case _:
            await say(tx, candidate, Message(words.choice_gone), key)


async def _open_out(tx: AsyncSession, deps: Deps, candidate: Candidate, number: str, shown: object, key: str) -> None:
    """The whole of a long answer, in the place of its gist; what stands above it and the way back stay."""
    question = await own(tx, Question, candidate, number)
    language = spoken(question.language) if question else tongue(candidate)
    entry = deps.live.engine.entry(question.entry_id or "", language) if question else None
    if question is None or entry is None or not isinstance(shown, Shown):
        await say(tx, candidate, Message(texts(language).choice_gone), key)
        return
    shown_whole = shown_answer(deps.live.engine, entry, language)
    title = visible(entry.question)
    heading = title if (shown.text or "").startswith(f"{title}\n") else ""
    whole = answer_message(shown_whole, question.id, language, heading).payload()
    whole["reply_markup"]["inline_keyboard"] += _others(shown, None, every=False)
    await outbox.put(
        tx, candidate.chat_id, "editMessageText", {**whole, "message_id": shown.message_id}, key=f"{key}:more"
    )


async def _chosen(
    tx: AsyncSession, deps: Deps, candidate: Candidate, question: Question, place: str, key: str, sent: int | None
) -> None:
    """The answer that was chosen among several."""
    language = spoken(question.language)
    ids = question.alternatives
    entry_id = ids[int(place)] if place.isdecimal() and int(place) < len(ids) else ""
    entry = deps.live.engine.entry(entry_id, language)
    if entry is None or entry.past(deps.local_now.date()):
        await say(tx, candidate, Message(texts(language).choice_gone), key)
        return
    question.entry_id = entry.id
    message = entry_message(deps.live.engine, entry, question.id, language)
    question.answer_id = await anew.show(tx, candidate, message, key, below=sent)


IN_PLACE = {"m": _open_out, "g": turn, "y": choose_language}  # what changes the message itself


def _others(shown: object, pressed: str | None, *, every: bool) -> list[list[dict[str, object]]]:
    """The rows of buttons that stay: those of the menu, or `every` one but the pressed one."""
    rows = shown.reply_markup.inline_keyboard if isinstance(shown, Shown) and shown.reply_markup else ()
    left = [
        [one.to_dict() for one in row if one.callback_data != pressed and (every or _leads_back(one.callback_data))]
        for row in rows
    ]
    return [row for row in left if row]


def _leads_back(data: object) -> bool:
    return str(data).startswith("g:")


async def _take_buttons_away(
    tx: AsyncSession, candidate: Candidate, shown: object, key: str, others: list[list[dict[str, object]]]
) -> None:
    """A pressed message keeps its text and loses its buttons, but for `others`, so that nothing is pressed twice."""
    if isinstance(shown, Shown):
        payload = {"message_id": shown.message_id, "reply_markup": {"inline_keyboard": others}}
        await outbox.put(tx, candidate.chat_id, "editMessageReplyMarkup", payload, key=f"{key}:buttons")
