"""Is everything ready to run? Each finding says what it is about, how it stands, and what to do."""

import logging
import shutil
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot, ChatFullInfo, ChatMember, ChatMemberAdministrator
from telegram.error import ChatMigrated, Forbidden, InvalidToken, TelegramError

from bot.delivery.processes import at_work
from bot.delivery.requests import AiohttpRequest
from bot.evaluation.golden import golden_beside
from bot.listening import AddressRefusedError, bound
from bot.records.sessions import open_database
from bot.records.writing import REMEDY, why, writing_fault
from bot.settings import TELEGRAM, Settings, SettingsError, load_settings
from indexer import store
from indexer.confidence import CalibratorError
from indexer.encoder import OnnxEncoder
from indexer.engine import left_unused, refuse_other_model
from indexer.entries import KnowledgeError
from indexer.model import DEFAULT_MODEL, ModelNotReady, is_ready, prepare
from indexer.readers import Knowledge, read_knowledge
from indexer.snapshot import SnapshotError, damage, load

# What the library logs of a server that is none would be printed, trace and all, where no log is set up.
logging.getLogger("telegram").addHandler(logging.NullHandler())

Grade = Literal["ok", "note", "fault"]
SHOWN = 5
ROOM = 50_000_000  # bytes on the disk of the data: below, a new index or a backup finds no room


@dataclass(frozen=True, slots=True)
class Finding:
    """`ok`, `note` (works, but know it) or `fault` (will not work until mended)."""

    grade: Grade
    subject: str
    text: str


async def examine() -> AsyncIterator[Finding]:
    """Look at everything, in the order in which it is set up; a fault does not keep the rest from being examined."""
    try:
        settings = load_settings()
    except SettingsError as error:
        for problem in error.problems:
            yield Finding("fault", "settings", problem)
        return
    yield Finding("ok", "settings", "all are known and well formed")
    if settings.demonstration:
        text = (
            "GUICHET_OPERATOR and GUICHET_PRIVACY_CONTACT are not both set: the bot says that it is a demonstration, "
            "and the origin of its answers, where a course.yaml tells it"
        )
        yield Finding("note", "operator", text)
    for finding in [*_knowledge(settings), *_model(settings), *_index(settings)]:
        yield finding
    for finding in [await _database(settings), *_room(settings), *await _addresses(settings)]:
        yield finding
    async for finding in _telegram(settings):
        yield finding


def _knowledge(settings: Settings) -> list[Finding]:
    try:
        knowledge = read_knowledge(settings.knowledge_dir)
        golden_beside(settings.knowledge_dir, knowledge)
        unused = left_unused(settings.knowledge_dir)
    except KnowledgeError as error:
        return [Finding("fault", "knowledge", str(problem)) for problem in error.problems]
    except CalibratorError as error:
        return [Finding("fault", "knowledge", str(error))]
    notes = [Finding("note", "knowledge", str(warning)) for warning in (*unused, *knowledge.warnings)]
    more = [Finding("note", "knowledge", f"and {len(notes) - SHOWN} more such")] if len(notes) > SHOWN else []
    return [Finding("ok", "knowledge", knowledge.counted), *notes[:SHOWN], *more, *_routes(settings, knowledge)]


def _routes(settings: Settings, knowledge: Knowledge) -> list[Finding]:
    """Routes that no question takes."""
    courses = {name for course in knowledge.courses for name in (course.name, course.staff)} | {"*"}
    topics = {entry.topic for entry in (*knowledge.entries, *knowledge.drafts)}
    found = []
    for route in settings.routes:
        course, _, topic = route.partition("/")
        if course not in courses:
            text = f"GUICHET_ROUTES {route}: there is no course '{course}' with a course.yaml, so nothing goes there"
            found.append(Finding("note", "routes", text))
        elif topic and topic not in topics:
            found.append(Finding("note", "routes", f"GUICHET_ROUTES {route}: no file has the topic '{topic}'"))
    return found


def _model(settings: Settings) -> list[Finding]:
    if not is_ready(settings.model, settings.cache_dir):
        text = f"{settings.model} is not prepared yet: the first 'guichet index' does it, once, in half a minute"
        if settings.model != DEFAULT_MODEL and not Path(settings.model).expanduser().is_dir():
            text = f"{settings.model} is not prepared yet: 'guichet index' fetches it, if the model hub has that name"
        return [Finding("note", "model", text)]
    try:
        model = prepare(settings.model, settings.cache_dir)
    except ModelNotReady as error:
        return [Finding("fault", "model", str(error))]
    return [Finding("ok", "model", f"{model.identity}, {model.dims} dimensions")]


