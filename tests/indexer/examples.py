"""Entries and knowledge files that tests vary."""

from datetime import date
from pathlib import Path

from indexer.entries import Entry, Language

MATTER = {
    "course": "pottery",
    "topic": "classes",
    "language": "en",
    "source": "The workshop's leaflet",
    "reviewed": "2026-09-01",
}


def front(**changes: str | None) -> str:
    """Front matter that is right, but for the changes; None leaves a name out."""
    lines = [f"{name}: {value}" for name, value in (MATTER | changes).items() if value is not None]
    return "\n".join(["---", *lines, "---", ""])


def entry(
    id_: str = "kiln", question: str = "How hot is the kiln?", language: Language = "en", **changes: object
) -> Entry:
    """An answered entry, but for the changes."""
    facts: dict[str, object] = {
        "id": id_,
        "language": language,
        "course": "pottery",
        "topic": "classes",
        "topic_name": "Classes",
        "question": question,
        "also": (),
        "answer": "It reaches 1,240 degrees.",
        "source": "The workshop's leaflet",
        "reviewed": date(2026, 9, 1),
        "path": "classes.en.md",
        "line": 1,
    }
    return Entry(**(facts | changes))  # type: ignore[arg-type]  # the callers' names are checked by Entry itself


def write(folder: Path, name: str, text: str) -> Path:
    """Write a file of the knowledge folder, making folders on the way."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
