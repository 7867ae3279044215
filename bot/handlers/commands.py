"""A candidate's commands."""

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Update

from bot.delivery import inbox, outbox
from bot.desk import edits, endings, erasure, mutes, relay, themes, tickets
from bot.desk.pieces import Piece, read
from bot.dialogue import courses, render, times
from bot.dialogue.language import language as language_of
from bot.dialogue.message import Button, Message
from bot.dialogue.render import Reason
from bot.dialogue.rich import join, plain
from bot.dialogue.signs import clean
from bot.dialogue.texts import texts
from bot.handlers import anew
from bot.handlers.context import Context, Deps, desk_of
from bot.handlers.escalation import escalate, expected, found_near, unanswered
from bot.handlers.speaker import course_of, hearing, known_course, say, tongue, unheard, who
from bot.handlers.themes import stop_button
from bot.records.forgetting import forget
from bot.records.tables import Candidate, Question


async def on_course(update: Update, context: Context) -> None:
    """/course: which one questions are about, and buttons to choose another."""
    deps, engine = context.deps, context.deps.live.engine
    async with hearing(update, deps) as (tx, candidate):
        language = tongue(candidate)
        message = Message(texts(language).unknown_command)
        if engine.school:
            message = courses.which(engine.school, language, known_course(candidate, engine))
        await say(tx, candidate, message, f"u{update.update_id}:course")


async def on_help(update: Update, context: Context) -> None:
    """/help: what can be done here."""
    await _say(update, context, "help_school" if context.deps.live.engine.school else "help")


async def on_privacy(update: Update, context: Context) -> None:
    """/privacy: what is kept, in plain words."""
    deps = context.deps
    async with hearing(update, deps) as (tx, candidate):
        settings = deps.settings
        shown = render.privacy(tongue(candidate), settings.operator, settings.privacy_contact, settings.keep_people)
        await say(tx, candidate, shown.message(), f"u{update.update_id}:privacy")


async def on_unknown(update: Update, context: Context) -> None:
    """A command that does not exist."""
    await _say(update, context, "unknown_command")


async def _say(update: Update, context: Context, name: str) -> None:
    deps = context.deps
    async with hearing(update, deps) as (tx, candidate):
        words = texts(tongue(candidate))
        said = words.help + "\n" + words.help_course if name == "help_school" else getattr(words, name)
        await say(tx, candidate, plain(said).message(), f"u{update.update_id}:{name}")


async def on_human(update: Update, context: Context) -> None:
    """/human: a person, with what follows the command or else the last question."""
    deps, received = context.deps, update.effective_message
    assert received
    asked = clean(" ".join(context.args or []))
    async with hearing(update, deps) as (tx, candidate):
        ticket = await tickets.open_ticket(tx, candidate.id)
        if candidate.silenced(deps.now()):
            await say(tx, candidate, Message(unheard(deps, candidate)), f"u{update.update_id}:human")
        elif update.edited_message and await _edited(
            tx, deps, candidate, read(received), asked, f"u{update.update_id}"
        ):
            pass  # it shows on the card
        elif ticket and not asked:
            said = (texts(tongue(candidate)).human_already, await expected(tx, deps, ticket, tongue(candidate)))
            await say(tx, candidate, join(map(plain, said)).message(), f"u{update.update_id}:human")
        else:
            question = await anew.last_of(tx, candidate)
            if asked or question is None:
                text, language = asked or received.text or "/human", language_of(asked, tongue(candidate))
                number = received.message_id
                question = await unanswered(tx, deps, candidate, text, language, Reason.PERSON, number)
            unsaid, key = question.text.startswith("/"), f"u{update.update_id}:human"
            near, note = ((), "human_unsaid") if unsaid else (await found_near(deps, question), "human_asked")
            await escalate(tx, deps, candidate, question, Reason.PERSON, near, key, note=note)


async def _edited(tx: AsyncSession, deps: Deps, candidate: Candidate, piece: Piece, asked: str, key: str) -> bool:
    """Whether the question behind an edited /human was changed on its card."""
    language = language_of(asked, tongue(candidate))
    question = Question(text=asked, language=language, course=course_of(deps, candidate))
    anew = edits.Asked(asked, await found_near(deps, question) if asked else ())
    return await edits.edit_added(tx, desk_of(deps), piece, candidate.chat_id, deps.now(), key=key, anew=anew)


async def on_status(update: Update, context: Context) -> None:
    """/status: what became of the question that waits for the team, and what to expect."""
    deps = context.deps
    async with hearing(update, deps) as (tx, candidate):
        language = tongue(candidate)
        ticket, words = await tickets.open_ticket(tx, candidate.id), texts(language)
        name = f"status_{ticket.state.value}" if ticket else "status_none"
        wait = await expected(tx, deps, ticket, language)
        since = (ticket.answered_at or ticket.opened_at) if ticket else deps.now()
        on = times.written(since.astimezone(deps.settings.hours.zone), language)
        shown = join([plain(getattr(words, name).format(date=on)), plain(wait)])
        stops = [stop_button(theme, language, named=True) for theme in await themes.of(tx, candidate)]
        told = words.theme_status if stops else ""
        await say(tx, candidate, join([shown, plain(told)]).message(*stops), f"u{update.update_id}:status")


async def on_cancel(update: Update, context: Context) -> None:
    """/cancel: the candidate takes the question back from the team; staff see it."""
    deps, key = context.deps, f"u{update.update_id}"
    async with hearing(update, deps) as (tx, candidate):
        words, ticket = texts(tongue(candidate)), await tickets.hold_open(tx, candidate.id)
        said = await endings.parting(tx, ticket, words.human_cancelled) if ticket else Message(words.human_none)
        await say(tx, candidate, said, f"{key}:cancel")
        if ticket:
            told = texts(deps.settings.staff_language).staff_cancelled.format(candidate=candidate.known_as)
            await relay.tell(tx, desk_of(deps), ticket, told, key=key)
            await endings.close(tx, desk_of(deps), ticket, deps.now(), key=key, by_team=False)


async def on_forget(update: Update, context: Context) -> None:
    """/forget: asked once more, since it cannot be undone; what an open ticket then loses is said before."""
    deps = context.deps
    async with hearing(update, deps) as (tx, candidate):
        words, ticket = texts(tongue(candidate)), await tickets.open_ticket(tx, candidate.id)
        buttons = (Button(words.button_yes, data="f:yes"), Button(words.button_no, data="f:no"))
        kept = mutes.farewell(candidate, desk_of(deps), tongue(candidate), deps.now())
        said = (words.forget_ask, words.forget_open if ticket else "", kept)
        await say(tx, candidate, join(map(plain, said)).message(buttons), f"u{update.update_id}:forget")


async def erase(update: Update, context: Context) -> None:
    """Erase what is held of the person who pressed yes, in the staff's group too as far as Telegram lets a bot."""
    deps, key = context.deps, f"u{update.update_id}"
    async with deps.db.begin() as tx:
        candidate = await who(tx, update)
        words, chat_id = texts(tongue(candidate)), candidate.chat_id
        stays = await erasure.clear_group(tx, desk_of(deps), candidate.id, deps.now(), key=key)
        old = words.forget_group if stays else ""
        kept = mutes.farewell(candidate, desk_of(deps), tongue(candidate), deps.now())
        again = "" if kept else words.forget_anew
        farewell = join(map(plain, (words.forget_done, kept, old, words.forget_remains, again))).message().payload()
        keep = await outbox.put(tx, chat_id, "sendMessage", farewell, key=f"{key}:forgotten")
        await inbox.done(tx, update.update_id)
        await forget(tx, candidate.id, keep=keep)
