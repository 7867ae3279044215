"""A candidate writes: a question, a command, or something that is not text."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import assert_never, cast

from sqlalchemy import BigInteger, Table, bindparam, func, select
from sqlalchemy import update as change
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from telegram import Update

from bot.delivery import inbox, outbox
from bot.desk import cards, edits, endings, mutes, relay, themes, tickets, waits, wishes
from bot.desk.desk import Desk
from bot.desk.outcomes import arrived
from bot.desk.pieces import Piece, read
from bot.dialogue import courses, render, times
from bot.dialogue.cards import short
from bot.dialogue.conversation import Exchange, Part, Turn
from bot.dialogue.courses import Sources
from bot.dialogue.decide import Answer, Clarify, Escalate, name
from bot.dialogue.message import Button, Message
from bot.dialogue.render import Reason
from bot.dialogue.rich import Rich, bold, clean, join, markdown, plain
from bot.dialogue.texts import spoken, texts
from bot.handlers import anew, offers
from bot.handlers.context import Context, Deps
from bot.records.people import candidate_in
from bot.records.states import TicketState
from bot.records.tables import Candidate, Chat, Question, Ticket
from bot.records.upsert import insert_new
from indexer.engine import Engine
from indexer.entries import Entry, Language
from indexer.passages import Hit

BUTTON_LENGTH = 60  # characters of a question on a button: a phone shows no more
COPIED = 300  # characters of an answer that staff see beside a ticket
NEWEST = 2**62  # above the number of any message
NEAR = 0.22  # confidence from which an entry's topic is taken for the question's

# Built once: to build a statement takes longer than to run it.
_earlier = aliased(Question)
_before = _earlier.message_id.is_(None) | (_earlier.message_id < bindparam("until", type_=BigInteger))
_last = select(func.max(_earlier.id)).where(_earlier.candidate_id == Candidate.id, _before).correlate(Candidate)
_SO_FAR = (
    select(
        Candidate.language,
        Candidate.course,
        Question.text,
        Question.entry_id,
        Question.confidence,
        Question.decision,
        Question.feedback,
        Question.answer_id,
        Question.asked_at,
    )
    .join(Chat, Chat.id == Candidate.chat_id)
    .outerjoin(Question, Question.id == _last.scalar_subquery())
    .where(Chat.telegram_id == bindparam("telegram_id"))
)
_questions = cast(Table, Question.__table__)
_ANSWERED = change(_questions).where(_questions.c.id == bindparam("question")).values(answer_id=bindparam("row"))


@dataclass(frozen=True, slots=True)
class Asked:
    """A message understood, with the engine that found its hits: one update uses one snapshot to its end."""

    turn: Turn
    engine: Engine
    piece: Piece
    key: str  # of what is sent because of it
    edited: bool = False
    places: tuple[int, ...] = ()  # rows of answers that this message's answers take the place of, in their order


def telegram_language(update: Update) -> Language:
    """The language of the person's Telegram, as far as we speak it."""
    user = update.effective_user
    return "fr" if user and (user.language_code or "").lower().startswith("fr") else "en"


async def who(tx: AsyncSession, update: Update, language: Language | None = None) -> Candidate:
    """The candidate of a private chat; `language` is remembered."""
    assert update.effective_chat  # the routes let private chats through only
    candidate = await candidate_in(tx, update.effective_chat.id, update.effective_chat.type, language)
    if candidate.language is None:
        candidate.language = telegram_language(update)
    return candidate


def tongue(candidate: Candidate) -> Language:
    """The language to speak with a candidate outside of an answer."""
    return spoken(candidate.chosen_language or candidate.language)


def unheard(deps: Deps, candidate: Candidate) -> str:
    """What is told to somebody whom the team does not hear: banned, or muted."""
    if candidate.banned_at:
        return texts(tongue(candidate)).banned
    return mutes.notice(candidate, desk_of(deps), tongue(candidate))


def desk_of(deps: Deps) -> Desk:
    """Where staff are."""
    settings = deps.settings
    school = deps.live.engine.school
    return Desk(deps.staff_chat, settings.staff_language, settings.hours, settings.reminders, school, deps.groups)


async def say(tx: AsyncSession, candidate: Candidate, message: Message, key: str) -> int:
    """Put a message for a candidate into the outbox."""
    return await outbox.put(tx, candidate.chat_id, "sendMessage", message.payload(), key=key)


