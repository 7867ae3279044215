"""/mydata: everything that is held of a person, as two files: one to read, one for programs."""

from sqlalchemy import Select, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Update

from bot.delivery.files import METHODS, put_file
from bot.delivery.outbox import Priority
from bot.desk.mydata import gather
from bot.dialogue.mydata import as_json, as_text
from bot.dialogue.texts import texts
from bot.handlers.context import Context, Deps
from bot.handlers.speaker import hearing, tongue
from bot.records.states import OutgoingState
from bot.records.tables import Candidate, Outgoing


async def on_mydata(update: Update, context: Context) -> None:
    """Gathered and put into the outbox in one transaction; the files' bytes go when they have been sent.

    Who asks again before that gets these: nobody fills the database by asking without end.
    """
    deps, key = context.deps, f"u{update.update_id}:mydata"
    async with hearing(update, deps) as (tx, candidate):
        if not await tx.scalar(_waiting(candidate.chat_id)):
            await _put(tx, deps, candidate, key)


def _waiting(chat_id: int) -> Select[tuple[bool]]:
    files = (Outgoing.chat_id == chat_id) & (Outgoing.method == METHODS["document"])
    return select(exists().where(files, Outgoing.state == OutgoingState.WAITING))


async def _put(tx: AsyncSession, deps: Deps, candidate: Candidate, key: str) -> None:
    language = tongue(candidate)
    data, words = await gather(tx, candidate, deps.settings.hours.zone), texts(language)
    for name, content in (("txt", as_text(data, language)), ("json", as_json(data, language))):
        about = {"caption": words.mydata_caption} if name == "txt" else {}
        file, row = f"{words.mydata_file}.{name}", f"{key}.{name}"
        await put_file(tx, candidate.chat_id, "document", file, content, key=row, priority=Priority.ANSWER, **about)
