"""Staff make entries of what they answered; an admin publishes them, and who asked the same hears of it."""

import logging
import re

from telegram import Update
from telegram.error import TelegramError

from bot.delivery import inbox
from bot.desk import learning, wishes
from bot.dialogue import proposals
from bot.dialogue.decide import Answer, decide
from bot.dialogue.rich import bold, join, plain
from bot.dialogue.texts import Texts, spoken, texts
from bot.handlers import notices
from bot.handlers.alerts import alert
from bot.handlers.answers import answer_message, shown_answer
from bot.handlers.context import Context, Deps, desk_of
from bot.handlers.escalation import find_again
from bot.handlers.people import member_of
from bot.handlers.rights import Role, role
from bot.publishing.addition import NotAddedError, Order, new_id, publish
from bot.publishing.gate import GateError
from bot.records.states import ProposalState
from bot.records.tables import Candidate, Chat, Member, Proposal, Question, Ticket
from indexer.confidence import CalibratorError
from indexer.engine import Engine
from indexer.entries import Entry, KnowledgeError, Language
from indexer.snapshot import SnapshotError
from indexer.writer import CannotBeWrittenError

log = logging.getLogger(__name__)
PRESSED = r"^e:[mpd]:\d{1,18}$"
OVERRULE = re.compile(r"^(?:publish|publier)\s*:\s*(?P<reason>\S.*)$", re.IGNORECASE | re.DOTALL)
REFUSALS = (KnowledgeError, SnapshotError, CalibratorError, GateError, NotAddedError, CannotBeWrittenError, OSError)
ROOM = 1500  # characters of problems


async def on_press(update: Update, context: Context) -> None:
    """Make an entry of it, Publish, Discard: for staff; publishing for admins alone."""
    query = update.callback_query
    assert query
    _, act, number = (query.data or "").split(":")
    if not await notices.pressed_by(Role.ADMIN if act == "p" else Role.STAFF, update, context):
        return
    if act == "m":
        said = await _make(update, context, int(number))
    else:
        said = await _decide(update, context, int(number), discard=act == "d")
    await alert(query, said)


async def _make(update: Update, context: Context, ticket_id: int) -> str:
    """A proposal of a ticket; what it resembles is looked up, outside of the transaction."""
    deps, words = context.deps, texts(context.deps.settings.staff_language)
    async with deps.db.read() as tx:
        ticket = await tx.get(Ticket, ticket_id)
        question = await tx.get(Question, ticket.question_id) if ticket and ticket.question_id else None
        candidate = await tx.get(Candidate, ticket.candidate_id) if ticket else None
        chat = await tx.get(Chat, candidate.chat_id) if candidate else None
    hits = await find_again(deps, deps.live.engine, question) if question else ()
    near = learning.near(hits, deps.limits.maybe, "general") if question else None
    names = await _names(context, chat) if chat else []
    said = words.staff_gone
    async with deps.db.begin() as tx:
        ticket, member = await tx.get(Ticket, ticket_id), await member_of(tx, update, deps.now())
        if ticket and near and desk_of(deps).here(ticket):
            owner = await tx.get(Member, ticket.owner_chat_id) if ticket.owner_chat_id else None
            people = [*names, member.name, *([owner.name] if owner else [])]
            key = f"u{update.update_id}"
            made = await learning.make(tx, desk_of(deps), ticket, member.chat_id, people, near, key=key)
            said = "" if made else words.learn_nothing
        await inbox.done(tx, update.update_id)
    return said


async def _names(context: Context, chat: Chat) -> list[str]:
    """What Telegram calls a candidate, to be masked; asked for now, since it is not kept."""
    try:
        person = await context.bot.get_chat(chat.telegram_id)
    except TelegramError:
        return []
    parts = (person.first_name, person.last_name, person.username, person.effective_name)
    return [name for name in parts if name]


async def _decide(update: Update, context: Context, number: int, *, discard: bool, reason: str = "") -> str:
    """Discard, or publish; what to say if nothing came of it."""
    deps, key = context.deps, f"u{update.update_id}"
    words = texts(deps.settings.staff_language)
    said = words.learn_gone
    async with deps.db.begin() as tx:
        proposal = await tx.get(Proposal, number)
        member = await member_of(tx, update, deps.now())
        ticket = await tx.get(Ticket, proposal.ticket_id) if proposal and proposal.ticket_id else None
        written = await learning.wordings(tx, proposal) if proposal else {}
        if proposal is None or (ticket and not desk_of(deps).here(ticket)):
            moved = False
        elif not discard and not any(wording.answer for wording in written.values()):
            moved, said = False, words.learn_no_answer
        elif discard:
            moved = await learning.move(tx, proposal, ProposalState.DISCARDED, ProposalState.DRAFT)
        else:
            moved = await learning.approve(tx, proposal, deps.now())
        if proposal and moved:
            proposal.decided_by = member.chat_id
            await learning.refresh(tx, desk_of(deps), proposal, key=key)
        if update.message and not moved:  # or else it was a button, above which it is said
            await notices.put(tx, deps, update, said, below=True)
        await inbox.done(tx, update.update_id)
    if moved and not discard:
        order = Order(member.name, deps.local_now.date(), deps.settings.kept_indexes, reason)
        deps.start(_publish(deps, number, order, key))
    return "" if moved else said


