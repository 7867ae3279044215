from dataclasses import replace
from datetime import date

import pytest

from bot.dialogue import conversation
from bot.dialogue.conversation import LONGEST_QUESTION, Exchange, Part, Turn, choices, respond
from bot.dialogue.decide import Answer, Clarify, Escalate, Limits
from bot.dialogue.render import Reason
from indexer.entries import Language
from indexer.passages import Hit
from tests.indexer.examples import entry

LIMITS = Limits(answer=0.6, maybe=0.3, rival=0.9)
TEACH, COST, LONG = (
    entry("teach", "Who teaches?"),
    entry("cost", "What does it cost?"),
    entry("long", "How long is it?"),
)


class Finder:
    """Finds an entry by a word of the question, and remembers what it was asked."""

    def __init__(self, **known: tuple[object, float]) -> None:
        self.known, self.asked = known, list[tuple[str, Language]]()

    def __call__(self, question: str, language: Language) -> tuple[Hit, ...]:
        self.asked.append((question, language))
        found = [rated for word, rated in self.known.items() if word in question.lower()]
        return tuple(Hit(one, 1.0, confidence=sure) for one, sure in found)  # type: ignore[arg-type]  # Entry


@pytest.fixture
def find() -> Finder:
    return Finder(teach=(TEACH, 0.9), enseigne=(TEACH, 0.9), cost=(COST, 0.9), long=(LONG, 0.4), odd=(LONG, 0.1))


def said(text: str, find: Finder, **given: object) -> Turn:
    return respond(text, find, LIMITS, date(2026, 9, 1), **given)  # type: ignore[arg-type]  # named as there


def test_a_question_is_answered_in_its_language(find: Finder) -> None:
    turn = said("Bonjour, qui enseigne dans cette formation ?", find)
    assert turn.language == "fr"
    assert [part.decision for part in turn.parts] == [Answer(TEACH)]
    assert find.asked == [("qui enseigne dans cette formation ?", "fr")]


@pytest.mark.parametrize(
    "text", ["Tell me about the course, please", "c koi ce cours", "Do I need a visa? And who helps with it?"]
)
def test_an_entrys_own_words_are_understood_as_they_stand(text: str) -> None:
    """What looks polite, shortened or like two questions in them belongs to them."""

    def find(question: str, _: Language) -> tuple[Hit, ...]:
        return (Hit(TEACH, 1.0, confidence=1.0, verbatim=True) if question == text else Hit(COST, 1.0, confidence=0.9),)

    (part,) = said(text, find, known=lambda asked: asked == text).parts  # type: ignore[arg-type]
    assert (part.question, part.decision) == (text, Answer(TEACH))


@pytest.mark.parametrize("text", ["Who actually teaches?", "who teaches exactly", "Who teaches, please?"])
def test_an_entry_s_own_words_are_found_among_words_that_say_nothing(text: str) -> None:
    def find(question: str, _: Language) -> tuple[Hit, ...]:
        own = question.lower().rstrip("?") == "who teaches"
        return (Hit(TEACH, 1.0, confidence=1.0, verbatim=True) if own else Hit(COST, 1.0, confidence=0.9),)

    (part,) = said(text, find, known=lambda asked: asked.lower().rstrip("?") == "who teaches").parts  # type: ignore[arg-type]
    assert part.decision == Answer(TEACH)


def test_a_long_message_is_no_way_of_asking(find: Finder) -> None:
    letter = f"Dear Sir, {'I have thought about it for weeks. ' * 20}Who teaches?"
    said(letter, find)
    assert all(len(question) <= 1000 for question, _ in find.asked)
    assert letter not in [question for question, _ in find.asked]


@pytest.mark.parametrize(
    ("text", "kind", "language"),
    [
        ("Hello!", "greeting", "en"),
        ("Merci beaucoup", "thanks", "fr"),
        ("", "gibberish", None),
        ("🙂", "gibberish", None),
    ],
)
def test_small_talk_and_noise_are_not_searched(find: Finder, text: str, kind: str, language: str | None) -> None:
    turn = said(text, find)
    assert (turn.chat, turn.parts, find.asked) == (kind, (), [])
    assert turn.language == language or language is None


