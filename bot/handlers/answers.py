"""Answers and choices as candidates see them, with their buttons."""

from collections.abc import Sequence

from bot.desk import wishes
from bot.dialogue import render
from bot.dialogue.cards import short
from bot.dialogue.message import Button, Message
from bot.dialogue.rich import Rich, bold, join, plain
from bot.dialogue.texts import spoken, texts
from bot.records.tables import Question
from indexer.engine import Engine
from indexer.entries import Entry, Language
from indexer.passages import beginning

BUTTON_LENGTH = 60  # characters of a question on a button: a phone shows no more


def shown_answer(engine: Engine, entry: Entry, language: Language, gist: str = "") -> Rich:
    """An answer as candidates see it: with its course where there are several."""
    return render.answer(entry, language, gist, engine.title(entry.course, language))


def answer_message(
    answer: Rich, question_id: int, language: Language, heading: str = "", *, more: bool = False
) -> Message:
    """An answer with what one may say of it or ask next, and a button for the rest where there is `more`."""
    words = texts(language)
    return join([bold(heading), answer]).message(
        *([(Button(words.button_more, data=f"m:{question_id}"),)] if more else []),
        (
            Button(words.button_helped, data=f"h:{question_id}"),
            Button(words.button_not_mine, data=f"n:{question_id}"),
        ),
        (
            Button(words.button_related, data=f"re:{question_id}"),
            Button(words.button_person, data=f"p:{question_id}"),
        ),
    )


def beside_message(question_id: int, language: Language) -> Message:
    """That nothing was asked of the course, with the team and the topics to go to."""
    words = texts(language)
    team = Button(words.button_team, data=f"p:{question_id}")
    return plain(words.beside).message((team, Button(words.button_topics, data="g:m:-:0")))


def entry_message(engine: Engine, entry: Entry, question_id: int, language: Language) -> Message:
    """An entry that was chosen, not found by somebody's words: of a long answer the beginning, and a button."""
    gist = beginning(entry)
    shown = shown_answer(engine, entry, language, gist)
    return answer_message(shown, question_id, language, entry.question, more=bool(gist))


def nothing_more(question_id: int, language: Language) -> Message:
    """Instead of the same answer once more: that it is all that is known, and who may know more."""
    words = texts(language)
    related = Button(words.button_related, data=f"re:{question_id}")
    return Message(words.nothing_more, buttons=((related, Button(words.button_person, data=f"p:{question_id}")),))


def numbered(questions: Sequence[str]) -> list[str]:
    """Questions as buttons show them, with the number that they have in a list of several."""
    several = len(questions) > 1
    return [short(f"{at}. {text}" if several else text, BUTTON_LENGTH) for at, text in enumerate(questions, 1)]


def choice_buttons(entries: list[tuple[int, str]], question_id: int, language: Language) -> list[tuple[Button, ...]]:
    """A button for each (place in the question's alternatives, entry's question), and one for none of them.

    Of several each has its number in the list above, since buttons cut long questions short.
    """
    shown = numbered([text for _, text in entries])
    rows = [(Button(text, data=f"c:{question_id}:{entries[at][0]}"),) for at, text in enumerate(shown)]
    return [*rows, (Button(texts(language).button_none, data=f"x:{question_id}"),)]


def choices(question_id: int, entries: Sequence[Entry], language: Language, engine: Engine) -> list[tuple[Button, ...]]:
    """The same for entries, of which those that are gone have no button."""
    shown = [(place, shown_question(engine, entry.id, language)) for place, entry in enumerate(entries)]
    return choice_buttons([(place, text) for place, text in shown if text], question_id, language)


def shown_question(engine: Engine, entry_id: str, language: Language) -> str | None:
    """An entry's question in the language of the conversation, or else in the other; None if it is gone."""
    entry = engine.entry(entry_id, language)
    return entry.question if entry else None


def others(engine: Engine, question: Question) -> Message:
    """After an answer that did not help: the next best entries, and a person."""
    language = spoken(question.language)
    words = texts(language)
    left = [(place, id_) for place, id_ in enumerate(question.alternatives) if id_ != question.entry_id][:2]
    shown = [(place, shown_question(engine, id_, language)) for place, id_ in left]
    rows = [(Button(short(text, BUTTON_LENGTH), data=f"c:{question.id}:{place}"),) for place, text in shown if text]
    person = (Button(words.button_person, data=f"p:{question.id}"),)
    wish = wishes.button(question) if not rows else ()  # nothing else was found
    return plain(words.not_my_question).message(*rows, person, wish)
