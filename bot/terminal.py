"""A conversation in the terminal, with the engine that Telegram's candidates meet."""

from collections.abc import Callable, Iterator
from datetime import date

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding

from bot.dialogue import render
from bot.dialogue.conversation import Exchange, Part, Turn, exchange
from bot.dialogue.courses import which
from bot.dialogue.decide import Answer, Beside, Clarify, Escalate, Limits
from bot.dialogue.foreign import notice as notice_of
from bot.dialogue.rich import Rich
from bot.dialogue.smalltalk import chosen
from bot.dialogue.texts import texts
from bot.understanding import understood
from indexer.engine import Engine
from indexer.entries import Entry, Language

Ask = Callable[[], str | None]


def chat(engine: Engine, limits: Limits, console: Console, ask: Ask, notice: Rich, language: Language = "en") -> None:
    """Talk until `ask` gives None, after the first words; numbers choose among the questions offered last."""
    console.print(notice.text, markup=False)
    console.print(f"\n{texts(language).terminal_commands}", style="dim", markup=False)
    console.print("[dim]Ctrl-D ends the conversation. · Ctrl-D termine la conversation.[/dim]\n")
    before: Exchange | None = None
    course: str | None = None
    offered: tuple[Entry, ...] = ()
    told: set[str] = set()  # languages of which it was said that they are not spoken
    for text in _messages(ask):
        if text.startswith("/"):
            words = texts(language)
            if text == "/help":
                console.print(words.help, "\n", markup=False)
            console.print(words.terminal_commands, markup=False)
            continue
        if taken := chosen(text, len(offered)):
            for entry in (offered[place] for place in taken):
                before = exchange(Part(entry.question, Answer(entry)), language)
                _show_answer(console, entry, language, entry.question)
            continue
        today = date.today()  # noqa: DTZ011  # local day
        turn = understood(engine, text, limits, today, language=language, before=before, chosen=course)
        course = turn.course if turn.named and not (course and turn.parts) else course
        language, offered = turn.language, ()
        if turn.courses or not (turn.chat or turn.parts):
            console.print(_asked(turn, engine, course), "\n", markup=False)
            continue
        if turn.foreign and turn.foreign not in told:
            told.add(turn.foreign)
            console.print(notice_of(turn.foreign, language, turn.chat), markup=False)
        elif turn.chat:
            console.print(getattr(texts(language), turn.chat), markup=False)
        for part in turn.parts:
            offered = _show(console, turn, part) or offered
            before = before if isinstance(part.decision, Beside) else exchange(part, language)
        console.print()


def _asked(turn: Turn, engine: Engine, course: str | None) -> str:
    """Which course, by its name: a terminal has no buttons."""
    titles = "\n".join(f"– {one.title(turn.language)}" for one in engine.school)
    return f"{which(engine.school, turn.language, course).text}\n{titles}"


def _messages(ask: Ask) -> Iterator[str]:
    while (text := ask()) is not None:
        if text.strip() in ("/quit", "/exit", "/stop"):
            return
        if text.strip():
            yield text.strip()


def _show(console: Console, turn: Turn, part: Part) -> tuple[Entry, ...]:
    """Show one part; gives the entries to choose from, if it asks back."""
    if len(turn.parts) > 1 and not isinstance(part.decision, Answer):
        console.print(render.put(part.question, turn.language), style="bold", markup=False)
    match part.decision:
        case Answer() if part.again:
            console.print(texts(turn.language).nothing_more, markup=False)
        case Answer(entry):
            title = entry.question if len(turn.parts) > 1 else render.heading(entry, part.question)
            _show_answer(console, entry, turn.language, title, part.confidence)
        case Clarify(entries):
            console.print(render.clarify([entry.question for entry in entries], turn.language).text, markup=False)
            number = "1" if len(entries) == 1 else "le numéro" if turn.language == "fr" else "its number"
            console.print(f"[dim]{'Tapez' if turn.language == 'fr' else 'Type'} {number}.[/dim]")
            return entries
        case Escalate():
            console.print(texts(turn.language).escalated, markup=False)
            console.print("[dim](In Telegram the team would now see this question; this terminal has no team.)[/dim]")
        case Beside():
            console.print(texts(turn.language).beside, markup=False)
    return ()


def _show_answer(
    console: Console, entry: Entry, language: Language, title: str, confidence: float | None = None
) -> None:
    if title:
        console.print(title, style="bold", markup=False)
    if entry.language != language:
        console.print(texts(language).other_language, style="italic", markup=False)
    console.print(Padding(Markdown(entry.answer), (0, 0, 0, 2)))
    sure = "" if confidence is None else f" · {min(99, round(confidence * 100))} %"
    console.print(f"  {render.source(entry, language).text}{sure}", style="dim", markup=False)
