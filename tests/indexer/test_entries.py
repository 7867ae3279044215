from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indexer.checks import check, missing_translations, one_language
from indexer.entries import (
    Entry,
    KnowledgeError,
    Problem,
    parse,
    plain,
    read_text,
)
from tests.indexer.examples import entry, front

GOOD = """---
course: pottery
topic: first-steps
language: fr
source: La brochure
source_date: 2025
reviewed: 2026-09-01
address: https://example.org/cours
valid_until: 2027-08-31
---

# Premiers pas

## Qui peut venir ? {#who}

Autres formulations :

- Est-ce ouvert
  aux débutants ?
- Âge minimum

Toute personne de **seize ans**. Voir [le plan](https://example.org/plan).

- un tablier
- une serviette

```
tour --vitesse 3
```

## Quand ? {#when}

TODO : donner les dates.
"""


def fault(text: str) -> Problem:
    """The only problem of a file."""
    (problem,) = parse(text, "a.md").problems
    return problem


def test_a_good_file() -> None:
    parsed = parse(GOOD, "pas.fr.md")
    assert parsed.problems == ()
    who, when = parsed.entries
    assert who == Entry(
        id="who",
        language="fr",
        course="pottery",
        topic="first-steps",
        topic_name="Premiers pas",
        question="Qui peut venir ?",
        also=("Est-ce ouvert aux débutants ?", "Âge minimum"),
        answer="Toute personne de **seize ans**. Voir [le plan](https://example.org/plan).\n\n"
        "- un tablier\n- une serviette\n\n```\ntour --vitesse 3\n```",
        source="La brochure",
        address="https://example.org/cours",
        source_date="2025",
        reviewed=date(2026, 9, 1),
        valid_until=date(2027, 8, 31),
        path="pas.fr.md",
        line=14,
    )
    assert (when.draft, when.answer) == (True, "")


def test_without_a_title_the_topic_gives_its_name() -> None:
    (only,) = parse(front(topic="first-steps") + "## Who? {#who}\n\nAll.", "a.md").entries
    assert only.topic_name == "First steps"


def test_a_title_further_down_renames_nothing() -> None:
    text = front() + "# Classes\n\n## Who? {#who}\n\nAll.\n\n> # Quoted\n"
    (only,) = parse(text, "a.md").entries
    assert only.topic_name == "Classes"


@pytest.mark.parametrize("written", ["2025", "2025-03", "2025-03-31"])
def test_a_source_date_is_kept_as_written(written: str) -> None:
    (only,) = parse(front(source_date=written) + "## Who? {#who}\n\nAll.", "a.md").entries
    assert only.source_date == written


@pytest.mark.parametrize(
    "marker", ["TODO", "TODO: ask the office", "Soon.\n\nTODO : later", "  TODO - price", "TODO price"]
)
def test_a_draft_marker_withholds_the_whole_answer(marker: str) -> None:
    (only,) = parse(front() + f"## How much? {{#fee}}\n\n{marker}\n", "a.md").entries
    assert (only.draft, only.answer) == (True, "")


@pytest.mark.parametrize("marker", ["Todo: ask", "todo : demander", "Soon.\ntodo", "ToDo – price"])
def test_a_draft_marker_may_be_written_in_small_letters(marker: str) -> None:
    (only,) = parse(front() + f"## How much? {{#fee}}\n\n{marker}\n", "a.md").entries
    assert (only.draft, only.answer) == (True, "")


@pytest.mark.parametrize(
    "answer",
    [
        "Todo lists help.",
        "My\ntodo-list: long.",
        "To do: apply.",
        "Not\nto do - no.",
        "See our TODO list.",
        "TODOS is a place.",
        "Méthodo: yes",
    ],
)
def test_a_word_like_the_marker_is_none(answer: str) -> None:
    (only,) = parse(front() + f"## How much? {{#fee}}\n\n{answer}\n", "a.md").entries
    assert (only.draft, only.answer) == (False, answer)


