"""Entries to the Markdown of a knowledge file: what is read again is the same."""

from collections.abc import Sequence
from dataclasses import replace

import yaml

from indexer.entries import Entry, parse
from indexer.frontmatter import FrontMatter

LABEL = {"fr": "Autres formulations :", "en": "Also asked:"}
MATTER = tuple(FrontMatter.model_fields)
UNKNOWN = {"fr": "TODO : réponse à écrire", "en": "TODO: answer to be written"}


class CannotBeWrittenError(ValueError):
    """A text that a knowledge file cannot hold as it is, such as an answer with a line '## …'."""


def write(entries: Sequence[Entry]) -> str:
    """One file with these entries, which share what stands at its head; raises CannotBeWrittenError."""
    heads = {_front_matter(entry) for entry in entries}
    if len(heads) != 1:
        raise CannotBeWrittenError("entries of one file share course, topic, language, source and dates")
    text = "\n".join([heads.pop(), *map(section, entries)])
    read = parse(text, "")
    if read.problems or [_content(entry) for entry in read.entries] != [_content(entry) for entry in entries]:
        told = "; ".join(f"line {problem.line}: {problem.text}" for problem in read.problems)
        raise CannotBeWrittenError(told or "it would read differently: look for headings and unusual characters")
    return text


def section(entry: Entry) -> str:
    """One entry below its '##' line."""
    bullet = "*" if entry.answer.startswith("-") else "-"  # another sign begins another list
    also = [LABEL[entry.language], *(f"{bullet} {way}" for way in entry.also), ""] if entry.also else []
    answer = UNKNOWN[entry.language] if entry.draft else entry.answer
    return "\n".join([f"## {entry.question} {{#{entry.id}}}", "", *also, answer, ""])


def _front_matter(entry: Entry) -> str:
    values = {name: getattr(entry, name) for name in MATTER}
    lines = [f"{name}: {_scalar(value)}" for name, value in values.items() if value is not None]
    return "\n".join(["---", *lines, "---", "", f"# {entry.topic_name}", ""])


def _scalar(value: object) -> str:
    """A value on one line, quoted where YAML would read it as something else."""
    if not isinstance(value, str):
        return str(value)
    return yaml.safe_dump(value, allow_unicode=True, width=1_000_000).removesuffix("\n...\n").rstrip("\n")


def _content(entry: Entry) -> Entry:
    return replace(entry, path="", line=0)
