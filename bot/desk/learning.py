"""From what staff answered to a proposed entry: masked, shown with what it resembles, changed by staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox, timers
from bot.delivery.outbox import Priority
from bot.desk import cards, relay
from bot.desk.desk import Desk
from bot.desk.masking import mask
from bot.dialogue import proposals
from bot.dialogue.message import Button, Message
from bot.dialogue.proposals import Change, Worded
from bot.dialogue.texts import spoken, texts
from bot.records.states import OutgoingState, ProposalState
from bot.records.tables import Candidate, Outgoing, Proposal, Question, Ticket, Wording
from bot.records.upsert import insert_new
from indexer.entries import LANGUAGES, Language
from indexer.passages import Hit

SIMILAR = 3  # entries shown
PUBLISHING = "publishing"  # the kind of timer
LONGEST = timedelta(minutes=10)  # that publishing takes


@dataclass(frozen=True, slots=True)
class Near:
    """What the assistant knows already about a question: the topic, entries that come near, a draft that it fills."""

    topic: str
    similar: tuple[str, ...] = ()
    fills: str | None = None


async def offer(tx: AsyncSession, desk: Desk, ticket: Ticket, *, key: str) -> None:
    """After a ticket that staff answered: one tap makes an entry of it."""
    if not ticket.replied_at or not ticket.question_id or await of_ticket(tx, ticket.id):
        return
    words = texts(desk.language)
    button = Button(words.button_learn, data=f"e:m:{ticket.id}")
    await relay.tell(tx, desk, ticket, Message(words.learn_offer, buttons=((button,),)), key=f"{key}:learn")


async def of_ticket(tx: AsyncSession, ticket_id: int) -> Proposal | None:
    """The proposal made of a ticket, unless it was discarded."""
    alive = (Proposal.ticket_id == ticket_id) & (Proposal.state != ProposalState.DISCARDED)
    return (await tx.execute(select(Proposal).where(alive))).scalar_one_or_none()


async def material(tx: AsyncSession, ticket: Ticket, names: Sequence[str]) -> tuple[str, str]:
    """A ticket's question and what staff replied, masked; the reply is empty if none is in words."""
    question = await tx.get(Question, ticket.question_id) if ticket.question_id else None
    candidate = await tx.get_one(Candidate, ticket.candidate_id)
    known = [*names, *([candidate.shown_name] if candidate.shown_name else [])]
    replies = "\n\n".join(await _replies(tx, ticket, candidate))
    return mask(question.text, known) if question else "", mask(replies, known)


async def _replies(tx: AsyncSession, ticket: Ticket, candidate: Candidate) -> list[str]:
    header = texts(spoken(ticket.language)).reply_header
    sent = (Outgoing.state == OutgoingState.SENT) & (Outgoing.method == "sendMessage") & Outgoing.key.like("%:reply%")
    own = (Outgoing.ticket_id == ticket.id) & (Outgoing.chat_id == candidate.chat_id)
    rows = await tx.scalars(select(Outgoing).where(own, sent).order_by(Outgoing.id))
    said = [str(row.payload.get("text", "")).removeprefix(header).strip() for row in rows]
    return [text for text in said if text]


async def make(
    tx: AsyncSession, desk: Desk, ticket: Ticket, member: int, names: Sequence[str], near: Near, *, key: str
) -> Proposal | None:
    """A proposed entry, shown to staff; None if there is one already, or nothing to make it of."""
    question, answer = await material(tx, ticket, names)
    if not question or not answer:
        return None
    number = await insert_new(
        tx,
        Proposal,
        Proposal.id,
        ticket_id=ticket.id,
        course=ticket.course,
        topic=near.topic,
        language=ticket.language,
        similar=list(near.similar),
        entry_id=near.fills,
        made_by=member,
    )
    if number is None:
        return None
    tx.add(Wording(proposal_id=number, language=ticket.language, question=question, answer=answer))
    return await show(tx, desk, number, desk.group(ticket), key=f"proposal{number}")


async def show(tx: AsyncSession, desk: Desk, number: int, group: int, *, key: str) -> Proposal:
    """Show a new proposal to that group."""
    await tx.flush()
    proposal = await tx.get_one(Proposal, number)
    shown, of = (await card(tx, proposal, desk.language)).payload(), proposal.ticket_id
    proposal.card_id = await outbox.put(
        tx, group, "sendMessage", shown, key=key, priority=Priority.NOTICE, ticket_id=of
    )
    return proposal


async def wordings(tx: AsyncSession, proposal: Proposal) -> dict[Language, Wording]:
    """The entry's texts by language."""
    rows = await tx.scalars(select(Wording).where(Wording.proposal_id == proposal.id))
    return {spoken(row.language): row for row in rows}


