"""Changes of the knowledge files: entries changed where they stand, new ones in files of their own. All or none."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from indexer import files
from indexer.entries import LINE_END, Entry, KnowledgeError, parse, read_text
from indexer.extraction import is_knowledge
from indexer.intake import entries_of
from indexer.naming import slug
from indexer.readers import read_knowledge
from indexer.upload import Reason, Sent, Upload, UploadError
from indexer.writer import MATTER, section, write


@dataclass(frozen=True, slots=True)
class Edit:
    """A file's path below the knowledge folder, its text before and after; None where there is no file."""

    path: str
    before: str | None
    after: str | None


class ChangedMeanwhileError(Exception):
    """A knowledge file is not any more as an edit found it; the message names it."""


def edits_of(folder: Path, upload: Upload, sent: Sent) -> tuple[Edit, ...]:
    """What a file changes in the knowledge; raises UploadError, or KnowledgeError if the knowledge is faulty itself.

    A knowledge file under the name of one that exists takes its place; of anything else the entries are taken.
    """
    read = read_knowledge(folder)
    if path := _namesake(read.files, upload, sent):
        return _differing([Edit(path, read_text(folder / path), upload.text)])
    desired = entries_of(upload, sent, read)
    return _differing([*_in_place(folder, [*read.entries, *read.drafts], desired), *_new_files(folder, desired, sent)])


def _differing(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    return tuple(edit for edit in edits if edit.before != edit.after)


def _namesake(files: Iterable[str], upload: Upload, sent: Sent) -> str | None:
    """The knowledge file that is sent back changed; None if there is none, or more than one."""
    entries = parse(upload.text, "").entries if is_knowledge(upload.text) else ()
    same = [path for path in files if PurePath(path).name == sent.name]
    own = [path for path in same if {PurePath(path).parts[0]} == {entry.course for entry in entries}] or same
    return own[0] if len(own) == 1 and (is_knowledge(upload.text) or own[0].endswith(".txt")) else None


def _in_place(folder: Path, known: Sequence[Entry], desired: Sequence[Entry]) -> Iterator[Edit]:
    """Files with entries that change; drafts that give way are taken out."""
    new = {(entry.id, entry.language): entry for entry in desired}
    concerned = [entry for entry in known if (entry.id, entry.language) in new]
    for path in dict.fromkeys(entry.path for entry in concerned):
        if not path.endswith(".md"):
            names = ", ".join(sorted(entry.id for entry in concerned if entry.path == path))
            raise UploadError(
                Reason.LINES, f"{path}: it has {names}, and is no Markdown: send that file itself, changed"
            )
        before = read_text(folder / path)
        after = rewritten(before, path, {key: entry if entry.path else None for key, entry in new.items()})
        yield Edit(path, before, after)


def rewritten(text: str, path: str, new: dict[tuple[str, str], Entry | None]) -> str | None:
    """A knowledge file's text with other entries in their places; None if none remains."""
    lines, entries = LINE_END.split(text), parse(text, path).entries
    kept = lines[: entries[0].line - 1]
    remains = False
    for entry, after in zip(entries, [*(one.line for one in entries[1:]), len(lines) + 1], strict=True):
        wanted = new.get((entry.id, entry.language), entry)
        if wanted is not None:
            same = (wanted.question, wanted.answer, wanted.also) == (entry.question, entry.answer, entry.also)
            kept += lines[entry.line - 1 : after - 1] if same else [*LINE_END.split(section(wanted)), ""]
            remains = True
    return "\n".join(kept).rstrip() + "\n" if remains else None


def _new_files(folder: Path, desired: Sequence[Entry], sent: Sent) -> Iterator[Edit]:
    """A file for each head that new entries share, named after what was sent."""
    groups: dict[tuple[object, ...], list[Entry]] = {}
    for entry in desired:
        if not entry.path:
            groups.setdefault((*(getattr(entry, name) for name in MATTER), entry.topic_name), []).append(entry)
    taken: set[Path] = set()
    for entries in groups.values():
        path = _free_path(folder, entries[0], sent, taken)
        taken.add(path)
        yield Edit(path.relative_to(folder).as_posix(), None, write(entries))


def _free_path(folder: Path, entry: Entry, sent: Sent, taken: set[Path]) -> Path:
    """In the course's folder, by file, topic and language."""
    place = folder / entry.course if (folder / entry.course).is_dir() else folder
    name = slug(sent.stem.removesuffix(f".{entry.language}"), words=6) or "upload"
    topic = "" if entry.topic == name else f"-{entry.topic}"
    number, path = 1, place / f"{name}{topic}.{entry.language}.md"
    while path in taken or path.exists():
        number += 1
        path = place / f"{name}{topic}-{number}.{entry.language}.md"
    return path


def joined(first: Iterable[Edit], then: Iterable[Edit]) -> tuple[Edit, ...]:
    """Two steps as one: what was before the first, and what is after the second."""
    steps = {edit.path: edit for edit in first}
    for edit in then:
        steps[edit.path] = replace(edit, before=steps.get(edit.path, edit).before)
    return _differing(steps.values())


def applied(folder: Path, edits: Iterable[Edit], into: Path) -> None:
    """Copy the knowledge to a new folder, without what is hidden there, and change the copy."""
    shutil.copytree(folder, into, ignore=shutil.ignore_patterns(".*"), dirs_exist_ok=True)
    for edit in edits:
        put(into / edit.path, edit.after)


def still_fit(folder: Path, edits: Iterable[Edit]) -> None:
    """Raises ChangedMeanwhileError if somebody else has changed one of these files."""
    for edit in edits:
        if _text(folder / edit.path) not in (edit.before, edit.after):
            raise ChangedMeanwhileError(
                f"{edit.path} has been changed meanwhile: discard this, and send the file again"
            )


def write_all(folder: Path, edits: Sequence[Edit]) -> None:
    """Change all these files or, raising ChangedMeanwhileError or OSError, none. Done again it changes nothing more."""
    still_fit(folder, edits)
    try:
        for edit in edits:
            put(folder / edit.path, edit.after)
    except OSError:
        put_back(folder, edits)
        raise


def put_back(folder: Path, edits: Iterable[Edit]) -> None:
    """Undo `write_all`, as far as the disk lets."""
    for edit in edits:
        with suppress(OSError):
            if _text(folder / edit.path) == edit.after:
                put(folder / edit.path, edit.before)


def _text(path: Path) -> str | None:
    """The file's text; None without a file, empty if it can no longer be read."""
    try:
        return read_text(path) if path.exists() else None
    except KnowledgeError:
        return ""


def put(path: Path, text: str | None) -> None:
    """Have a file hold this text, or not be there; raises OSError."""
    if text is None:
        path.unlink(missing_ok=True)
    else:
        files.write(path, text)
