"""Files that the bot makes: their bytes wait beside their outgoing row, and go when that row has ended."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Literal

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import InputFile

from bot.delivery import outbox
from bot.delivery.calls import Letter
from bot.delivery.outbox import Priority
from bot.records.sessions import Database
from bot.records.tables import Attachment

METHODS = {"photo": "sendPhoto", "document": "sendDocument"}


async def put_file(
    tx: AsyncSession,
    chat_id: int,
    kind: Literal["photo", "document"],
    name: str,
    content: bytes,
    *,
    key: str,
    priority: Priority = Priority.NOTICE,
    **about: Any,
) -> int:
    """Like `outbox.put`, for a file with the name that people see; `about` are more parameters, such as a caption."""
    payload = {kind: {"attached": name}, **about}
    row = await outbox.put(tx, chat_id, METHODS[kind], payload, key=key, priority=priority)
    if await tx.get(Attachment, row) is None:
        tx.add(Attachment(outgoing_id=row, content=content))
        await tx.flush()
    return row


async def with_file(db: Database, letter: Letter) -> Letter:
    """The letter with the bytes of its file, if it has one."""
    names = {field: value["attached"] for field, value in letter.parameters.items() if _stands_for_file(value)}
    if not names:
        return letter
    async with db.read() as tx:
        kept = await tx.get(Attachment, letter.row_id)
    content = kept.content if kept else b""  # Telegram refuses an empty file, and the refusal is recorded
    files = {field: InputFile(content, filename=name) for field, name in names.items()}
    return replace(letter, parameters=letter.parameters | files)


async def remove_files(tx: AsyncSession, rows: Collection[int]) -> None:
    """Delete the bytes of rows that have ended."""
    await tx.execute(delete(Attachment).where(Attachment.outgoing_id.in_(rows)))


def _stands_for_file(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"attached"}
