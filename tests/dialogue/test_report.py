import json
from datetime import date
from typing import Any

import pytest

from bot.dialogue.conversation import Part, Turn
from bot.dialogue.decide import Answer, Clarify, Escalate
from bot.dialogue.render import Reason
from bot.dialogue.report import as_dict, short, source
from bot.dialogue.texts import texts
from indexer.passages import Hit
from tests.indexer.examples import entry

KEYS = {
    "question",
    "language",
    "decision",
    "confidence",
    "entry",
    "answer",
    "source",
    "alternatives",
    "parts",
    "snapshot",
    "ms",
}
KILN = entry(answer="It reaches **1,240** degrees.", source_date="2025-03-31", reviewed=date(2026, 9, 1))
BENCH = entry("bench", "Where is the bench?", answer="By the door.\n\n- left\n- low")
HITS = (Hit(KILN, 1.0, confidence=0.91236), Hit(BENCH, 0.9, confidence=0.2))
ANSWERED = Part("How hot?", Answer(KILN), HITS)
ASKED_BACK = Part("Where?", Clarify((BENCH,)), HITS[1:])
HANDED_OVER = Part("Price?", Escalate(Reason.UNSURE), ())


def report(*parts: Part, **turn: Any) -> dict[str, Any]:
    found = as_dict(Turn("said", **({"language": "en", "parts": parts} | turn)), "asked", "s-1", 12.3456)
    assert json.loads(json.dumps(found)) == found
    assert set(found) == KEYS
    assert (found["question"], found["snapshot"], found["ms"]) == ("asked", "s-1", 12.35)
    return found


def test_an_answer_as_the_candidate_would_read_it() -> None:
    found = report(ANSWERED)
    assert (found["decision"], found["entry"], found["confidence"]) == ("answer", "kiln", 0.9124)
    assert found["answer"].startswith(f"{KILN.question}\n\nIt reaches 1,240 degrees.")
    assert "The workshop's leaflet" in found["answer"]
    assert found["source"] == "The workshop's leaflet, 2025-03-31"
    assert found["parts"] == []


def test_who_asks_in_an_entry_s_own_words_reads_them_nowhere_again() -> None:
    found = report(Part(KILN.question.lower(), Answer(KILN), HITS))
    assert found["answer"].startswith("It reaches 1,240 degrees.")


def test_an_answer_in_the_other_language_says_so() -> None:
    found = report(ANSWERED, language="fr")
    assert found["language"] == "fr"
    assert found["answer"].startswith(f"{KILN.question}\n\n{texts('fr').other_language}")


@pytest.mark.parametrize(("part", "decision"), [(ASKED_BACK, "clarify"), (HANDED_OVER, "escalate")])
def test_without_an_answer_there_is_neither_entry_nor_source(part: Part, decision: str) -> None:
    found = report(part)
    assert found["decision"] == decision
    assert (found["entry"], found["answer"], found["source"]) == (None, None, None)


def test_alternatives_are_the_best_hits_whatever_the_decision() -> None:
    assert report(ASKED_BACK)["alternatives"] == [
        {
            "entry": "bench",
            "question": "Where is the bench?",
            "answer": "By the door.\nleft\nlow",
            "confidence": 0.2,
        }
    ]
    assert [near["entry"] for near in report(ANSWERED)["alternatives"]] == ["kiln", "bench"]


def test_small_talk() -> None:
    found = report(chat="thanks")
    assert (found["decision"], found["confidence"], found["alternatives"]) == ("chat", 1.0, [])
    assert found["answer"] == texts("en").thanks


def test_a_message_with_several_questions_has_an_object_for_each() -> None:
    found = report(HANDED_OVER, ANSWERED, ASKED_BACK)
    assert found["decision"] == "answer"
    assert found["entry"] == "kiln"
    assert [part["question"] for part in found["parts"]] == ["Price?", "How hot?", "Where?"]
    assert [part["decision"] for part in found["parts"]] == ["escalate", "answer", "clarify"]
    assert all(set(part) == KEYS for part in found["parts"])
    assert found["answer"] == found["parts"][1]["answer"]


def test_several_answers_are_joined() -> None:
    other = Part("Where?", Answer(BENCH), HITS[1:])
    found = report(ANSWERED, other)
    assert found["answer"] == "\n\n".join(part["answer"] for part in found["parts"])
    assert "By the door" in found["answer"]


def test_the_source_names_its_date_if_there_is_one() -> None:
    assert source(BENCH) == "The workshop's leaflet"
    assert short(KILN) == "It reaches 1,240 degrees."
