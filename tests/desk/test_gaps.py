"""What the knowledge lacks: which questions show it, how they are grouped, and what is no gap any more."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.desk import gaps as lacking
from bot.desk.desk import Desk
from bot.desk.export import gaps_table
from bot.desk.gaps import Asked, Gap, asked, gaps
from bot.desk.insight import Period, Theme
from bot.desk.picture import draw_themes
from bot.dialogue.decide import Limits
from bot.records.forgetting import forget
from bot.records.people import candidate_of, chat_of
from bot.records.sessions import Database
from bot.records.states import Feedback, TicketState
from bot.records.tables import Proposal, Question, Ticket, Wording
from indexer.engine import Engine

from .examples import STAFF
from .test_insight import size

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = date(2026, 3, 2)
ALL = Period(None, NOW)
NUMBERS = iter(range(1, 1000))


def unanswered(text: str, language: str = "en", **more: object) -> Asked:
    values = {"decision": "escalate", "course": "ai-project-manager", "asked_at": NOW, "candidate_id": "A"} | more
    return Asked(Question(id=next(NUMBERS), text=text, language=language, **values), "handed_over")


def found(engine: Engine, *questions: Asked) -> list[Gap]:
    return gaps(questions, engine, Limits(), TODAY)


def wordings(gap: Gap) -> set[str]:
    return {one.text for one in gap.questions}


def test_both_languages_are_one_theme_the_largest_comes_first_and_a_draft_is_named(engine: Engine) -> None:
    price = ["How much does the course cost?", "What is the price of the training?"]
    first, *others = found(
        engine,
        unanswered("Faut-il un visa pour venir étudier ?", "fr"),
        *map(unanswered, price),
        unanswered("Combien coûte la formation ?", "fr"),
    )
    assert wordings(first) == {*price, "Combien coûte la formation ?"}
    assert first.near.fills == "price"
    assert [len(gap.questions) for gap in others] == [1]


def test_what_nothing_is_known_about_is_grouped_too(engine: Engine) -> None:
    pets = [
        "Can I bring my dog to class?",
        "May I bring my dog to class with me?",
        "Puis-je venir en cours avec mon chien ?",
    ]
    languages = ["en", "en", "fr"]
    meals = "Is there a canteen where we can eat at noon?"
    first, *_ = found(engine, unanswered(meals), *map(unanswered, pets, languages))
    assert wordings(first) >= set(pets[:2])
    assert meals not in wordings(first)


def test_what_is_answered_by_now_is_no_gap_unless_the_answer_was_the_trouble(engine: Engine) -> None:
    answer = next(entry for entry in engine.snapshot.entries if entry.id == "rncp-title" and entry.language == "en")
    assert found(engine, unanswered(answer.question)) == []
    assert answer.reviewed
    later = datetime.combine(answer.reviewed + timedelta(days=1), NOW.timetz())
    earlier = later - timedelta(days=9)
    complaint = {"decision": "answer", "entry_id": answer.id, "feedback": Feedback.NOT_MINE}
    (gap,) = found(engine, unanswered(answer.question, **complaint, asked_at=later))
    assert gap.near.similar[0] == answer.id
    assert found(engine, unanswered(answer.question, **complaint, asked_at=earlier)) == []  # reviewed since
    assert found(engine, unanswered(answer.question, **complaint | {"entry_id": "purpose"}, asked_at=later)) == []


@pytest.mark.parametrize("text", ["/human", "I want to talk to a human", "thanks!", "azertyuiop", "👍"])
def test_what_asks_nothing_is_no_gap(engine: Engine, text: str) -> None:
    assert found(engine, unanswered(text)) == []


def test_nobody_is_named(engine: Engine) -> None:
    text = "I am Sara Benali, 06 12 34 56 78: how much does the course cost? Greetings, Zaza"
    (gap,) = found(engine, replace(unanswered(text), name="Zaza"))
    table = gaps_table([gap], UTC).decode("utf-8-sig")
    for said in (gap.first.text, table):
        assert "how much" in said
        assert not any(secret in said for secret in ("Sara", "Benali", "06", "Zaza"))


def test_a_theme_that_was_dismissed_stays_so_for_whoever_asks_next(engine: Engine) -> None:
    dog = "May I bring my dog to class?"
    old = unanswered(dog, dismissed_at=NOW)
    assert found(engine, old) == []
    assert found(engine, unanswered(dog), old) == []
    known = unanswered("How much is the course?", dismissed_at=NOW)
    assert found(engine, unanswered("Combien coûte la formation ?", "fr"), known) == []


def test_a_table_has_a_line_for_each_question_and_no_formulas(engine: Engine) -> None:
    gap = found(engine, unanswered("How much does the course cost?"), unanswered("=Price of the course?"))[0]
    lines = gaps_table([gap], UTC).decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert all(line.startswith("1,2,") and ",price," in line for line in lines[1:])
    assert ",'=Price of the course?," in lines[2] + lines[1]


@pytest.fixture
def questions() -> dict[str, dict[str, object]]:
    """By what should become of them."""
    return {
        "handed over": {"decision": "escalate"},
        "unchosen": {"decision": "clarify"},
        "refused": {"decision": "answer", "entry_id": "e", "feedback": Feedback.NOT_MINE},
        "person": {"decision": "answer", "entry_id": "e", "feedback": Feedback.PERSON},
        "rated badly": {"decision": "answer", "entry_id": "e"},
        "no: rated well": {"decision": "answer", "entry_id": "e"},
        "no: chosen": {"decision": "clarify", "entry_id": "e"},
        "no: answered": {"decision": "answer", "entry_id": "e"},
        "no: helped": {"decision": "answer", "entry_id": "e", "feedback": Feedback.HELPED},
        "no: before": {"decision": "escalate", "asked_at": NOW - timedelta(days=9)},
        "dismissed before": {"decision": "escalate", "asked_at": NOW - timedelta(days=9), "dismissed_at": NOW},
    }


async def test_which_questions_of_a_period_count(db: Database, questions: dict[str, dict[str, object]]) -> None:
    async with db.begin() as tx:
        candidate = await candidate_of(tx, (await chat_of(tx, 7, "private")).id, "en")
        for text, values in questions.items():
            more = {"asked_at": NOW - timedelta(days=1)} | values
            question = Question(candidate_id=candidate.id, course="ai", language="en", text=text, **more)
            tx.add(question)
            await tx.flush()
            if "rated" in text:
                common = {"candidate_id": candidate.id, "course": "ai", "language": "en", "reason": "person"}
                rating = 2 if text == "rated badly" else 3
                tx.add(Ticket(**common, state=TicketState.CLOSED, question_id=question.id, rating=rating))
    async with db.read() as tx:
        kept = await asked(tx, Period(NOW - timedelta(days=7), NOW))
    assert {one.question.text for one in kept} == {text for text in questions if not text.startswith("no")}
    reasons = {one.question.text: one.reason for one in kept}
    assert (reasons["rated badly"], reasons["refused"], reasons["unchosen"]) == ("rated", "refused", "unchosen")


async def test_one_proposal_for_a_theme_which_goes_with_whom_it_quotes(db: Database, engine: Engine) -> None:
    async with db.begin() as tx:
        staff = await chat_of(tx, STAFF, "supergroup")
        desk, ids = Desk(staff.id, "en"), []
        for person, (text, language) in enumerate(
            [("How much does the course cost?", "en"), ("Combien coûte la formation ?", "fr"), ("Price?", "en")]
        ):
            candidate = await candidate_of(tx, (await chat_of(tx, 70 + person, "private")).id, language)
            values = {"course": "ai-project-manager", "decision": "escalate", "asked_at": NOW - timedelta(days=1)}
            tx.add(Question(candidate_id=candidate.id, language=language, text=text, **values))
            ids.append(candidate.id)
    async with db.read() as tx:
        material = await asked(tx, ALL)
    (gap, *_) = gaps(material, engine, Limits(), TODAY)
    async with db.begin() as tx:
        assert await lacking.propose(tx, desk, gap, staff.id, key="one")
        assert await lacking.propose(tx, desk, gap, staff.id, key="two") is None
        written = (await tx.execute(select(Wording))).scalars().all()
        assert {one.language: one.answer for one in written} == {"en": "", "fr": ""}
        assert "Combien coûte la formation ?" in {one.question for one in written}
    async with db.begin() as tx:
        await forget(tx, ids[1])
    async with db.read() as tx:
        assert (await tx.execute(select(Proposal))).all() == []
        assert (await tx.execute(select(Wording))).all() == []


def test_a_picture_of_themes_is_as_wide_as_a_phone() -> None:
    for count in (1, 8):
        wide, high = size(
            draw_themes([Theme("How much is $x$? " * 20, 9)] * count, "What the knowledge lacks", "Themes")
        )
        assert wide == 1080
        assert high < 1500
