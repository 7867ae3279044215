"""A new entry goes into the knowledge files and live at once; if the gate speaks against it, the files are put back."""

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from bot.publishing.live import Live, Restore
from bot.publishing.proposal import Proposed, unwritable
from indexer.entries import Entry, parse, read_text
from indexer.readers import read_knowledge
from indexer.store import Note
from indexer.writer import CannotBeWrittenError, section, write

ID_LENGTH = 40  # characters


class NotAddedError(Exception):
    """The entry does not go live; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants it, and an admin's reason where the gate is to be overruled."""

    by: str
    today: date
    kept: int
    reason: str = ""


async def publish(live: Live, knowledge: Path, entries: Sequence[Entry], order: Order) -> None:
    """Write, examine, activate; raises NotAddedError or what indexing raises, and files and index are as they were."""
    own = {entry.id for entry in entries}

    def write_them() -> Restore:
        try:
            return add(knowledge, entries)
        except OSError as error:
            raise NotAddedError(unwritable(knowledge, error)) from error

    def refuse(proposed: Proposed) -> None:
        _refuse(proposed, own, order)

    note = Note(order.by, "published", reason=order.reason)
    await live.at_once(write_them, refuse, order.today, note, order.kept)


def _refuse(proposed: Proposed, own: set[str], order: Order) -> None:
    """Raise NotAddedError if more than these entries would change, or if the gate speaks against it."""
    found = proposed.diff
    others = {one.id for one in (*found.added, *found.removed)} | {both.new.id for both in found.changed}
    if others := others - own:
        raise NotAddedError(f"other changes wait in the files ({', '.join(sorted(others)[:5])}): send /reindex first")
    if proposed.verdict.against and not order.reason:
        raise NotAddedError("\n".join(proposed.verdict.against))


def add(knowledge: Path, entries: Sequence[Entry]) -> Restore:
    """Write entries to the files of their course, topic, language and source; gives what undoes it.

    A draft with the same id gives way to its answer. Entries that are there as they should be stay as they are. Raises
    KnowledgeError if the files are faulty already, CannotBeWrittenError, or OSError; nothing is changed then.
    """
    before: dict[Path, str | None] = {}

    def put_back() -> None:
        for path, text in before.items():
            if text is None:
                path.unlink(missing_ok=True)
            else:
                _save(path, text)

    def change(path: Path, text: str | None) -> None:
        before.setdefault(path, read_text(path) if path.exists() else None)
        if text is None:
            path.unlink()
        else:
            _save(path, text)

    try:
        for entry in entries:
            _add(knowledge, entry, change)
    except BaseException:
        put_back()
        raise
    return put_back


def _add(knowledge: Path, entry: Entry, change: Callable[[Path, str | None], None]) -> None:
    known = read_knowledge(knowledge)
    for other in (*known.entries, *known.drafts):
        if (other.id, other.language) == (entry.id, entry.language):
            if (other.question, other.answer) == (entry.question, entry.answer):
                return
            entry = replace(entry, also=tuple(dict.fromkeys((*other.also, *entry.also))))
            change(knowledge / other.path, _without(read_text(knowledge / other.path), other))
    head = (entry.course, entry.topic, entry.language, entry.source)
    # The file's own date of review is kept: it is the earlier one.
    for other in (*known.entries, *known.drafts):
        path = knowledge / other.path
        if (other.course, other.topic, other.language, other.source) == head and path.exists():
            change(path, _appended(read_text(path), entry))
            return
    change(_new_file(knowledge, entry), write([entry]))


def _without(text: str, entry: Entry) -> str | None:
    """The file's text without an entry; None if nothing remains."""
    lines, read = text.splitlines(keepends=True), parse(text, "").entries
    after = min((other.line for other in read if other.line > entry.line), default=len(lines) + 1)
    rest = "".join([*lines[: entry.line - 1], *lines[after - 1 :]])
    return f"{rest.rstrip()}\n" if len(read) > 1 else None


def _appended(text: str, entry: Entry) -> str:
    """The file's text with one entry more, which must read back as it is; raises CannotBeWrittenError."""
    more = f"{text.rstrip()}\n\n{section(entry)}"
    old, new = parse(text, ""), parse(more, "")
    last = new.entries[-1] if new.entries else None
    same = last and (last.id, last.question, last.answer) == (entry.id, entry.question, entry.answer)
    if new.problems or not same or len(new.entries) != len(old.entries) + 1:
        raise CannotBeWrittenError("it would read differently: look for headings and unusual characters")
    return more


def _new_file(knowledge: Path, entry: Entry) -> Path:
    """Beside the course's other files, by topic and language."""
    folder = knowledge / entry.course if (knowledge / entry.course).is_dir() else knowledge
    for ending in ("", *(f"-{number}" for number in range(2, 100))):
        path = folder / f"{entry.topic}-team{ending}.{entry.language}.md"
        if not path.exists():
            return path
    raise CannotBeWrittenError(f"{folder} has too many files for '{entry.topic}': tidy them up")


def _save(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def new_id(question: str, taken: Collection[str]) -> str:
    """A short id that tells what the question is about and is not taken.

    >>> new_id("Où se garer à l'école ?", {"ou-se-garer-a-l-ecole"})
    'ou-se-garer-a-l-ecole-2'
    """
    plain = unicodedata.normalize("NFKD", question).encode("ascii", "ignore").decode().lower()
    words: list[str] = re.findall(r"[a-z0-9]+", plain) or ["answer"]
    name = words[0][:ID_LENGTH]
    for word in words[1:]:
        if len(name) + 1 + len(word) > ID_LENGTH:
            break
        name += f"-{word}"
    return next(one for one in (name, *(f"{name}-{number}" for number in range(2, 10_000))) if one not in taken)
