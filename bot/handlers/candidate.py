"""A candidate writes in words: answered, asked back, handed over, or added to the ticket that is open."""

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Update

from bot.delivery import inbox
from bot.desk import cards, edits, relay, tickets
from bot.desk.desk import Desk
from bot.desk.pieces import read
from bot.dialogue import render, topics
from bot.dialogue.cards import short
from bot.dialogue.conversation import Part, Turn
from bot.dialogue.decide import MOST_CHOICES, Answer, Escalate
from bot.dialogue.message import Message
from bot.dialogue.questions import asks
from bot.dialogue.render import Reason
from bot.dialogue.rich import bold, join, markdown, plain
from bot.dialogue.signs import clean
from bot.dialogue.smalltalk import ChatKind, agrees, chosen
from bot.dialogue.texts import spoken, texts
from bot.handlers import anew, attachments
from bot.handlers.answers import choice_buttons, entry_message, others, shown_question
from bot.handlers.asked import Asked, act, ask_course, choose_course, in_place, tapped, understand
from bot.handlers.context import Context, Deps, desk_of
from bot.handlers.escalation import escalate, expected, found_near, passed_on, silent
from bot.handlers.memory import so_far
from bot.handlers.speaker import known_course, say, tell_languages, who
from bot.records.states import Feedback, TicketState
from bot.records.tables import Candidate, Question, Ticket
from indexer.entries import LANGUAGES

COPIED = 300  # characters of an answer that staff see beside a ticket
UNHEARD = frozenset({"gibberish", "complaint", "listening"})  # what is no small talk while the team has a question
PARTING = frozenset({"thanks", "goodbye"})  # to the team's answer: it waits for nothing
LEADS_ON = frozenset({"greeting", "thanks", "okay", "gibberish", "language", "presence"})  # what topics may follow


async def on_text(update: Update, context: Context) -> None:
    """A message in words: answered, asked back, handed over, or added to the ticket that is open."""
    deps, received = context.deps, update.effective_message
    assert received
    text, engine = received.text or received.caption or "", deps.live.engine
    language, before, chosen = await so_far(deps, update, engine)
    turn = await understand(deps, engine, text, language, before=before, chosen=chosen)
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
    return await _about_a_ticket(tx, deps, candidate, asked)


async def _reply(tx: AsyncSession, deps: Deps, candidate: Candidate, update: Update, asked: Asked) -> None:
    """To the ticket that is open; or else what the assistant says itself, if it can in the place of what it said."""
    turn = asked.turn
    if turn.named and not known_course(candidate, asked.engine):
        candidate.course = turn.course
    if ticket := await tickets.hold_open(tx, candidate.id):
        await _with_ticket(tx, deps, candidate, ticket, asked)
        return
    if await tell_languages(tx, candidate, turn) and turn.chat:
        return
    if await _agreed(tx, deps, candidate, asked):
        return
    if turn.courses:
        await ask_course(tx, candidate, asked)
    elif turn.named and not turn.parts:
        await choose_course(tx, deps, candidate, turn.course, asked.key)
    elif turn.chat == "language" and await _again(tx, deps, candidate, update, asked):
        pass
    else:
        await _say(tx, deps, candidate, asked)


async def _say(tx: AsyncSession, deps: Deps, candidate: Candidate, asked: Asked) -> None:
    """Small talk, or what is decided of each question of the message."""
    turn = asked.turn
    asked = await in_place(tx, candidate, asked)
    if turn.chat:
        word = await _word(tx, candidate, asked, turn.chat)
        key = f"{asked.key}:chat" if asked.edited else anew.word_key(candidate, asked.piece.message_id)
        await anew.show(tx, candidate, word, key, next(iter(asked.places), None))
    shown = await act(tx, deps, candidate, asked)
    await anew.take_away(tx, candidate, asked.places[max(shown, bool(turn.chat)) :], asked.key)
    await _show_picture(tx, deps, candidate, asked)


async def _word(tx: AsyncSession, candidate: Candidate, asked: Asked, kind: ChatKind) -> Message:
    """What small talk is answered with; a complaint is about the last answer, as if its button had been pressed."""
    last = await anew.last_of(tx, candidate) if kind == "complaint" else None
    if last is None or last.decision == "escalate":
        said = getattr(texts(asked.turn.language), kind)
        return topics.beside(said, asked.turn.language) if kind in LEADS_ON else Message(said)
    last.feedback = Feedback.NOT_MINE
    return others(asked.engine, last)


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
        message = entry_message(engine, entry, question.id, language)
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


async def _agreed(tx: AsyncSession, deps: Deps, candidate: Candidate, asked: Asked) -> bool:
    """Whether a message answered what the bot had asked last: which question is meant, or shall it ask the team."""
    agreeing = agrees(asked.turn.text)
    answers = (agreeing or chosen(asked.turn.text, MOST_CHOICES)) and not asked.edited
    said = await anew.last_said(tx, candidate) if answers else None
    if agreeing and said and said.payload.get("text") in [texts(one).unsupported for one in LANGUAGES]:
        await attachments.show_to_a_person(tx, deps, candidate, attachments.offer_in(said), asked.key)
        return True
    last = await anew.last_of(tx, candidate) if said else None
    if said is None or last is None or last.feedback is not None or said.id != last.answer_id:
        return False
    language = spoken(last.language)
    if last.decision == "clarify":
        return not (agreeing and last.entry_id) and await _taken(tx, deps, candidate, asked, last)
    if not agreeing or said.payload.get("text") != texts(language).nothing_more:
        return False
    last.feedback = Feedback.PERSON
    near = await found_near(deps, last)
    await escalate(tx, deps, candidate, last, Reason.PERSON, near, f"{asked.key}:person", note="human_asked")
    return True


