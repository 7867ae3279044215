from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from indexer.entries import Entry, parse, read_text
from indexer.readers import knowledge_files
from indexer.writer import CannotBeWrittenError, write
from tests.conftest import REPOSITORY
from tests.indexer.examples import entry
from tests.indexer.strategies import DRAFTS, ENTRIES


def without_place(entries: tuple[Entry, ...]) -> list[Entry]:
    return [replace(one, path="", line=0) for one in entries]


@settings(max_examples=80)
@given(st.one_of(ENTRIES, DRAFTS))
def test_what_is_written_is_what_is_read(written: Entry) -> None:
    parsed = parse(write([written]), "a.md")
    assert parsed.problems == ()
    assert parsed.entries == (replace(written, line=parsed.entries[0].line),)


@given(ENTRIES, st.text(max_size=60), st.text(max_size=60))
def test_whatever_text_is_written_exactly_or_refused(written: Entry, way: str, answer: str) -> None:
    strange = replace(written, also=(way,), answer=answer)
    try:
        text = write([strange])
    except CannotBeWrittenError:
        assume(False)
    assert without_place(parse(text, "a.md").entries) == without_place((strange,))


@pytest.mark.parametrize("path", knowledge_files(REPOSITORY / "knowledge"), ids=lambda path: path.name)
def test_the_projects_own_files_are_written_as_they_read(path: Path) -> None:
    read = parse(read_text(path), "a.md").entries
    assert without_place(parse(write(read), "a.md").entries) == without_place(read)


@pytest.mark.parametrize(
    "broken",
    [
        entry(answer="Yes.\n\n## Not a question"),
        entry(answer="Yes.\n\n### Another? {#another}"),
        entry(answer=""),
        entry(answer=" padded "),
        entry(also=("- nested",)),
        entry(question="Two\nlines?"),
        entry(id_="Not An Id"),
    ],
)
def test_what_a_file_cannot_hold_is_refused(broken: Entry) -> None:
    with pytest.raises(CannotBeWrittenError):
        write([broken])


def test_entries_of_one_file_share_its_head() -> None:
    assert write([entry(), entry("clay", "Which clay?")]).count("---") == 2
    with pytest.raises(CannotBeWrittenError, match="share"):
        write([entry(), entry("clay", "Which clay?", source="Another leaflet")])