async def on_text(update: Update, context: Context) -> None:
    """A message in words: answered, asked back, handed over, or added to the ticket that is open."""
    deps, received = context.deps, update.effective_message
    assert received
    text, engine = received.text or received.caption or "", deps.live.engine
    language, before, chosen = await _so_far(deps, update, engine)
    turn = await asyncio.to_thread(
        courses.attend,
        text,
        sources(engine),
        deps.limits,
        deps.local_now.date(),
        language=language,
        before=before,
        chosen=chosen,
    )
    asked = Asked(turn, engine, read(received), f"u{update.update_id}", bool(update.edited_message))
    async with deps.db.begin() as tx:
        candidate = await who(tx, update, turn.language)
        if not candidate.silenced(deps.now()) and not await _carried(tx, deps, candidate, update, asked):
            await _reply(tx, deps, candidate, update, asked)
        await inbox.done(tx, update.update_id)


async def _carried(tx: AsyncSession, deps: Deps, candidate: Candidate, update: Update, asked: Asked) -> bool:
    """Whether a message was about a ticket's past: a changed question, or a remark on a ticket that is over."""
    if update.edited_message and await _edited(tx, deps, candidate, asked):
        return True
    return await _about_a_ticket(tx, deps, candidate, update, asked)


async def _reply(tx: AsyncSession, deps: Deps, candidate: Candidate, update: Update, asked: Asked) -> None:
    """To the ticket that is open; or else what the assistant says itself, if it can in the place of what it said."""
    turn = asked.turn
    if turn.named and not known_course(candidate, asked.engine):
        candidate.course = turn.course
    if ticket := await tickets.hold_open(tx, candidate.id):
        await _with_ticket(tx, deps, candidate, ticket, asked)
        return
    if turn.courses:
        await _ask_course(tx, candidate, asked)
    elif turn.named and not turn.parts:
        await choose_course(tx, deps, candidate, turn.course, asked.key)
    elif not (turn.chat == "language" and await _again(tx, deps, candidate, update, asked)):
        await _say(tx, deps, candidate, asked)


async def _say(tx: AsyncSession, deps: Deps, candidate: Candidate, asked: Asked) -> None:
    """Small talk, or what is decided of each question of the message."""
    turn = asked.turn
    asked = await _in_place(tx, candidate, asked)
    if turn.chat:
        kind = Message(getattr(texts(turn.language), turn.chat))
        await anew.show(tx, candidate, kind, f"{asked.key}:chat", next(iter(asked.places), None))
    for number, part in enumerate(turn.parts):
        await _act(tx, deps, candidate, asked, part, number)
    await anew.take_away(tx, candidate, asked.places[max(len(turn.parts), bool(turn.chat)) :], asked.key)
    await _show_picture(tx, deps, candidate, asked)


async def _in_place(tx: AsyncSession, candidate: Candidate, asked: Asked) -> Asked:
    """The same, to be answered where the changed message was answered, or the one that this one goes on with."""
    if asked.edited:
        return replace(asked, places=await anew.of_message(tx, candidate, asked.piece.message_id))
    return replace(asked, places=await anew.of_last(tx, candidate)) if asked.turn.revises else asked


def sources(engine: Engine) -> Sources:
    """Where an engine's answers are looked for."""
    return Sources(engine.find, engine.school, engine.course)


def known_course(candidate: Candidate, engine: Engine) -> str | None:
    """The course that somebody has chosen, if it still exists."""
    return candidate.course if candidate.course in {course.name for course in engine.school} else None


def course_of(deps: Deps, candidate: Candidate) -> str:
    """The course that somebody's questions are about; empty as long as that is open."""
    engine = deps.live.engine
    return known_course(candidate, engine) or "" if engine.school else engine.course


async def _ask_course(tx: AsyncSession, candidate: Candidate, asked: Asked) -> None:
    """Keep the message until its author has said which course it is about."""
    turn = asked.turn
    await _record(tx, candidate, asked, turn.parts[0])
    await say(tx, candidate, courses.which(turn.courses, turn.language), f"{asked.key}:course")


