import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot import measuring
from bot.cli import app
from bot.dialogue.texts import texts
from tests.conftest import DATA, REPOSITORY
from tests.dialogue.test_report import KEYS

QUESTIONS = (
    "Who are the lecturers?",
    "Qui sont les enseignants ?",
    "",
    "Bonjour !",
    "How much does it cost?",
    "I want to talk to a person",
    "🙂",
    "Who teaches, and do I need a degree? And how long does it last?",
    ("Quelle est la durée de la formation ? " * 140)[:5000],
    'Is it "hard" \\ or <b>easy</b>?',
)
WHEN = ("", "please", "now", "in winter", "in spring", "this year")
PLACES = [
    f"{side} {town}" for side in ("old", "new", "upper", "lower", "east") for town in "Ely Rye Ayr Cork York".split()
]


def guichet(*arguments: str, given: bytes = b"", **settings: object) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own, so that everything that it writes is seen."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GUICHET_")}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        input=given,
        env=plain | {f"GUICHET_{name.upper()}": str(value) for name, value in settings.items()},
        capture_output=True,
        timeout=150,
        check=False,
    )


@pytest.fixture(scope="module")
def asked(cache: Path, index_root: Path) -> list[dict[str, Any]]:
    """What `ask --jsonl` prints for the questions above; nothing but one object a line."""
    lines = "".join(f"{question}\n" for question in QUESTIONS).encode()
    done = guichet("ask", "--jsonl", given=lines, cache_dir=cache, data_dir=index_root.parent)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


@pytest.fixture
def settle(cache: Path, index_root: Path, knowledge: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the settings: knowledge of one's own, the prepared model, and the shared index unless told otherwise."""

    def settle(**changes: object) -> None:
        settings = {"cache_dir": cache, "data_dir": index_root.parent, "knowledge_dir": knowledge} | changes
        for name, value in settings.items():
            monkeypatch.setenv(f"GUICHET_{name.upper()}", str(value))

    settle()
    return settle


def run(*arguments: str, given: str | None = None) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, arguments, input=given, catch_exceptions=False)


def refused(*arguments: str) -> str:
    """What a command says that refuses: nothing on standard output, exit code 2, no trace."""
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_jsonl_gives_one_object_a_line_in_order(asked: list[dict[str, Any]]) -> None:
    assert [found["question"] for found in asked] == list(QUESTIONS)
    assert all(set(found) == KEYS for found in asked)


def test_jsonl_answers_in_the_language_of_the_question(asked: list[dict[str, Any]]) -> None:
    english, french, *_ = asked
    assert (english["decision"], english["language"], english["entry"]) == ("answer", "en", "lecturers")
    assert (french["decision"], french["language"], french["entry"]) == ("answer", "fr", "lecturers")
    assert "academics" in english["answer"]
    assert "universitaires" in french["answer"] or "chercheurs" in french["answer"]


def test_jsonl_holds_values_of_the_promised_kinds(asked: list[dict[str, Any]], index_root: Path) -> None:
    live = (index_root / "current").read_text(encoding="utf-8")
    for found in asked:
        assert found["language"] in ("fr", "en")
        assert found["decision"] in ("answer", "clarify", "escalate", "chat")
        assert 0 <= found["confidence"] <= 1
        assert found["snapshot"] == live
        assert found["ms"] > 0
        assert (found["entry"] is None) == (found["source"] is None)
        assert (found["decision"] in ("answer", "chat")) == (found["answer"] is not None)


def test_jsonl_lists_the_five_best_whatever_the_decision(asked: list[dict[str, Any]]) -> None:
    searched = [
        found for found in asked if found["question"] in (QUESTIONS[0], QUESTIONS[1], QUESTIONS[4], QUESTIONS[8])
    ]
    assert {found["decision"] for found in searched} >= {"answer", "escalate"}
    for found in searched:
        assert len({near["entry"] for near in found["alternatives"]}) == 5
        assert all(set(near) == {"entry", "question", "answer", "confidence"} for near in found["alternatives"])
        assert all(near["answer"] for near in found["alternatives"])


def test_jsonl_survives_what_people_send(asked: list[dict[str, Any]]) -> None:
    decisions = dict(zip(QUESTIONS, (found["decision"] for found in asked), strict=True))
    assert decisions[""] == decisions["🙂"] == decisions["Bonjour !"] == "chat"
    assert decisions["How much does it cost?"] == "escalate"
    assert decisions["I want to talk to a person"] == "escalate"


