"""A proposed entry as staff see it, and how they change it by replying."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.dialogue.cards import short
from bot.dialogue.message import Button, Message
from bot.dialogue.rich import Rich, bold, italic, join, plain
from bot.dialogue.texts import texts
from indexer.entries import Language

WAY = 100  # characters of another way of asking
SHOWN = 1200  # characters of an answer: two languages and the rest fit one message
TONGUE = re.compile(r"^(FR|EN)\s*:?\s*$", re.MULTILINE | re.IGNORECASE)
TOPIC = re.compile(r"^(?:topic|th[èe]me)\s*:\s*([a-z0-9]+(?:-[a-z0-9]+)*)\s*$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Worded:
    """A proposed entry in one language; the answer is empty until staff write it."""

    language: Language
    question: str
    answer: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """What a proposal's card shows; `fills` is a draft that waits for this answer."""

    number: int
    topic: str
    state: str
    wordings: tuple[Worded, ...]
    missing: tuple[Language, ...]
    similar: tuple[str, ...] = ()
    fills: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a reply changes in one language; empty is left as it is."""

    language: Language
    question: str = ""
    answer: str = ""
    topic: str = ""


def card(about: Card, staff: Language) -> Message:
    """The entry in its languages, what it resembles, how to change it, and the buttons to decide."""
    words = texts(staff)
    head = bold(words.learn_title.format(number=about.number)) + plain(f"\n{words.learn_topic} {about.topic}")
    blocks = [head, *(_wording(one, staff) for one in about.wordings)]
    blocks += [italic(words.learn_missing.format(language=_name(one, staff))) for one in about.missing]
    others = [entry_id for entry_id in about.similar if entry_id != about.fills]
    if about.fills:
        blocks.append(plain(words.learn_fills.format(entry=about.fills)))
    if others:
        blocks.append(plain(words.learn_similar.format(entries=", ".join(others))))
    if about.state != "draft":
        return join([*blocks, bold(getattr(words, f"learn_{about.state}"))]).message()
    publish = Button(words.button_publish, data=f"e:p:{about.number}")
    discard = Button(words.button_discard, data=f"e:d:{about.number}")
    answered = any(one.answer for one in about.wordings)
    return join([*blocks, italic(words.learn_how)]).message((publish, discard) if answered else (discard,))


def _wording(one: Worded, staff: Language) -> Rich:
    words = texts(staff)
    also = [plain(words.learn_also + "".join(f"\n– {short(way, WAY)}" for way in one.also))] if one.also else []
    answer = plain(short(one.answer, SHOWN)) if one.answer else italic(words.learn_no_answer)
    return join([italic(_name(one.language, staff)), bold(one.question), *also, answer], "\n")


def _name(language: Language, staff: Language) -> str:
    words = texts(staff)
    return words.language_fr if language == "fr" else words.language_en


def by_language(text: str, default: Language) -> list[tuple[Language, str]]:
    """The parts of a text below lines that say FR or EN; what stands before them is in the default language.

    >>> by_language("EN\\nYes.\\nFR\\nOui.", "fr")
    [('en', 'Yes.'), ('fr', 'Oui.')]
    """
    before, *rest = TONGUE.split(text)
    parts: list[tuple[Language, str]] = [(default, before.strip())]
    for name, said in zip(rest[::2], rest[1::2], strict=True):
        parts.append(("fr" if name.lower() == "fr" else "en", said.strip()))
    return [(language, said) for language, said in parts if said]


def changes(text: str, default: Language) -> Sequence[Change]:
    """What a reply to a proposal changes: a first line that ends with ? is the question, the rest the answer."""
    topic = found[1].lower() if (found := TOPIC.search(text)) else ""
    read = [_change(language, said) for language, said in by_language(TOPIC.sub("", text), default)]
    return [
        Change(one.language, one.question, one.answer, topic) for one in read or ([Change(default)] if topic else [])
    ]


def _change(language: Language, said: str) -> Change:
    first, _, rest = said.partition("\n")
    return Change(language, first.strip(), rest.strip()) if first.rstrip().endswith("?") else Change(language, "", said)