@pytest.mark.parametrize(
    ("text", "line", "remedy"),
    [
        ("", 1, "the file is empty: write a question or delete the file"),
        ("\n \n", 1, "the file is empty: write a question or delete the file"),
        ("## Who? {#who}\n\nAll.", 1, "no front matter: the file begins with a line '---', then course, topic"),
        ("---\ncourse: pottery\n\n## Who? {#who}", 1, "no front matter: "),
        (front(), 1, "no question found: write one as a line '## Question? {#short-id}'"),
        ("---\n- a\n- b\n---\n", 2, "front matter cannot be read: write one 'name: value' a line"),
        ("---\ncourse: pottery\ntopic: [a\n---\n", 3, "front matter cannot be read: "),
        ("---\ncourse: a\x07b\n---\n", 2, "front matter cannot be read: "),
        (front(language=None), 1, "front matter lacks 'language': add a line 'language: …'"),
        (front(reviewed=""), 6, "front matter lacks 'reviewed': add a line 'reviewed: …'"),
        (front(langage="fr"), 7, "unknown name 'langage' in the front matter: did you mean 'language'?"),
        (front(xyz="red"), 7, "unknown name 'xyz' in the front matter: known are course, topic, language"),
        (front(language="de"), 4, "'language' is 'de': write fr or en"),
        (front(course="Pottery Class"), 2, "'course' is 'Pottery Class': use small letters, digits and hyphens"),
        (
            front(reviewed="last week"),
            6,
            "'reviewed' is 'last week': write a date as year-month-day, such as 2026-09-01",
        ),
        (front(reviewed="01/09/2026"), 6, "'reviewed' is '01/09/2026': write a date as year-month-day"),
        (front(reviewed="2026-02-30"), 6, "'reviewed' is '2026-02-30': write a date as year-month-day"),
        (front(valid_until="2026-13-01"), 7, "'valid_until' is '2026-13-01': write a date as year-month-day"),
        (front(source_date="March"), 7, "'source_date' is 'March': write a year or a date, such as 2022 or 2022-05-31"),
        (front(review_every="a year"), 7, "'review_every' is 'a year': write a number of days, such as 180"),
        (front(review_every="0"), 7, "'review_every' is '0': write a number of days, such as 180"),
        (front(address="www.school.fr"), 7, "'address' is 'www.school.fr': write all of it, such as https://"),
        (front().replace("topic: ", "topic:\t"), 3, "front matter cannot be read: there is a tab in this line"),
        (
            front(source="Leaflet: fees"),
            5,
            "front matter cannot be read: write 'name: value' with a blank after the colon, and a value that has ':', "
            "'#' or '@' in it in quotes",
        ),
    ],
)
def test_a_fault_of_the_whole_file_names_line_and_remedy(text: str, line: int, remedy: str) -> None:
    problem = fault(text)
    assert (problem.path, problem.line) == ("a.md", line)
    assert problem.text.startswith(remedy)