def _index(settings: Settings) -> list[Finding]:
    try:
        folder = store.live(settings.index_root)
        if folder is None and settings.shared:
            return [Finding("note", "index", "none here yet: the one in the database is fetched at the start")]
        if folder is None:
            return [Finding("fault", "index", "there is none yet: run 'guichet index'")]
        snapshot = load(folder)
        faults = damage(folder, snapshot.manifest)
        if is_ready(settings.model, settings.cache_dir):
            encoder = OnnxEncoder(prepare(settings.model, settings.cache_dir))
            refuse_other_model(snapshot, encoder.identity)
    except (SnapshotError, ModelNotReady) as error:
        return [Finding("fault", "index", str(error))]
    if faults:
        return [Finding("fault", "index", f"{'; '.join(faults)}: run 'guichet index' to build it again")]
    return [Finding("ok", "index", f"{snapshot.id}: {snapshot.manifest['entries']} entries, undamaged")]


async def _database(settings: Settings) -> Finding:
    db = None
    try:
        settings.make_data_dir()
        db = open_database(settings.database)
        fault = await writing_fault(db)
    except (SQLAlchemyError, OSError, ImportError) as error:
        fault = why(error)
    finally:
        if db:
            await db.close()
    if fault:
        return Finding("fault", "database", f"cannot be written to ({fault}): {REMEDY}")
    return Finding("ok", "database", "opens, and can be written to")


def _room(settings: Settings) -> list[Finding]:
    """What the database of a running bot still takes into the room that it has says nothing of the disk."""
    try:
        free = shutil.disk_usage(settings.data_dir).free
    except OSError:  # told of the database
        return []
    if free >= ROOM:
        return []
    return [Finding("fault", "disk", f"{free / 1e6:.0f} MB are free for GUICHET_DATA_DIR: free some")]


async def _addresses(settings: Settings) -> list[Finding]:
    """Addresses that `guichet run` would not get."""
    wanted = {"GUICHET_HEALTH_PORT": settings.health_port}
    if settings.webhook_url is not None:
        wanted["GUICHET_WEBHOOK_PORT"] = settings.webhook_port
    refused: dict[str, str] = {}
    with ExitStack() as taken:  # together, as they will be
        for name, port in wanted.items():
            if port is not None:
                try:
                    taken.enter_context(bound(settings.listen_address, port)).listen()
                except AddressRefusedError as error:
                    refused[name] = str(error)
    grade: Grade = "note" if refused and await _anybody_at_work(settings) else "fault"
    mostly = ". The bot at work has it, unless that is on another machine" if grade == "note" else ""
    return [Finding(grade, "address", f"{name}: {text}{mostly}") for name, text in refused.items()]


async def _anybody_at_work(settings: Settings) -> bool:
    db = open_database(settings.database)
    try:
        return bool(await at_work(db))
    except (SQLAlchemyError, OSError):  # told of the database
        return False
    finally:
        await db.close()


async def _telegram(settings: Settings) -> AsyncIterator[Finding]:
    if settings.telegram_token is None:
        yield Finding("fault", "token", "GUICHET_TELEGRAM_TOKEN is not set: get one from @BotFather with /newbot")
        if settings.staff_chat_id is None:
            yield _no_staff_group()
        return
    way = AiohttpRequest()  # that of the running bot
    token = settings.telegram_token.get_secret_value()
    bot = Bot(token, settings.telegram_base_url, settings.file_base_url, request=way, get_updates_request=way)
    try:
        async with bot:
            yield Finding("ok", "token", f"belongs to @{bot.username}")
            yield await _webhook(bot, settings)
            yield _privacy_mode(bot)
            yield _inline_mode(bot)
            async for finding in _staff(bot, settings):
                yield finding
            for route, group in settings.routes.items():
                async for finding in staff_group(bot, group, f"GUICHET_ROUTES {route}"):
                    yield replace(finding, subject=f"{finding.subject} of {route}")
    except InvalidToken:
        other = "" if settings.telegram_base_url == TELEGRAM else ", and check GUICHET_TELEGRAM_BASE_URL"
        text = f"Telegram does not know it: copy GUICHET_TELEGRAM_TOKEN again from @BotFather{other}"
        yield Finding("fault", "token", text)
    except TelegramError as error:
        remedy = "check the network and GUICHET_TELEGRAM_BASE_URL"
        yield Finding("fault", "Telegram", f"cannot be reached ({type(error).__name__}): {remedy}")


