from indexer.passages import LONG_ANSWER, LONGEST_ANSWER, LONGEST_WHOLE, Kind, beginning, cut, lexical_text, sentences
from tests.indexer.examples import entry

ASKED = entry(also=("Is it hot?",), answer="It reaches 1,240 degrees. Wear gloves!\n\n- Stand back\n- Wait")


def test_an_answer_is_cut_into_sentences_and_list_items() -> None:
    assert sentences(ASKED) == ["It reaches 1,240 degrees.", "Wear gloves!", "Stand back", "Wait"]
    french = entry(language="fr", answer="Il atteint **1 240 degrés**. Mme Roy le sait ! Et vous ?")
    assert sentences(french) == ["Il atteint 1 240 degrés.", "Mme Roy le sait !", "Et vous ?"]


def test_only_a_long_answer_has_a_beginning() -> None:
    first, second, rest = "It reaches **1,240** degrees.", "Wear gloves!", "Wait a day."
    assert beginning(entry(answer=f"{first} {second} " + rest * (LONG_ANSWER // len(rest) + 1))) == (
        "It reaches 1,240 degrees. Wear gloves!"
    )
    assert beginning(entry(answer=f"{first} {second} {rest}")) == ""
    assert beginning(entry(answer=f"{first} {'Wait and ' * LONG_ANSWER}see.")) == ""  # nothing would be left for later


def test_the_passages_of_an_entry() -> None:
    found = list(cut(ASKED, 7))
    assert {passage.entry for passage in found} == {7}
    assert [passage.text for passage in found if passage.kind == Kind.ASKED] == ["How hot is the kiln?", "Is it hot?"]
    assert [passage.text for passage in found if passage.kind == Kind.QUESTION] == [
        "How hot is the kiln?",
        "Is it hot?",
        "Classes How hot is the kiln?",
    ]
    assert [passage.text for passage in found if passage.kind == Kind.ANSWER] == [
        "It reaches 1,240 degrees.",
        "It reaches 1,240 degrees. Wear gloves!",
        "Wear gloves!",
        "Wear gloves! Stand back",
        "Stand back",
        "Stand back Wait",
        "Wait",
    ]
    assert [passage.text for passage in found if passage.kind == Kind.WHOLE] == [
        "How hot is the kiln? It reaches 1,240 degrees. Wear gloves! Stand back Wait",
        "Classes How hot is the kiln? It reaches 1,240 degrees. Wear gloves! Stand back Wait",
    ]


def test_a_draft_is_found_by_its_questions_only() -> None:
    kinds = [passage.kind for passage in cut(entry(draft=True, answer="", also=("Hot?",)), 0)]
    assert kinds == [Kind.ASKED, Kind.ASKED, Kind.QUESTION, Kind.QUESTION, Kind.QUESTION]


def test_an_endless_answer_costs_no_endless_memory() -> None:
    found = list(cut(entry(answer="\n".join(f"- item {number}" for number in range(1000))), 0))
    assert sum(passage.kind == Kind.ANSWER for passage in found) == 2 * LONGEST_ANSWER - 1
    assert len(next(passage for passage in found if passage.kind == Kind.WHOLE).text) <= LONGEST_WHOLE


def test_an_answer_that_is_a_picture_alone_can_still_be_asked_for() -> None:
    assert Kind.ASKED in {passage.kind for passage in cut(entry(answer="![](https://example.org/a.png)"), 0)}


def test_words_to_match_are_topic_question_twice_and_answer() -> None:
    assert lexical_text(entry(also=("Hot?",)), ["Very hot."]) == (
        "Classes How hot is the kiln? How hot is the kiln? Hot? Very hot."
    )
