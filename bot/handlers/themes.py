"""/notify: staff open a theme, write what is to be told, and have it told; a candidate's buttons to be told or not."""

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Update

from bot.delivery import inbox
from bot.desk import themes
from bot.dialogue.message import Button, Message
from bot.dialogue.rich import Rich, bold, italic, join, plain
from bot.dialogue.texts import Texts, texts
from bot.handlers import notices
from bot.handlers.alerts import alert
from bot.handlers.context import Context, Deps
from bot.handlers.desk import argument
from bot.handlers.rights import Role
from bot.handlers.speaker import row_number, say, tongue
from bot.records.tables import Candidate, Theme
from indexer.entries import LANGUAGES, Language

PRESSED = r"^j:s:\d{1,18}:[0-9a-f]{8}$"
TITLE = 60  # characters
TOLD = 1500  # characters: both languages fit one message


async def on_notify(update: Update, context: Context) -> None:
    """/notify, /notify new English | French, /notify 1 English | French, /notify delete 1."""
    deps, received = context.deps, update.effective_message
    assert received
    words, wanted = texts(deps.settings.staff_language), argument(received)
    word, _, rest = wanted.partition(" ")
    async with deps.db.begin() as tx:
        if word.lower() in {"new", "nouveau"}:
            message = await _open(tx, words, rest, deps)
        elif word.lower() in {"delete", "supprimer"}:
            message = await _delete(tx, words, rest)
        elif theme := await _theme(tx, word):
            message = await _draft(tx, words, theme, rest)
        else:
            message = Message(words.theme_gone) if wanted else await _list(tx, deps)
        await notices.end(tx, deps, update, message)


async def _list(tx: AsyncSession, deps: Deps) -> Message:
    language = deps.settings.staff_language
    words, found = texts(language), await themes.open_ones(tx)
    lines = [
        words.theme_line.format(number=one.id, title=themes.title(one, language), count=await themes.count(tx, one))
        for one in found
    ]
    return Message("\n".join([words.theme_list if lines else words.theme_none, *lines, "", words.theme_how]))


async def _open(tx: AsyncSession, words: Texts, written: str, deps: Deps) -> Message:
    english, french = _both(written)
    if not english or not french or max(len(english), len(french)) > TITLE:
        return Message(words.theme_how)
    if len(await themes.open_ones(tx)) >= themes.MOST:
        return Message(words.theme_full.format(most=themes.MOST))
    theme = Theme(en=english, fr=french, opened_at=deps.now())
    tx.add(theme)
    await tx.flush()
    return Message(words.theme_opened.format(number=theme.id))


async def _delete(tx: AsyncSession, words: Texts, written: str) -> Message:
    theme = await _theme(tx, written.strip())
    if theme is None:
        return Message(words.theme_gone)
    waited = await themes.count(tx, theme)
    await tx.delete(theme)
    return Message(words.theme_deleted.format(count=waited))


async def _draft(tx: AsyncSession, words: Texts, theme: Theme, written: str) -> Message:
    """What would be told, in both languages and to how many, with a button that sends it."""
    english, french = _both(written)
    if not english or not french or max(len(english), len(french)) > TOLD:
        return Message(words.theme_how)
    theme.told_en, theme.told_fr = english, french
    blocks: list[Rich] = [italic(words.theme_preview.format(count=await themes.count(tx, theme)))]
    for language in LANGUAGES:
        blocks += [bold(themes.title(theme, language)), plain(themes.word(theme, language))]
    return join(blocks).message((Button(words.button_send, data=f"j:s:{theme.id}:{themes.code(theme)}"),))


async def _theme(tx: AsyncSession, written: str) -> Theme | None:
    """The open theme of that number."""
    number = row_number(written)
    theme = None if number is None else await tx.get(Theme, number, with_for_update=True)
    return theme if theme and theme.fired_at is None else None


def _both(written: str) -> tuple[str, str]:
    """The English and the French part of what staff wrote."""
    english, _, french = written.partition("|")
    return english.strip(), french.strip()


async def on_press(update: Update, context: Context) -> None:
    """Send, pressed by staff: those who asked are told what stands above the button."""
    query = update.callback_query
    assert query
    if not await notices.pressed_by(Role.STAFF, update, context):
        return
    deps = context.deps
    words = texts(deps.settings.staff_language)
    said = words.theme_gone
    async with deps.db.begin() as tx:
        _, _, number, code = (query.data or "").split(":")
        theme = await _theme(tx, number)
        if theme and themes.code(theme) == code and await themes.fire(tx, theme, deps.now()):
            said = ""
            told = words.theme_fired.format(count=await themes.count(tx, theme))
            await notices.put(tx, deps, update, told)
        await inbox.done(tx, update.update_id)
    await alert(query, said)


async def pressed(tx: AsyncSession, deps: Deps, candidate: Candidate, update: Update, rest: str) -> None:
    """A candidate's button: `l` the themes, `a:` and a number to be told of one, `x:` and a number not to be."""
    what, _, written = rest.partition(":")
    language, key = tongue(candidate), f"u{update.update_id}"
    words = texts(language)
    number = row_number(written)
    if candidate.banned_at and what != "x":
        message = Message(words.banned)
    elif what == "x" and number is not None:
        await themes.stop(tx, candidate, number)
        message = Message(words.theme_stopped)
    elif what == "a" and number is not None and (theme := await themes.subscribe(tx, candidate, number, deps.now())):
        kept = words.theme_kept.format(title=themes.title(theme, language))
        message = Message(kept, buttons=(stop_button(theme, language),))
    else:
        message = await offered(tx, language)
    await say(tx, candidate, message, f"{key}:theme")


async def offered(tx: AsyncSession, language: Language) -> Message:
    """The themes that one can be told of, each with its button."""
    words, found = texts(language), await themes.open_ones(tx)
    rows = tuple((Button(themes.title(one, language), data=f"j:a:{one.id}"),) for one in found)
    return Message(words.theme_ask if rows else words.theme_none_open, buttons=rows)


def stop_button(theme: Theme, language: Language, *, named: bool = False) -> tuple[Button, ...]:
    """What ends it with one tap; with its name where there may be several."""
    words = texts(language)
    text = words.theme_stop_named.format(title=themes.title(theme, language)) if named else words.button_theme_stop
    return (Button(text, data=f"j:x:{theme.id}"),)
