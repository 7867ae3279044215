"""What is wrong between entries."""

from collections.abc import Iterable, Iterator, Sequence

from indexer.entries import Entry, Language, Problem
from indexer.lexical import wording


def check(entries: Sequence[Entry]) -> Iterator[Problem]:
    """What is wrong between entries: an id twice in a language, one question for two ids, a course that changes."""
    seen: dict[tuple[str, str], Entry] = {}
    asked: dict[tuple[str, str], Entry] = {}
    course: dict[str, Entry] = {}
    for entry in entries:
        first = seen.setdefault((entry.id, entry.language), entry)
        if first is not entry:
            yield Problem(
                entry.path,
                entry.line,
                f"id '{entry.id}' is already used at {first.path}:{first.line}: choose another",
            )
            continue
        other = course.setdefault(entry.id, entry)
        if other.course != entry.course:
            where = f"{other.path}:{other.line}"
            text = f"id '{entry.id}' already belongs to course '{other.course}' at {where}: choose another"
            yield Problem(entry.path, entry.line, text)
        for question in (entry.question, *entry.also):
            twin = asked.setdefault((entry.course, wording(question) or question), entry)
            if twin.id != entry.id:
                text = f"{question!r} is also asked by '{twin.id}' at {twin.path}:{twin.line}: keep it in one of them"
                yield Problem(entry.path, entry.line, text)


def missing_translations(entries: Iterable[Entry]) -> list[Problem]:
    """Entries that exist in one language only: shown as a warning, since the other language still finds them.

    A course with several, all of them in one language, has one warning.
    """
    by_id: dict[str, list[Entry]] = {}
    by_course: dict[str, list[Entry]] = {}
    for entry in entries:
        by_id.setdefault(entry.id, []).append(entry)
        by_course.setdefault(entry.course, []).append(entry)
    alone = {
        name: some for name, some in by_course.items() if len(some) > 1 and len({entry.language for entry in some}) == 1
    }
    single = [
        Problem(e.path, e.line, f"'{e.id}' has no {_other(e.language)} version yet")
        for (e, *more) in by_id.values()
        if not more and e.course not in alone
    ]
    return [*(_alone(name, some) for name, some in alone.items()), *single]


def _alone(course: str, entries: Sequence[Entry]) -> Problem:
    first = entries[0]
    own, other = ("French", "English") if first.language == "fr" else ("English", "French")
    text = (
        f"all {len(entries)} entries of '{course}' are in {own} only: questions in {other} find them, and are told so"
    )
    return Problem(first.path, first.line, text)


def _other(language: Language) -> str:
    return "English" if language == "fr" else "French"
