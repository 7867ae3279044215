from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.decide import (
    MOST_CHOICES,
    Answer,
    Beside,
    Clarify,
    Decision,
    Escalate,
    Limits,
    beyond,
    decide,
    name,
    of_topic,
    withheld,
)
from bot.dialogue.render import Reason
from indexer.features import FEATURES
from indexer.passages import Hit
from tests.indexer.examples import entry

TODAY = date(2026, 9, 1)
LIMITS = Limits(answer=0.6, maybe=0.4, alone=0.45, rival=0.8, beside_draft=0.5)
A, B, C, D = (entry(id_) for id_ in "abcd")
DRAFT = entry("draft", answer="", draft=True)
PAST = entry("past", valid_until=TODAY - timedelta(days=1))
LAST_DAY = entry("last-day", valid_until=TODAY)


def hits(*rated: tuple[object, float]) -> list[Hit]:
    return [Hit(one, 1.0, confidence=confidence) for one, confidence in rated]  # type: ignore[arg-type]  # Entry


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], Escalate(Reason.OUTSIDE)),
        (hits((A, 0.60)), Answer(A)),  # the border belongs to `answer`
        (hits((A, 0.59)), Clarify((A,))),  # just below it
        (hits((A, 0.45)), Clarify((A,))),  # the border belongs to `alone`
        (hits((A, 0.44)), Escalate(Reason.UNSURE)),  # just below it
        (hits((A, 0.40), (B, 0.2)), Clarify((A, B))),  # the border belongs to `maybe`
        (hits((A, 0.39), (B, 0.39)), Escalate(Reason.UNSURE)),  # just below it
        (hits((A, 0.20)), Escalate(Reason.UNSURE)),  # half of `maybe`: something was near
        (hits((A, 0.19)), Escalate(Reason.OUTSIDE)),  # less: nothing was
        (hits((A, 0.95), (B, 0.79)), Answer(A)),  # just below `rival`
        (hits((A, 0.95), (B, 0.80)), Clarify((A, B))),  # both likely: the candidate chooses
        (hits((A, 0.96), (B, 0.80)), Answer(A)),  # odds of 24 beside odds of 4
        (hits((A, 1.0), (B, 0.99)), Answer(A)),
        (hits((A, 0.7), (B, 0.95)), Clarify((B, A))),  # a rival that is likelier than the first
        (hits((A, 0.30), (B, 0.45)), Clarify((B, A))),  # the likeliest first, whatever the rank
        (hits((A, 0.5), (B, 0.3), (C, 0.2), (D, 0.1)), Clarify((A, B, C))),  # three at most
        (hits((A, 0.5), (B, 0.19), (C, 0.02)), Clarify((A,))),  # less than half of `maybe` is no choice
        (hits((DRAFT, 0.9)), Escalate(Reason.UNWRITTEN)),  # known to have no answer yet
        (hits((DRAFT, 0.5)), Escalate(Reason.OUTSIDE)),  # it may be another question
        (hits((DRAFT, 0.9), (A, 0.49)), Escalate(Reason.UNWRITTEN)),  # just below `beside_draft`
        (hits((DRAFT, 0.9), (A, 0.50)), Clarify((A,))),  # an answered entry about as near
        (hits((A, 0.7), (DRAFT, 0.9)), Answer(A)),  # a draft that comes second takes nothing away
        (hits((A, 0.5), (DRAFT, 0.5)), Clarify((A,))),  # and is never offered
        (hits((PAST, 0.99), (A, 0.9)), Escalate(Reason.OUT_OF_DATE)),  # people may still send it
        (hits((PAST, 0.39), (A, 0.3)), Escalate(Reason.OUTSIDE)),  # it would not have been the answer either
        (hits((A, 0.5), (PAST, 0.5), (B, 0.3)), Clarify((A, B))),  # nor offered
        (hits((LAST_DAY, 0.7)), Answer(LAST_DAY)),  # the last day belongs to it
    ],
)
def test_decisions_at_their_borders(found: list[Hit], expected: Decision) -> None:
    assert decide(found, LIMITS, TODAY) == expected


def test_nothing_comes_near_an_entrys_own_question() -> None:
    own = [replace(first, verbatim=True) for first in hits((A, 1.0), (DRAFT, 1.0), (PAST, 1.0))]
    assert decide([own[0], *hits((B, 0.95))], LIMITS, TODAY) == Answer(A)
    assert decide([own[1], *hits((A, 0.95))], LIMITS, TODAY) == Escalate(Reason.UNWRITTEN)
    assert decide([own[2], *hits((A, 0.95))], LIMITS, TODAY) == Escalate(Reason.OUT_OF_DATE)


def test_what_no_entry_answers_is_offered_at_most_among_others() -> None:
    found = [[replace(hit, outside=True) for hit in hits(*some)] for some in (((A, 0.95), (B, 0.3)), ((A, 0.95),))]
    assert decide(found[0], LIMITS, TODAY) == Clarify((A, B))
    assert decide(found[1], LIMITS, TODAY) == Escalate(Reason.UNSURE)  # alone it would look like an answer