async def choose_course(
    tx: AsyncSession, deps: Deps, candidate: Candidate, course: str, key: str, *, then: str = ""
) -> None:
    """Remember a course and answer the message that waited for it; where none did, show its topics, or the one named.

    `then` is the topic that a link named.
    """
    engine, language = deps.live.engine, tongue(candidate)
    candidate.course = course
    last = select(Question).where(Question.candidate_id == candidate.id).order_by(Question.id.desc()).limit(1)
    kept = (await tx.execute(last)).scalar_one_or_none()
    if kept is None or kept.course or kept.decision != "clarify":
        await say(tx, candidate, offers.chosen(deps, course, language, then), f"{key}:course")
        return
    today, spoke = deps.local_now.date(), spoken(kept.language)
    turn = await asyncio.to_thread(
        courses.attend, kept.text, sources(engine), deps.limits, today, language=spoke, chosen=course
    )
    piece = Piece(kept.message_id or 0, "text", Rich(clean(kept.text)))
    await tx.delete(kept)  # it is recorded anew, with what becomes of it
    for number, part in enumerate(turn.parts):
        await _act(tx, deps, candidate, Asked(turn, engine, piece, key), part, number)


async def _edited(tx: AsyncSession, deps: Deps, candidate: Candidate, asked: Asked) -> bool:
    """Whether an edit was carried over: staff then see it where the message stands, and what the bot knows of it."""
    hits = [hit for part in asked.turn.parts for hit in part.answers]
    changed = edits.Asked(clean(asked.piece.said.text), sorted(hits, key=attrgetter("confidence"), reverse=True))
    chat_id, now = candidate.chat_id, deps.now()
    if not await edits.edit_added(tx, desk_of(deps), asked.piece, chat_id, now, key=asked.key, anew=changed):
        return False
    ticket = await tickets.open_ticket(tx, candidate.id)
    if ticket and ticket.state is TicketState.OPEN:
        await _answer_sure(tx, deps, candidate, ticket, asked)
    return True


async def _again(tx: AsyncSession, deps: Deps, candidate: Candidate, update: Update, asked: Asked) -> bool:
    """Whether there was an answer, or a choice offered, to be shown again in the language that was asked for."""
    language, engine, question = asked.turn.language, asked.engine, await anew.last_of(tx, candidate)
    assert update.effective_message
    if question is None or question.decision == "escalate":
        return False
    entry = engine.entry(question.entry_id or "", language)
    shown = [(place, shown_question(engine, id_, language)) for place, id_ in enumerate(question.alternatives)]
    offered = [(place, text) for place, text in shown if text] if question.entry_id is None else []
    if entry and not entry.past(deps.local_now.date()):
        message = answer_message(shown_answer(engine, entry, language), question.id, language)
    elif offered:
        back = render.clarify([text for _, text in offered], language)
        message = back.message(*choice_buttons(offered, question.id, language))
    else:
        return False
    fresh = anew.is_fresh(question, update.effective_message.date)
    place = next(iter(await anew.places(tx, [question])), None) if fresh else None
    question.language = language
    question.answer_id = await anew.show(tx, candidate, message, asked.key, place)
    return True


async def _show_picture(tx: AsyncSession, deps: Deps, candidate: Candidate, asked: Asked) -> None:
    """A question below a picture went to the team: so does the picture."""
    handed_over = any(isinstance(part.decision, Escalate) for part in asked.turn.parts)
    ticket = await tickets.open_ticket(tx, candidate.id) if handed_over else None
    if ticket and asked.piece.kind not in ("", "text"):
        await relay.add(tx, desk_of(deps), ticket, asked.piece, candidate.chat_id, deps.now(), key=asked.key)


async def _so_far(deps: Deps, update: Update, engine: Engine) -> tuple[Language, Exchange | None, str | None]:
    """The language, what a follow-up leans on (the last question, and its answer's topic), and the course chosen."""
    chat, received = update.effective_chat, update.effective_message
    assert chat  # the routes let private chats through only
    assert received
    until = received.message_id if update.edited_message else NEWEST
    async with deps.db.glance() as connection:
        known = (await connection.execute(_SO_FAR, {"telegram_id": chat.id, "until": until})).one_or_none()
    language = spoken(known.language) if known and known.language else telegram_language(update)
    chosen = known.course if known else None
    if known is None or known.text is None:
        return language, None, chosen
    units = engine.snapshot.versions.get(known.entry_id or "", ())
    topics = [engine.snapshot.entries[unit].topic_name for unit in units]
    fresh = not update.edited_message and anew.is_fresh(known, received.date)
    exchange = Exchange(known.text, topics[0] if topics else "", known.entry_id or "", known.confidence or 0.0, fresh)
    return language, exchange, chosen


