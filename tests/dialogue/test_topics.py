from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest

from bot.dialogue.message import Message
from bot.dialogue.texts import texts
from bot.dialogue.topics import (
    NAMED,
    PAGE,
    TOPICS,
    Topic,
    code,
    find_entry,
    find_topic,
    menu,
    named,
    questions,
    topics_of,
    way_back,
)
from indexer.entries import Entry, Language

TODAY = date(2026, 11, 22)
PLAIN = Entry(
    id="degree",
    language="en",
    course="law",
    topic="admissions",
    topic_name="Admissions",
    question="Do I need a degree?",
    also=(),
    answer="No.",
    source="An interview",
)


def entry(id_: str, language: Language = "en", topic: str = "admissions", **more: object) -> Entry:
    names = {"fr": f"Thème {topic}", "en": f"Topic {topic}"}
    base = replace(PLAIN, id=id_, language=language, topic=topic, topic_name=names[language], question=f"{id_}?")
    return replace(base, **more)  # type: ignore[arg-type]  # fields of an entry, named by the tests


def many(count: int, topic: str = "admissions") -> Topic:
    (found,) = topics_of([entry(f"e{number}", topic=topic) for number in range(count)], "en", TODAY)
    return found


def data(message: Message) -> list[str]:
    return [button.data or "" for row in message.buttons for button in row]


def ids(topics: Iterable[Topic]) -> list[tuple[str, list[str]]]:
    return [(topic.name, [one.id for one in topic.entries]) for topic in topics]


def test_topics_keep_the_order_of_the_files() -> None:
    placed = [
        entry(id_, topic=path, path=f"{path}.en.md", line=line)
        for id_, path, line in (
            ("a", "b", 9),
            ("b", "a", 5),
            ("c", "b", 1),
        )
    ]
    assert ids(topics_of(placed, "en", TODAY)) == [("a", ["b"]), ("b", ["c", "a"])]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_question_once_in_the_language_spoken_or_else_the_other(language: Language) -> None:
    (topic,) = topics_of([entry("a", "en"), entry("a", "fr"), entry("b", "en")], language, TODAY)
    assert [(one.id, one.language) for one in topic.entries] == [("a", language), ("b", "en")]
    assert topic.title == {"fr": "Thème admissions", "en": "Topic admissions"}[language]


def test_drafts_and_what_is_past_are_not_offered() -> None:
    past, last_day = entry("old", valid_until=date(2026, 11, 21)), entry("today", valid_until=TODAY)
    due = entry("due", reviewed=date(2026, 1, 1), review_every=30)
    found = topics_of([entry("draft", draft=True), past, due, last_day], "en", TODAY)
    assert ids(found) == [("admissions", ["today"])]
    assert find_entry(found, code("draft")) is None
    assert find_entry(found, code("old")) is None


def test_a_course_has_its_own_topics_and_the_common_ones() -> None:
    entries = [entry("a"), entry("b", course="baking"), entry("c", course="common", topic="housing")]
    assert ids(topics_of(entries, "en", TODAY, "law")) == [("admissions", ["a"]), ("housing", ["c"])]
    assert ids(topics_of(entries, "en", TODAY)) == [("admissions", ["a", "b"]), ("housing", ["c"])]


def test_topics_and_questions_are_found_by_short_codes() -> None:
    found = topics_of([entry("x" * 200, topic="y" * 200)], "en", TODAY)
    assert find_topic(found, "y" * 200) == find_topic(found, code("y" * 200)) == found[0]
    assert find_entry(found, code("x" * 200)) == (found[0], found[0].entries[0])
    assert find_topic(found, "") is None
    assert all(len(one.encode()) <= 64 for one in data(questions(found[0], "en")))


@pytest.mark.parametrize(
    ("count", "page", "shown", "turns"),
    [
        (PAGE, 0, PAGE, []),
        (PAGE + 1, 0, PAGE, ["1"]),
        (PAGE + 1, 1, 1, ["0"]),
        (2 * PAGE + 1, 1, PAGE, ["0", "2"]),
        (PAGE + 1, 99, 1, ["0"]),
        (PAGE, 5, PAGE, []),
    ],
)
def test_many_questions_are_paged(count: int, page: int, shown: int, turns: list[str]) -> None:
    topic = many(count)
    buttons = data(questions(topic, "en", page=page))
    assert len([one for one in buttons if one.startswith("g:e:")]) == shown
    assert [one.rpartition(":")[2] for one in buttons if one.startswith("g:t:")] == turns
    assert buttons[-1] == "g:m:-:0"


def test_many_topics_are_paged_and_short_titles_stand_in_pairs() -> None:
    found = topics_of([entry(f"e{number}", topic=f"t{number}") for number in range(TOPICS + 1)], "en", TODAY)
    first, second = menu(found, "en"), menu(found, "en", page=1)
    assert [len(row) for row in first.buttons] == [2] * (TOPICS // 2) + [1]
    assert first.buttons[-1][0].data == "g:m:-:1"
    assert [one.rpartition(":")[2] for one in data(second)] == ["0", "0"]
    names = ("a", "a-name-that-is-long", "b", "c", "d")
    mixed = menu(topics_of([entry(name, topic=name) for name in names], "en", TODAY), "en")
    assert [len(row) for row in mixed.buttons if row] == [1, 1, 2, 1]


def test_questions_are_numbered_on_and_the_way_back_leads_to_their_page() -> None:
    topic = many(PAGE + 2)
    second = questions(topic, "en", page=1)
    assert f"{PAGE + 1}. e{PAGE}?" in second.text
    assert second.buttons[0][0].text.startswith(f"{PAGE + 1}. ")
    assert (way_back(topic, topic.entries[PAGE], "en")[0].data or "").endswith(":1")


def test_no_topics_leave_the_way_of_writing() -> None:
    shown = menu((), "fr", notice="Une démonstration.")
    assert shown.text == f"{texts('fr').menu_nothing}\n\nUne démonstration."
    assert data(shown) == []


def test_the_first_words_name_some_topics() -> None:
    topics = [Topic(str(number), f"Topic {number}", ()) for number in range(NAMED + 1)]
    assert named(topics[:2]) == "topic 0, topic 1"
    assert named(topics).endswith("…")
    assert "topic 6" not in named(topics)
