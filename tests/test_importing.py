"""`guichet import`, in this process: no model is needed."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from tests.conftest import DATA

TABLE = "Question;Answer\nCan I bring my dog?;Well-behaved dogs may.\n;nothing asked\n"


@pytest.fixture(autouse=True)
def settled(knowledge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUICHET_KNOWLEDGE_DIR", str(knowledge))


def bring(name: str, text: str, *options: str) -> Result:
    Path(name).write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["import", name, *options])


def test_a_file_is_shown_and_written_only_when_told_so(knowledge: Path) -> None:
    before = sorted(knowledge.iterdir())
    shown = bring("dogs.csv", TABLE)
    assert "Can I bring my dog? [en, dogs.en.md:" in shown.stdout
    assert "lines 3" in shown.stdout
    assert sorted(knowledge.iterdir()) == before
    written = bring("dogs.csv", TABLE, "--yes")
    assert written.exit_code == 0
    assert "Well-behaved dogs may." in (knowledge / "dogs.en.md").read_text(encoding="utf-8")
    again = bring("dogs.csv", TABLE, "--yes")
    assert "nothing that the assistant does not know" in again.stdout
    assert "Written" not in again.stdout


def test_what_is_refused_says_why_and_writes_nothing(knowledge: Path) -> None:
    before = sorted(knowledge.iterdir())
    refused = bring("dogs.csv", "Name;Age\nRex;3\n", "--yes")
    assert refused.exit_code == 2
    assert "no columns of questions" in refused.stderr
    clash = bring("dogs.csv", "id;Question;Answer\nkiln;What should I bring?;A dog.\n", "--yes")
    assert clash.exit_code == 2
    assert "is also asked by" in clash.stderr
    assert sorted(knowledge.iterdir()) == before


def test_which_course_is_meant_is_said_by_an_option(knowledge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    school = shutil.copytree(DATA / "school", knowledge.parent / "school")
    monkeypatch.setenv("GUICHET_KNOWLEDGE_DIR", str(school))
    refused = bring("dogs.csv", TABLE)
    assert refused.exit_code == 2
    assert "baking, law, common\nHere there is no caption: write --course NAME." in refused.stderr
    assert "law/dogs.en.md" in bring("dogs.csv", TABLE, "--course", "Business law").stdout
    assert "[en, dogs.en.md" in bring("dogs.csv", TABLE, "--course", "common").stdout