@pytest.mark.parametrize(
    ("body", "line", "remedy"),
    [
        ("## Who?\n\nAll.", 8, "expected '## Question? {#short-id}' (small letters, digits, hyphens), got 'Who?'"),
        ("## Who? {#Who}\n\nAll.", 8, "expected '## Question? {#short-id}'"),
        ("## {#who}\n\nAll.", 8, "expected '## Question? {#short-id}'"),
        ("## Who? {#who}\n", 8, "'Who?' has no answer: write it below the question (or 'TODO: …'"),
        ("## Who? {#who}\n\nAlso asked:\n- Whom?\n", 8, "'Who?' has no answer: "),
        (
            "## Who? {#who}\n\nAll.\n\n### When? {#when}\n\nNow.",
            12,
            "a question of its own begins with '## ', not '### '",
        ),
        ("## Who? {#who}\n\nAll.\n\n# When? {#when}\n\nNow.", 12, "a question of its own begins with '## ', not '# '"),
        (
            "## Who? {#who}\n\nAll.\n\n##When? {#when}\n\nNow.",
            12,
            "a question of its own begins with '##' and an ordinary",
        ),
        ("## Who? {#who}\n\nAll.\n##\u00a0When? {#when}\nNow.", 11, "a question of its own begins with '##' and"),
        ("## Who? {#who}\n\n- All\n###When? {#When}\nNow.", 11, "a question of its own begins with '##' and"),
        ("## Who? {#who}\n\nAll.\n\n##When? {#when}\n\nAlso asked:\n- Day\n\nNow.", 12, "a question of its own"),
        ("##Who? {#who}\n\nAll.\n\nOf you.\n\n## When? {#when}\n\nNow.", 8, "a question of its own begins with '##'"),
        ("## Who? {#who}\n\nAlso asked:\n- Whom?\nAll.\n\nOf you.", 12, "this line would be part of the way of asking"),
        ("## Who? {#who}\n\nAlso asked:\n- Whom?\n\n- Which?\n\nAll.", 13, "a way of asking below a blank line would"),
        ("## Who? {#who}\n\nAlso asked:\n\nAll.", 10, "no list follows: write one way of asking a line"),
        ("## Who? {#who}\n\nAll.\n\nAlso asked:", 12, "no list follows: write one way of asking a line"),
        ("Everybody.\n\n## Who? {#who}\n\nAll.", 8, "this text stands before the first question"),
        ("```\ncode\n```\n\n## Who? {#who}\n\nAll.", 8, "this text stands before the first question"),
        ("# Who? {#who}\n\nAll.\n\n## When? {#when}\n\nNow.", 10, "this text stands before the first question"),
    ],
)
def test_a_fault_of_one_question_names_line_and_remedy(body: str, line: int, remedy: str) -> None:
    problem = fault(front() + body)
    assert problem.line == line
    assert problem.text.startswith(remedy)


@pytest.mark.parametrize(
    "label",
    [
        "Also asked\n- Whom?",
        "Also asked\n\n- Whom?",
        "also asked.\n- Whom?",
        "Also asked:\nWhom?\nWhich people?",
        "Also asked: Whom?",
        "**Also asked:**\n- Whom?",
        "### Also asked\n- Whom?",
        "Autre formulation :\n- Whom?",
        "Autres formulations\n- Whom?",
    ],
)
def test_a_mistaken_label_of_ways_of_asking_is_not_shown_to_candidates(label: str) -> None:
    problem = fault(front() + f"## Who? {{#who}}\n\n{label}\n\nAll.\n")
    assert problem.line == 10
    assert problem.text.startswith("candidates would see this label: write 'Also asked:' or 'Autres formulations :'")


def test_a_label_below_text_or_written_again_is_refused() -> None:
    assert fault(front() + "## Who? {#who}\n\nAll.\nAlso asked:\n- Whom?\n").line == 11
    again = "Also asked:\n- Whom?\n\nAll.\n\nAlso asked:\n- Which?\n"
    assert fault(front() + f"## Who? {{#who}}\n\n{again}").line == 15


@pytest.mark.parametrize(
    "answer",
    [
        "Also asked for: a letter.",
        "Also asked by many: no.",
        "Autres formations :\n- one\n- two",
        "Autres informations :\n- one",
        "Autre formulation : seize ans ou plus.",
        "A letter is\nalso asked.",
        "A letter is\nalso asked: write one page.",
        "Other ways:\n- by train\n- by bus",
    ],
)
def test_what_only_resembles_a_label_is_an_answer(answer: str) -> None:
    parsed = parse(front() + f"## Who? {{#who}}\n\n{answer}\n", "a.md")
    assert parsed.problems == ()
    assert [(only.also, only.answer) for only in parsed.entries] == [((), answer)]


@pytest.mark.parametrize("answer", ["#1 of ten, see #kiln", "```\n##When? {#when}\n```", "Write `##When? {#when}`."])
def test_an_answer_may_have_signs_of_headings(answer: str) -> None:
    parsed = parse(front() + f"## #1 question? {{#who}}\n\n{answer}\n", "a.md")
    assert parsed.problems == ()
    assert [only.answer for only in parsed.entries] == [answer]


