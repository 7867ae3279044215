"""A new entry goes into the knowledge files and live at once; if the gate speaks against it, the files are put back."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from textwrap import wrap

from bot.publishing.live import Live, Restore
from bot.publishing.proposal import Proposed, unwritable
from indexer.edits import put, rewritten
from indexer.entries import Entry, parse, read_text
from indexer.naming import free, slug
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
            put(path, text)

    def change(path: Path, text: str | None) -> None:
        before.setdefault(path, read_text(path) if path.exists() else None)
        put(path, text)

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
            path = knowledge / other.path
            change(path, rewritten(read_text(path), other.path, {(entry.id, entry.language): None}))
    head = (entry.course, entry.topic, entry.language, entry.source)
    # The file's own date of review is kept: it is the earlier one.
    for other in (*known.entries, *known.drafts):
        path = knowledge / other.path
        if (other.course, other.topic, other.language, other.source) == head and path.exists():
            change(path, _appended(read_text(path), entry))
            return
    change(_new_file(knowledge, entry), write([entry]))


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


def new_id(question: str, taken: Collection[str]) -> str:
    """A short id that tells what the question is about and is not taken.

    >>> new_id("Où se garer à l'école ?", {"ou-se-garer-a-l-ecole"})
    'ou-se-garer-a-l-ecole-2'
    """
    first, *_ = wrap((slug(question) or "answer").replace("-", " "), ID_LENGTH)  # as many words as fit
    return free(first.replace(" ", "-"), taken)
