"""What the knowledge lacks, as staff see it: a list of themes with a way to fill each, or to dismiss it."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.dialogue.cards import short
from bot.dialogue.message import Button, Message
from bot.dialogue.rich import Rich, bold, italic, join, plain
from bot.dialogue.texts import Texts, texts
from indexer.entries import Language

SHOWN, EXAMPLES = 6, 2
QUESTION = 160  # characters


@dataclass(frozen=True, slots=True)
class Theme:
    """Questions alike: how many, the wordings with the most typical first, and the entry or draft nearest to them."""

    number: int
    count: int
    wordings: Sequence[str]
    near: str = ""
    is_draft: bool = False


def themes_list(themes: Sequence[Theme], title: str, place: str, staff: Language) -> Message:
    """The largest themes; `place` ends the data of every button: the period that the list is about."""
    words = texts(staff)
    questions = sum(theme.count for theme in themes)
    count = words.gaps_count.format(themes=len(themes), questions=questions)
    head = bold(title) + plain(f"\n{count if themes else words.gaps_none}")
    shown = list(enumerate(themes[:SHOWN], 1))
    blocks = [_theme(number, theme, words) for number, theme in shown]
    left = len(themes) - len(shown)
    blocks += [plain(words.gaps_more.format(count=left))] if left else []
    buttons = [
        (
            Button(words.button_gap_write.format(number=number), data=f"g:w:{theme.number}:{place}"),
            Button(words.button_gap_dismiss.format(number=number), data=f"g:d:{theme.number}:{place}"),
        )
        for number, theme in shown
    ]
    if not themes:
        return head.message()
    table = (Button(words.button_gap_export, data=f"g:t:0:{place}"),)
    return join([head, *blocks, italic(words.gaps_hint)]).message(*buttons, table)


def _theme(number: int, theme: Theme, words: Texts) -> Rich:
    first, *others = [short(text, QUESTION) for text in theme.wordings]
    lines = [plain(f"{number}. {theme.count} × ") + bold(first), *(plain(f"– {text}") for text in others[:EXAMPLES])]
    if theme.near:
        lines.append(italic((words.gaps_fills if theme.is_draft else words.gaps_near).format(entry=theme.near)))
    return join(lines, "\n")