def test_asking_for_a_person_is_not_searched(find: Finder) -> None:
    turn = said("I want to talk to a human please", find)
    assert [part.decision for part in turn.parts] == [Escalate(Reason.PERSON)]
    assert find.asked == []


def test_each_question_of_a_message_has_its_decision(find: Finder) -> None:
    turn = said("Who teaches there? And how long is it? Is anything odd?", find)
    assert [part.decision for part in turn.parts] == [Answer(TEACH), Clarify((LONG,)), Escalate(Reason.OUTSIDE)]
    assert choices(turn.parts) == (LONG,)


def test_two_questions_with_one_answer_are_answered_once(find: Finder) -> None:
    turn = said("Who teaches the course? Who teaches the law?", find)
    assert [part.question for part in turn.parts] == ["Who teaches the course?"]


def test_questions_of_which_none_is_answered_go_to_people_as_one(find: Finder) -> None:
    text = "Is parking free? Is anything odd here?"
    (part,) = said(text, find).parts
    assert (part.question, part.decision) == (text, Escalate(Reason.OUTSIDE))
    assert [hit.entry for hit in part.hits] == [LONG]


def test_a_follow_up_is_read_with_what_came_before(find: Finder) -> None:
    turn = said("and for freelancers?", find, language="en", before=Exchange("Who teaches?", "Teachers"))
    assert [part.decision for part in turn.parts] == [Answer(TEACH)]
    assert [part.question for part in turn.parts] == ["for freelancers?"]


def test_a_question_of_its_own_is_not_bent_by_what_came_before(find: Finder) -> None:
    turn = said("What does the course cost in total?", find, language="en", before=Exchange("Who teaches?"))
    assert [part.decision for part in turn.parts] == [Answer(COST)]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_could_be_either_language_stays_in_that_of_the_conversation(find: Finder, language: Language) -> None:
    assert said("Module 3 ?", find, language=language).language == language


def test_an_endless_message_is_searched_by_its_beginning(find: Finder) -> None:
    turn = said("teach " * 2000, find)
    assert len(turn.text) <= 4096
    assert max(len(question) for question, _ in find.asked) <= LONGEST_QUESTION
    assert [part.decision for part in turn.parts] == [Answer(TEACH)]


def test_a_part_knows_its_five_best_answers_and_its_confidence() -> None:
    draft = Hit(entry("draft", draft=True, answer=""), 2.0, confidence=0.9)
    answered = [Hit(entry(f"e-{n}"), 1.0, confidence=0.5 - n / 20) for n in range(7)]
    assert Part("?", Escalate(), (draft, *answered)).answers == tuple(answered[:5])
    assert Part("?", Escalate(), (draft, *answered)).confidence == 0
    assert Part("?", Escalate(), (*answered, draft)).confidence == 0.5
    assert Part("?", Escalate()).confidence == 0


BEFORE = Exchange("Who", fresh=True)
TAUGHT = Exchange("Who teaches", entry_id="teach", confidence=0.9, fresh=True)


def test_a_second_half_is_decided_with_the_first(find: Finder) -> None:
    turn = said("teaches there?", find, before=BEFORE)
    assert (turn.revises, [part.question for part in turn.parts]) == (True, ["Who teaches there?"])
    assert turn.parts[0].decision == Answer(TEACH)


def test_what_comes_later_is_decided_alone(find: Finder) -> None:
    assert not said("teaches there?", find, before=replace(BEFORE, fresh=False)).revises


def test_a_question_of_its_own_takes_no_answer_s_place(find: Finder) -> None:
    turn = said("cost of it all", find, before=TAUGHT)
    assert (turn.revises, turn.parts[0].decision) == (False, Answer(COST))


def test_what_was_added_and_is_not_answered_goes_to_people_with_what_it_goes_on_with(find: Finder) -> None:
    turn = said("on the moon", find, before=replace(TAUGHT, question="Who is it"))
    assert (turn.revises, turn.parts[0].decision) == (False, Escalate())
    assert turn.parts[0].question == "Who is it on the moon"


def test_a_sure_answer_is_not_taken_away_for_a_choice(find: Finder) -> None:
    assert said("as long as it goes", find, before=replace(BEFORE, question="what")).revises
    assert not said("as long as it goes", find, before=replace(TAUGHT, question="what")).revises


