"""What is carried between candidates and staff, on a database of its own."""

from bot.desk import copies, relay
from bot.dialogue.texts import texts
from bot.records.sessions import Database
from bot.records.states import OutgoingState

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
