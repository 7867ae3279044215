"""The guided tour of the demonstration, in both languages, with questions that the live index treats as promised."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain
from typing import Any

from bot.dialogue import lists
from bot.dialogue.conversation import Turn
from bot.dialogue.decide import Answer, Clarify, Decision, Escalate
from bot.dialogue.texts import french_spaces, texts
from indexer.entries import Entry, Language

Guide = dict[str, Any]
KINDS: dict[str, type[Decision]] = {"sure": Answer, "unsure": Clarify, "unknown": Escalate}


def guide(understood: Callable[[str], Turn], entries: Sequence[Entry], language: Language) -> Guide:
    """The page's words, its steps, and for each step what is written; a step that nothing fits is left out."""
    said = _sentences(language)
    own = [entry for entry in entries if entry.language == language and not entry.draft]
    further: dict[str, Iterable[str]] = {
        "sure": (entry.question for entry in own),
        "unsure": dict.fromkeys(entry.topic_name for entry in own),
    }
    written: dict[str, str] = {}
    for step, wanted in KINDS.items():
        tried = filter(None, chain(said["samples"][step], further.get(step, ())))
        turns = ((text, understood(text)) for text in tried)
        fits = (text for text, turn in turns if turn.language == language and _decided(turn) is wanted)
        if text := next(fits, None):
            written[step] = text
    if "unknown" in written:
        written |= {"reply": said["samples"]["reply"], "learn": "/close"}
    steps = [said["steps"][name] | {"name": name, "text": text} for name, text in written.items()]
    return {"words": said["words"], "steps": steps}


def _decided(turn: Turn) -> type[Decision] | None:
    """What becomes of a message that is one question; None for any other, and where a course has to be chosen."""
    return type(turn.parts[0].decision) if len(turn.parts) == 1 and not turn.courses else None


@cache
def _sentences(language: Language) -> Guide:
    said: Guide = lists.read(f"guide.{language}.yaml")
    step = said["steps"]["learn"]
    step["then"] = step["then"].replace("{button}", texts(language).button_learn)
    return _spaced(said) if language == "fr" else said


def _spaced(part: Any) -> Any:
    """French typography in every text of it."""
    match part:
        case str():
            return french_spaces(part)
        case list():
            return [_spaced(one) for one in part]
        case _:
            return {name: _spaced(one) for name, one in part.items()}
