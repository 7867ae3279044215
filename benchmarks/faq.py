"""A public course FAQ as entries, and the questions that belong to it."""

import csv
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

from indexer.entries import Entry


class Document(BaseModel):
    """An entry as published; `text` is plain."""

    id: str
    course: str
    section: str
    question: str
    text: str


class Question(BaseModel):
    """What somebody may ask, with the id of the document that answers it."""

    question: str
    course: str
    document: str


def read_documents(path: Path) -> list[Document]:
    """The documents, each id once: the published file has one of them twice, and the first stays."""
    first: dict[str, Document] = {}
    for document in TypeAdapter(list[Document]).validate_json(path.read_bytes()):
        first.setdefault(document.id, document)
    return list(first.values())


def read_questions(path: Path, documents: Sequence[Document]) -> list[Question]:
    """The questions; raises ValueError if one belongs to no document."""
    with path.open(encoding="utf-8", newline="") as file:
        questions = TypeAdapter(list[Question]).validate_python(list(csv.DictReader(file)))
    known = {(document.course, document.id) for document in documents}
    lost = [one for one in questions if (one.course, one.document) not in known]
    if lost or not questions:
        raise ValueError(f"{path} does not belong to these documents: {len(lost)} of {len(questions)} have none")
    return questions


def entry(document: Document) -> Entry:
    """A document as an entry. Each line of its text becomes a paragraph; nothing else is changed."""
    return Entry(
        id=document.id,
        language="en",
        course=document.course,
        topic="faq",
        topic_name=document.section,
        question=document.question,
        also=(),
        answer="\n\n".join(line.strip() for line in document.text.splitlines()),
        source="course FAQ",
    )
