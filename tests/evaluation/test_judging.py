from datetime import date

import pytest

from bot.dialogue.conversation import Part, Turn
from bot.dialogue.decide import Answer, Clarify, Decision, Escalate, Limits
from bot.evaluation.golden import Before, Golden
from bot.evaluation.judging import Judged, Outcome, Remembering, judge, outcome
from indexer.engine import Engine
from tests.indexer.examples import entry
from tests.indexer.standin import WordEncoder

KILN, GLAZE = entry("kiln"), entry("glaze", "Which glaze?")


def turn(*decisions: Decision, chat: bool = False) -> Turn:
    return Turn("?", "en", "greeting" if chat else None, tuple(Part("?", decision) for decision in decisions))


def told_nothing_more() -> Turn:
    """A follow-up that finds what was just shown."""
    return Turn("?", "en", parts=(Part("?", Answer(KILN), again=True),))


def golden(*expect: str, also: tuple[str, ...] = ()) -> Golden:
    return Golden(ask="?", language="en", expect=expect, also=also)


@pytest.mark.parametrize(
    ("expected", "got", "judged"),
    [
        (golden("kiln"), turn(Answer(KILN)), Outcome.RIGHT),
        (golden("glaze", also=("kiln",)), turn(Answer(KILN)), Outcome.RIGHT),
        (golden("kiln"), turn(Answer(GLAZE)), Outcome.WRONG),
        (golden("kiln"), turn(Clarify((GLAZE, KILN))), Outcome.ASKED),
        (golden("kiln"), turn(Clarify((GLAZE,))), Outcome.MISSED),
        (golden("kiln"), turn(Escalate()), Outcome.MISSED),
        (golden("kiln"), turn(chat=True), Outcome.MISSED),
        (golden("escalate"), turn(Escalate()), Outcome.RIGHT),
        (golden("escalate"), turn(Clarify((KILN,))), Outcome.ASKED),
        (golden("escalate"), turn(Answer(KILN)), Outcome.WRONG),
        (golden("kiln"), told_nothing_more(), Outcome.RIGHT),
        (golden("glaze"), told_nothing_more(), Outcome.MISSED),
        (golden("escalate"), told_nothing_more(), Outcome.ASKED),
        (golden("chat"), turn(chat=True), Outcome.RIGHT),
        (golden("chat"), turn(Escalate()), Outcome.MISSED),
        (golden("chat"), turn(Answer(KILN)), Outcome.WRONG),
        (golden("kiln", "escalate"), turn(Answer(KILN), Escalate()), Outcome.RIGHT),
        (golden("kiln", "glaze"), turn(Answer(KILN), Clarify((GLAZE,))), Outcome.ASKED),
        (golden("kiln", "glaze"), turn(Answer(KILN), Answer(GLAZE)), Outcome.RIGHT),
        (golden("kiln", "escalate"), turn(Answer(KILN), Answer(GLAZE)), Outcome.WRONG),
    ],
)
def test_a_turn_is_judged_against_what_is_expected(expected: Golden, got: Turn, judged: Outcome) -> None:
    assert outcome(expected, got) is judged


def test_questions_are_put_as_candidates_write_them(engine: Engine) -> None:
    asked = [
        Golden(ask="Who are the lecturers?", language="en", expect=("lecturers",)),
        Golden(ask="Combien coûte la formation ?", language="fr", expect=("escalate",)),
        Golden(ask="Bonjour !", language="fr", expect=("chat",), kind="chat"),
        Golden(
            ask="and the teachers?",
            language="en",
            expect=("lecturers",),
            kind="follow-up",
            before=Before(ask="Which degree do I need?", entry="who-for"),
        ),
    ]
    steps: list[int] = []
    found = judge(engine, asked, Limits(), date(2026, 11, 22), lambda done, _: steps.append(done))
    assert steps == [1, 2, 3, 4]
    assert [one.outcome for one in found[:3]] == [Outcome.RIGHT] * 3
    assert found[0].first_right
    assert found[0].rank == 1
    assert found[1].confidence == 0


def test_nothing_is_found_for_a_greeting() -> None:
    judged = Judged(golden("chat"), turn(chat=True), Outcome.RIGHT)
    assert (judged.hits, judged.confidence, judged.rank, judged.first_right) == ((), 0.0, None, False)


def test_a_question_is_encoded_once_however_often_it_is_asked() -> None:
    inner = WordEncoder()
    encoder = Remembering(inner)
    first = encoder.questions(["hot", "cold"])
    assert encoder.questions(["cold"])[0] is first[1]
    assert inner.encoded == ["hot", "cold"]
