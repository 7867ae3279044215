"""A candidate who asked, and the outbox that came of it."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk import tickets
from bot.desk.desk import Desk
from bot.desk.pieces import Piece
from bot.dialogue.render import Reason
from bot.dialogue.rich import Rich
from bot.records.people import candidate_of, chat_of
from bot.records.tables import Candidate, Outgoing, Question, Ticket

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALICE, STAFF = 700001, -100700003


def written(text: str = "Mille euros.", message_id: int = 777) -> Piece:
    """A text as staff write it, in reply to nothing."""
    return Piece(message_id, "text", Rich(text))


async def asked(tx: AsyncSession, text: str, message_id: int | None) -> tuple[Desk, Candidate, Question]:
    """A candidate's question, and the desk that it goes to."""
    staff = await chat_of(tx, STAFF, "supergroup")
    chat = await chat_of(tx, ALICE, "private")
    candidate = await candidate_of(tx, chat.id, "fr")
    question = Question(
        candidate_id=candidate.id, course="ai", language="fr", text=text, decision="escalate", message_id=message_id
    )
    tx.add(question)
    await tx.flush()
    return Desk(staff.id, "en"), candidate, question


async def handed_over(tx: AsyncSession, text: str = "Combien ?", message_id: int = 11) -> tuple[Desk, Ticket]:
    desk, candidate, question = await asked(tx, text, message_id)
    assert await tickets.hand_over(tx, desk, candidate, question, Reason.OUTSIDE, (), NOW, key=f"k{message_id}")
    ticket = await tickets.open_ticket(tx, candidate.id)
    assert ticket
    return desk, ticket


async def outbox(tx: AsyncSession) -> list[Outgoing]:
    return list((await tx.execute(select(Outgoing).order_by(Outgoing.id))).scalars())
