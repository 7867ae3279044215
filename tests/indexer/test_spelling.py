import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.entries import plain
from indexer.spelling import Speller, spelled
from tests.indexer.examples import entry

ENTRIES = (
    entry("kiln", "How hot is the pottery kiln?", also=("Which certification is there?",), answer="Very, and *safe*."),
    entry("four", "Quelle température atteint le four à céramique ?", language="fr", answer="Élevée."),
)
KNOWN = Speller(spelled((one, plain(one.answer)) for one in ENTRIES))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("is there a certifcation", "is there a certification"),  # a letter too few
        ("is teh potteryy open", "is teh pottery open"),  # one too many; three letters are too short to tell
        ("the prottery kiln", "the pottery kiln"),
        ("the potetry class", "the pottery class"),  # two swapped
        ("cretifcation?", "certification?"),  # two slips in a long word
    ],
)
def test_slips_are_mended(said: str, meant: str) -> None:
    assert KNOWN.corrected(said, "en") == meant


def test_accents_come_back() -> None:
    assert KNOWN.corrected("la temprature", "fr") == "la température"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "How hot is the kiln?",
        "la température",  # a known word of the other language
        "potteries",  # three letters off
        "certifications",  # another form of a word, not a slip
        "zyzzyva xylophone",
        "🙂 42 %",
    ],
)
def test_what_is_no_slip_stays(said: str) -> None:
    assert KNOWN.corrected(said, "en") == said


def test_nothing_is_known_and_nothing_corrected() -> None:
    assert Speller(spelled([])).corrected("anything gose", "en") == "anything gose"


@given(st.text(max_size=200))
def test_any_text_is_taken_and_correcting_again_changes_nothing(text: str) -> None:
    once = KNOWN.corrected(text, "fr")
    assert KNOWN.corrected(once, "fr") == once
