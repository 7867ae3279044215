"""A turn as data, for `guichet ask --json`, evaluation and other programs."""

from typing import Any

from bot.dialogue import render
from bot.dialogue.conversation import Part, Turn
from bot.dialogue.decide import Answer, Beside, name
from bot.dialogue.rich import join
from bot.dialogue.rich import plain as plain_text
from bot.dialogue.texts import texts
from indexer.entries import Entry, Language, plain
from indexer.passages import Hit

RANK = ("answer", "clarify", "escalate", "beside")  # a message is called what its best part is


def as_dict(turn: Turn, question: str, snapshot: str, ms: float) -> dict[str, Any]:
    """One JSON object for a message; `parts` holds one for each question when there are several."""
    several = len(turn.parts) > 1
    parts = [_part(part, turn.language, snapshot, ms, headed=several) for part in turn.parts]
    if turn.chat:
        whole = {**_EMPTY, "decision": "chat", "confidence": 1.0, "answer": getattr(texts(turn.language), turn.chat)}
    elif not parts:  # nothing but the name of a course
        whole = {**_EMPTY, "decision": "chat", "confidence": 1.0}
    else:
        whole = min(parts, key=lambda part: RANK.index(part["decision"]))
    answers = [part["answer"] for part in parts if part["answer"]]
    return {
        **whole,
        "question": question,
        "language": turn.language,
        "answer": "\n\n".join(answers) or None if several else whole["answer"],
        "parts": parts if several else [],
        "snapshot": snapshot,
        "ms": round(ms, 2),
        **({"course": turn.course or None, "courses": [one.name for one in turn.courses]} if _several(turn) else {}),
    }


def _several(turn: Turn) -> bool:
    """Whether there are several courses, and so something to say of them."""
    return bool(turn.course or turn.courses)


_EMPTY: dict[str, Any] = {"entry": None, "answer": None, "source": None, "alternatives": []}


def _part(part: Part, language: Language, snapshot: str, ms: float, *, headed: bool) -> dict[str, Any]:
    shown = part.decision if isinstance(part.decision, Answer) else None
    beside = texts(language).beside if isinstance(part.decision, Beside) else None
    entry = shown.entry if shown else None
    return {
        "question": part.question,
        "language": language,
        "decision": name(part.decision),
        "confidence": round(part.confidence, 4),
        "entry": entry.id if entry else None,
        "answer": _text(shown, part.question, language, headed=headed) if shown else beside,
        "source": source(entry) if entry else None,
        "alternatives": [_alternative(hit) for hit in part.answers],
        "parts": [],
        "snapshot": snapshot,
        "ms": round(ms, 2),
    }


def _text(shown: Answer, asked: str, language: Language, *, headed: bool) -> str:
    """An answer as the candidate would read it, below its entry's question: always, or if that was put otherwise."""
    title = shown.entry.question if headed else render.heading(shown.entry, asked)
    return join([plain_text(title), render.answer(shown.entry, language, shown.gist)]).text


def _alternative(hit: Hit) -> dict[str, Any]:
    return {
        "entry": hit.entry.id,
        "question": hit.entry.question,
        "answer": short(hit.entry),
        "confidence": round(hit.confidence, 4),
    }


def source(entry: Entry) -> str:
    """Where an entry's answer comes from, with its date."""
    return f"{entry.source}, {entry.source_date}" if entry.source_date else entry.source


def short(entry: Entry) -> str:
    """An entry's answer as plain text."""
    return "\n".join(plain(entry.answer))
