"""A message understood with the knowledge of an engine."""

from datetime import date

from bot.dialogue.conversation import LONGEST_MESSAGE, Exchange, Part, Turn
from bot.dialogue.courses import Sources, attend
from bot.dialogue.decide import Escalate, Limits
from bot.dialogue.render import Reason
from bot.dialogue.signs import clean, squeezed
from indexer.engine import Engine
from indexer.entries import Language


def understood(
    engine: Engine,
    text: str,
    limits: Limits,
    today: date,
    *,
    language: Language | None = None,
    before: Exchange | None = None,
    chosen: str | None = None,
) -> Turn:
    """`courses.attend` with an engine's answers."""
    # Files may name several that nobody has described: there is none to choose, and all are searched.
    sources = Sources(engine.find, engine.known, engine.school, engine.course or None)
    return attend(text, sources, limits, today, language=language, before=before, chosen=chosen)


def unread(text: str, language: Language) -> Turn:
    """A message that takes too long to understand: people read it."""
    said = squeezed(clean(text, LONGEST_MESSAGE))
    return Turn(said, language, parts=(Part(said, Escalate(Reason.UNSURE)),))