@given(st.lists(st.tuples(st.sampled_from([A, B, C, D, DRAFT, PAST]), st.floats(0, 1)), max_size=6))
def test_nothing_is_shown_that_may_not_be(rated: list[tuple[object, float]]) -> None:
    match decide(hits(*rated), LIMITS, TODAY):
        case Answer(entry_):
            assert entry_ is rated[0][0]
            assert rated[0][1] >= LIMITS.answer
            assert entry_ not in (DRAFT, PAST)
        case Clarify(entries):
            assert 0 < len(entries) <= MOST_CHOICES
            assert not {DRAFT, PAST} & set(entries)
            assert max(confidence for one, confidence in rated if one in entries) >= LIMITS.maybe
        case Escalate():
            pass


def test_the_default_limits_are_in_order() -> None:
    assert 0 < Limits().maybe < Limits().answer < 1


def test_decisions_have_names() -> None:
    decisions = (Answer(A), Clarify((A,)), Escalate(), Beside())
    assert [name(decision) for decision in decisions] == ["answer", "clarify", "escalate", "beside"]


def test_what_is_withheld_is_what_would_have_answered() -> None:
    assert withheld(hits((PAST, 0.9), (A, 0.8)), LIMITS, TODAY) == PAST
    assert withheld(hits((PAST, 0.39)), LIMITS, TODAY) is None
    assert withheld(hits((A, 0.9), (PAST, 0.8)), LIMITS, TODAY) is None
    assert withheld([], LIMITS, TODAY) is None


def word(topic: str, confidence: float, *, has: bool = True, **more: object) -> Hit:
    """A hit for a bare word that an entry of the topic has, or lacks."""
    measured = tuple(float(has) if name in {"words_held", "grams_held"} else 0.0 for name in FEATURES)
    id_ = f"{topic}-{confidence}"
    return Hit(entry(id_, topic=topic, **more), 1.0, measured, confidence)  # type: ignore[arg-type]  # Entry's fields


FUNDING, LAW = word("funding", 0.07), word("law", 0.02)
DRAFTED = word("later", 0.7, answer="", draft=True)


def test_a_bare_word_offers_the_questions_of_the_topic_that_it_names() -> None:
    lacking, second = word("funding", 0.01, has=False), word("funding", 0.001)
    assert of_topic([DRAFTED, FUNDING], TODAY) == Clarify((FUNDING.entry,))
    assert of_topic([DRAFTED, FUNDING, lacking, second], TODAY) == Clarify(
        (FUNDING.entry, second.entry, lacking.entry)
    )  # those that have the word come first
    assert of_topic([DRAFTED, LAW, FUNDING, second], TODAY) == Clarify((FUNDING.entry, second.entry))


def test_a_word_of_many_topics_or_of_none_names_none() -> None:
    assert of_topic([DRAFTED, FUNDING, LAW], TODAY) is None
    assert of_topic([DRAFTED, word("funding", 0.3, has=False)], TODAY) is None
    assert of_topic([DRAFTED, word("funding", 0.3, valid_until=TODAY - timedelta(days=1))], TODAY) is None
    assert of_topic([DRAFTED, word("funding", 0.04)], TODAY) is None  # in passing
    assert of_topic([], TODAY) is None


def test_a_word_that_is_surely_a_drafts_names_no_topic() -> None:
    assert of_topic([word("later", 0.92, answer="", draft=True), FUNDING], TODAY) is None
    assert of_topic([replace(DRAFTED, verbatim=True), FUNDING], TODAY) is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (hits((A, 0.5), (B, 0.4), (C, 0.3)), Clarify((B, C))),
        (hits((A, 0.5), (B, 0.45)), Clarify((B,))),  # the border belongs to `alone`
        (hits((A, 0.5), (B, 0.44)), Answer(A)),  # too little to be offered alone: there is no more to say
        (hits((A, 0.5)), Answer(A)),
        (hits((DRAFT, 0.8), (A, 0.5)), Escalate(Reason.UNWRITTEN)),  # another question, known to have no answer yet
        (hits((B, 0.5), (C, 0.45)), Clarify((B, C))),
        (hits((A, 0.7), (B, 0.4)), Clarify((B,))),  # rather than the same once more
        (hits((A, 0.7), (PAST, 0.5), (DRAFT, 0.5), (B, 0.39)), Answer(A)),
        (hits((A, 0.9), (B, 0.4)), Answer(A)),  # surely asked for again
        (hits((A, 0.1)), Escalate(Reason.OUTSIDE)),
    ],
)
def test_what_was_just_shown_is_no_choice(found: list[Hit], expected: Decision) -> None:
    assert beyond("a", decide(found, LIMITS, TODAY), found, LIMITS, TODAY) == expected
