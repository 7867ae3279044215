"""Which course a message is about."""

from dataclasses import replace
from datetime import date

import pytest

from bot.dialogue.conversation import Exchange, Turn
from bot.dialogue.courses import Named, Sources, Start, attend, named, start_of, which
from bot.dialogue.decide import Answer, Limits
from bot.dialogue.render import Reason
from indexer.courses import COMMON, Course
from indexer.entries import Language
from indexer.passages import Hit

from ..indexer.examples import entry

LAW = Course("law", "Droit des affaires", "Business law", ("law", "LL.M."))
DATA = Course("data", "Science des données", "Data science", ("data",))
ENGINEERS = Course("data-eng", "Ingénierie des données", "Data engineering")
SCHOOL = (LAW, DATA, ENGINEERS)
PRICE = "How much does it cost?"


@pytest.mark.parametrize(
    ("payload", "start"),
    [
        ("law", Start("law", "")),
        ("data-eng_fees", Start("data-eng", "fees")),
        ("law_fees_2026", Start("law", "fees_2026")),
        ("fees", Start(None, "fees")),
        ("Law", Start(None, "Law")),
        ("law-fees", Start(None, "law-fees")),
        ("", Start(None, "")),
    ],
)
def test_a_deep_link_gives_course_and_rest(payload: str, start: Start) -> None:
    assert start_of(payload, SCHOOL) == start


@pytest.mark.parametrize(
    ("text", "course", "rest"),
    [
        ("How much does the LAW course cost?", "law", "How much does the course cost?"),
        ("le droit  des affaires, combien ?", "law", "le , combien ?"),
        ("Is the LL.M hard?", "law", "Is the hard?"),
        ("la science des donnees est-elle dure ?", "data", "la est-elle dure ?"),
        ("What is data-engineering?", "data-eng", "What is ?"),  # the longer of two names
        ("data-eng", "data-eng", ""),
    ],
)
def test_a_course_is_known_by_any_of_its_names(text: str, course: str, rest: str) -> None:
    assert named(text, SCHOOL) == Named(course, rest)


@pytest.mark.parametrize("text", ["Is there an outlaw?", "law or data?", "Who are you?", "lawdata"])
def test_parts_of_words_and_several_names_name_none(text: str) -> None:
    assert named(text, SCHOOL) is None


@pytest.mark.parametrize(("text", "alone"), [("Law please", True), ("c'est pour le droit des affaires", True)])
def test_a_name_may_stand_alone(text: str, alone: bool) -> None:
    found = named(text, SCHOOL)
    assert found
    assert found.alone is alone
    priced = named("law price", SCHOOL)
    assert priced
    assert not priced.alone


def hit(course: str, confidence: float) -> Hit:
    return Hit(entry(f"{course}-cost", course=course), confidence, confidence=confidence)


class Finds:
    """Finds one entry a course, with a confidence that tests choose; remembers what it was asked."""

    def __init__(self, **sure: float) -> None:
        self.sure, self.asked = sure, list[tuple[str, str | None]]()

    def __call__(self, question: str, language: Language, course: str | None) -> tuple[Hit, ...]:
        self.asked.append((question, course))
        names = self.sure if course is None else [name for name in self.sure if name in (course, COMMON)]
        return tuple(sorted((hit(name, self.sure[name]) for name in names), key=lambda hit: -hit.confidence))


def asked(text: str, find: Finds, *, chosen: str | None = None, before: Exchange | None = None) -> Turn:
    sources = Sources(find, lambda *_: False, SCHOOL)
    return attend(text, sources, Limits(), date(2026, 9, 1), language="en", chosen=chosen, before=before)


def answered(turn: Turn) -> list[str]:
    return [part.decision.entry.id for part in turn.parts if isinstance(part.decision, Answer)]


def test_the_chosen_course_alone_is_searched() -> None:
    find = Finds(law=0.9, data=0.95)
    turn = asked(PRICE, find, chosen="law")
    assert (answered(turn), turn.course, turn.named) == (["law-cost"], "law", False)
    assert {course for _, course in find.asked} == {"law"}


