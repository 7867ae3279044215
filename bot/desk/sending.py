"""Replies that are ready: an entry's answer or a canned reply, shown to staff before it goes to the candidate."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox
from bot.delivery.outbox import Priority
from bot.desk import copies, relay
from bot.desk.desk import Desk
from bot.desk.routes import to_candidate
from bot.dialogue.cards import short
from bot.dialogue.message import Button, Message
from bot.dialogue.rich import Rich, italic, join
from bot.dialogue.texts import texts
from bot.records.states import Direction, OutgoingState
from bot.records.tables import Canned, Question, Ticket

BUTTON_LENGTH = 60  # characters: a phone shows no more
MOST = 30  # canned replies to choose from


async def canned(tx: AsyncSession, ticket: Ticket) -> list[tuple[int, str]]:
    """Number and title of the canned replies in the ticket's language."""
    column = Canned.fr if ticket.language == "fr" else Canned.en
    found = select(Canned.id, Canned.title).where(column.is_not(None)).order_by(Canned.title).limit(MOST)
    return [(number, title) for number, title in (await tx.execute(found)).all()]


async def canned_text(tx: AsyncSession, ticket: Ticket, number: int) -> str | None:
    """A canned reply in the ticket's language; None if it is gone."""
    one = await tx.get(Canned, number)
    return (one.fr if ticket.language == "fr" else one.en) if one else None


async def choose(
    tx: AsyncSession, desk: Desk, ticket: Ticket, asked: str, options: list[tuple[str, str]], *, key: str
) -> None:
    """Ask staff which one; `options` are (callback data, what the button says)."""
    rows = [(Button(short(text, BUTTON_LENGTH), data=data),) for data, text in options]
    leave = (Button(texts(desk.language).button_leave, data=f"t:n:{ticket.id}"),)
    await relay.tell(tx, desk, ticket, Message(asked, buttons=(*rows, leave)), key=key)


def moves(desk: Desk, ticket: Ticket) -> list[tuple[str, str]]:
    """The other groups that a ticket can go to, as options."""
    others = [group for group in desk.known.every if group != desk.group(ticket)]
    return [(f"t:m:{ticket.id}:{group}", desk.name(group)) for group in others]


async def preview(tx: AsyncSession, desk: Desk, ticket: Ticket, reply: Rich, data: str, *, key: str) -> None:
    """Show staff what would go; `data` is what the button to send it brings back."""
    words = texts(desk.language)
    buttons = (Button(words.button_send, data=data), Button(words.button_leave, data=f"t:n:{ticket.id}"))
    await relay.tell(tx, desk, ticket, join([italic(words.staff_preview), reply]).message(buttons), key=key)


async def send(tx: AsyncSession, desk: Desk, ticket: Ticket, reply: Rich, author: str, shown: int, *, key: str) -> None:
    """Send a reply that is ready; the preview, message `shown`, then says who sent it, or that it did not arrive."""
    route, words = await to_candidate(tx, desk, ticket), texts(desk.language)
    letter = route.text(reply)
    question = await tx.get(Question, ticket.question_id) if ticket.question_id else None
    if question and question.message_id:
        letter["reply_parameters"] = outbox.below(question.message_id)
    row = await outbox.put(tx, route.target, "sendMessage", letter, key=f"{key}:reply", ticket_id=ticket.id)
    await copies.remember(tx, ticket.id, Direction.TO_CANDIDATE, desk.chat, shown, row)
    previewed = await copies.sent_as(tx, desk.chat, shown)
    message = {"message_of": previewed[0].id} if previewed else shown
    for state, said in (
        (OutgoingState.SENT, words.staff_sent_by.format(owner=author)),
        (OutgoingState.FAILED, words.delivery_failed),
    ):
        told = join([italic(said), reply]).message().payload() | {"message_id": message}
        await outbox.put(
            tx,
            desk.group(ticket),
            "editMessageText",
            told | {"reply_markup": {"inline_keyboard": []}},
            key=f"{key}:{state.value}",
            priority=Priority.NOTICE,
            after=row,
            when=state,
            ticket_id=ticket.id,
        )
