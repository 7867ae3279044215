"""Two workers at the same moment on PostgreSQL: what the first has not committed yet, the second waits for.

On SQLite a writing transaction waits for the one before it from its first statement on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import User

from bot.delivery import threads, timers
from bot.delivery.calls import Letter, Part, Sent
from bot.delivery.outcomes import record
from bot.desk import bans, cards, endings, learning, members, refusals, relay, reminders, setbacks, tickets, topics
from bot.desk.desk import Desk
from bot.dialogue.render import Reason
from bot.records import news
from bot.records.forgetting import forget
from bot.records.people import candidate_of, chat_of
from bot.records.sessions import Database
from bot.records.states import OutgoingState, ProposalState, TicketState
from bot.records.tables import Candidate, Chat, Outgoing, Proposal, Ticket, Timer, Topic

from .examples import ALICE, NOW, asked, handed_over, outbox, written

Step = Callable[[AsyncSession], Awaitable[Any]]
T = TypeVar("T")
WAITS = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


@pytest.fixture
def db(postgres_db: Database) -> Database:
    return postgres_db


async def at_once(db: Database, first: Step, second: Step) -> tuple[Any, Any]:
    """What both give: the second begins after the first has done everything but commit, and before it commits."""

    async def run_second() -> Any:
        async with db.begin() as tx:
            return await second(tx)

    async with db.begin() as tx:
        one = await first(tx)
        await tx.flush()
        task = asyncio.create_task(run_second())
        await _waits_or_is_over(db, task)
    return one, await task


async def _waits_or_is_over(db: Database, task: asyncio.Task[Any]) -> None:
    async with asyncio.timeout(120), db.writing.connect() as connection:
        while not task.done():
            if (await connection.execute(WAITS)).scalar_one():
                return
            await connection.rollback()
            await asyncio.sleep(0.01)


async def opened(db: Database, state: TicketState = TicketState.OPEN) -> tuple[Desk, int]:
    """A ticket in that state, and the desk."""
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        ticket.state = state
        return desk, ticket.id


def on(ticket_id: int, step: Callable[[AsyncSession, Ticket], Awaitable[T]]) -> Step:
    """A step that begins by reading the ticket, as handlers do."""

    async def run(tx: AsyncSession) -> T:
        return await step(tx, await tx.get_one(Ticket, ticket_id))

    return run


async def test_a_ticket_is_claimed_by_one(db: Database) -> None:
    _, number = await opened(db)

    async def member(tx: AsyncSession, telegram_id: int) -> int:
        return (await chat_of(tx, telegram_id, "private")).id

    async def claims(tx: AsyncSession, telegram_id: int) -> bool:
        return await tickets.claim(tx, number, await member(tx, telegram_id))

    assert await at_once(db, lambda tx: claims(tx, 1), lambda tx: claims(tx, 2)) == (True, False)


async def test_a_ticket_is_closed_once_and_the_candidate_told_once(db: Database) -> None:
    desk, number = await opened(db, TicketState.CLAIMED)

    def closes(key: str) -> Step:
        return on(number, lambda tx, ticket: endings.close(tx, desk, ticket, NOW, key=key, by_team=True))

    assert await at_once(db, closes("one"), closes("two")) == (True, False)
    async with db.read() as tx:
        assert [row.key for row in await outbox(tx) if row.key.endswith(":closed")] == ["one:closed"]


async def test_what_a_candidate_adds_reaches_a_ticket_that_is_open(db: Database) -> None:
    desk, number = await opened(db, TicketState.CLAIMED)

    async def adds(tx: AsyncSession) -> TicketState | None:
        candidate = (await tx.execute(select(Candidate))).scalar_one()
        ticket = await tickets.hold_open(tx, candidate.id)
        if ticket:
            await relay.add(tx, desk, ticket, written("and this?", 12), candidate.chat_id, NOW, key="u2")
        return ticket.state if ticket else None

    closes = on(number, lambda tx, ticket: endings.close(tx, desk, ticket, NOW, key="c", by_team=True))
    assert await at_once(db, closes, adds) == (True, None)


async def test_a_question_while_the_ticket_is_closed_opens_the_next(db: Database) -> None:
    desk, number = await opened(db)

    async def asks(tx: AsyncSession) -> int | None:
        _, candidate, question = await asked(tx, "Et quand ?", 12)
        return await tickets.hand_over(tx, desk, candidate, question, Reason.UNSURE, (), NOW, key="u2")

    closed, new = await at_once(db, lambda tx: tickets.close(tx, number, NOW), asks)
    assert closed
    assert new not in {None, number}


async def test_of_a_reply_to_a_closed_ticket_and_a_new_question_one_opens(db: Database) -> None:
    desk, number = await opened(db, TicketState.CLOSED)

    async def asks(tx: AsyncSession) -> int | None:
        _, candidate, question = await asked(tx, "Et quand ?", 12)
        return await tickets.hand_over(tx, desk, candidate, question, Reason.UNSURE, (), NOW, key="u2")

    replies = on(number, lambda tx, ticket: tickets.answered(tx, desk, ticket, None, NOW))
    new, again = await at_once(db, asks, replies)
    assert new
    assert again is False


async def test_not_solved_pressed_while_a_new_question_opens_a_ticket(db: Database) -> None:
    desk, number = await opened(db, TicketState.CLOSED)

    async def asks(tx: AsyncSession) -> int | None:
        _, candidate, question = await asked(tx, "Et quand ?", 12)
        return await tickets.hand_over(tx, desk, candidate, question, Reason.UNSURE, (), NOW, key="u2")

    reopens = on(number, lambda tx, ticket: endings.reopen(tx, desk, ticket, NOW, key="u3"))
    new, again = await at_once(db, asks, reopens)
    assert new
    assert again is False


async def test_the_card_shows_what_both_changed(db: Database) -> None:
    desk, number = await opened(db)

    async def claims(tx: AsyncSession, ticket: Ticket) -> None:
        await tickets.claim(tx, ticket.id, desk.chat)
        await cards.refresh(tx, desk, ticket, key="claim")

    async def shares_the_name(tx: AsyncSession, ticket: Ticket) -> None:
        (await tx.get_one(Candidate, ticket.candidate_id)).shown_name = "Sara"
        await cards.refresh(tx, desk, ticket, key="name")

    await at_once(db, on(number, claims), on(number, shares_the_name))
    async with db.read() as tx:
        ticket = await tx.get_one(Ticket, number)
        now = (await cards.card(tx, ticket, desk)).text
        edits = [row.payload["text"] for row in await outbox(tx) if row.method == "editMessageText"]
    assert ticket.state is TicketState.CLAIMED
    assert edits[-1] == now


async def test_the_last_rating_counts(db: Database) -> None:
    desk, number = await opened(db, TicketState.CLOSED)

    def rates(rating: int) -> Step:
        return on(number, lambda tx, ticket: endings.rate(tx, desk, ticket, rating, key=f"r{rating}"))

    await at_once(db, rates(2), rates(4))
    async with db.read() as tx:
        ticket = await tx.get_one(Ticket, number)
        shown = [row.payload["text"] for row in await outbox(tx) if row.method == "editMessageText"][-1]
        assert ticket.rating == 4
        assert shown == (await cards.card(tx, ticket, desk)).text


async def test_a_ban_is_told_once(db: Database) -> None:
    desk, number = await opened(db)

    def ban(key: str) -> Step:
        return on(number, lambda tx, ticket: bans.ban(tx, desk, ticket, NOW, key=key))

    await at_once(db, ban("one"), ban("two"))
    async with db.read() as tx:
        keys = [row.key for row in await outbox(tx) if row.key.endswith(":banned")]
    assert keys == ["one:banned"]


async def test_a_ban_is_lifted_by_one(db: Database) -> None:
    await opened(db)
    async with db.begin() as tx:
        await tx.execute(update(Candidate).values(banned_at=NOW))
        candidate = (await tx.execute(select(Candidate.id))).scalar_one()
    first, second = await at_once(db, lambda tx: bans.unban(tx, candidate), lambda tx: bans.unban(tx, candidate))
    assert first == candidate
    assert second is None


async def test_who_is_being_banned_is_seen_as_banned(db: Database) -> None:
    desk, number = await opened(db)

    async def writes(tx: AsyncSession) -> datetime | None:
        return (await candidate_of(tx, (await chat_of(tx, ALICE, "private")).id, None)).banned_at

    bans_them = on(number, lambda tx, ticket: bans.ban(tx, desk, ticket, NOW, key="b"))
    assert (await at_once(db, bans_them, writes))[1] == NOW


async def forum(db: Database) -> tuple[Desk, int]:
    """A ticket whose candidate has a topic that Telegram has made."""
    async with db.begin() as tx:
        desk, candidate, question = await asked(tx, "Combien ?", 11)
        await tx.execute(update(Chat).where(Chat.id == desk.chat).values(forum=True))
        number = await tickets.hand_over(tx, desk, candidate, question, Reason.UNSURE, (), NOW, key="u1")
        await tx.execute(update(Outgoing).values(state=OutgoingState.SENT, message_id=Outgoing.id + 100))
    assert number
    return desk, number


async def test_a_first_topic_is_made_once(db: Database) -> None:
    desk, number = await opened(db)
    async with db.begin() as tx:
        await tx.execute(update(Chat).where(Chat.id == desk.chat).values(forum=True))
    enters = on(number, lambda tx, ticket: topics.enter(tx, desk, ticket))
    await at_once(db, enters, enters)
    async with db.read() as tx:
        assert len((await tx.execute(select(Topic))).all()) == 1
        assert [row.method for row in await outbox(tx)].count("createForumTopic") == 1


@pytest.mark.parametrize("sender_first", [True, False])
async def test_what_is_put_into_a_topic_while_it_is_made_anew_goes_into_the_new_one(
    db: Database, sender_first: bool
) -> None:
    desk, number = await forum(db)
    async with db.begin() as tx:
        await relay.tell(tx, desk, await tx.get_one(Ticket, number), "refused", key="u2")
        refused = (await outbox(tx))[-1].id

    async def makes_anew(tx: AsyncSession) -> None:
        assert await threads.renew(tx, refused)

    puts = on(number, lambda tx, ticket: relay.tell(tx, desk, ticket, "new", key="u3"))
    await at_once(db, *((makes_anew, puts) if sender_first else (puts, makes_anew)))
    async with db.read() as tx:
        topic = (await tx.execute(select(Topic))).scalar_one()
        rows = [row for row in await outbox(tx) if row.state is OutgoingState.WAITING and row.method == "sendMessage"]
    assert {"refused", "new"} <= {row.payload["text"] for row in rows}
    assert {row.payload["message_thread_id"]["message_of"] for row in rows} == {topic.outgoing_id}


async def test_workers_that_start_at_once_send_a_card_again_once(db: Database) -> None:
    desk, _ = await opened(db)
    async with db.begin() as tx:
        await tx.execute(update(Outgoing).values(state=OutgoingState.FAILED))

    async def sends_again_and_it_arrives(tx: AsyncSession) -> int:
        count = await refusals.send_again(tx, desk, NOW)
        assert "messages" in news.told(tx)  # or nobody would look before the safety net does
        await tx.execute(update(Outgoing).values(state=OutgoingState.SENT, message_id=5))
        return count

    assert await at_once(db, sends_again_and_it_arrives, lambda tx: refusals.send_again(tx, desk, NOW)) == (1, 0)
    async with db.read() as tx:
        assert {row.state for row in await outbox(tx)} == {OutgoingState.SENT}


async def test_a_reminder_of_what_is_being_answered_is_not_sent(db: Database) -> None:
    desk, number = await opened(db)
    desk = Desk(desk.chat, desk.language, reminders=(timedelta(hours=1),))

    async def reminds(tx: AsyncSession) -> None:
        await reminders.remind(tx, {"ticket": number, "number": 0}, desk=desk, now=NOW)

    await at_once(db, on(number, lambda tx, ticket: tickets.answered(tx, desk, ticket, None, NOW)), reminds)
    async with db.read() as tx:
        assert [row.key for row in await outbox(tx) if row.key.startswith("remind")] == []
        assert (await tx.execute(select(Timer))).all() == []


async def proposal(db: Database) -> tuple[Desk, int]:
    desk, number = await opened(db)
    async with db.begin() as tx:
        made = Proposal(ticket_id=number, course="ai", topic="fees", language="en")
        tx.add(made)
        await tx.flush()
        return desk, made.id


async def test_a_proposal_is_published_once(db: Database) -> None:
    _, number = await proposal(db)

    async def approves(tx: AsyncSession) -> bool:
        return await learning.approve(tx, await tx.get_one(Proposal, number), NOW)

    async def discards(tx: AsyncSession) -> bool:
        made = await tx.get_one(Proposal, number)
        return await learning.move(tx, made, ProposalState.DISCARDED, ProposalState.DRAFT)

    assert await at_once(db, approves, discards) == (True, False)
    async with db.begin() as tx:
        assert not await approves(tx)


async def test_a_publication_that_ends_is_not_taken_for_interrupted(db: Database) -> None:
    desk, number = await proposal(db)
    async with db.begin() as tx:
        await learning.approve(tx, await tx.get_one(Proposal, number), NOW)

    async def ends(tx: AsyncSession) -> None:
        made = await tx.get_one(Proposal, number)
        await learning.ended(tx, desk, made, ProposalState.PUBLISHED, "published", key="u1")

    await at_once(db, ends, lambda tx: learning.interrupted(tx, {"proposal": number}, desk=desk))
    async with db.read() as tx:
        assert (await tx.get_one(Proposal, number)).state is ProposalState.PUBLISHED
        assert (await tx.execute(select(Timer))).all() == []


async def test_two_make_one_proposal_of_a_ticket(db: Database) -> None:
    desk, number = await opened(db)
    async with db.begin() as tx:
        ticket = await tx.get_one(Ticket, number)
        await relay.reply(tx, desk, ticket, written(), NOW, key="u2")
        await tx.execute(update(Outgoing).values(state=OutgoingState.SENT))
    near = learning.Near("fees")

    def makes(key: str) -> Step:
        return on(number, lambda tx, ticket: learning.make(tx, desk, ticket, desk.chat, (), near, key=key))

    first, second = await at_once(db, makes("one"), makes("two"))
    assert first
    assert second is None


async def test_what_the_sender_noted_meanwhile_stays_when_a_person_is_forgotten(db: Database) -> None:
    await opened(db)
    async with db.read() as tx:
        candidate = (await tx.execute(select(Candidate.id))).scalar_one()

    async def notes(tx: AsyncSession) -> None:
        await tx.execute(update(Outgoing).values(state=OutgoingState.SENT, message_id=7))

    await at_once(db, notes, lambda tx: forget(tx, candidate))
    async with db.read() as tx:
        (card,) = await outbox(tx)
    assert (card.state, card.message_id, card.payload) == (OutgoingState.SENT, 7, {})


async def test_who_changes_a_text_that_stands_with_others_and_the_sender_do_not_wait_for_each_other(
    db: Database,
) -> None:
    desk, number = await opened(db)
    async with db.begin() as tx:
        ticket = await tx.get_one(Ticket, number)
        for key in ("u2", "u3"):
            await relay.tell(tx, desk, ticket, key, key=key)
        _, text_row, edit_row = [row.id for row in await outbox(tx)]
    changed = Part(text_row, {"text": "changed"})
    letter = Letter(edit_row, desk.chat, "editMessageText", {}, 0, True, NOW, part=changed)

    async def notes() -> None:
        async with db.begin() as tx:
            await record(tx, [(letter, Sent(5))], NOW)

    async with db.begin() as tx:
        await tx.execute(update(Outgoing).where(Outgoing.id == text_row).values(payload={"text": "changed again"}))
        noting = asyncio.create_task(notes())
        await _waits_or_is_over(db, noting)
        await tx.execute(update(Outgoing).where(Outgoing.id == edit_row).values(state=OutgoingState.DROPPED))
    await noting
    async with db.read() as tx:
        assert (await tx.get_one(Outgoing, edit_row)).state is OutgoingState.SENT


async def test_a_timer_runs_in_one_worker(db: Database) -> None:
    ran = []
    async with db.begin() as tx:
        await timers.set_timer(tx, "key", "kind", NOW, {"number": 1})
    inside, leave = asyncio.Event(), asyncio.Event()

    async def handler(_tx: AsyncSession, payload: dict[str, Any]) -> None:
        ran.append(payload["number"])
        inside.set()
        await leave.wait()

    first = asyncio.create_task(timers.run_next(db, {"kind": handler}, NOW))
    await inside.wait()
    assert await timers.run_next(db, {"kind": handler}, NOW) is False
    leave.set()
    assert await first
    assert ran == [1]


async def test_two_set_backs_at_once_make_one_notice(db: Database) -> None:
    desk, _ = await opened(db)

    def gives_up(row: int) -> Step:
        return lambda tx: setbacks.heard(tx, row, "KeyError", desk=desk, now=NOW)

    await at_once(db, gives_up(1), gives_up(2))
    async with db.read() as tx:
        notices = [row for row in await outbox(tx) if row.key.startswith(setbacks.KEY)]
    assert [row.not_before for row in notices] == [None, notices[0].created_at + setbacks.QUIET]


async def test_administrators_noted_in_any_order_wait_for_those_who_hold_some_of_them(db: Database) -> None:
    marie, paul = (User(number, name, is_bot=False) for number, name in ((77, "Marie"), (88, "Paul")))
    async with db.begin() as tx:
        group = (await chat_of(tx, -100, "supergroup")).id

    async def note() -> None:
        async with db.begin() as tx:
            await members.introduce(tx, [paul, marie], NOW, group)

    async with db.begin() as tx:
        await chat_of(tx, marie.id, "private")
        noting = asyncio.create_task(note())
        await _waits_or_is_over(db, noting)
        await chat_of(tx, paul.id, "private")
    await noting
    async with db.read() as tx:
        assert {one.name for one in await members.latest(tx, group)} == {"Marie", "Paul"}