def test_jsonl_has_an_object_for_each_question_of_a_message(asked: list[dict[str, Any]]) -> None:
    several = asked[7]
    assert len(several["parts"]) >= 2
    assert all(set(part) == KEYS for part in several["parts"])
    assert asked[0]["parts"] == []


def test_jsonl_without_questions_prints_nothing(settle: Callable[..., None]) -> None:
    done = run("ask", "--jsonl", given="")
    assert (done.exit_code, done.stdout) == (0, "")


def test_jsonl_takes_lines_as_other_systems_end_them(cache: Path, index_root: Path) -> None:
    """Carriage returns, no end of line after the last, and bytes that are no UTF-8."""
    lines = b"Bonjour\r\nMerci\r\n" + "Ça va été ?\n".encode("latin-1") + b"Hello"
    done = guichet("ask", "--jsonl", given=lines, cache_dir=cache, data_dir=index_root.parent)
    assert done.returncode == 0, done.stderr.decode()
    found = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [one["question"] for one in found][:2] == ["Bonjour", "Merci"]
    assert (len(found), found[3]["question"]) == (4, "Hello")


def test_json_prints_one_object(settle: Callable[..., None]) -> None:
    done = run("ask", "--json", "Qui sont les enseignants ?")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert set(found) == KEYS
    assert (found["language"], found["decision"], found["entry"]) == ("fr", "answer", "lecturers")
    assert found["alternatives"][0]["entry"] == "lecturers"


def test_ask_shows_what_a_candidate_would_read(settle: Callable[..., None]) -> None:
    answered = run("ask", "Who are the lecturers?")
    assert answered.exit_code == 0
    assert "answer · " in answered.stdout
    assert "Source: " in answered.stdout
    assert "The question would go to the team." in run("ask", "How much does it cost?").stdout


def test_index_builds_says_what_it_did_and_status_agrees(settle: Callable[..., None], tmp_path: Path) -> None:
    settle(data_dir=tmp_path / "data")
    first = run("index")
    assert first.exit_code == 0, first.stderr
    assert "4 entries from 3 files" in first.stdout
    assert "Drafts that wait for an answer: 1." in first.stdout
    assert "classes.en.md:28: 'kiln' has no French version yet" in first.stderr
    again = run("index")
    assert "Nothing has changed" in again.stdout
    status = run("index", "status")
    assert status.exit_code == 0
    for part in ("Live:", "French:    2 entries", "English:   4 entries", "fee", "unchanged since"):
        assert part in status.stdout


def test_status_tells_that_the_files_have_changed_or_are_broken(
    settle: Callable[..., None], tmp_path: Path, knowledge: Path
) -> None:
    settle(data_dir=tmp_path / "data")
    run("index")
    path = knowledge / "later.en.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("courtyard", "yard"), encoding="utf-8")
    assert "has changed since: run 'guichet index'" in run("index", "status").stdout
    path.write_text(text.replace("language: en", "language: xx"), encoding="utf-8")
    broken = run("index", "status").stdout
    assert "cannot be read as it is now" in broken
    assert "later.en.md:4: 'language' is 'xx': write fr or en" in broken


CONFLICT = "<<<<<<< HEAD\n"
UNKNOWN = '- {ask: "How much?", language: en, expect: price}\n'


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("trained.json", CONFLICT, "trained.json is not a calibrator"),
        ("golden.yaml", UNKNOWN, "golden.yaml:1: expects price, which no entry has"),
    ],
)
def test_status_and_check_look_at_the_files_beside_the_knowledge(
    settle: Callable[..., None], knowledge: Path, file: str, content: str, said: str
) -> None:
    (knowledge / file).write_text(content, encoding="utf-8")
    shown = run("index", "status")
    assert shown.exit_code == 0
    assert "cannot be read as it is now" in shown.stdout
    assert said in shown.stdout
    assert said in refused("index", "check", "--no-model")


def test_what_another_version_has_learnt_is_told_and_stops_nothing(
    settle: Callable[..., None], tmp_path: Path, knowledge: Path
) -> None:
    settle(data_dir=tmp_path / "data")
    (knowledge / "trained.json").write_text('{"fusion": [1]}', encoding="utf-8")
    told = "trained.json:1: another version of Guichet has learnt this"
    made = run("index")
    assert made.exit_code == 0
    assert made.stderr.count(told) == 1
    assert f"unchanged since\n{told}" in run("index", "status").stdout
    assert told in run("index", "check", "--no-model").stdout


