"""What a file that was sent is to change: its questions and answers as entries, among those that are known."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from indexer.courses import COMMON
from indexer.entries import Entry, Language, parse
from indexer.extraction import is_knowledge
from indexer.naming import free, slug
from indexer.readers import Knowledge, language_of
from indexer.tables import Found
from indexer.upload import Reason, Sent, Upload, UploadError
from indexer.writer import CannotBeWrittenError, write

LONGEST_ID = 60  # characters
TOLD = 15  # places named in a refusal


def entries_of(upload: Upload, sent: Sent, known: Knowledge) -> list[Entry]:
    """The entries that the file is to change or to add; raises UploadError.

    One that is known, by its id or its question, keeps its place and what the file does not say; a draft gives way.
    """
    if is_knowledge(upload.text):
        parsed = parse(upload.text, sent.name)
        if parsed.problems:
            raise UploadError(Reason.LINES, "\n".join(map(str, parsed.problems[:TOLD])))
        found = [_as_found(entry) for entry in parsed.entries if not entry.draft]
        heads = {(entry.id, entry.language): entry for entry in parsed.entries}
    else:
        found, heads = list(upload.found), {}
    desired = list(_wanted(found, sent, known, heads))
    _refuse_twins(found, desired)
    _refuse_unwritable(found, desired, sent.today)
    return desired


def _as_found(entry: Entry) -> Found:
    return Found(
        entry.question, entry.answer, entry.line, entry.id, entry.language, entry.topic, entry.course, entry.also
    )


def _wanted(
    found: Iterable[Found], sent: Sent, read: Knowledge, heads: dict[tuple[str, Language], Entry]
) -> Iterator[Entry]:
    known = [*read.entries, *read.drafts]
    by_id = {(entry.id, entry.language): entry for entry in known}
    asked = {_asked(entry, way): entry for entry in known for way in (entry.question, *entry.also)}
    taken = {entry.id for entry in known} | {one.id for one in found}
    for one in found:
        language = one.language or language_of(f"{one.question}\n{one.answer}", sent.name)
        same = by_id.get((one.id, language))
        course = same.course if same else one.course if heads else _course(one.course, sent.caption, read)
        if same := same or asked.get((course, language, _plain(one.question))):
            yield _changed(same, one, sent)
            continue
        name = one.id[:LONGEST_ID].strip("-") or _free(one.question, taken)
        head = heads.get((one.id, language)) or _new(one, sent, known, name, language, course)
        yield replace(head, path="", line=0)


def _course(said: str, caption: str, read: Knowledge) -> str:
    """The course that is meant, by any of its names, or the only one; raises UploadError if that cannot be told."""
    names = [course.name for course in read.courses] or sorted(
        {entry.course for entry in (*read.entries, *read.drafts)}
    )
    meant = (*names, *([COMMON] if read.courses else []))
    called = {name: name for name in meant}
    for course in read.courses:
        called |= {slug(name): course.name for name in (course.fr, course.en, *course.names)}
    found = called.get(said) if said else called.get(slug(caption), names[0] if len(names) == 1 else None)
    if found is None:
        raise UploadError(Reason.COURSE, ", ".join(meant))
    return found


def _asked(entry: Entry, way: str) -> tuple[str, Language, str]:
    return entry.course, entry.language, _plain(way)


def _plain(question: str) -> str:
    return " ".join(question.casefold().split())


def _changed(same: Entry, one: Found, sent: Sent) -> Entry:
    """The entry that is known with what the file says of it; a draft's answer comes from the file, and stands alone."""
    ways = {_plain(way) for way in same.also}
    question = same.question if _plain(one.question) in ways else one.question
    new = replace(same, question=question, answer=one.answer, also=one.also or same.also, draft=False)
    if not same.draft:
        return new
    return replace(new, path="", line=0, **_origin(sent))


def _new(one: Found, sent: Sent, known: Sequence[Entry], name: str, language: Language, course: str) -> Entry:
    twin = next((entry for entry in known if entry.id == name), None)
    topic = twin.topic if twin else one.topic or slug(sent.stem, words=6) or "upload"
    names = (entry.topic_name for entry in known if (entry.topic, entry.language) == (topic, language))
    return Entry(
        id=name,
        language=language,
        course=twin.course if twin else course,
        topic=topic,
        topic_name=next(names, topic.replace("-", " ").capitalize()),
        question=one.question,
        also=one.also,
        answer=one.answer,
        **_origin(sent),
    )


def _origin(sent: Sent) -> dict[str, Any]:
    return {"source": sent.stem, "source_date": sent.today.isoformat(), "reviewed": sent.today}


def _free(question: str, taken: set[str]) -> str:
    name = free(slug(question, words=8)[:LONGEST_ID].strip("-") or "question", taken)
    taken.add(name)
    return name


def _refuse_twins(found: Sequence[Found], desired: Sequence[Entry]) -> None:
    """Raise UploadError if two places of the file are about one entry."""
    seen: dict[tuple[str, str], int] = {}
    wrong = []
    for one, entry in zip(found, desired, strict=True):
        question, name = repr(one.question), f"the entry {entry.id!r}"
        for key, what, remedy in ((_plain(one.question), question, ""), (entry.id, name, ", or give another id")):
            if (first := seen.setdefault((key, entry.language), one.line)) != one.line:
                wrong.append(f"{one.line}: {what} stands at {first} already: keep one of them{remedy}")
                break
    if wrong:
        raise UploadError(Reason.LINES, "\n".join(wrong[:TOLD]))


def _refuse_unwritable(found: Sequence[Found], desired: Sequence[Entry], today: date) -> None:
    """Raise UploadError naming each entry that a knowledge file cannot hold as it is."""
    wrong = []
    for one, entry in zip(found, desired, strict=True):
        try:
            write([replace(entry, reviewed=entry.reviewed or today)])  # an interview's have no such date
        except CannotBeWrittenError as error:
            wrong.append(f"{one.line}: {one.question[:80]!r}: {re.sub(r'line [0-9]+: ', '', str(error))}")
    if wrong:
        raise UploadError(Reason.LINES, "\n".join(wrong[:TOLD]))