def test_a_named_course_wins_over_the_chosen_one_with_and_without_its_name_in_the_question() -> None:
    find = Finds(law=0.9, data=0.95)
    turn = asked("How much does law cost?", find, chosen="data")
    assert (answered(turn), turn.course, turn.named) == (["law-cost"], "law", True)
    assert find.asked == [("How much does law cost?", "law"), ("How much does cost?", "law")]


@pytest.mark.parametrize(
    ("own", "searched"),
    [
        ("Hello, what does law cost?", ["Hello, what does law cost?", "Hello, what does cost?"]),
        ("Hello, what does cost?", ["Hello, what does law cost?", "Hello, what does cost?"]),
        ("what does cost?", ["what does law cost?", "what does cost?"]),
    ],
)
def test_a_polite_message_that_names_a_course_may_be_an_entry_s_own(own: str, searched: list[str]) -> None:
    find = Finds(law=0.9)
    sources = Sources(find, lambda text, course: (text, course) == (own, "law"), SCHOOL)
    attend("Hello, what does law cost?", sources, Limits(), date(2026, 9, 1), language="en")
    assert find.asked == [(text, "law") for text in searched]


def test_a_course_that_is_gone_is_not_chosen() -> None:
    assert asked(PRICE, Finds(law=0.9, data=0.9), chosen="greek").courses == SCHOOL


@pytest.mark.parametrize(
    ("sure", "course", "asks"),
    [
        ({"law": 0.9, "data": 0.3}, "law", False),
        ({"law": 0.9, "data": 0.6}, "", True),  # not far enough ahead
        ({"law": 0.6}, "", True),  # not sure enough
        ({"law": 0.1, "data": 0.1}, "", True),
        ({}, "", True),
        ({COMMON: 0.9}, "", False),  # the same for all courses
        ({COMMON: 0.5, "law": 0.95}, "law", False),
    ],
)
def test_without_a_course_what_is_found_tells_or_the_person_is_asked(
    sure: dict[str, float], course: str, asks: bool
) -> None:
    turn = asked(PRICE, Finds(**sure))
    assert (turn.course, bool(turn.courses)) == (course, asks)
    assert bool(answered(turn)) is not asks


def test_nothing_but_a_name_is_a_choice() -> None:
    turn = asked("Business law", Finds(law=0.9), chosen="data")
    assert (turn.course, turn.named, turn.parts, turn.courses) == ("law", True, (), ())


def test_greetings_and_the_wish_for_a_person_need_no_course() -> None:
    assert asked("hello", Finds()).chat == "greeting"
    (part,) = asked("I want to talk to a human", Finds()).parts
    assert getattr(part.decision, "reason", None) is Reason.PERSON


def test_a_follow_up_stays_in_the_course_that_the_question_before_named() -> None:
    before = Exchange("How much does law cost?")
    turn = asked("and for freelancers?", Finds(law=0.9, data=0.95), chosen="data", before=before)
    assert (answered(turn), turn.course, turn.named) == (["law-cost"], "law", False)


def test_with_one_course_nothing_is_asked_and_the_name_means_nothing() -> None:
    find = Finds(law=0.9)
    turn = attend("law", Sources(find, lambda *_: False, (), "law"), Limits(), date(2026, 9, 1), language="en")
    assert (answered(turn), turn.course, turn.named) == (["law-cost"], "law", False)


def test_the_question_which_course_has_a_button_each() -> None:
    message = which(SCHOOL, "fr")
    assert [row[0].text for row in message.buttons] == [course.fr for course in SCHOOL]
    assert {row[0].data for row in message.buttons} == {"u:law", "u:data", "u:data-eng"}
    assert "Data science" in which(SCHOOL, "en", "data").text
    longest = replace(LAW, name="a" * 32)
    assert which((longest,), "en").buttons
