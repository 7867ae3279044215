"""A question goes to the team, and what is said of that."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.desk import cards, themes, tickets, waits, wishes
from bot.desk.outcomes import arrived
from bot.desk.pieces import Piece
from bot.dialogue import times
from bot.dialogue.message import Button, Message
from bot.dialogue.render import Reason
from bot.dialogue.rich import join, plain
from bot.dialogue.texts import spoken, texts
from bot.handlers import anew
from bot.handlers.context import Deps, desk_of
from bot.handlers.speaker import course_of, say, tongue
from bot.publishing.searching import TooLongError
from bot.records.tables import Candidate, Question, Ticket
from indexer.engine import Engine
from indexer.entries import Language
from indexer.passages import Hit

IN_A_ROW = timedelta(minutes=1)  # between what somebody sends, for one word to be said of it


async def escalate(
    tx: AsyncSession,
    deps: Deps,
    candidate: Candidate,
    question: Question,
    reason: Reason,
    hits: Sequence[Hit],
    key: str,
    *,
    note: str,
) -> None:
    """Hand a question over and say so honestly: by the text named `note` if it opens a ticket."""
    ticket_id = await tickets.hand_over(tx, desk_of(deps), candidate, question, reason, hits, deps.now(), key=key)
    said = getattr(texts(spoken(question.language)), note if ticket_id else "follow_up")
    await say_so(tx, deps, candidate, question, ticket_id, said, key=key)


async def unanswered(
    tx: AsyncSession, deps: Deps, candidate: Candidate, text: str, language: Language, reason: Reason, message_id: int
) -> Question:
    """Keep a question that is for people from the start."""
    question = Question(
        candidate_id=candidate.id,
        course=course_of(deps, candidate),
        language=language,
        text=text,
        decision="escalate",
        reason=reason.value,
        snapshot_id=deps.live.engine.snapshot.id,
        message_id=message_id,
    )
    tx.add(question)
    await tx.flush()
    return question


async def say_so(
    tx: AsyncSession,
    deps: Deps,
    candidate: Candidate,
    question: Question,
    ticket_id: int | None,
    said: str,
    *,
    key: str,
    place: int | None = None,
) -> None:
    """Tell a candidate what went to the team; if that opened a ticket, with what to expect and what one may wish.

    With `place`, in the place of what that row of the outbox said.
    """
    if ticket_id is None:
        await anew.show(tx, candidate, Message(said), key, place)
        return
    language = spoken(question.language)
    wait = times.wait(await waits.expected(tx, deps.settings.hours, deps.now()), language)
    named = () if candidate.shown_name else (Button(texts(language).button_share_name, data=f"s:{ticket_id}"),)
    shown = join([plain(said), plain(wait)])
    later = await themes.offer(tx, language)
    await anew.show(tx, candidate, shown.message(wishes.button(question), later, named), key, place)


async def expected(tx: AsyncSession, deps: Deps, ticket: Ticket | None, language: Language) -> str:
    """What can be said of the wait; nothing where it is not the team's turn."""
    if ticket is None or ticket.asked_at is None:
        return ""
    return times.wait(await waits.expected(tx, deps.settings.hours, deps.now()), language)


async def found_near(deps: Deps, question: Question) -> tuple[Hit, ...]:
    """What the assistant finds now for a question asked earlier, best first: staff see it on the card."""
    hits = await find_again(deps, deps.live.engine, question)
    return tuple(hit for hit in hits if not hit.entry.draft)


async def find_again(deps: Deps, engine: Engine, question: Question) -> tuple[Hit, ...]:
    """What an engine finds for a question asked earlier, best first, drafts among them."""
    language, course = spoken(question.language), question.course or None
    try:
        return await deps.searcher.run(engine, Engine.find, question.text, language, course)
    except TooLongError:
        return ()


async def passed_on(
    tx: AsyncSession, deps: Deps, candidate: Candidate, piece: Piece, said: Message, row: int, *, key: str
) -> None:
    """Say that something goes to the team (`row` carries it); of several in a row once, then a reaction is enough."""
    last = await anew.last_said(tx, candidate)
    again = last and last.payload.get("text") == said.text and deps.now() - last.created_at < IN_A_ROW
    if again and not piece.album:
        shown = arrived(piece.message_id)
        await outbox.put(tx, candidate.chat_id, "setMessageReaction", shown, key=f"{key}:arrived", after=row)
    else:
        await say(tx, candidate, said, f"added{candidate.chat_id}:{piece.album}" if piece.album else f"{key}:added")


async def silent(
    tx: AsyncSession,
    deps: Deps,
    candidate: Candidate,
    ticket: Ticket,
    message_id: int,
    row: int,
    *,
    key: str,
    over: bool = False,
) -> None:
    """A person has the ticket: that is said once, then only that a message has arrived (`row` carries it).

    After a message by which it is `over`, such as thanks, it stays the candidate's turn.
    """
    words = texts(tongue(candidate))
    if not over and await tickets.written(tx, desk_of(deps), ticket, deps.now()):
        await cards.refresh(tx, desk_of(deps), ticket, key=key)
    if not over and await tickets.hushed(tx, ticket.id, deps.now()):
        back = Button(words.button_bot_again, data=f"b:{ticket.id}")
        await say(tx, candidate, Message(words.hushed, buttons=((back,),)), f"{key}:added")
    await outbox.put(tx, candidate.chat_id, "setMessageReaction", arrived(message_id), key=f"{key}:arrived", after=row)