async def card(tx: AsyncSession, proposal: Proposal, staff: Language) -> Message:
    """The proposal as it is to be shown now."""
    written = await wordings(tx, proposal)
    about = proposals.Card(
        number=proposal.id,
        topic=proposal.topic,
        state=proposal.state.value,
        wordings=tuple(
            Worded(one, written[one].question, written[one].answer, tuple(written[one].also))
            for one in LANGUAGES
            if one in written
        ),
        missing=tuple(one for one in LANGUAGES if one not in written),
        similar=tuple(proposal.similar),
        fills=proposal.entry_id if proposal.entry_id in proposal.similar else None,
    )
    return proposals.card(about, staff)


async def refresh(tx: AsyncSession, desk: Desk, proposal: Proposal, *, key: str) -> None:
    """Show on the card how the proposal stands now."""
    await tx.flush()
    if proposal.card_id is None:
        return
    sent = await tx.get_one(Outgoing, proposal.card_id)
    payload = cards.instead(await card(tx, proposal, desk.language), proposal.card_id)
    name = f"{key}:proposal" if proposal.ticket_id else f"{key}:proposal:list"  # it quotes several people
    await outbox.put(tx, sent.chat_id, "editMessageText", payload, key=name, priority=Priority.NOTICE)


async def shown_as(tx: AsyncSession, staff_chat: int, message_id: int) -> Proposal | None:
    """The proposal whose card a message in the staff's group is."""
    ours = (Outgoing.chat_id == staff_chat) & (Outgoing.message_id == message_id)
    row = select(Proposal).join(Outgoing, Outgoing.id == Proposal.card_id).where(ours)
    return (await tx.scalars(row)).first()


async def change(tx: AsyncSession, proposal: Proposal, changes: Sequence[Change]) -> bool:
    """Take over what staff wrote, as they wrote it; False if a new language lacks its question or its answer."""
    written = await wordings(tx, proposal)
    for one in changes:
        known = written.get(one.language)
        question = one.question or (known.question if known else "")
        answer = one.answer or (known.answer if known else "")
        if not known and not (question and answer):
            return False
        also = list(known.also) if known else []
        await tx.merge(
            Wording(proposal_id=proposal.id, language=one.language, question=question, answer=answer, also=also)
        )
        proposal.topic = one.topic or proposal.topic
    return True


async def move(tx: AsyncSession, proposal: Proposal, to: ProposalState, *since: ProposalState) -> bool:
    """One conditional UPDATE; False if the proposal is not in one of these states any more."""
    await tx.flush()
    which = (Proposal.id == proposal.id) & Proposal.state.in_(since)
    moved = (
        await tx.execute(update(Proposal).where(which).values(state=to).returning(Proposal.id))
    ).scalar_one_or_none()
    await tx.refresh(proposal)
    return moved is not None


async def approve(tx: AsyncSession, proposal: Proposal, now: datetime) -> bool:
    """Somebody begins to publish a proposal; False if it was decided before. A timer sees to it that this ends."""
    begun = await move(tx, proposal, ProposalState.APPROVED, ProposalState.DRAFT)
    if begun:
        await timers.set_timer(tx, _timer(proposal), PUBLISHING, now + LONGEST, {"proposal": proposal.id})
    return begun


async def ended(tx: AsyncSession, desk: Desk, proposal: Proposal, to: ProposalState, said: str, *, key: str) -> None:
    """Publishing has come to an end, one way or the other: staff are told."""
    await timers.cancel(tx, _timer(proposal))
    await move(tx, proposal, to, ProposalState.APPROVED, ProposalState.DRAFT)
    await refresh(tx, desk, proposal, key=f"{key}:end")
    below = {"reply_parameters": outbox.below({"message_of": proposal.card_id})} if proposal.card_id else {}
    shown = await tx.get(Outgoing, proposal.card_id) if proposal.card_id else None
    payload, chat = {"text": said} | below, shown.chat_id if shown else desk.chat
    await outbox.put(tx, chat, "sendMessage", payload, key=f"{key}:said", priority=Priority.NOTICE)


async def interrupted(tx: AsyncSession, payload: dict[str, Any], *, desk: Desk) -> None:
    """A process died while it published: the proposal waits for an admin again."""
    proposal = await tx.get(Proposal, payload["proposal"], with_for_update=True)
    if proposal is not None and proposal.state is ProposalState.APPROVED:
        key = f"{_timer(proposal)}:{uuid4().hex}"
        await ended(tx, desk, proposal, ProposalState.DRAFT, texts(desk.language).learn_interrupted, key=key)


def _timer(proposal: Proposal) -> str:
    return f"publish{proposal.id}"


def near(hits: Sequence[Hit], maybe: float, fallback: str) -> Near:
    """What hits for the question say of it; a draft that is the nearest is the gap to be filled."""
    first = hits[0].entry if hits else None
    close = [hit.entry for hit in hits if hit.confidence >= maybe]
    fills = close[0].id if close and close[0].draft else None
    similar = [entry.id for entry in close if not entry.draft or entry.id == fills]
    return Near(first.topic if first else fallback, tuple(similar[:SIMILAR]), fills)