def test_index_in_a_process_of_its_own_keeps_progress_off_standard_output(
    cache: Path, tmp_path: Path, knowledge: Path
) -> None:
    done = guichet("index", cache_dir=cache, data_dir=tmp_path / "data", knowledge_dir=knowledge)
    assert done.returncode == 0
    assert b"Encoding" in done.stderr
    assert b"Encoding" not in done.stdout
    assert b"\x1b" not in done.stdout


def test_broken_knowledge_is_refused_with_every_place_and_the_index_stays(
    settle: Callable[..., None], tmp_path: Path, knowledge: Path
) -> None:
    settle(data_dir=tmp_path / "data")
    run("index")
    live = (tmp_path / "data" / "index" / "current").read_text(encoding="utf-8")
    (knowledge / "a.md").write_text("", encoding="utf-8")
    (knowledge / "b.md").write_text("no front matter", encoding="utf-8")
    told = refused("index")
    assert "a.md:1: the file is empty" in told
    assert "b.md:1: no front matter" in told
    assert (tmp_path / "data" / "index" / "current").read_text(encoding="utf-8") == live


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_diff_shows_what_would_change_and_changes_nothing(
    settle: Callable[..., None], tmp_path: Path, knowledge: Path
) -> None:
    settle(data_dir=tmp_path / "data")
    (knowledge / "golden.yaml").write_text('- {ask: "Where do I leave my bike?", language: en, expect: bicycle}\n')
    run("index")
    before = sorted(str(path) for path in (tmp_path / "data").rglob("*"))
    assert run("index", "diff").stdout == "Nothing has changed.\n"
    rewrite(knowledge / "later.en.md", "In the courtyard", "Behind the courtyard")
    rewrite(knowledge / "later.en.md", "{#bicycle}\n", "{#bicycle}\n\nAlso asked:\n- Bikes?\n")
    done = run("index", "diff")
    assert done.exit_code == 0, done.stderr
    assert "Changed (1)" in done.stdout
    assert "(also, answer)" in done.stdout
    assert "[-In-]{+Behind+} the courtyard" in done.stdout  # a pipe has no colours
    assert "Golden questions: " in done.stdout
    assert sorted(str(path) for path in (tmp_path / "data").rglob("*")) == before


def test_check_advises_with_places_and_says_faults(
    settle: Callable[..., None], tmp_path: Path, knowledge: Path
) -> None:
    settle(data_dir=tmp_path / "data")
    done = run("index", "check", "--no-model")
    assert done.exit_code == 1
    assert "classes.en.md:28: 'kiln' has no French version yet" in done.stdout
    assert run("index", "check", "--no-model", "--exit-zero").exit_code == 0
    assert run("index", "check").exit_code == 1
    assert not (tmp_path / "data" / "index" / "current").exists()
    (knowledge / "a.md").write_text("no front matter", encoding="utf-8")
    assert "a.md:1: no front matter" in refused("index", "check", "--no-model", str(knowledge))


def test_a_school_of_one_language_has_nothing_to_mend_for_it(
    settle: Callable[..., None], tmp_path: Path, knowledge: Path
) -> None:
    settle(data_dir=tmp_path / "data")
    for path in knowledge.glob("*.en.md"):
        path.unlink()
    done = run("index", "check", "--no-model")
    assert "note: " in done.stdout
    assert "are in French only" in done.stdout
    assert "nothing to look at" in done.stdout
    assert done.exit_code == 0


def test_commands_of_index_are_understood_without_it(settle: Callable[..., None], tmp_path: Path) -> None:
    settle(data_dir=tmp_path / "data")
    assert "to look at" in run("check", "--no-model").stdout
    assert "rollback" not in run("--help").stdout
    assert "Did you mean 'rollback'" in run("rolback").stderr
    assert run("history").exit_code == 0


def test_ask_names_the_courses_to_choose_from_as_people_do(settle: Callable[..., None], tmp_path: Path) -> None:
    settle(data_dir=tmp_path / "data", knowledge_dir=DATA / "school")
    run("index")
    told = run("ask", "How much does the course cost?").stdout
    assert "which course: Bread baking (baking), Business law (law)" in told


