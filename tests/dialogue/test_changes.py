from dataclasses import replace

from bot.dialogue.changes import SIGNED, changes
from indexer.diff import diff
from tests.indexer.examples import entry


def marks(kind: str, shown: object) -> list[str]:
    text, entities = shown.text, shown.entities  # type: ignore[attr-defined]  # a Rich
    return [text[e["offset"] : e["offset"] + e["length"]] for e in entities if e["type"] == kind]


def test_words_that_go_are_struck_and_words_that_come_are_bold() -> None:
    old = entry(answer="It reaches 1,240 degrees.")
    shown = changes(diff([old], [replace(old, answer="It reaches 1,260 degrees, slowly.")]), (), (), "en", 3000)
    assert marks("strikethrough", shown) == ["240"]
    assert marks("bold", shown) == ["Changed (1)", "260", ", slowly"]


def test_where_nothing_can_be_styled_signs_tell_them_apart() -> None:
    old = entry(answer="It reaches 1,240 degrees.")
    found = diff([old], [replace(old, answer="It reaches 1,260 degrees, slowly.")])
    shown = changes(found, (), (), "en", 3000, SIGNED)
    assert "It reaches 1,[-240-]{+260+} degrees{+, slowly+}." in shown.text


def test_every_kind_of_change_has_its_heading_in_either_language() -> None:
    old = [entry("gone"), entry("moved")]
    new = [entry("new"), replace(entry("moved"), path="b.md")]
    english, french = (
        changes(diff(old, new), ["golden.yaml:1: lost"], ["golden.yaml:2: won"], staff, 3000) for staff in ("en", "fr")
    )
    assert marks("bold", english) == [
        "New (1)",
        "Removed (1)",
        "Moved to another file (1)",
        "Golden questions that fare worse (1)",
        "Golden questions that fare better (1)",
    ]
    assert len(marks("bold", french)) == 5
    assert "← classes.en.md" in english.text


def test_what_does_not_fit_is_counted() -> None:
    shown = changes(diff([], [entry(f"e{number}") for number in range(90)]), (), (), "en", 1000)
    assert "New (90)" in shown.text
    assert len(shown.text) < 1200
    assert f"{90 - shown.text.count(chr(8226))} more: " in shown.text


def test_long_unchanged_text_is_cut_short() -> None:
    old = entry(answer=f"{'same ' * 50}one")
    shown = changes(diff([old], [replace(old, answer=f"{'same ' * 50}two")]), (), (), "en", 3000)
    assert " … " in shown.text
    assert len(shown.text) < 250
