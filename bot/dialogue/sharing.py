"""An entry as it is sent into other people's chats: question, answer, source."""

from bot.dialogue import render
from bot.dialogue.cards import short
from bot.dialogue.rich import Rich, bold, join, markdown, utf16
from indexer.entries import Entry, Language

LONGEST = 4096  # UTF-16 units that a message takes
CUT = 3000  # characters of an answer that would be too long: the rest is with the bot
GIST = 120  # characters below a title in the list of results


def shared(entry: Entry, language: Language, course: str = "") -> Rich:
    """Return the whole of an entry; of one too long for a message its beginning. The source is always named."""
    question = bold(entry.question)
    whole = join([question, render.answer(entry, language, course=course)])
    if utf16(whole.text) <= LONGEST:
        return whole
    return join([question, render.answer(entry, language, short(gist(entry), CUT), course)])


def gist(entry: Entry, length: int = CUT) -> str:
    """Return the beginning of an answer on one line."""
    return short(markdown(entry.answer).text, length)