async def _about_a_ticket(tx: AsyncSession, deps: Deps, candidate: Candidate, update: Update, asked: Asked) -> bool:
    """Whether a message replies to one of a ticket that is over: a remark on its rating, or it is not solved."""
    answered = update.effective_message and update.effective_message.reply_to_message
    found = await endings.replied_to(tx, candidate, answered.message_id) if answered else None
    if found is None:
        return False
    ticket, is_remark = found
    if is_remark and not update.edited_message:
        await endings.remark(tx, desk_of(deps), ticket, asked.turn.text, key=asked.key)
        return True
    await endings.reopen(tx, desk_of(deps), ticket, deps.now(), key=asked.key)
    return False  # what was written goes to the ticket that is open now


async def _with_ticket(tx: AsyncSession, deps: Deps, candidate: Candidate, ticket: Ticket, asked: Asked) -> None:
    """Every message reaches the ticket's card: "yes" and "2019" may be what staff asked for.

    While nobody has it, the bot still answers what it is sure of, and a kind word with a kind word; staff see that.
    Once a person has it the bot says so and then keeps silent: a reaction shows that a message has reached the team.
    """
    turn, words, alone, desk = asked.turn, texts(asked.turn.language), ticket.state is TicketState.OPEN, desk_of(deps)
    if not asked.piece.kind:
        await say(tx, candidate, Message(words.cannot_carry), f"{asked.key}:other")
        return
    row = await relay.add(tx, desk, ticket, asked.piece, candidate.chat_id, deps.now(), key=asked.key)
    if not alone:
        await silent(tx, deps, candidate, ticket, asked.piece.message_id, row, key=asked.key)
        return
    if not await _answer_sure(tx, deps, candidate, ticket, asked):
        kind = turn.chat if turn.chat and turn.chat != "gibberish" else "follow_up"
        await say(tx, candidate, Message(getattr(words, kind)), added_key(candidate, asked.piece, asked.key))


async def _answer_sure(tx: AsyncSession, deps: Deps, candidate: Candidate, ticket: Ticket, asked: Asked) -> bool:
    """Answer what the bot is sure of beside an open ticket, seen by staff; False if that is nothing."""
    sure, desk = [part for part in asked.turn.parts if isinstance(part.decision, Answer)], desk_of(deps)
    asked = await _in_place(tx, candidate, asked) if sure else asked
    for number, part in enumerate(sure):
        await _act(tx, deps, candidate, asked, part, number)
        await relay.tell(tx, desk, ticket, _copy(part, candidate, desk), key=f"{asked.key}:copy{number}")
    return bool(sure)


def added_key(candidate: Candidate, piece: Piece, key: str) -> str:
    """Of the word that something was passed on: one for all parts of an album."""
    return f"added{candidate.chat_id}:{piece.album}" if piece.album else f"{key}:added"


async def silent(
    tx: AsyncSession, deps: Deps, candidate: Candidate, ticket: Ticket, message_id: int, row: int, *, key: str
) -> None:
    """A person has the ticket: that is said once, then only that a message has arrived (`row` carries it)."""
    words = texts(tongue(candidate))
    if await tickets.written(tx, desk_of(deps), ticket, deps.now()):
        await cards.refresh(tx, desk_of(deps), ticket, key=key)
    if await tickets.hushed(tx, ticket.id, deps.now()):
        back = Button(words.button_bot_again, data=f"b:{ticket.id}")
        await say(tx, candidate, Message(words.hushed, buttons=((back,),)), f"{key}:added")
    await outbox.put(tx, candidate.chat_id, "setMessageReaction", arrived(message_id), key=f"{key}:arrived", after=row)


def _copy(part: Part, candidate: Candidate, desk: Desk) -> Message:
    """What the bot answered beside an open ticket, as staff see it in short."""
    assert isinstance(part.decision, Answer)
    told = texts(desk.language).staff_bot_answered.format(candidate=candidate.known_as)
    said = part.decision.gist or short(markdown(part.decision.entry.answer).text, COPIED)
    return join([bold(told), plain(f"{part.decision.entry.question}\n→ {said}")], "\n").message()