def test_a_wish_for_the_other_language_is_no_question(find: Finder) -> None:
    turn = said("En anglais, s'il vous plaît", find, language="fr")
    assert (turn.chat, turn.language, turn.parts, find.asked) == ("language", "en", (), [])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I would like to know", "listening"),
        ("je voulais savoir", "listening"),
        ("this is so confusing, I give up", "insult"),
        ("Je suis perdue, j'abandonne", "insult"),
        ("https://example.org/teach", "gibberish"),
    ],
)
def test_what_asks_nothing_is_not_searched(find: Finder, text: str, kind: str) -> None:
    turn = said(text, find)
    assert (turn.chat, turn.parts, find.asked) == (kind, (), [])


@pytest.mark.parametrize("text", ["I would like to know", "je voulais savoir", "I'm so lost"])
def test_an_entry_s_own_words_are_never_small_talk(find: Finder, text: str) -> None:
    assert said(text, find, known=lambda _: True).chat is None


def test_addresses_are_not_searched(find: Finder) -> None:
    turn = said("www.example.org who teaches?", find)
    assert [part.question for part in turn.parts] == ["www.example.org who teaches?"]
    assert find.asked == [("who teaches?", "en")]


@pytest.mark.parametrize(
    "text", ["tell me comma who teaches there question mark", "dites-moi virgule qui enseigne point d'interrogation"]
)
def test_signs_may_be_dictated(find: Finder, text: str) -> None:
    (part,) = said(text, find).parts
    assert part.decision == Answer(TEACH)
    assert part.question[-1] == "?"


def test_a_wish_for_a_person_beside_a_question_reaches_one(find: Finder) -> None:
    turn = said("Who teaches? Could someone call me on +33 6 12 34 56 78?", find)
    assert [part.decision for part in turn.parts] == [Answer(TEACH), Escalate(Reason.PERSON)]
    turn = said("Qui enseigne ? Et pouvez-vous me rappeler au 06 12 34 56 78 ?", find)
    assert [part.decision for part in turn.parts] == [Answer(TEACH), Escalate(Reason.PERSON)]


def test_a_follow_up_is_read_by_itself_without_what_joins_it_to_the_rest(find: Finder) -> None:
    said("ok great and the kiln then?", find, before=Exchange("Who teaches?"))
    assert [question for question, _ in find.asked] == ["Who teaches, the kiln then?", "the kiln then?"]


@pytest.mark.parametrize("text", ["même perso ?", "cool, how?", "and why?", "even without it?", "by whom?"])
def test_a_second_follow_up_leans_on_the_question_of_the_entry_that_answered_the_first(find: Finder, text: str) -> None:
    before = Exchange("and for freelancers?", "Teachers", "teach", wording="Who teaches?")
    turn = said(text, find, language="en", before=before)
    assert [part.decision for part in turn.parts] == [Answer(TEACH)]


@pytest.mark.parametrize(
    "text", ["et pour un alternant ?", "and for apprentices?", "even with cost?", "et pourquoi si long ?"]
)
def test_the_entry_that_answered_before_is_not_given_for_another_case_or_for_what_is_found_without_it(
    text: str,
) -> None:
    find = Finder(teaches=(TEACH, 0.95), cost=(COST, 0.9), long=(COST, 0.9))
    before = Exchange("Who is it", "Lessons", "teach", wording="Who teaches?")
    turn = said(text, find, language="en", before=before)
    assert all(part.decision != Answer(TEACH) for part in turn.parts)


@pytest.mark.parametrize("text", ["by whom?", "what's his background?", "and their names?"])
def test_what_means_nothing_by_itself_is_not_read_alone(text: str) -> None:
    find = Finder(support=(LONG, 0.95))
    said(text, find, language="en", before=Exchange("Is there support?"))
    assert [question for question, _ in find.asked] == [f"Is there support, {text.removeprefix('and ')}"]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("I'd like to know if my company can help", "if my company can help?"),
        ("Je voudrais savoir si mon patron peut aider", "si mon patron peut aider?"),
    ],
)
def test_what_is_asked_indirectly_is_no_condition_of_the_question_before(
    find: Finder, text: str, question: str
) -> None:
    said(text, find, before=Exchange("Who teaches?"))
    assert [asked for asked, _ in find.asked] == [question]


