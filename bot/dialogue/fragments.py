"""A message that goes on with the one just before: its second half, or another case of it. Pure."""

import re

from bot.dialogue.questions import asks, is_aspect, is_left_open, is_other_case, split_questions, without_lead

LONGEST = 25  # words of a second half
_ENDED = re.compile(r"[?!]\s*$|[^.]\.\s*$")  # three dots leave a sentence open
_GOES_ON = re.compile(r"^\s*(?:…|\.{2,}|[,;(])")
_LEFT_OPEN = re.compile(r"(?:…|\.{2,}|[,;:(])\s*$")


def second_half(text: str, before: str) -> str | None:
    """Return the message before and this one as one text, if they look like two halves; None if this one stands alone.

    >>> second_half("the course cost?", "How much does")
    'How much does the course cost?'
    """
    first, rest = before.strip(), text.strip()
    bare = rest.lstrip("….,;( ")
    if not first or not bare or len(rest.split()) > LONGEST:
        return None
    if not (_LEFT_OPEN.search(first) or _GOES_ON.match(rest) or _continues(bare, first)):
        return None
    return f"{first.rstrip('…. ')} {bare}"


def _continues(rest: str, first: str) -> bool:
    """Say whether a text goes on where another was left, although it does not say so."""
    if _ENDED.search(first):
        return False
    return is_left_open(first) or (
        rest[:1].islower() and not asks(rest.rstrip("?! ")) and not is_aspect(without_lead(rest))
    )


def another_case(text: str) -> bool:
    """Say whether a message asks the same of another case: "…and for engineers?"."""
    return is_other_case(text.strip().lstrip("…. "))


def explained(text: str, before: str) -> str | None:
    """Return a question with the message before, if that told something without which it says little; else None.

    >>> explained("Would he be accepted?", "My son has a bachelor.")
    'My son has a bachelor. Would he be accepted?'
    """
    question = text.strip()
    (whole, *others) = split_questions(f"{before.rstrip('…. ')}. {question}")
    needs = asks(question) and not asks(before) and not others and len(whole) > len(question)
    return whole if needs else None
