from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from indexer.advice import advice, days_in, rivals
from indexer.engine import index
from indexer.entries import Entry
from tests.indexer.examples import entry
from tests.indexer.standin import WordEncoder

TODAY = date(2026, 11, 22)
BOTH = (entry(), entry(language="fr", question="Quelle chaleur ?", path="classes.fr.md", answer="1 240 degrés."))


def told(*entries: Entry, golden: tuple[str, ...] | None = None) -> list[str]:
    return [str(problem) for problem in advice(entries, golden, TODAY)]


def varied(**changes: object) -> tuple[Entry, ...]:
    return tuple(replace(one, **changes) for one in BOTH)  # type: ignore[arg-type]  # Entry checks the names itself


def test_good_entries_need_no_advice() -> None:
    assert told(*BOTH, golden=("kiln",)) == []


def test_a_missing_translation_and_one_that_is_a_draft() -> None:
    assert told(BOTH[0]) == ["classes.en.md:1: 'kiln' has no French version yet"]
    draft = replace(BOTH[1], draft=True, answer="", line=7)
    assert told(BOTH[0], draft) == [
        "classes.fr.md:7: 'kiln' is a draft here and answered at classes.en.md:1: translate it"
    ]


def test_an_answer_too_long_for_a_phone() -> None:
    (first, _) = told(*varied(answer="word " * 121), golden=("kiln",))
    assert "has 605 characters, a phone shows 600 at once" in first
    assert told(*varied(answer="w" * 600)) == []


@pytest.mark.parametrize(
    "label", ["Other ways:", "Others ask", "Alos asked:", "Autres façons de demander :", "Variantes :", "**Questions**"]
)
def test_an_answer_that_begins_with_a_list_of_questions(label: str) -> None:
    ways = told(replace(BOTH[0], answer=f"{label}\n- Hot?\n- Too hot ?\n\nVery."), BOTH[1])
    assert ways == [
        f"classes.en.md:1: the answer of 'kiln' begins with {label!r} and a list: if these are other ways of asking, "
        "write 'Also asked:' instead"
    ]
    assert "write 'Autres formulations :' instead" in told(BOTH[0], replace(BOTH[1], answer=ways_in_french()))[0]


def ways_in_french() -> str:
    return "Autres manières\n- four chaud\n- température\n\nTrès."


@pytest.mark.parametrize(
    "answer",
    [
        "Other ways:\n- by train\n- by bus",
        "Variantes :\n- en un an\n- en deux ans\n\nChoisissez.",
        "Other documents:\n- a letter\n- a photo\n\nSend them.",
        "Autres formations :\n- one\n\nVoir le site.",
        "The jury asks:\n- Why you?\n- Why here?",
        "In the interview the jury often asks:\n- Why you?\n\nTake your time.",
        "It is hot.\n\n- Too hot?\n- No.\n\nSee.",
        "- hot\n- hotter\n\nSee.",
    ],
)
def test_other_lists_in_answers_need_no_advice(answer: str) -> None:
    assert told(replace(BOTH[0], answer=answer), BOTH[1]) == []


@pytest.mark.parametrize(
    "note", ["To do: ask the office", "to-do : ask", "A faire : demander", "- TODO: ask", "Warm.\n\n**Todo**: ask"]
)
def test_an_answer_with_what_may_be_a_note(note: str) -> None:
    (line,) = told(replace(BOTH[0], answer=note), BOTH[1])
    assert line.startswith("classes.en.md:1: the answer of 'kiln' has a line '")
    assert line.endswith("if that is a note, begin the line with 'TODO:', and the answer is a draft, never shown")


@pytest.mark.parametrize(
    "answer",
    [
        "See our TODO list.",
        "To do so, ask.",
        "To do:\n- ask",
        "What you have\nto do: ask.",
        "À faire\u00a0:\n\n- signer",
    ],
)
def test_work_to_do_is_no_note(answer: str) -> None:
    assert told(replace(BOTH[0], answer=answer), BOTH[1]) == []


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("2026-11-21", "ended on 2026-11-21"),
        ("2026-11-22", "ends on 2026-11-22"),
        ("2026-12-22", "ends on"),
        (None, ""),
    ],
)
def test_dates_past_and_near(until: str | None, said: str) -> None:
    found = told(*varied(valid_until=date.fromisoformat(until) if until else None))
    assert len(found) == (2 if said else 0)
    assert all(said in line for line in found)


