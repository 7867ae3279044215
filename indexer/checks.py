"""What is wrong between entries."""

from collections.abc import Iterable, Iterator, Sequence

from indexer.entries import Entry, Language, Problem
from indexer.lexical import wording

COPIED = 3  # ids that two files share from which one of them is a copy of the other


def check(entries: Sequence[Entry]) -> Iterator[Problem]:
    """What is wrong between entries: an id twice in a language, one question for two ids, a course that changes.

    A file that has several ids of another one is told once.
    """
    seen: dict[tuple[str, str], Entry] = {}
    asked: dict[tuple[str, str], Entry] = {}
    course: dict[str, Entry] = {}
    again: dict[tuple[str, str], list[tuple[Entry, Entry]]] = {}
    for entry in entries:
        first = seen.setdefault((entry.id, entry.language), entry)
        if first is not entry:
            again.setdefault((entry.path, first.path), []).append((entry, first))
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
    for (path, earlier), pairs in again.items():
        if path != earlier and len(pairs) >= COPIED:
            text = (
                f"{len(pairs)} questions have ids of {earlier}, which is in the same language ({pairs[0][0].language})"
            )
            yield Problem(path, 1, f"{text}: correct 'language' if this is its translation, or delete one of the two")
            continue
        for entry, first in pairs:
            text = f"id '{entry.id}' is already used at {first.path}:{first.line}: choose another"
            yield Problem(path, entry.line, text)


def missing_translations(entries: Iterable[Entry]) -> list[Problem]:
    """Entries that exist in one language only, though their course has both: the other language still finds them."""
    by_id: dict[str, list[Entry]] = {}
    for entry in (listed := list(entries)):
        by_id.setdefault(entry.id, []).append(entry)
    alone = _in_one_language(listed)
    return [
        Problem(e.path, e.line, f"'{e.id}' has no {_other(e.language)} version yet")
        for (e, *more) in by_id.values()
        if not more and e.course not in alone
    ]


def one_language(entries: Iterable[Entry]) -> list[Problem]:
    """Courses of which several entries, and all, are in one language: there is nothing to mend if that is meant."""
    problems = []
    for course, some in _in_one_language(entries).items():
        own, other = ("French", "English") if some[0].language == "fr" else ("English", "French")
        text = (
            f"all {len(some)} entries of '{course}' are in {own} only: questions in {other} find them, and are told so"
        )
        problems.append(Problem(some[0].path, some[0].line, text))
    return problems


def _in_one_language(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    by_course: dict[str, list[Entry]] = {}
    for entry in entries:
        by_course.setdefault(entry.course, []).append(entry)
    return {name: some for name, some in by_course.items() if len(some) > 1 and len({e.language for e in some}) == 1}


def _other(language: Language) -> str:
    return "English" if language == "fr" else "French"