async def _act(tx: AsyncSession, deps: Deps, candidate: Candidate, asked: Asked, part: Part, number: int) -> None:
    """Record one question of a message, the one of that number, and do what was decided."""
    turn, engine = asked.turn, asked.engine
    place = asked.places[number] if number < len(asked.places) else None
    question_id = await _record(tx, candidate, asked, part)
    deps.metrics.decided(name(part.decision), turn.language)
    heading = part.question if len(turn.parts) > 1 else ""
    key = f"{asked.key}:{question_id}"
    match part.decision:
        case Answer(entry, gist):
            shown = shown_answer(engine, entry, turn.language, gist)
            message = answer_message(shown, question_id, turn.language, heading, more=bool(gist))
            row = await anew.show(tx, candidate, message, key, place)
            await tx.execute(_ANSWERED, {"question": question_id, "row": row})
        case Clarify(entries):
            back = join([bold(heading), render.clarify([entry.question for entry in entries], turn.language)])
            message = back.message(*_choices(question_id, entries, turn.language, engine))
            row = await anew.show(tx, candidate, message, key, place)
            await tx.execute(_ANSWERED, {"question": question_id, "row": row})
        case Escalate(reason):
            note = "human_asked" if reason is Reason.PERSON else "escalated"
            question = await tx.get_one(Question, question_id)
            await escalate(tx, deps, candidate, question, reason, part.answers, key, note=note, place=place)
        case _:
            assert_never(part.decision)


async def _record(tx: AsyncSession, candidate: Candidate, asked: Asked, part: Part) -> int:
    """Keep one question of a message; gives its number."""
    shown = part.decision.entries if isinstance(part.decision, Clarify) else [hit.entry for hit in part.answers]
    question_id = await insert_new(
        tx,
        Question,
        Question.id,
        candidate_id=candidate.id,
        course=asked.turn.course,
        topic=next((hit.entry.topic for hit in part.hits[:1] if hit.confidence >= NEAR), None),
        language=asked.turn.language,
        text=part.question,
        decision=name(part.decision),
        reason=part.decision.reason.value if isinstance(part.decision, Escalate) else None,
        entry_id=part.decision.entry.id if isinstance(part.decision, Answer) else None,
        confidence=part.confidence,
        alternatives=[entry.id for entry in shown],
        snapshot_id=asked.engine.snapshot.id,
        message_id=asked.piece.message_id,
    )
    assert question_id is not None  # nothing in it is unique
    return question_id


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


def choice_buttons(entries: list[tuple[int, str]], question_id: int, language: Language) -> list[tuple[Button, ...]]:
    """A button for each (place in the question's alternatives, entry's question), and one for none of them."""
    rows = [(Button(short(text, BUTTON_LENGTH), data=f"c:{question_id}:{place}"),) for place, text in entries]
    return [*rows, (Button(texts(language).button_none, data=f"x:{question_id}"),)]


def _choices(
    question_id: int, entries: Sequence[Entry], language: Language, engine: Engine
) -> list[tuple[Button, ...]]:
    shown = [(place, shown_question(engine, entry.id, language)) for place, entry in enumerate(entries)]
    return choice_buttons([(place, text) for place, text in shown if text], question_id, language)


def shown_question(engine: Engine, entry_id: str, language: Language) -> str | None:
    """An entry's question in the language of the conversation, or else in the other; None if it is gone."""
    entry = engine.entry(entry_id, language)
    return entry.question if entry else None


async def escalate(  # noqa: PLR0913  each names one property of the hand-over
    tx: AsyncSession,
    deps: Deps,
    candidate: Candidate,
    question: Question,
    reason: Reason,
    hits: Sequence[Hit],
    key: str,
    *,
    note: str,
    place: int | None = None,
) -> None:
    """Hand a question over and say so honestly: by the text named `note` if it opens a ticket.

    With `place`, that is said in the place of what that row of the outbox said.
    """
    language = spoken(question.language)
    words = texts(language)
    ticket_id = await tickets.hand_over(tx, desk_of(deps), candidate, question, reason, hits, deps.now(), key=key)
    if ticket_id is None:
        await anew.show(tx, candidate, Message(words.follow_up), key, place)
        return
    wait = times.wait(await waits.expected(tx, deps.settings.hours, deps.now()), language)
    named = () if candidate.shown_name else (Button(words.button_share_name, data=f"s:{ticket_id}"),)
    shown = join([plain(getattr(words, note)), plain(wait)])
    later = await themes.offer(tx, language)
    await anew.show(tx, candidate, shown.message(wishes.button(question), later, named), key, place)


async def found_near(deps: Deps, question: Question) -> tuple[Hit, ...]:
    """What the assistant finds now for a question asked earlier, best first: staff see it on the card."""
    hits = await find_again(deps.live.engine, question)
    return tuple(hit for hit in hits if not hit.entry.draft)


async def find_again(engine: Engine, question: Question) -> tuple[Hit, ...]:
    """What an engine finds for a question asked earlier, best first, drafts among them."""
    return await asyncio.to_thread(engine.find, question.text, spoken(question.language), question.course or None)
