"""Everything that can be read as knowledge: the folder, its Markdown files, and interviews as published."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lingua import Language as LinguaLanguage
from lingua import LanguageDetectorBuilder

from indexer.checks import check, missing_translations, one_language
from indexer.courses import FILE, Course, assigned, read_courses, undescribed
from indexer.entries import Entry, KnowledgeError, Language, Parsed, Problem, parse, read_text
from indexer.naming import free, slug

# Lines that a web page adds around an interview: counters, invitations, notes on the translation.
FURNITURE = re.compile(
    r"^(\d+|(share|partager|read (also|more)|(à|a) lire (aussi|également))\b[^.!?]{0,60}|advertisement|publicité"
    r"|more information (on|about)\b.*|plus d['’]informations? sur\b.*|(translated|adapted) from\b.*"
    r"|(traduit|adapté) (de|du)\b.*|source ?:.*|photo ?:.*|©.*)$",
    re.IGNORECASE | re.DOTALL,
)
# "ActuIA: …", "Jean de la Tour : …": one to four words with capitals, then a colon, in French after a no-break space.
SPEAKER = re.compile(
    r"^(?P<name>[A-ZÀ-Ý][\w.’'-]*(?: (?:[A-ZÀ-Ý][\w.’'-]*|de|du|des|la|le|van|von|der|den|di|da)){0,3})\s?:\s+(?=\S)"
)
LONGEST_QUESTION = 400
# At the top: questions near the course that no entry answers, one a line; and questions that measure an index, and from
# which follows how sure it has to be to answer.
OUTSIDE, GOLDEN = "outside.txt", "golden.yaml"
FRONT = re.compile(r"\s*---\s*\n")
# What people may put beside knowledge files and take for read.
TO_IMPORT = (".docx", ".doc", ".odt", ".rtf", ".pdf", ".xlsx", ".xls", ".ods", ".csv", ".html", ".htm", ".markdown")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All that a knowledge folder holds. `drafts` are questions that are known to have no answer yet.

    `courses` are those of a school with several; none where the folder as a whole is one course. `outside` are
    questions that none of these answers, though they come near. `golden` is the text of the golden questions'
    file, if there is one.
    """

    entries: tuple[Entry, ...]
    drafts: tuple[Entry, ...]
    warnings: tuple[Problem, ...]
    files: tuple[str, ...]
    courses: tuple[Course, ...] = ()
    outside: tuple[str, ...] = ()
    golden: str = ""

    @property
    def counted(self) -> str:
        """How much there is. An entry counts once, in however many languages it has an answer; so does a draft."""
        entries, drafts = ({one.id for one in some} for some in (self.entries, self.drafts))
        return (
            f"{len(entries)} entries with {len(self.entries)} answers, and {len(drafts)} drafts, "
            f"in {len(self.files)} files"
        )


def read_knowledge(folder: Path) -> Knowledge:
    """Read every `.md` and `.txt` file below `folder`; all problems are raised together as KnowledgeError."""
    files = knowledge_files(folder)
    if not files:
        text = "no knowledge files (.md, .txt) here: set GUICHET_KNOWLEDGE_DIR or add some"
        raise KnowledgeError([Problem(str(folder), 1, text)])
    parsed = [_read(path, folder) for path in files]
    problems = [problem for file in parsed for problem in file.problems]
    courses, faults = _courses(folder)
    outside, unreadable = _outside(folder)
    golden, closed = _beside(folder, GOLDEN)
    written = [entry for file in parsed for entry in file.entries]
    entries, strays = assigned(written, courses, folder)
    problems += [*faults, *unreadable, *closed, *strays, *check(entries)]
    if problems:
        raise KnowledgeError(problems)
    ready = tuple(entry for entry in entries if not entry.draft)
    return Knowledge(
        entries=ready,
        drafts=tuple(entry for entry in entries if entry.draft),
        warnings=(*unread(folder), *undescribed(written, courses), *one_language(ready), *missing_translations(ready)),
        files=tuple(path.relative_to(folder).as_posix() for path in files),
        courses=courses,
        outside=outside,
        golden=golden,
    )


def _courses(folder: Path) -> tuple[tuple[Course, ...], tuple[Problem, ...]]:
    try:
        return read_courses(folder), ()
    except KnowledgeError as error:
        return (), error.problems


def _outside(folder: Path) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """The questions that no entry answers; lines that begin with # are remarks."""
    text, problems = _beside(folder, OUTSIDE)
    lines = [line.strip() for line in text.splitlines()]
    return tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#"))), problems


def _beside(folder: Path, name: str) -> tuple[str, tuple[Problem, ...]]:
    """The text of a file at the top that is no knowledge, empty if there is none."""
    if not (folder / name).is_file():
        return "", ()
    try:
        return read_text(folder / name), ()
    except KnowledgeError as error:
        return "", tuple(Problem(name, problem.line, problem.text) for problem in error.problems)


