"""The card that staff see: the question, what led to it, who has it, and what can be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

from bot.dialogue import times
from bot.dialogue.message import Button
from bot.dialogue.render import Reason
from bot.dialogue.rich import Rich, bold, italic, join, plain, quote
from bot.dialogue.signs import clean
from bot.dialogue.texts import texts
from indexer.entries import Language

QUESTION, BEFORE, FOUND = 1800, 160, 200  # characters shown: a card is one message
LIKELY, POSSIBLE = 0.65, 0.3  # confidences in words
NEAR = 0.05  # confidence; below, an entry tells staff nothing


@dataclass(frozen=True, slots=True)
class Found:
    """An entry's question that came near, and how likely it answers (0 to 1)."""

    question: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked before, and what the bot made of it: its answer in short, or else its decision."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Card:
    """What staff need to answer a question; the candidate appears by pseudonym, or by a name that they share."""

    question: str
    language: Language
    reason: Reason
    candidate: str
    found: tuple[Found, ...] = ()
    state: str = "open"
    owner: str = ""
    earlier: int = 0
    earlier_on: date | None = None
    before: tuple[Exchange, ...] = ()
    rating: int | None = None
    edited: bool = False
    course: str = ""  # its title, where there are several


def card(about: Card, staff: Language) -> Rich:
    """Return the card that staff reply to, in their language; the question is shown as it was written."""
    words = texts(staff)
    earlier = about.earlier_on and words.earlier.format(
        count=about.earlier, date=times.written(about.earlier_on, staff)
    )
    facts = {
        words.card_candidate: about.candidate,
        words.card_course: about.course,
        words.card_state: getattr(words, f"state_{about.state}").format(owner=about.owner or words.staff_somebody),
        words.card_language: getattr(words, f"language_{about.language}"),
        words.card_reason: getattr(words, f"reason_{about.reason}"),
        words.card_earlier: earlier,
        words.card_rating: about.rating and f"{about.rating}/5",
    }
    lines = [bold(label) + plain(words.fact.format(label="", value=value)) for label, value in facts.items() if value]
    asked = quote(clean(about.question, QUESTION))
    changed = italic(words.card_edited) if about.edited else Rich()
    below = [_before(about.before, staff), found(about.found, staff), italic(words.card_hint)]
    return join([bold(words.card_title), asked, changed, join(lines, "\n"), *below])


def card_buttons(
    ticket_id: int, state: str, staff: Language, *, movable: bool = False
) -> tuple[tuple[Button, ...], ...]:
    """Return what staff can do about a ticket; nothing about a closed one, which a reply opens again."""
    words = texts(staff)
    if state == "closed":
        return ()
    first = ("c", words.button_claim) if state == "open" else ("r", words.button_release)
    rows = (
        (first, ("a", words.button_send_answer)),
        (("k", words.button_canned), ("x", words.button_close)),
        (("u", words.button_mute), ("b", words.button_ban), *((("o", words.button_move),) if movable else ())),
    )
    return tuple(tuple(Button(text, data=f"t:{verb}:{ticket_id}") for verb, text in row) for row in rows)


def sure(confidence: float, language: Language) -> str:
    """Return a confidence in words and in percent; rounding up would show "100 %" for what is never certain."""
    words = texts(language)
    name = words.sure_high if confidence >= LIKELY else words.sure_middle if confidence >= POSSIBLE else words.sure_low
    return f"{name}, {words.card_sure.format(percent=min(99, round(confidence * 100)))}"


def found(hits: Sequence[Found], language: Language) -> Rich:
    """Return what the assistant found, a line for each entry that came near, the likeliest first."""
    words = texts(language)
    near = sorted((one for one in hits if one.confidence >= NEAR), key=attrgetter("confidence"), reverse=True)
    lines = [plain(f"• {short(one.question, FOUND)} ({sure(one.confidence, language)})") for one in near]
    return join([bold(words.card_found), *(lines or [plain(words.card_nothing_found)])], "\n")


def _before(before: Sequence[Exchange], language: Language) -> Rich:
    if not before:
        return Rich()
    lines = [plain(f"• {short(one.question, BEFORE)}\n→ {short(one.answer, BEFORE)}") for one in before]
    return join([bold(texts(language).card_before), *lines], "\n")


def short(text: str, length: int) -> str:
    """Return a text on one line, cut where it is too long."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