async def _taken(tx: AsyncSession, deps: Deps, candidate: Candidate, asked: Asked, last: Question) -> bool:
    """Whether a message chose, in words, among the questions offered last; answers are shown that still hold."""
    language, places = spoken(last.language), chosen(asked.turn.text, len(last.alternatives))
    found = [asked.engine.entry(last.alternatives[place], language) for place in places]
    entries = [entry for entry in found if entry and not entry.past(deps.local_now.date())]
    for number, entry in enumerate(entries):
        # A question has one answer: the buttons below any other are about that one.
        question = await tapped(tx, deps, candidate, entry, last.course, language) if last.entry_id else last
        message = entry_message(asked.engine, entry, question.id, language)
        question.entry_id, question.answer_id = entry.id, await say(tx, candidate, message, f"{asked.key}:{number}")
    if places and not entries:
        await say(tx, candidate, Message(texts(language).choice_gone), asked.key)
    return bool(places)


async def _show_picture(tx: AsyncSession, deps: Deps, candidate: Candidate, asked: Asked) -> None:
    """A question below a picture went to the team: so does the picture."""
    handed_over = any(isinstance(part.decision, Escalate) for part in asked.turn.parts)
    ticket = await tickets.open_ticket(tx, candidate.id) if handed_over else None
    if ticket and asked.piece.kind not in ("", "text"):
        await relay.add(tx, desk_of(deps), ticket, asked.piece, candidate.chat_id, deps.now(), key=asked.key)


async def _about_a_ticket(tx: AsyncSession, deps: Deps, candidate: Candidate, asked: Asked) -> bool:
    """Whether a message is a remark on a rating and no more; a reply to another one opens its ticket again."""
    remarked = await attachments.remarked(tx, deps, candidate, asked.piece, asked.key)
    # Clients make the next message a reply to what asks for a remark, whatever it is about.
    return remarked and not any(
        asks(part.question) or part.decision == Escalate(Reason.PERSON) for part in asked.turn.parts
    )


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
    if turn.chat == "language" and turn.language != ticket.language:
        ticket.language = turn.language  # the team's reply is headed, and staff answer, in what was asked for
        await cards.refresh(tx, desk, ticket, key=f"{asked.key}:language")
    if not alone:
        over = ticket.state is TicketState.WAITING and turn.chat in PARTING and not agrees(turn.text)
        await silent(tx, deps, candidate, ticket, asked.piece.message_id, row, key=asked.key, over=over)
        return
    sure = await _answer_sure(tx, deps, candidate, ticket, asked)
    left = [part for part in turn.parts if part not in sure]
    if left or not sure:
        said = await _passed_on(tx, deps, ticket, turn, left if sure else [])
        await passed_on(tx, deps, candidate, asked.piece, said, row, key=asked.key)


async def _passed_on(tx: AsyncSession, deps: Deps, ticket: Ticket, turn: Turn, left: Sequence[Part]) -> Message:
    """That a message went to the ticket that is open: what is `left` of it where the rest was answered."""
    words = texts(turn.language)
    if asked := [part.question for part in left if part.decision != Escalate(Reason.PERSON)]:
        return Message(render.left(asked, turn.language))
    if turn.chat == "greeting" or any(part.decision == Escalate(Reason.PERSON) for part in turn.parts):
        wait = await expected(tx, deps, ticket, turn.language)
        return join(map(plain, (words.human_already, wait))).message()
    return Message(getattr(words, turn.chat if turn.chat and turn.chat not in UNHEARD else "follow_up"))


async def _answer_sure(
    tx: AsyncSession, deps: Deps, candidate: Candidate, ticket: Ticket, asked: Asked
) -> Sequence[Part]:
    """Answer what the bot is sure of beside an open ticket, seen by staff; gives that."""
    parts, desk = asked.turn.parts, desk_of(deps)
    sure = [part for part in parts if isinstance(part.decision, Answer) and not part.again]
    if sure:
        only = replace(asked, turn=replace(asked.turn, parts=tuple(sure)))
        await act(tx, deps, candidate, await in_place(tx, candidate, only))
    for number, part in enumerate(sure):
        await relay.tell(tx, desk, ticket, _copy(part, candidate, desk), key=f"{asked.key}:copy{number}")
    return sure


def _copy(part: Part, candidate: Candidate, desk: Desk) -> Message:
    """What the bot answered beside an open ticket, as staff see it in short."""
    assert isinstance(part.decision, Answer)
    told = texts(desk.language).staff_bot_answered.format(candidate=candidate.known_as)
    said = part.decision.gist or short(markdown(part.decision.entry.answer).text, COPIED)
    return join([bold(told), plain(f"{part.decision.entry.question}\n→ {said}")], "\n").message()
