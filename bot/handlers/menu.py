"""The menu of topics, down to an answer without typing: pressed, it changes in place."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Message as Shown
from telegram import Update

from bot.delivery import outbox
from bot.desk import themes
from bot.dialogue import courses, render, topics
from bot.dialogue.message import Button, Message
from bot.dialogue.texts import texts
from bot.dialogue.topics import Topic
from bot.handlers.answers import entry_message
from bot.handlers.asked import choose_course, tapped
from bot.handlers.context import Context, Deps
from bot.handlers.offers import notice, topics_for
from bot.handlers.speaker import hearing, known_course, say, telegram_language, tongue, unheard
from bot.records.tables import Candidate, Question
from indexer.entries import Entry, Language

SELF_NAMES: dict[str, str] = {"fr": "Français", "en": "English"}  # each language in itself, whatever is spoken now


async def on_start(update: Update, context: Context) -> None:
    """/start: who speaks, and what it knows; a link may name a course, a topic, or both."""
    deps, engine, key = context.deps, context.deps.live.engine, f"u{update.update_id}"
    link = courses.start_of(" ".join(context.args or []).lower(), engine.school)
    async with hearing(update, deps) as (tx, candidate):
        if candidate.silenced(deps.now()):  # of what is below the greeting nothing could be pressed
            await say(tx, candidate, Message(unheard(deps, candidate)), f"{key}:start")
            return
        language = tongue(candidate) if candidate.chosen_language else telegram_language(update)
        course = known_course(candidate, engine)
        found = topics_for(deps, course, language)
        topic = topics.find_topic(found, link.rest)
        below = () if engine.school or topic else found
        first = _first_words(deps, language, below, found)
        await say(tx, candidate, await _with_themes(tx, first, language) if below else first, f"{key}:start")
        if link.course:
            await choose_course(tx, deps, candidate, link.course, key, then=link.rest)
        elif engine.school and not (course and topic):
            then = topics.code(topic.name) if topic else ""
            await say(tx, candidate, courses.which(engine.school, language, course, then), f"{key}:course")
        elif topic:
            await say(tx, candidate, topics.questions(topic, language), f"{key}:menu")


def _first_words(deps: Deps, language: Language, below: tuple[Topic, ...], found: tuple[Topic, ...]) -> Message:
    """Who speaks, with the topics `below` to tap; of what it knows where none stand there."""
    known = "" if below else topics.named(found)
    said = render.start(language, notice(deps, language), deps.live.engine.snapshot.school, known)
    return said.message(*topics.topic_rows(below, language))


async def on_menu(update: Update, context: Context) -> None:
    """/menu: the topics; in a school where no course is chosen, the courses first."""
    deps, engine = context.deps, context.deps.live.engine
    async with hearing(update, deps) as (tx, candidate):
        language = tongue(candidate)
        if candidate.silenced(deps.now()):
            shown = Message(unheard(deps, candidate))
        elif engine.school and not known_course(candidate, engine):
            shown = courses.which(engine.school, language)
        else:
            found = topics_for(deps, known_course(candidate, engine), language)
            shown = topics.menu(found, language, notice=notice(deps, language))
            shown = await _with_themes(tx, shown, language)
        await say(tx, candidate, shown, f"u{update.update_id}:menu")


async def _with_themes(tx: AsyncSession, shown: Message, language: Language) -> Message:
    """Topics, with what one presses below them to be told of something later, where there is such a thing."""
    return replace(shown, buttons=(*shown.buttons, await themes.offer(tx, language)))


async def turn(tx: AsyncSession, deps: Deps, candidate: Candidate, rest: str, shown: object, key: str) -> None:
    """A button of the menu: what it leads to takes the place of the message; what is gone leads to the menu anew."""
    what, _, place = rest.partition(":")
    name, _, page = place.partition(":")
    number = int(page) if page.isdecimal() and len(page) < 7 else 0
    language, course = tongue(candidate), known_course(candidate, deps.live.engine)
    found = topics_for(deps, course, language)
    topic, entry = topics.find_topic(found, name), topics.find_entry(found, name)
    question: Question | None = None
    if what == "e" and entry:
        sure = {"confidence": 1.0, "alternatives": [entry[1].id]}
        question = await tapped(tx, deps, candidate, entry[1], course or entry[1].course, language, **sure)
        message = _answer(deps, *entry, question, language)
    elif what == "t" and topic:
        message = topics.questions(topic, language, page=number)
    elif what == "m" and deps.live.engine.school and not course:
        message = courses.which(deps.live.engine.school, language)
    else:
        said, number = ("", number) if what == "m" else (texts(language).menu_changed, 0)
        message = topics.menu(found, language, page=number, notice=notice(deps, language), said=said)
        message = await _with_themes(tx, message, language)
    row = await _in_place(tx, candidate, message, shown, f"{key}:menu")
    if question:
        question.answer_id = row


def _answer(deps: Deps, topic: Topic, entry: Entry, question: Question, language: Language) -> Message:
    message = entry_message(deps.live.engine, entry, question.id, language)
    return replace(message, buttons=(*message.buttons, topics.way_back(topic, entry, language)))


async def _in_place(tx: AsyncSession, candidate: Candidate, message: Message, shown: object, key: str) -> int:
    """The message takes the place of the one that was pressed; of one that Telegram shows no more, it is sent."""
    if not isinstance(shown, Shown) or not shown.is_accessible:
        return await say(tx, candidate, message, key)
    payload = {**message.payload(), "message_id": shown.message_id}
    return await outbox.put(tx, candidate.chat_id, "editMessageText", payload, key=key)


async def on_language(update: Update, context: Context) -> None:
    """/language: in which one the bot speaks; answers stay in the language of their question."""
    async with hearing(update, context.deps) as (tx, candidate):
        words = texts(tongue(candidate))
        spoken = tuple(Button(name, data=f"y:{code}") for code, name in SELF_NAMES.items())
        free = (Button(words.button_any_language, data="y:any"),)
        await say(tx, candidate, Message(words.language_ask, buttons=(spoken, free)), f"u{update.update_id}:language")


async def choose_language(
    tx: AsyncSession, _deps: Deps, candidate: Candidate, chosen: str, shown: object, key: str
) -> None:
    """Remember the language that was pressed, or go back to that of the messages."""
    candidate.chosen_language = chosen if chosen in SELF_NAMES else None
    words = texts(tongue(candidate))
    said = words.language_chosen if candidate.chosen_language else words.language_free
    await _in_place(tx, candidate, Message(said), shown, f"{key}:language")