def test_an_entry_that_has_to_be_reviewed_soon() -> None:
    assert "ends on 2026-12-01, then people answer: review it" in told(*varied(review_every=91))[0]


def test_a_day_of_review_that_is_still_to_come_is_told_once_a_file() -> None:
    assert told(*varied(reviewed=TODAY)) == []
    late = varied(reviewed=date(2099, 1, 1), review_every=30)
    more = [replace(one, id="oven", question=f"{one.question} Oui ?", answer=f"No {one.language}.") for one in late]
    assert told(*late, *(replace(one, line=9) for one in more)) == [
        f"classes.{language}.md:1: 'reviewed' is 2099-01-01, which is still to come: write the day when you last read "
        "the whole file"
        for language in ("en", "fr")
    ]


def test_days_that_answers_name_are_seen_in_both_languages() -> None:
    text = "Jusqu'au 1er février 2025, or 2nd March 2024, 31/12/2023; 31/02/2024 and 5 apples 2024 are none."
    assert days_in(text) == {date(2025, 2, 1), date(2024, 3, 2), date(2023, 12, 31)}
    assert "names 2025-02-01, which has passed" in told(*varied(answer="Avant le 1er février 2025."))[0]


def test_a_topic_that_differs_between_languages_is_told_once_a_file() -> None:
    people = replace(BOTH[1], topic="people", line=5)
    more = (entry("oven", "Warm?", answer="No."), entry("oven", "Four ?", "fr", topic="people", path="classes.fr.md"))
    assert told(BOTH[0], people, *more) == [
        "classes.fr.md:5: the topic of 'kiln' is 'people' here and 'classes' at classes.en.md:1: write the same in both"
    ]
    drafts = varied(draft=True, answer="")
    assert len(told(drafts[0], replace(drafts[1], topic="people"))) == 1
    half = told(BOTH[0], replace(people, draft=True, answer=""))
    assert ["is a draft here" in line for line in half] == [True]


def test_the_same_words_and_the_same_answer_twice() -> None:
    twins = (*BOTH, entry("oven", "Warm?", line=9), entry("oven", "Four ?", "fr", answer="Oui."))
    assert told(*twins) == [
        "classes.en.md:9: 'oven' has the answer of 'kiln' at classes.en.md:1: make one entry of both"
    ]
    same = (
        *BOTH,
        entry("oven", "Is hot the kiln how?", line=9, answer="No."),
        entry("oven", "Four ?", "fr", answer="Oui."),
    )
    (words,) = told(*same)
    assert "9: 'Is hot the kiln how?' has the same words as a question of 'kiln' at classes.en.md:1" in words


def test_entries_that_no_golden_question_expects_are_named_once() -> None:
    assert told(*BOTH, golden=("clay",)) == [
        "classes.en.md:1: no golden question expects 'kiln': add one to golden.yaml, worded as people ask"
    ]
    assert told(*varied(draft=True, answer=""), golden=("clay",)) == []


def page(*entries: str) -> str:
    head = "---\ncourse: pottery\ntopic: classes\nlanguage: en\nsource: A\nreviewed: 2026-09-01\n---\n\n"
    return head + "\n".join(entries)


def test_rivals_are_told_by_meaning(tmp_path: Path) -> None:
    """With an encoder for which the same words mean the same."""
    kiln = "## How hot is the kiln? {#kiln}\n\nAlso asked:\n- a b c\n- d e f\n- g h i\n\nVery.\n"
    rival = "## Where are the chairs? {#chairs}\n\nAlso asked:\n- a b c j\n- d e f k\n- g h i l\n\nThere.\n"
    twin = "## Is the kiln how hot? {#oven}\n\nYes, hot.\n"
    folder = tmp_path / "knowledge"
    folder.mkdir()
    (folder / "a.md").write_text(page(kiln, rival), encoding="utf-8")
    strays = [str(problem) for problem in rivals(index(folder, WordEncoder(), tmp_path / "i").engine.snapshot)]
    assert len(strays) == 2
    assert strays[0].startswith("a.md:")
    assert "4 ways of asking 'kiln' are nearer to 'chairs' at a.md:" in " ".join(strays)
    (folder / "a.md").write_text(page(kiln, twin), encoding="utf-8")
    (twins,) = rivals(index(folder, WordEncoder(), tmp_path / "i").engine.snapshot)
    assert "says almost the same as" in twins.text
