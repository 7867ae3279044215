"""Staff keep replies ready: /canned lists them, adds one, shows one to be changed or deleted."""

import re

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Update

from bot.delivery import inbox
from bot.dialogue.cards import short
from bot.dialogue.message import Button, Message
from bot.dialogue.proposals import by_language
from bot.dialogue.rich import Rich, bold, italic, join, plain
from bot.dialogue.texts import Texts, texts
from bot.handlers import notices
from bot.handlers.alerts import alert
from bot.handlers.context import Context, Deps
from bot.handlers.desk import argument
from bot.handlers.rights import Role
from bot.handlers.speaker import row_number
from bot.records.tables import Canned, Outgoing
from bot.records.upsert import insert_new
from indexer.entries import LANGUAGES

PRESSED = r"^n:d:\d{1,18}$"
TITLE = 60  # characters
LISTED = 50
SHOWN = 1200  # characters of a text: two languages fit one message
NUMBER = re.compile(r"canned(\d+):")  # of the row whose message shows a canned reply


async def on_canned(update: Update, context: Context) -> None:
    """/canned, /canned add title, /canned number."""
    deps, received = context.deps, update.effective_message
    assert received
    words = texts(deps.settings.staff_language)
    word, _, rest = argument(received).partition(" ")
    async with deps.db.begin() as tx:
        one: Canned | None = None
        if word.lower() in {"add", "ajouter"}:
            one, otherwise = await _added(tx, " ".join(rest.split())), Message(words.canned_title.format(most=TITLE))
        elif (number := row_number(word.removeprefix("#"))) is not None:
            one, otherwise = await tx.get(Canned, number), Message(words.canned_gone)
        else:
            otherwise = await _list(tx, words)
        key = f"canned{one.id}:u{update.update_id}" if one else ""
        await notices.end(tx, deps, update, _card(one, words) if one else otherwise, key)


async def _list(tx: AsyncSession, words: Texts) -> Message:
    rows = (await tx.execute(select(Canned).order_by(Canned.title).limit(LISTED))).scalars().all()
    lines = [f"{one.id}. {one.title} ({_languages(one) or words.canned_empty})" for one in rows]
    return Message("\n".join([words.canned_list if lines else words.canned_none, *lines, "", words.canned_how]))


def _languages(one: Canned) -> str:
    return ", ".join(language.upper() for language in LANGUAGES if getattr(one, language))


async def _added(tx: AsyncSession, title: str) -> Canned | None:
    """A new one, whose texts are then written as a reply; the one that has this title; None if that is no title."""
    if not title or len(title) > TITLE:
        return None
    await insert_new(tx, Canned, Canned.id, title=title)
    return (await tx.execute(select(Canned).where(Canned.title == title))).scalar_one()


def _card(one: Canned, words: Texts) -> Message:
    blocks: list[Rich] = [bold(f"{one.id}. {one.title}")]
    for language in LANGUAGES:
        said = getattr(one, language)
        blocks += [join([italic(language.upper()), plain(short(said, SHOWN))], "\n")] if said else []
    delete = Button(words.button_delete, data=f"n:d:{one.id}")
    return join([*blocks, italic(words.canned_change)]).message((delete,))


async def on_edit(update: Update, context: Context) -> bool:
    """A reply to a canned reply that is shown: its texts. False for other replies."""
    deps, received = context.deps, update.message
    if received is None or received.reply_to_message is None:
        return False
    words = texts(deps.settings.staff_language)
    async with deps.db.begin() as tx:
        number = await _shown(tx, deps, received.reply_to_message.message_id)
        if number is None:
            return False
        one, parts = await tx.get(Canned, number), by_language(received.text or "", deps.settings.staff_language)
        for language, said in parts if one else []:
            setattr(one, language, said)
        said = words.canned_gone if one is None else words.canned_kept if parts else words.canned_change
        await notices.end(tx, deps, update, said)
    return True


async def _shown(tx: AsyncSession, deps: Deps, message_id: int) -> int | None:
    """The number of the canned reply that a message of the bot shows."""
    ours = (Outgoing.chat_id == deps.staff_chat) & (Outgoing.message_id == message_id)
    key = (await tx.execute(select(Outgoing.key).where(ours, Outgoing.key.like("canned%")))).scalars().first()
    found = NUMBER.match(key or "")
    return int(found[1]) if found else None


async def on_press(update: Update, context: Context) -> None:
    """Delete, pressed by staff below a canned reply."""
    query = update.callback_query
    assert query
    if not await notices.pressed_by(Role.STAFF, update, context):
        return
    deps = context.deps
    words = texts(deps.settings.staff_language)
    async with deps.db.begin() as tx:
        one = await tx.get(Canned, int((query.data or "").split(":")[2]))
        if one:
            await tx.delete(one)
            await notices.put(tx, deps, update, words.canned_deleted.format(title=one.title))
        await inbox.done(tx, update.update_id)
    await alert(query, "" if one else words.canned_gone)