@pytest.mark.parametrize("text", ["Ciao", "Hallo", "Hola"])
def test_a_borrowed_greeting_is_one_of_ours(find: Finder, text: str) -> None:
    turn = said(text, find, language="fr")
    assert (turn.chat, turn.foreign) == ("greeting", "")


def test_a_word_that_greets_in_one_language_ends_a_conversation_in_ours(find: Finder) -> None:
    last = said("Ciao", find, language="fr", before=Exchange("Who teaches?"))
    assert (last.chat, last.foreign) == ("goodbye", "")


def test_a_second_question_leans_on_the_first_of_its_message() -> None:
    find = Finder(teaches=(TEACH, 0.9))
    parts = said("Who teaches? And what's his name?", find, before=Exchange("Is it odd?")).parts
    assert [part.decision for part in parts] == [Answer(TEACH)]
    assert [question for question, _ in find.asked] == ["Who teaches?", "Who teaches, what's his name?"]


def test_a_second_question_does_not_ask_for_what_the_first_has_got() -> None:
    find = Finder(teaches=(TEACH, 0.9), without=(COST, 0.4))
    parts = said("Who teaches? And without it?", find).parts
    assert [part.decision for part in parts] == [Answer(TEACH), Clarify((COST,))]


def test_what_is_written_in_capitals_is_searched_in_small_letters(find: Finder) -> None:
    (part,) = said("WHO TEACHES THERE PLEASE", find).parts
    assert find.asked[0][0] == part.question.lower()


def test_phrases_of_other_languages_are_looked_for_once(find: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def looked_for(text: str) -> None:
        asked.append(text)

    monkeypatch.setattr(conversation, "small_talk", looked_for)
    said("Who teaches?", find)
    assert asked == ["Who teaches?"]


UNSURE = {"teaches": (TEACH, 0.5), "long": (LONG, 0.4)}
SHOWN = Exchange("Who teaches so long?", "Teachers", "teach", 0.9, wording="Who teaches?", language="en")


def test_what_was_just_shown_is_no_choice_of_a_follow_up(find: Finder) -> None:
    turn = said("which ones?", Finder(**UNSURE), language="en", before=SHOWN)
    assert [part.decision for part in turn.parts] == [Clarify((LONG,))]
    turn = said("which ones?", Finder(**UNSURE), language="en", before=replace(SHOWN, entry_id="cost"))
    assert [part.decision for part in turn.parts] == [Clarify((TEACH, LONG))]


def test_a_follow_up_that_finds_nothing_but_what_was_just_shown_is_told_so() -> None:
    for sure in (0.5, 0.9):
        turn = said("which ones?", Finder(teaches=(TEACH, sure)), language="en", before=SHOWN)
        assert [(part.decision, part.again) for part in turn.parts] == [(Answer(TEACH), True)]


def test_what_was_just_shown_is_shown_anew_to_who_asks_for_it_or_in_another_language() -> None:
    find = Finder(teaches=(TEACH, 0.9))
    (part,) = said("Who teaches there?", find, language="en", before=SHOWN).parts
    assert (part.decision, part.again) == (Answer(TEACH), False)
    (part,) = said("lesquels ?", find, language="en", before=SHOWN).parts
    assert (part.decision, part.again) == (Answer(TEACH), False)


def test_what_was_told_just_before_a_question_explains_it() -> None:
    find, told = Finder(bachelor=(TEACH, 0.9), he=(COST, 0.35)), Exchange("My son has a bachelor.", fresh=True)
    turn = said("Would he be accepted?", find, before=told)
    assert (turn.revises, turn.parts[0].decision) == (True, Answer(TEACH))
    assert turn.parts[0].question == "My son has a bachelor. Would he be accepted?"
    asked, answered = replace(told, question="Has my son a bachelor?"), replace(told, entry_id="cost")
    for before in (replace(told, fresh=False), asked, answered):
        assert said("Would he be accepted?", find, before=before).parts[0].question == "Would he be accepted?"
    assert not said("Would he be accepted?", Finder(bachelor=(TEACH, 0.5)), before=told).revises
    find = Finder(bachelor=(COST, 0.5), teach=(TEACH, 0.9))
    alone = said("Who teaches?", find, before=told)
    assert (alone.revises, [part.question for part in alone.parts]) == (False, ["Who teaches?"])