def test_text_above_a_question_without_its_blank_is_still_lost() -> None:
    parsed = parse(front() + "Lost.\n\nLost too.\n##Who? {#who}\n\nAll.\n\n##When? {#when}\n\nNow.\n", "a.md")
    assert [problem.line for problem in parsed.problems] == [8, 10, 11, 15]


@pytest.mark.parametrize(
    "answer", ["- an apron\n- a towel", "- an apron\n\n- a towel", "* an apron", "1. an apron", "- a\n  - b"]
)
def test_an_answer_may_begin_with_a_list_below_the_ways_of_asking(answer: str) -> None:
    parsed = parse(front() + f"## What to bring? {{#bring}}\n\nAlso asked:\n- Tools?\n- Clothes\n\n{answer}\n", "a.md")
    assert parsed.problems == ()
    assert [(only.also, only.answer) for only in parsed.entries] == [(("Tools?", "Clothes"), answer)]


def test_an_answer_ends_with_its_own_date_or_when_it_has_to_be_reviewed() -> None:
    day = date(2026, 9, 1)
    assert entry().ends is None
    assert not entry().past(date.max)
    assert entry(review_every=30).ends == date(2026, 10, 1)
    assert entry(review_every=30, valid_until=day).ends == day
    assert [entry(valid_until=day).past(today) for today in (day, date(2026, 9, 2))] == [False, True]
    assert entry(review_every=3650, reviewed=date.max).ends == date.max


def test_everything_wrong_with_a_file_is_told_at_once() -> None:
    body = "Lost.\n\n## No id\n\nYes.\n\n## Good? {#good}\n\nYes.\n\n## Empty? {#empty}\n"
    parsed = parse(front() + body, "a.md")
    assert [problem.line for problem in parsed.problems] == [8, 10, 18]
    assert [entry.id for entry in parsed.entries] == ["good"]
    assert len(parse(front(language="de", topic=None, sorce="x"), "a.md").problems) == 3


def test_a_problem_reads_like_a_compilers() -> None:
    assert str(KnowledgeError([Problem("a.md", 3, "one"), Problem("b.md", 1, "two")])) == "a.md:3: one\nb.md:1: two"


def test_windows_files_read_like_others(tmp_path: Path) -> None:
    """A byte order mark and carriage returns change neither answers nor line numbers."""
    path = tmp_path / "a.md"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert parse(read_text(path), "pas.fr.md") == parse(GOOD, "pas.fr.md")
    assert parse(GOOD.replace("\n", "\r\n"), "pas.fr.md") == parse(GOOD, "pas.fr.md")


def test_a_file_that_is_not_utf8_is_refused_at_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes("---\ncourse: pottery\nsource: La poterie d'été\n".encode("latin-1"))
    with pytest.raises(KnowledgeError) as caught:
        read_text(path)
    assert str(caught.value) == f"{path}:3: this is not UTF-8 text: save the file with the encoding UTF-8"


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"cannot be read \(.*\): check its name and rights"):
        read_text(tmp_path / "missing.md")