def knowledge_files(folder: Path) -> list[Path]:
    """The files that are knowledge: not the guide for editors, not `outside.txt`, nothing hidden; sorted by name.

    Raises KnowledgeError if a folder cannot be read: its answers would be gone without a word.
    """
    closed: list[OSError] = []
    found = []
    for place, folders, names in os.walk(folder, onerror=closed.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in [Path(place, name) for name in names if not name.startswith(".")]:
            if (
                path.suffix.lower() not in {".md", ".txt"}
                or path.name.upper() == "README.MD"
                or path == folder / OUTSIDE
            ):
                continue
            try:
                if path.is_file():
                    found.append(path)
            except OSError as error:
                closed.append(error)
    faults = [error for error in closed if not isinstance(error, FileNotFoundError | NotADirectoryError)]
    if faults:
        raise KnowledgeError([_closed(error, folder) for error in faults])
    return sorted(found)


def unread(folder: Path) -> Iterator[Problem]:
    """Files that stand among the knowledge and are none: documents, and settings under another name."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if any(part.startswith((".", "~$")) for part in name.parts) or not path.is_file():
            continue
        if path.suffix.lower() in TO_IMPORT:
            yield Problem(name.as_posix(), 1, "is not read here: 'guichet import FILE' makes entries of a document")
        elif path.suffix.lower() in {".yml", ".yaml"} and name.as_posix() != GOLDEN and path.name != FILE:
            yield Problem(name.as_posix(), 1, f"is not read: the names are {GOLDEN}, at the top, and <course>/{FILE}")


def _closed(error: OSError, folder: Path) -> Problem:
    place = Path(error.filename or folder)
    name = place.relative_to(folder).as_posix() if place != folder and place.is_relative_to(folder) else str(folder)
    return Problem(name, 1, f"cannot be read ({error.strerror}): let the user who runs Guichet read it")


def _read(path: Path, folder: Path) -> Parsed:
    name = path.relative_to(folder).as_posix()
    try:
        text = read_text(path)
    except KnowledgeError as error:
        return Parsed(problems=tuple(Problem(name, p.line, p.text) for p in error.problems))
    if path.suffix.lower() == ".md" or FRONT.match(text):  # Windows hides that it calls a file 'fees.en.md.txt'
        return parse(text, name)
    if path.name == OUTSIDE:
        return Parsed(problems=(Problem(name, 1, f"move it to the top of the knowledge folder, beside {GOLDEN}"),))
    return parse_interview(text, name, course=slug(path.parent.name, words=6) or "course")


def parse_interview(text: str, path: str, *, course: str) -> Parsed:
    """Read an interview as published: each question in a paragraph of its own, its answer in those that follow.

    What stands before the first question (title, counters, introduction), speakers' names and the page's
    closing lines are left out; the title becomes the source's name.
    """
    paragraphs = list(_paragraphs(text))
    turns = _turns(paragraphs)
    if not turns:
        remedy = (
            "no question found: a .txt file is read as an interview, each question in a paragraph of its own that ends "
            "with '?'. Move what is none out of this folder"
        )
        return Parsed(problems=(Problem(path, 1, remedy),))
    language = language_of(text, path)
    title = next((p for _, p in paragraphs if not FURNITURE.match(p)), Path(path).stem)
    source = re.split(r" [–—|] ", title)[0] if not title.endswith("?") else Path(path).stem
    entries: list[Entry] = []
    problems: list[Problem] = []
    for line, question, answer in turns:
        if not answer:
            text = f"{question!r} has no answer below it: write one or remove the question"
            problems.append(Problem(path, line, text))
            continue
        entries.append(
            Entry(
                id=free(f"interview-{slug(question, words=6)}", {entry.id for entry in entries}),
                language=language,
                course=course,
                topic="interview",
                topic_name="Interview",
                question=question,
                also=(),
                answer="\n\n".join(answer),
                source=source,
                path=path,
                line=line,
            )
        )
    return Parsed(tuple(entries), tuple(problems))


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Blank-line separated paragraphs with the number of their first line, each on one line."""
    block: list[str] = []
    start = 1
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.strip():
            start = start if block else number
            block.append(line.strip())
        elif block:
            yield start, " ".join(block)
            block = []


def _turns(paragraphs: Sequence[tuple[int, str]]) -> list[tuple[int, str, list[str]]]:
    turns: list[tuple[int, str, list[str]]] = []
    speakers = _speakers(paragraphs)
    for line, paragraph in paragraphs:
        label = SPEAKER.match(paragraph)
        said = paragraph[label.end() :] if label and label["name"] in speakers else paragraph
        if said.endswith("?") and len(said) <= LONGEST_QUESTION:
            turns.append((line, said, []))
        elif turns and not FURNITURE.match(paragraph):
            turns[-1][2].append(said)
    return turns


def _speakers(paragraphs: Iterable[tuple[int, str]]) -> set[str]:
    """Labels that are names: several words, before a question, or used again; a lone "Careful: …" is part of a text."""
    labels = [(label["name"], text) for _, text in paragraphs if (label := SPEAKER.match(text))]
    uses = Counter(name for name, _ in labels)
    return {name for name, text in labels if " " in name or text.endswith("?") or uses[name] > 1}


@cache
def _detector() -> Any:
    return (
        LanguageDetectorBuilder.from_languages(LinguaLanguage.FRENCH, LinguaLanguage.ENGLISH)
        .with_low_accuracy_mode()
        .build()
    )


def language_of(text: str, path: str) -> Language:
    """From the file's name (`interview.fr.txt`), or else from the text."""
    match path.lower().split(".")[-2:-1]:
        case ["fr"]:
            return "fr"
        case ["en"]:
            return "en"
        case _:
            return "fr" if _detector().detect_language_of(text) == LinguaLanguage.FRENCH else "en"
