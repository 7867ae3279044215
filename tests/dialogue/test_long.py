"""Messages written to keep the assistant busy: each is understood in the time of any other."""

import time
from datetime import date

import pytest

from bot.dialogue.conversation import LONGEST_MESSAGE, Exchange, respond
from bot.dialogue.decide import Limits
from bot.dialogue.signs import squeezed
from indexer.entries import Language
from indexer.passages import Hit

AT_MOST = 3.0  # seconds of processor time, whatever else the machine does; each took from ten seconds to for ever
BEFORE = Exchange("How much does", "fees", "price", 0.9, fresh=True, wording="How much does the course cost?")


def _nothing(_question: str, _language: Language) -> tuple[Hit, ...]:
    return ()


def _filled(piece: str, end: str) -> str:
    return (piece * LONGEST_MESSAGE)[: LONGEST_MESSAGE - len(end)] + end


@pytest.mark.parametrize("before", [None, BEFORE])
@pytest.mark.parametrize("end", ["", "!zq", "é", "\nqui ?"])
@pytest.mark.parametrize(
    "piece",
    [
        *(".", "!", "…", " ", "\t", "a", "\ufdfa", "?A", "a? ", ".,;", "\n ", "- a\n", "1) a "),
        *("svp ", "please ", "thanks ", "merci ", "and thank you ", "and so ", "et aussi ", "again ", "so "),
        "can you find me any more information about the precise details on ",
        "I can't find any information on your website answer rien la ",
        "would you please be able to help me to be so kind as to possibly ",
        "this ce bot ton bot is such a super gros espece de ",
        "hello admissions team madame monsieur all ",
        ";;;;;and svp,and cdlt ",
    ],
)
def test_a_message_made_of_one_piece(piece: str, end: str, before: Exchange | None) -> None:
    _in_time(_filled(piece, end), before)


@pytest.mark.parametrize(
    "text",
    [
        "the question is" + 600 * " " + "x",
        "merci what's 11,1" + 1200 * " " + "x",
        "let me know as to" + 600 * " " + "x",
        "ty " + 20 * "for your " + "fo",
        "i've been searching" + 60 * " again any answer" + " zq",
        "i can't find" + 60 * " information info" + " zq",
        "milles merci" + 60 * " pour votre bien infiniment" + " zq",
        30 * "ce bot " + "zq",
    ],
)
def test_a_sentence_that_can_be_read_in_many_ways(text: str) -> None:
    _in_time(text, None)


def test_blanks_and_repeated_signs_are_taken_for_a_few() -> None:
    assert squeezed("who \t  teaches??????\n \n\n\n......and when") == "who teaches???\n\n...and when"
    assert squeezed("C++ and 50 %, sooooo good…") == "C++ and 50 %, sooooo good…"


def _in_time(text: str, before: Exchange | None) -> None:
    begun = time.process_time()
    respond(text, _nothing, Limits(), date(2026, 9, 1), before=before)
    assert time.process_time() - begun < AT_MOST