def test_questions_from_outside_that_cannot_be_read_or_are_answered_are_named(
    settle: Callable[..., None], tmp_path: Path, knowledge: Path
) -> None:
    settle(data_dir=tmp_path / "data")
    (knowledge / "outside.txt").write_text("# remarks\nOù ?\n", encoding="utf-8")
    assert "outside.txt" not in run("index", "check", "--no-model").stdout
    (knowledge / "outside.txt").write_text("how hot does the kiln get\n", encoding="utf-8")
    contradiction = "'How hot does the kiln get?' stands in outside.txt too, among what no entry answers: keep one"
    assert contradiction in run("index", "check", "--no-model").stdout
    (knowledge / "outside.txt").write_bytes("# remarks\nOù ?\n".encode("latin-1"))
    unreadable = "outside.txt:2: this is not UTF-8 text: save the file with the encoding UTF-8"
    assert unreadable in refused("index", "check", "--no-model")
    assert unreadable in refused("index")


def test_the_gate_is_overruled_with_a_reason_that_history_keeps_and_rollback_undoes(
    settle: Callable[..., None], tmp_path: Path, knowledge: Path
) -> None:
    settle(data_dir=tmp_path / "data", kept_indexes=2)
    run("index")
    first = (tmp_path / "data" / "index" / "current").read_text(encoding="utf-8")
    rewrite(knowledge / "classes.fr.md", "{#who}", "{#who-else}")
    assert "'who' has lost its French version" in refused("index")
    assert "The gate would refuse it" in run("index", "diff").stdout
    overruled = run("index", "--force", "the fair is tomorrow")
    assert overruled.exit_code == 0, overruled.stderr
    told = run("index", "history").stdout.splitlines()
    assert "live" in told[0]
    assert "overruled: the fair is tomorrow" in told[0]
    assert "1 added, 1 removed" in told[0]
    assert first in told[1]
    back = run("index", "rollback")
    assert f"Index {first} is live again" in back.stdout
    assert (tmp_path / "data" / "index" / "current").read_text(encoding="utf-8") == first
    assert "rolled back by" in run("index", "history").stdout.splitlines()[0]
    assert "there is no earlier index" in refused("index", "rollback")
    assert "there is no index 'x': kept are" in refused("index", "rollback", "x")


def test_eval_names_a_baseline_that_is_not_kept_before_it_asks(
    settle: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "judge", lambda *_: pytest.fail("asked first"))
    path = tmp_path / "questions.yaml"
    path.write_text('- {ask: "Who are the lecturers?", language: en, expect: lecturers}\n', encoding="utf-8")
    assert "there is no snapshot 'x': kept are" in refused("eval", str(path), "--baseline", "x")


@pytest.mark.parametrize(
    "command", [("ask", "Who?"), ("ask", "--json", "Who?"), ("ask", "--jsonl"), ("index", "status"), ("chat",)]
)
def test_without_an_index_the_remedy_is_told(
    settle: Callable[..., None], tmp_path: Path, command: tuple[str, ...]
) -> None:
    settle(data_dir=tmp_path / "none")
    assert "there is no index yet: run 'guichet index'" in refused(*command)


def test_a_damaged_index_is_told(settle: Callable[..., None], tmp_path: Path) -> None:
    settle(data_dir=tmp_path / "data")
    run("index")
    next((tmp_path / "data" / "index" / "snapshots").glob("*/entries.json")).write_text("[]", encoding="utf-8")
    assert "entries.json has another size" in refused("ask", "Who?")
    assert run("index").exit_code == 0
    assert run("ask", "Who can join?").exit_code == 0


@pytest.mark.parametrize("command", [("ask", "Who?"), ("index",), ("index", "status"), ("chat",), ("run",)])
def test_wrong_settings_are_told(settle: Callable[..., None], command: tuple[str, ...]) -> None:
    settle(staff_chat_id="group", modle="x")
    told = refused(*command)
    assert "GUICHET_MODLE is not a setting: did you mean GUICHET_MODEL?" in told
    assert "GUICHET_STAFF_CHAT_ID: write a whole number" in told


def test_a_database_that_fails_as_run_begins_is_told_in_a_line(settle: Callable[..., None]) -> None:
    settle(telegram_token="1:token", staff_chat_id=-5, database_url="sqlite+aiosqlite:////nowhere/guichet.db")
    told = refused("run").strip().splitlines()[-1]
    assert told.startswith(
        "the database cannot be used (OperationalError, SQLITE_CANTOPEN): check GUICHET_DATABASE_URL"
    )


