from pathlib import Path

import pytest

from bot.evaluation.golden import read_golden
from indexer.engine import Engine
from indexer.entries import KnowledgeError, plain
from indexer.lexical import wording
from tests.conftest import REPOSITORY


def written(folder: Path, text: str, name: str = "golden.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path, known: set[str] | None = None) -> list[str]:
    with pytest.raises(KnowledgeError) as caught:
        read_golden(path, known or set())
    return [str(problem) for problem in caught.value.problems]


def test_one_expectation_or_several(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '- {ask: "Hot?", language: en, expect: kiln, also: oven}\n'
        '- {ask: "Hot? And the price?", language: en, expect: [kiln, escalate], kind: several}\n',
    )
    one, several = read_golden(path)
    assert (one.expect, one.also, one.single, one.answerable) == (("kiln",), ("oven",), True, True)
    assert (several.expect, several.single, several.answerable) == (("kiln", "escalate"), False, False)
    assert several.line == 2


def test_json_lines_are_read_alike(tmp_path: Path) -> None:
    path = written(tmp_path, '{"ask": "Hot?", "language": "en", "expect": "kiln"}\n\n', "asked.jsonl")
    assert read_golden(path)[0].expect == ("kiln",)


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("- {ask: Hot?, language: en}\n", 1, "lacks 'expect'; write - {ask: "),
        ("- {ask: Hot?, language: de, expect: kiln}\n", 1, "'language' is 'de', not 'fr' or 'en'"),
        ("- {ask: How hot, and when?, language: en, expect: kiln}\n", 1, "unknown name 'and when?'; write"),
        ("- ask: Hot?\n\tlanguage: en\n", 2, "there is a tab in this line: write blanks instead"),
        ("- {ask: A, language: en, expect: kiln}\n- {ask: A, language: en, expect: kiln}\n", 2, "asked before"),
        ("ask: Hot?\n", 1, "expected a list"),
        ("- {ask: [\n", 2, "cannot be read"),
        ("- just a text\n", 1, "write - {ask: "),
        ("- {ask: Hot?, language: en, expect: kiln, colour: red}\n", 1, "colour"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, line: int, told: str) -> None:
    (problem,) = problems(written(tmp_path, text))
    assert problem.startswith(f"golden.yaml:{line}: ")
    assert told in problem


def test_ids_that_no_entry_has_are_named_all_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '- {ask: "A?", language: en, expect: nowhere}\n- {ask: "B?", language: en, expect: escalate, also: gone}\n',
    )
    assert [p.partition(" expects ")[2].split(",")[0] for p in problems(path, {"kiln"})] == ["nowhere", "gone"]


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    assert "there is no such file: write questions into it" in problems(tmp_path / "golden.yaml")[0]


def test_the_projects_own_are_many_in_both_languages_and_repeat_no_entry(engine: Engine) -> None:
    entries = engine.snapshot.entries
    golden = read_golden(REPOSITORY / "knowledge" / "golden.yaml", {entry.id for entry in entries})
    french = [question for question in golden if question.language == "fr"]
    outside = [question for question in golden if not question.answerable and question.single]
    assert len(golden) >= 300
    assert 0.45 < len(french) / len(golden) < 0.55
    assert len(outside) > len(golden) / 4
    assert not [question.ask for question in golden if wording(question.ask) in engine.snapshot.asked]
    expected = {(question.language, name) for question in golden for name in question.expect}
    answered = {(language, entry.id) for entry in entries if not entry.draft for language in ("fr", "en")}
    assert answered <= expected
    assert all(plain(entry.answer) for entry in entries if not entry.draft)


def test_a_golden_question_s_course_must_exist(tmp_path: Path) -> None:
    path = tmp_path / "golden.yaml"
    path.write_text("- {ask: 'How much?', language: en, expect: fee, course: lwa}\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"golden.yaml:1: course 'lwa' has no folder .*: known are law, baking"):
        read_golden(path, {"fee"}, ("law", "baking"))


def test_one_question_may_be_put_to_two_courses(tmp_path: Path) -> None:
    path = tmp_path / "golden.yaml"
    item = "- {{ask: 'How much?', language: en, expect: fee, course: {}}}\n"
    path.write_text(item.format("law") + item.format("baking"), encoding="utf-8")
    assert [one.course for one in read_golden(path)] == ["law", "baking"]
