"""What a new index would change, for the people who decide: entries, words, golden questions."""

from collections.abc import Callable, Iterator, Sequence

from bot.dialogue.rich import Rich, bold, join, plain, struck, utf16
from bot.dialogue.texts import texts
from indexer.diff import Changed, Diff, marked
from indexer.entries import Entry, Language

AROUND = 30  # characters of unchanged text shown on either side of a change
Styles = tuple[Callable[[str], Rich], Callable[[str], Rich]]  # of words that go, and of words that come
STYLED: Styles = (struck, bold)
SIGNED: Styles = (lambda text: plain(f"[-{text}-]"), lambda text: plain(f"{{+{text}+}}"))  # where nothing can be styled


def changes(
    diff: Diff, lost: Sequence[str], gained: Sequence[str], staff: Language, limit: int, styles: Styles = STYLED
) -> Rich:
    """Everything that changes, in at most about `limit` UTF-16 units; what does not fit is counted."""
    words = texts(staff)
    blocks = (
        (words.changes_added, [plain(_place(entry)) for entry in diff.added]),
        (words.changes_changed, [_changed(both, styles) for both in diff.changed]),
        (words.changes_removed, [plain(_place(entry)) for entry in diff.removed]),
        (words.changes_moved, [plain(f"{_place(both.new)} ← {both.old.path}") for both in diff.moved]),
        (words.changes_lost, [plain(line) for line in lost]),
        (words.changes_gained, [plain(line) for line in gained]),
    )
    shown, left, more = [], limit, 0
    for title, lines in blocks:
        kept = []
        for line in lines:
            left -= utf16(line.text) + 3
            kept += [plain("• ") + line] if left > 0 else []
            more += left <= 0
        shown += [join([bold(f"{title} ({len(lines)})"), *kept], "\n")] if lines else []
    return join([*shown, plain(words.changes_more.format(count=more)) if more else Rich()])


def _place(entry: Entry) -> str:
    return f"{entry.question} [{entry.language}, {entry.path}:{entry.line}]"


def _changed(both: Changed, styles: Styles) -> Rich:
    pieces = [plain(f"{_place(both.new)} ({', '.join(both.fields)})")]
    for name in ("question", "also", "answer"):
        if name in both.fields:
            old, new = (_text(getattr(entry, name)) for entry in (both.old, both.new))
            pieces.append(join(_words(old, new, styles), ""))
    return join(pieces, "\n   ")


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else " / ".join(value)


def _words(old: str, new: str, styles: Styles) -> Iterator[Rich]:
    """Both texts as one: what goes and what comes in their styles, what stays is cut short."""
    gone, come = styles
    for piece in marked(old, new):
        match piece.kind:
            case "gone":
                yield gone(piece.text)
            case "new":
                yield come(piece.text)
            case "same":
                yield plain(_short(piece.text))


def _short(text: str) -> str:
    return text if len(text) <= 2 * AROUND else f"{text[:AROUND]} … {text[-AROUND:]}"