def test_run_names_what_is_missing(settle: Callable[..., None]) -> None:
    told = refused("run")
    assert "GUICHET_TELEGRAM_TOKEN is not set" in told
    assert "GUICHET_STAFF_CHAT_ID is not set" in told


@pytest.mark.parametrize(
    "command", [("ask",), ("ask", "--json"), ("ask", "--jsonl", "Who?"), ("ask", "Who?", "--nothing")]
)
def test_a_question_too_few_or_too_many_is_refused(settle: Callable[..., None], command: tuple[str, ...]) -> None:
    assert refused(*command)


def test_a_folder_without_knowledge_is_refused(settle: Callable[..., None], tmp_path: Path) -> None:
    settle(knowledge_dir=tmp_path / "nowhere", data_dir=tmp_path / "data")
    assert "set GUICHET_KNOWLEDGE_DIR" in refused("index")


def test_chat_talks_through_a_pipe(cache: Path, index_root: Path) -> None:
    said = "Who are the lecturers?\n\nCombien coûte la formation ?\n/quit\nnever read\n".encode()
    done = guichet("chat", given=said, cache_dir=cache, data_dir=index_root.parent)
    shown = done.stdout.decode()
    assert done.returncode == 0, done.stderr.decode()
    assert "academics" in shown
    assert "équipe" in shown
    assert "Traceback" not in done.stderr.decode()


def test_chat_says_that_commands_are_telegram_s(settle: Callable[..., None]) -> None:
    shown = " ".join(run("chat", given="/menu\n/help\nBonjour !\n/privacy\n").stdout.split())
    assert shown.count(texts("en").terminal_commands) == 3  # with the first words, for /menu and below /help
    assert " ".join(texts("en").help.split()) in shown
    assert shown.count(" ".join(texts("fr").terminal_commands.split())) == 1
    assert texts("en").unknown_command not in shown


def test_chat_says_nothing_twice_and_greets_back(settle: Callable[..., None]) -> None:
    said = "Can my employer support me?\nand if not?\nHola\n"
    shown = " ".join(run("chat", given=said).stdout.split())
    for once in (texts("en").nothing_more, texts("en").greeting):
        assert shown.count(" ".join(once.split())) == 1
    assert texts("en").only_two not in shown


def test_chat_ends_with_its_input(settle: Callable[..., None]) -> None:
    assert run("chat", given="").exit_code == 0


def test_help_needs_neither_settings_nor_model(settle: Callable[..., None]) -> None:
    settle(modle="x")
    done = run("--help")
    assert done.exit_code == 0
    assert all(name in done.stdout for name in ("ask", "chat", "index", "run", "doctor", "demo"))


def test_the_knowledge_of_the_project_is_good() -> None:
    """What `make demo` and a school's first index read."""
    from indexer.readers import read_knowledge

    found = read_knowledge(REPOSITORY / "knowledge")
    assert found.warnings == ()
    assert {entry.language for entry in found.entries} == {"fr", "en"}


def test_training_again_fits_confidence_to_knowledge_that_has_changed(
    settle: Callable[..., None], tmp_path: Path
) -> None:
    folder, openings = tmp_path / "of one's own", ("Tell me about", "What of", "Some words on", "How is it with")
    folder.mkdir()
    (folder / "all.en.md").write_text(
        (DATA / "pottery" / "classes.en.md").read_text().partition("## Who")[0]
        + "\n".join(
            f"## What do you know of {thing}? {{#{thing}}}\n\n"
            + "Also asked:\n"
            + "".join(f"- {opening} {thing} {when}?\n" for opening in openings for when in WHEN)
            + f"\nAll about {thing} is here.\n"
            for thing in ("glaze", "kilns", "clay", "fees", "holidays")
        )
    )
    elsewhere = [
        f"Where can one buy a {what} in {place}?" for what in ("car", "hat", "boat", "lamp", "desk") for place in PLACES
    ]
    (folder / "outside.txt").write_text("\n".join(elsewhere[:-8]))
    settle(knowledge_dir=folder, data_dir=tmp_path / "data")
    for command in (("index",), ("train",), ("index",)):
        done = run(*command)
        assert done.exit_code == 0, done.stderr
    learnt = (folder / "trained.json").read_bytes()
    (folder / "outside.txt").write_text("\n".join(elsewhere))
    again = run("train")
    assert "ranking stays as it was" in again.stdout
    assert (folder / "trained.json").read_bytes() != learnt