@pytest.mark.parametrize("break_", ["\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_line_breaks_that_word_processors_leave_move_nothing(break_: str) -> None:
    text = front() + f"## Who?{break_} {{#who}}\n\nAll{break_}of you.\n\n## When? {{#when}}\n\nNow.\n"
    assert [entry.answer for entry in parse(text, "a.md").entries] == [f"All{break_}of you.", "Now."]


def test_an_id_twice_in_a_language_is_refused_and_shared_by_translations_is_not() -> None:
    first, again = entry(line=3), entry(question="Is it hot?", path="b.md", line=9)
    french = entry(question="Est-il chaud ?", language="fr")
    assert [str(problem) for problem in check([first, french, again])] == [
        "b.md:9: id 'kiln' is already used at classes.en.md:3: choose another"
    ]


def test_ids_twice_in_one_file_are_refused() -> None:
    parsed = parse(front() + "## One? {#a}\n\nYes.\n\n## Two? {#a}\n\nNo.\n", "a.md")
    assert [str(problem) for problem in check(parsed.entries)] == [
        "a.md:12: id 'a' is already used at a.md:8: choose another"
    ]


def test_one_question_for_two_entries_is_refused_however_it_is_written() -> None:
    first = entry(also=("Too hot?",), line=3)
    twin = entry("oven", "The oven?", also=("How  HOT is the kiln?", "too hot ?"), line=9, language="fr")
    assert [str(problem) for problem in check([first, twin])] == [
        "classes.en.md:9: 'How  HOT is the kiln?' is also asked by 'kiln' at classes.en.md:3: keep it in one of them",
        "classes.en.md:9: 'too hot ?' is also asked by 'kiln' at classes.en.md:3: keep it in one of them",
    ]


def test_two_courses_and_two_languages_may_ask_the_same() -> None:
    assert not list(check([entry(), entry("oven", course="glass"), entry(language="fr")]))


def test_a_copy_of_a_file_is_told_once() -> None:
    here = [entry(id_, id_ + "?", line=line) for line, id_ in enumerate("abc", 9)]
    (copied,) = check([*here, *(replace(one, path="copy.en.md") for one in here)])
    assert str(copied) == (
        "copy.en.md:1: 3 questions have ids of classes.en.md, which is in the same language (en): "
        "correct 'language' if this is its translation, or delete one of the two"
    )


def test_an_entry_belongs_to_one_course() -> None:
    (problem,) = check([entry(line=3), entry(language="fr", course="glass", path="b.md", line=5)])
    assert str(problem) == "b.md:5: id 'kiln' already belongs to course 'pottery' at classes.en.md:3: choose another"


def test_a_missing_translation_is_named_in_either_direction() -> None:
    both = [entry("both"), entry("both", language="fr")]
    assert [p.text for p in missing_translations([*both, entry("en"), entry("fr", language="fr")])] == [
        "'en' has no French version yet",
        "'fr' has no English version yet",
    ]


def test_a_course_in_one_language_is_told_once() -> None:
    alone = [entry(id_, course="welding", path="welding.en.md", line=line) for line, id_ in enumerate("abc", 9)]
    both = [entry("kiln"), entry("kiln", language="fr"), entry("clay")]
    (told,) = one_language([*alone, *both])
    assert str(told) == (
        "welding.en.md:9: all 3 entries of 'welding' are in English only: "
        "questions in French find them, and are told so"
    )
    (missing,) = missing_translations([*alone, *both])
    assert str(missing) == "classes.en.md:1: 'clay' has no French version yet"


@pytest.mark.parametrize(
    ("markdown", "blocks"),
    [
        ("Yes.\nAnd no.", ["Yes. And no."]),
        ("- one\n- **two**\n\n1. three", ["one", "two", "three"]),
        ("See [the *map*](https://example.org/map).", ["See the map."]),
        ("Run `make`:\n\n```sh\nmake demo\n```", ["Run make:", "make demo"]),
        ("> quoted", ["quoted"]),
        ("<b>not bold</b>", ["<b>not bold</b>"]),
        ("", []),
    ],
)
def test_plain_keeps_what_people_see(markdown: str, blocks: list[str]) -> None:
    assert plain(markdown) == tuple(blocks)


LINE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=40)


@given(st.text(max_size=300), st.booleans())
@example("\x00", True)
@example("## a {#a}\n\u2028b", True)
def test_no_text_whatever_breaks_the_reader(text: str, with_front_matter: bool) -> None:
    parsed = parse(front() + text if with_front_matter else text, "a.md")
    assert parsed.entries or parsed.problems


@given(LINE)
def test_no_front_matter_whatever_breaks_the_reader(line: str) -> None:
    parsed = parse(front(source=line) + "## Who? {#who}\n\nAll.\n", "a.md")
    assert parsed.entries or parsed.problems
