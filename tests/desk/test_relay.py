"""What is carried between candidates and staff, on a database of its own."""

import pytest
from sqlalchemy import select

from bot.desk import copies, edits, relay, tickets
from bot.desk.removal import Wish, remove
from bot.dialogue.texts import texts
from bot.records.sessions import Database
from bot.records.states import Direction, OutgoingState
from bot.records.tables import Candidate, Outgoing

from .examples import NOW, handed_over, outbox, written


async def test_the_ticket_of_a_reply(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        (card,) = await outbox(tx)
        card.message_id, card.state = 501, OutgoingState.SENT
        await relay.reply(tx, desk, ticket, written(), NOW, key="u1")
        await tx.flush()
        found = [await copies.ticket_of_reply(tx, desk.chat, number) for number in (501, 777, 502)]
        elsewhere = await copies.ticket_of_reply(tx, desk.chat + 1, 501)
    assert [one and one.id for one in found] == [ticket.id, ticket.id, None]
    assert elsewhere is None


async def test_a_reply_is_followed_by_what_became_of_it(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        await relay.reply(tx, desk, ticket, written(), NOW, key="u1")
        _, letter, seen, said, lost = await outbox(tx)
    assert letter.payload["reply_parameters"]["message_id"] == 11
    assert letter.payload["text"] == f"{texts('fr').reply_header}\n\nMille euros."
    assert (seen.method, seen.after_id, seen.after_state) == ("setMessageReaction", letter.id, OutgoingState.SENT)
    assert (said.after_id, said.after_state) == (seen.id, OutgoingState.FAILED)
    assert (lost.after_id, lost.after_state) == (letter.id, OutgoingState.FAILED)


async def test_the_same_reply_twice_is_sent_once(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        for _ in range(2):
            await relay.reply(tx, desk, ticket, written(), NOW, key="u1")
        assert len(await outbox(tx)) == 5


@pytest.mark.parametrize("meanwhile", ["nothing", "taken back", "closed"])
async def test_a_change_that_telegram_refused_is_a_message_of_its_own(db: Database, meanwhile: str) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        chat = (await tx.get_one(Candidate, ticket.candidate_id)).chat_id
        added = await relay.add(tx, desk, ticket, written("In 2018", 21), chat, NOW, key="u1")
        (await tx.get_one(Outgoing, added)).state = OutgoingState.SENT
        await edits.edit_added(tx, desk, written("In 2019", 21), chat, NOW, key="u2")
        edit = (await tx.execute(select(Outgoing).where(Outgoing.method == "editMessageText"))).scalar_one()
        edit.state = OutgoingState.FAILED
        if meanwhile == "taken back":
            assert await remove(tx, Wish(chat, 22, texts("fr")), 21, own=True, key="u3")
        elif meanwhile == "closed":
            assert await tickets.close(tx, ticket.id, NOW)
        before = len(await outbox(tx))
        await edits.show_anew(tx, desk, edit)
        new = (await outbox(tx))[before:]
        (copy,) = await copies.copies_of(tx, chat, 21, Direction.TO_STAFF)
    assert len(new) == (meanwhile == "nothing")
    assert copy.outgoing_id == (new[0].id if new else added)
    assert [row.payload["text"].splitlines()[-1] for row in new] == ["In 2019"] * len(new)
    assert edit.state is (OutgoingState.DROPPED if new else OutgoingState.FAILED)


async def test_a_refused_change_that_gave_way_to_a_newer_one_is_not_shown(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        chat = (await tx.get_one(Candidate, ticket.candidate_id)).chat_id
        added = await relay.add(tx, desk, ticket, written("In 2018", 21), chat, NOW, key="u1")
        (await tx.get_one(Outgoing, added)).state = OutgoingState.SENT
        for year in (2019, 2020):
            await edits.edit_added(tx, desk, written(f"In {year}", 21), chat, NOW, key=f"u{year}")
        edited = select(Outgoing).where(Outgoing.method == "editMessageText").order_by(Outgoing.id)
        first, second = (await tx.execute(edited.execution_options(populate_existing=True))).scalars()
        await edits.show_anew(tx, desk, first)
        assert first.state is OutgoingState.DROPPED
        second.state = OutgoingState.FAILED
        await edits.show_anew(tx, desk, second)
        (copy,) = await copies.copies_of(tx, chat, 21, Direction.TO_STAFF)
        shown = await tx.get_one(Outgoing, copy.outgoing_id)
    assert shown.payload["text"].endswith("In 2020")