async def _publish(deps: Deps, number: int, order: Order, key: str) -> None:
    """Have the entry written, examined and live; then tell staff, and those who asked."""
    words = texts(deps.settings.staff_language)
    try:
        entries = await _entries(deps, number, order)
        await publish(deps.live, deps.settings.knowledge_dir, entries, order)
    except REFUSALS as error:
        await _ended(deps, number, ProposalState.DRAFT, _refused(words, str(error)), key)
    except Exception:
        log.exception("publishing failed", extra={"proposal": number})
        await _ended(deps, number, ProposalState.DRAFT, _refused(words, words.error), key)
    else:
        told = await _tell(deps, entries[0])
        said = words.learn_published_now.format(entry=entries[0].id, told=told)
        await _ended(deps, number, ProposalState.PUBLISHED, said, key)


def _refused(words: Texts, problems: str) -> str:
    return words.learn_refused.format(problems=problems[:ROOM])


async def _entries(deps: Deps, number: int, order: Order) -> list[Entry]:
    """The proposal's entries, under an id that stays the same when it is tried again."""
    engine = deps.live.engine
    async with deps.db.begin() as tx:
        proposal = await tx.get_one(Proposal, number)
        found = await learning.wordings(tx, proposal)
        written = {language: wording for language, wording in found.items() if wording.answer}
        first = written.get(spoken(proposal.language)) or next(iter(written.values()))
        proposal.entry_id = proposal.entry_id or new_id(first.question, set(engine.snapshot.versions))
        return [
            Entry(
                id=proposal.entry_id,
                language=language,
                course=proposal.course,
                topic=proposal.topic,
                topic_name=_topic_name(engine, proposal.topic, language),
                question=" ".join(wording.question.split()),
                also=tuple(wording.also),
                answer=wording.answer.strip(),
                source=texts(language).learn_source,
                reviewed=order.today,
            )
            for language, wording in written.items()
        ]


def _topic_name(engine: Engine, topic: str, language: Language) -> str:
    names = (
        entry.topic_name for entry in engine.snapshot.entries if (entry.topic, entry.language) == (topic, language)
    )
    return next(names, topic.replace("-", " ").capitalize())


async def _ended(deps: Deps, number: int, state: ProposalState, said: str, key: str) -> None:
    async with deps.db.begin() as tx:
        proposal = await tx.get(Proposal, number)
        if proposal is None:  # whoever asked the question wished to be forgotten meanwhile
            return
        proposal.published_at = deps.now() if state is ProposalState.PUBLISHED else None
        await learning.ended(tx, desk_of(deps), proposal, state, said, key=key)


async def _tell(deps: Deps, entry: Entry) -> int:
    """Offer the new answer to those who asked the same and wanted to hear of it; how many."""
    engine, today, told = deps.live.engine, deps.local_now.date(), 0
    async with deps.db.read() as tx:
        waiting = await wishes.open_ones(tx, entry.course)
    for question in waiting:
        language = spoken(question.language)
        decision = decide(await find_again(deps, engine, question), deps.limits, today)
        if isinstance(decision, Answer) and decision.entry.id == entry.id:
            head = join([plain(texts(language).wish_answered), bold(question.text)])
            shown = join([head, shown_answer(engine, decision.entry, language, decision.gist)])
            async with deps.db.begin() as tx:
                message = answer_message(shown, question.id, language, more=bool(decision.gist))
                told += await wishes.tell(tx, question, entry.id, message, deps.now())
    return told


async def on_edit(update: Update, context: Context) -> bool:
    """A reply to a proposal changes it, or is an admin's reason to overrule the gate. False for other replies."""
    deps, received = context.deps, update.message
    if received is None or received.reply_to_message is None:
        return False
    async with deps.db.read() as tx:
        proposal = await learning.shown_as(tx, deps.staff_chat, received.reply_to_message.message_id)
    if proposal is None:
        return False
    text = (received.text or "").strip()
    if overruled := OVERRULE.match(text):
        await _overrule(update, context, proposal.id, " ".join(overruled["reason"].split()))
    else:
        await _change(update, deps, proposal.id, text)
    return True


async def _overrule(update: Update, context: Context, number: int, reason: str) -> None:
    deps, words = context.deps, texts(context.deps.settings.staff_language)
    if await role(update, context, Role.ADMIN) < Role.ADMIN:
        async with deps.db.begin() as tx:
            await notices.end(tx, deps, update, words.admins_only, below=True)
    else:
        await _decide(update, context, number, discard=False, reason=reason)


async def _change(update: Update, deps: Deps, number: int, text: str) -> None:
    words = texts(deps.settings.staff_language)
    async with deps.db.begin() as tx:
        proposal = await tx.get_one(Proposal, number, with_for_update=True)
        read, said = proposals.changes(text, spoken(proposal.language)), words.learn_changed
        if proposal.state is not ProposalState.DRAFT:
            said = words.learn_gone
        elif not read or not await learning.change(tx, proposal, read):
            said = words.learn_incomplete
        else:
            await learning.refresh(tx, desk_of(deps), proposal, key=f"u{update.update_id}")
        await notices.end(tx, deps, update, said, below=True)
