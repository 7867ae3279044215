"""An admin sends a file to the staff's group: it is read, and shown as what it would change."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Document, Update
from telegram import Message as Received
from telegram.error import BadRequest

from bot.delivery import outbox, timers
from bot.delivery.outbox import Priority
from bot.delivery.timers import Payload
from bot.dialogue.message import Message
from bot.dialogue.texts import texts
from bot.dialogue.uploads import read, refusal, shown_name
from bot.handlers import notices, publishing
from bot.handlers.carrying import ASIDE, ticket_of
from bot.handlers.context import Context, Deps, desk_of
from bot.handlers.rights import Role, role
from bot.publishing.proposal import Brought, Origin
from bot.records.tables import Outgoing
from indexer.entries import Language
from indexer.upload import ENDINGS, KINDRED, Reason, Sent, UploadError, ending, read_upload, refuse_unseen

READING = "upload"  # the kind of timer
LONGEST = timedelta(minutes=15)  # that reading and building take


async def on_file(update: Update, context: Context) -> bool:
    """A file that may be knowledge, sent to the group itself; False for what is talk, or concerns a candidate."""
    deps, received = context.deps, update.message
    if received is None or received.document is None or not await _for_the_bot(context, received):
        return False
    words = texts(deps.settings.staff_language)
    who = await role(update, context, Role.ADMIN)
    if who is Role.NOBODY:
        return False
    if who < Role.ADMIN:
        await _answer(update, deps, words.upload_admins_only)
        return True
    name = received.document.file_name or ""
    try:
        content = await _fetched(context, received.document)
    except UploadError as error:
        await _answer(update, deps, refusal(error, words))
        return True
    sent = Sent(name, deps.local_now.date(), received.caption or "")
    shown = await _answer(update, deps, words.upload_reading.format(name=shown_name(name)), begun=True)
    origin = Origin(publishing.who(update), deps.local_now, shown_name(name))
    deps.start(_read(deps, content, sent, shown, f"u{update.update_id}", origin))
    return True


async def _for_the_bot(context: Context, received: Received) -> bool:
    """Whether a file is meant as knowledge: in no topic, in no candidate's thread, in no talk among people."""
    document, answered = received.document, received.reply_to_message
    if document is None or ending(document.file_name or "") not in {*ENDINGS, *KINDRED}:
        return False
    if received.is_topic_message or received.is_automatic_forward or (received.caption or "").startswith(ASIDE):
        return False
    if answered is None:
        return True
    async with context.deps.db.read() as tx:
        about = await ticket_of(tx, desk_of(context.deps), received)
    return about is None and answered.from_user is not None and answered.from_user.id == context.bot.id


async def _fetched(context: Context, document: Document) -> bytes:
    """The file's bytes; raises UploadError for what is refused unseen."""
    refuse_unseen(document.file_name or "", document.file_size or 0)
    try:
        file = await context.bot.get_file(document.file_id)
    except BadRequest as error:
        raise UploadError(Reason.GONE) from error
    refuse_unseen(document.file_name or "", file.file_size or 0)
    return bytes(await file.download_as_bytearray())


async def _read(deps: Deps, content: bytes, sent: Sent, shown: int, key: str, origin: Origin) -> None:
    """Read the file aside and show what it would change, or why it is refused."""
    words = texts(deps.settings.staff_language)
    try:
        upload = await read_upload(sent.name, content)
    except UploadError as error:
        await publishing.edit(deps, shown, Message(refusal(error, words)), f"{key}:end")
    else:
        head = read(sent.name, upload, words)
        await publishing.propose(deps, shown, key, origin, Brought(upload, sent), head)
    async with deps.db.begin() as tx:
        await timers.cancel(tx, _timer(shown))


async def interrupted(tx: AsyncSession, payload: Payload, language: Language) -> None:
    """A process died while it read a file: whoever sent it is asked for it again."""
    shown = int(payload["shown"])
    said = {"text": texts(language).upload_interrupted, "message_id": {"message_of": shown}}
    if row := await tx.get(Outgoing, shown):
        key = f"{_timer(shown)}:{uuid4().hex}"
        await outbox.put(tx, row.chat_id, "editMessageText", said, key=key, priority=Priority.NOTICE)


def _timer(shown: int) -> str:
    return f"upload{shown}"


async def _answer(update: Update, deps: Deps, text: str, *, begun: bool = False) -> int:
    """Say something below the file; with a timer that sees to it that what has begun ends."""
    async with deps.db.begin() as tx:
        row = await notices.end(tx, deps, update, text, below=True)
        if begun:
            await timers.set_timer(tx, _timer(row), READING, deps.now() + LONGEST, {"shown": row})
        return row