async def _webhook(bot: Bot, settings: Settings) -> Finding:
    info = await bot.get_webhook_info()
    if info.url and info.url == settings.webhook_url:
        if info.pending_update_count and info.last_error_message:
            return Finding("fault", "webhook", f"Telegram cannot deliver ({info.last_error_message}): check the proxy")
        return Finding("ok", "webhook", "is set to GUICHET_WEBHOOK_URL")
    if settings.webhook_url:
        return Finding("note", "webhook", "is not set to GUICHET_WEBHOOK_URL: `guichet run` will do it")
    if info.url:
        text = "one is set: `guichet run` will remove it and ask for updates, unless GUICHET_WEBHOOK_URL is set"
        return Finding("note", "webhook", text)
    return Finding("ok", "webhook", "none is set, polling works")


def _privacy_mode(bot: Bot) -> Finding:
    if bot.can_read_all_group_messages:
        return Finding("ok", "privacy mode", "off: the bot sees all messages in its groups")
    text = (
        "on: in the staff group the bot sees commands and replies to its own messages, unless it is an administrator; "
        "make it one, or switch the mode off with /setprivacy at @BotFather and add the bot to the group again"
    )
    return Finding("note", "privacy mode", text)


def _inline_mode(bot: Bot) -> Finding:
    if bot.supports_inline_queries:
        return Finding("ok", "inline mode", f"on: @{bot.username} and a question offer entries in any chat")
    text = f"off: to offer entries in any chat after @{bot.username}, switch it on with /setinline at @BotFather"
    return Finding("note", "inline mode", text)


async def _staff(bot: Bot, settings: Settings) -> AsyncIterator[Finding]:
    if settings.staff_chat_id is None:
        yield _no_staff_group()
        return
    if settings.staff_chat_id == 0:
        text = "GUICHET_STAFF_CHAT_ID is 0: run the bot, add it to the group and write /start there: it tells the id"
        yield Finding("fault", "staff group", text)
        return
    async for finding in staff_group(bot, settings.staff_chat_id, "GUICHET_STAFF_CHAT_ID"):
        yield finding
    if not settings.admin_ids:
        yield Finding("note", "admins", "GUICHET_ADMIN_IDS is not set: the group's administrators may /reindex")


def _no_staff_group() -> Finding:
    how = "run the bot once with 0, add it to the group and write /start there: it tells the id"
    return Finding("fault", "staff group", f"GUICHET_STAFF_CHAT_ID is not set: {how}")


async def staff_group(bot: Bot, group: int, setting: str) -> AsyncIterator[Finding]:
    """Whether a group is there, and what the bot may do in it; `setting` is where its id stands."""
    try:
        chat = await bot.get_chat(group)
        me = await bot.get_chat_member(chat.id, bot.id)
    except ChatMigrated as error:
        new = error.new_chat_id
        text = f"it became a supergroup: set {setting}={new} (a running bot follows by itself)"
        yield Finding("note", "staff group", text)
        return
    except Forbidden:
        yield Finding("fault", "staff group", "the bot is not in it: add the bot to the group")
        return
    except TelegramError:
        text = f"{setting} means no chat that the bot knows: check the number, and that the bot is in the group"
        yield Finding("fault", "staff group", text)
        return
    for finding in _rights(chat, me, setting):
        yield finding


def _rights(chat: ChatFullInfo, me: ChatMember, setting: str) -> list[Finding]:
    if chat.type not in ("group", "supergroup"):
        return [Finding("fault", "staff group", f"{setting} is a {chat.type} chat: use a group's id")]
    if me.status in (ChatMember.LEFT, ChatMember.BANNED):
        return [Finding("fault", "staff group", "the bot is not in it: add the bot to the group")]
    found = [Finding("ok", "staff group", f"found, a {chat.type}")]
    if isinstance(me, ChatMemberAdministrator):
        found.append(Finding("ok", "rights", "the bot is an administrator of the group"))
        if chat.is_forum and not me.can_manage_topics:
            text = "the bot may not manage topics: allow it, or questions stand among the others"
            found.append(Finding("note", "rights", text))
    else:
        found.append(Finding("note", "rights", "the bot is a plain member: as an administrator it sees every message"))
    return found
