"""Admins change what the bot answers from: they see what a new index changes, publish or discard it, or go back."""

import asyncio
import logging
from time import monotonic

from sqlalchemy import select
from telegram import Message as Shown
from telegram import Update

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.delivery.references import Payload
from bot.dialogue.changes import changes
from bot.dialogue.message import Button, Message
from bot.dialogue.rich import Rich, join, plain
from bot.dialogue.texts import Texts, texts
from bot.dialogue.uploads import refusal
from bot.handlers import notices
from bot.handlers.alerts import alert
from bot.handlers.context import Context, Deps
from bot.handlers.rights import Role
from bot.publishing.gate import GateError
from bot.publishing.proposal import Brought, Origin, Proposal, Proposed
from bot.records.tables import Outgoing
from indexer.confidence import CalibratorError
from indexer.entries import KnowledgeError
from indexer.snapshot import SnapshotError
from indexer.store import Note
from indexer.upload import UploadError

log = logging.getLogger(__name__)
NOTHING = Rich()
PROGRESS_EVERY = 4.0  # seconds: a group may get twenty messages a minute
SHOWN_PROBLEMS = 15
ROOM_FOR_CHANGES, ROOM_FOR_PROBLEMS, ROOM_FOR_FILES = 2000, 1000, 300  # UTF-16 units, of the 4,096 of a message
NO_BUTTONS: Payload = {"reply_markup": {"inline_keyboard": []}}
PRESSED = r"^i:[pd]:"


async def on_reindex(update: Update, context: Context) -> None:
    """/reindex: admins have the knowledge files read anew, see how far that is, and what it changes."""
    deps, words = context.deps, texts(context.deps.settings.staff_language)
    if not await notices.by_admin(update, context):
        return
    if deps.live.indexing:
        await notices.say(update, deps, words.reindex_running)
        return
    shown = await notices.say(update, deps, words.reindex_started)
    deps.start(propose(deps, shown, f"u{update.update_id}", Origin(who(update), deps.local_now)))


async def propose(
    deps: Deps, shown: int, key: str, origin: Origin, brought: Brought | None = None, head: Rich = NOTHING
) -> None:
    """Build and examine, with the progress in the message that `shown` sends; the last edit says what was found.

    With a file that was brought, what it changes is shown below `head`.
    """
    words, loop, last = texts(deps.settings.staff_language), asyncio.get_running_loop(), monotonic()
    edits = []

    def progress(step: str, done: int, total: int) -> None:
        nonlocal last
        if monotonic() - last >= PROGRESS_EVERY:
            last = monotonic()
            text = Message(words.reindex_progress.format(done=done, total=total))
            edits.append(asyncio.run_coroutine_threadsafe(edit(deps, shown, text, f"{key}:{step}{done}"), loop))

    try:
        proposed = await deps.live.propose(deps.local_now.date(), progress, shown, brought, origin)
        told = _proposed(proposed, deps, head) if proposed else _unchanged(words, head)
        if proposed and proposed.before:
            await _without_buttons(deps, proposed.before.shown, f"{key}:before")
    except UploadError as error:
        told = Message(refusal(error, words))
    except (KnowledgeError, SnapshotError, CalibratorError, GateError) as error:
        lines = str(error).splitlines()
        more = [f"… +{len(lines) - SHOWN_PROBLEMS}"] if len(lines) > SHOWN_PROBLEMS else []
        problems = "\n".join([*lines[:SHOWN_PROBLEMS], *more])
        told = Message(words.reindex_refused.format(problems=problems)[:4000])
    except Exception:
        log.exception("reindex failed")
        told = Message(words.reindex_refused.format(problems=words.error))
    await asyncio.gather(*map(asyncio.wrap_future, edits), return_exceptions=True)  # the end is said last
    await edit(deps, shown, told, f"{key}:end")


def _unchanged(words: Texts, head: Rich) -> Message:
    return join([head, plain(words.upload_nothing_new if head.text else words.reindex_unchanged)]).message()


def _proposed(proposed: Proposed, deps: Deps, head: Rich) -> Message:
    """What changes, and the buttons to decide; where the gate speaks against it, only a reason publishes."""
    staff = deps.settings.staff_language
    words, found, id_ = texts(staff), proposed.verdict, proposed.proposal.snapshot
    shown = changes(proposed.diff, found.lost, found.gained, staff, ROOM_FOR_CHANGES)
    files = [str(one) for one in proposed.proposal.origins[:-1]]
    waited = [plain(words.reindex_together.format(waits=", ".join(files)[:ROOM_FOR_FILES]))] if files else []
    publish = Button(words.button_publish, data=f"i:p:{id_}")
    discard = Button(words.button_discard, data=f"i:d:{id_}")
    if not found.refusals:
        return join([head, *waited, shown, plain(found.summary), plain(words.reindex_proposed)]).message(
            (publish, discard)
        )
    against = words.reindex_against.format(problems="\n".join(found.refusals)[:ROOM_FOR_PROBLEMS])
    return join([head, *waited, shown, plain(found.summary), plain(against), plain(words.reindex_overrule)]).message(
        (discard,)
    )


