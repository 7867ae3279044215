"""A file that somebody sends: read in a child process, or refused with a reason."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import PurePath
from typing import Any

from indexer.extraction import is_knowledge
from indexer.tables import Found, rows

ENDINGS = ("md", "txt", "html", "htm", "docx", "pdf", "csv", "tsv", "xlsx")
# What people may take for one of these, with why it is not read.
KINDRED = {"docm": "macros", "xlsm": "macros", "doc": "old", "xls": "old", "odt": "old", "ods": "old", "rtf": "old"}
LARGEST = 10 * 1024 * 1024  # bytes
MOST = 1000  # entries


class Reason(StrEnum):
    """Why a file is not taken."""

    BIG = "big"  # more bytes than are fetched
    GONE = "gone"  # Telegram does not give it
    HEAVY = "heavy"  # it takes more memory or time than a file may: a zip bomb, for instance
    OLD = "old"  # a format that is not read, but may be saved as one that is
    MACROS = "macros"
    PROTECTED = "protected"  # a password, or an Office format from before 2007
    BROKEN = "broken"
    EMPTY = "empty"
    PICTURES = "pictures"  # a PDF of scanned pages
    COLUMNS = "columns"  # a table whose columns have no names
    QUESTIONS = "questions"  # nothing looks like a question with an answer
    MANY = "many"
    COURSE = "course"  # it has to be said which course it is about
    LINES = "lines"  # places in it are wrong; the detail names them


class UploadError(Exception):
    """The file is not taken, for a reason, with a detail if there is more to say."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}" if detail else str(reason))


@dataclass(frozen=True, slots=True)
class Bounds:
    """What reading one file may take."""

    seconds: float = 20
    megabytes: int = 1024


USUAL = Bounds()


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that was sent: its name, on which day, and what was said of it, which may be the name of a course."""

    name: str
    today: date
    caption: str = ""

    @property
    def stem(self) -> str:
        """What its entries name as their source."""
        seen = "".join(sign for sign in PurePath(self.name).stem if sign.isprintable())
        return " ".join(seen.split())[:80] or "upload"


@dataclass(frozen=True, slots=True)
class Upload:
    """What a file holds. `text` is Markdown, `found` its questions; `left_out` are lines or rows of halves."""

    text: str = ""
    found: tuple[Found, ...] = ()
    left_out: tuple[int, ...] = ()


def ending(name: str) -> str:
    """The file name's ending, in small letters."""
    return PurePath(name).suffix.lower().removeprefix(".")


def refuse_unseen(name: str, size: int) -> None:
    """Raise UploadError for what need not be fetched to be refused."""
    if why := KINDRED.get(ending(name)):
        raise UploadError(Reason(why))
    if size > LARGEST:
        raise UploadError(Reason.BIG, str(LARGEST >> 20))


async def read_upload(name: str, content: bytes, bounds: Bounds = USUAL) -> Upload:
    """Read a file in a child process; raises UploadError."""
    refuse_unseen(name, len(content))
    said = await _extracted(ending(name), content, bounds)
    if why := said.get("refused"):
        raise UploadError(Reason(why))
    text = str(said.get("text", ""))
    read = [Found(**one | {"also": tuple(one["also"])}) for one in said.get("found", ())]
    found = read or [one for table in said.get("tables", ()) for one in rows(table)]
    whole = tuple(one for one in found if one.question and one.answer)
    if not whole and not is_knowledge(text):
        raise UploadError(Reason.QUESTIONS)
    if len(whole) > MOST:
        raise UploadError(Reason.MANY, str(MOST))
    return Upload(text, whole, tuple(one.line for one in found if not (one.question and one.answer)))


async def _extracted(kind: str, content: bytes, bounds: Bounds) -> dict[str, Any]:
    """What `indexer.extraction` says of it; a child that takes too much is ended, also when nobody waits any more."""
    command = ("-m", "indexer.extraction", kind, str(max(1, int(bounds.seconds))), str(bounds.megabytes))
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-B",
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},  # not the bot's own: it holds the token
    )
    try:
        async with asyncio.timeout(bounds.seconds):
            out, _ = await child.communicate(content)
    except TimeoutError:
        raise UploadError(Reason.HEAVY) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    try:
        said: dict[str, Any] = json.loads(out)
    except ValueError:
        raise UploadError(Reason.HEAVY) from None  # ended by a limit before it could say so
    return said