async def on_press(update: Update, context: Context) -> None:
    """Publish or Discard, pressed by an admin below a proposal; for others, and made-up data, nothing happens."""
    deps, query = context.deps, update.callback_query
    assert query
    if not await notices.pressed_by(Role.ADMIN, update, context):
        return
    words = texts(deps.settings.staff_language)
    await alert(query)
    _, act, snapshot_id = (query.data or "").split(":", 2)
    if act == "p":
        told = await _accept(deps, await deps.live.proposal(snapshot_id), snapshot_id, who(update))
    else:
        told = words.reindex_discarded if await deps.live.discard(snapshot_id) else words.reindex_gone
    async with deps.db.begin() as tx:
        if isinstance(query.message, Shown):
            bare = {"message_id": query.message.message_id, **NO_BUTTONS}
            key = f"u{update.update_id}:buttons"
            await outbox.put(tx, deps.staff_chat, "editMessageReplyMarkup", bare, key=key)
        await notices.end(tx, deps, update, told)


async def on_reason(update: Update, context: Context) -> bool:
    """A reply to a proposal that the gate speaks against: an admin's reason publishes it. False for other replies."""
    deps, received = context.deps, update.message
    proposal = await deps.live.proposal()
    if received is None or received.reply_to_message is None or proposal is None:
        return False
    async with deps.db.read() as tx:
        shown = select(Outgoing.message_id).where(Outgoing.id == proposal.shown, Outgoing.chat_id == deps.staff_chat)
        if (await tx.execute(shown)).scalar_one_or_none() != received.reply_to_message.message_id:
            return False
    if not proposal.refusals or not (received.text or "").strip():
        return False
    if not await notices.by_admin(update, context):
        return True
    reason = " ".join((received.text or "").split())
    await notices.say(update, deps, await _accept(deps, proposal, proposal.snapshot, who(update), reason))
    return True


async def _accept(deps: Deps, proposal: Proposal | None, snapshot_id: str, by: str, reason: str = "") -> str:
    """Publish, and say how that went; what was published already, before a crash, is said to be live."""
    words = texts(deps.settings.staff_language)
    if proposal is None:
        return _done(deps, words) if deps.live.engine.snapshot.id == snapshot_id else words.reindex_gone
    try:
        await deps.live.accept(proposal, Note(by, "published", reason=reason), deps.settings.kept_indexes)
    except (SnapshotError, CalibratorError) as error:
        return words.reindex_refused.format(problems=error)
    return _done(deps, words)


def _done(deps: Deps, words: Texts) -> str:
    manifest = deps.live.engine.snapshot.manifest
    return words.reindex_done.format(entries=manifest["entries"], passages=manifest["passages"])


async def on_rollback(update: Update, context: Context) -> None:
    """/rollback: admins have the bot answer from the index that was live before."""
    deps, words = context.deps, texts(context.deps.settings.staff_language)
    if not await notices.by_admin(update, context):
        return
    try:
        await deps.live.roll_back(who(update))
    except (SnapshotError, CalibratorError) as error:
        said = words.rollback_refused.format(problem=error)
    else:
        said = words.rollback_done.format(snapshot=deps.live.engine.snapshot.id)
    await notices.say(update, deps, said)


def who(update: Update) -> str:
    """The name that the history keeps."""
    return update.effective_user.full_name if update.effective_user else ""


async def _without_buttons(deps: Deps, shown: int, key: str) -> None:
    """Take the buttons from a proposal whose time is over, in whichever group it was shown."""
    async with deps.db.begin() as tx:
        if row := await tx.get(Outgoing, shown):
            bare = {"message_id": {"message_of": shown}, **NO_BUTTONS}
            await outbox.put(tx, row.chat_id, "editMessageReplyMarkup", bare, key=key)


async def edit(deps: Deps, shown: int, message: Message, key: str) -> None:
    """Have the message that the row `shown` sends say something else."""
    payload = {**message.payload(), "message_id": {"message_of": shown}}
    async with deps.db.begin() as tx:
        await outbox.put(tx, deps.staff_chat, "editMessageText", payload, key=key, priority=Priority.NOTICE)
