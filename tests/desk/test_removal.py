"""Taking back what was carried, on a database of its own."""

from sqlalchemy import select, update

from bot.delivery.calls import Letter
from bot.delivery.picking import pick
from bot.desk import edits, relay
from bot.desk.removal import Wish, remove
from bot.dialogue.texts import texts
from bot.records.sessions import Database
from bot.records.states import OutgoingState
from bot.records.tables import Candidate, Outgoing

from .examples import NOW, handed_over, outbox, written

EN = texts("en")


async def test_of_texts_that_went_as_one_message_only_the_own_one_is_taken_back(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        candidate = await tx.get_one(Candidate, ticket.candidate_id)
        for number in (21, 22):
            piece = written(f"text {number}", number)
            await relay.add(tx, desk, ticket, piece, candidate.chat_id, NOW, key=f"u{number}")
        added = (await tx.execute(select(Outgoing).where(Outgoing.key.like("%:add")))).scalars().all()
        for row in added:
            row.state, row.message_id, row.joined_id = OutgoingState.SENT, 501, added[0].id
        await tx.flush()
        assert await remove(tx, Wish(candidate.chat_id, 23, EN), 22, own=True, key="u23")
        here = select(Outgoing).where(Outgoing.key.in_(["u23:copy", "u23:own"])).order_by(Outgoing.id)
        copy, own = (await tx.execute(here)).scalars().all()
    assert (copy.method, copy.payload["text"]) == ("editMessageText", EN.deleted_text)
    assert copy.payload["message_id"] == {"message_of": added[1].id}
    assert (own.method, own.payload, own.after_id) == ("deleteMessage", {"message_id": 22}, copy.id)
    async with db.begin() as tx:
        await tx.execute(update(Outgoing).values(state=OutgoingState.SENT))
        assert await edits.edit_added(tx, desk, written("text 21, changed", 21), candidate.chat_id, NOW, key="u24")
    async with db.glance() as connection:
        (letter,) = (await pick(connection, NOW, ())).items
    assert isinstance(letter, Letter)
    assert letter.parameters["text"].endswith("text 21, changed")


async def test_a_card_is_not_taken_back(db: Database) -> None:
    async with db.begin() as tx:
        _, ticket = await handed_over(tx, message_id=11)
        candidate = await tx.get_one(Candidate, ticket.candidate_id)
        assert not await remove(tx, Wish(candidate.chat_id, 23, EN), 11, own=True, key="u23")


async def test_of_a_long_text_all_parts_go_with_their_words(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        await relay.reply(tx, desk, ticket, written("word " * 815 + "the end"), NOW, key="u2")
        parts = select(Outgoing).where(Outgoing.key.like("u2:reply%")).order_by(Outgoing.id)
        letters = (await tx.execute(parts)).scalars().all()
        for row in letters:
            row.state, row.message_id = OutgoingState.SENT, row.id + 500
        assert await remove(tx, Wish(desk.chat, 778, EN), 777, own=False, key="u3")
        copy = (await tx.execute(select(Outgoing).where(Outgoing.key == "u3:copy"))).scalar_one()
    assert len(letters) == 2
    assert [row.payload for row in letters] == [{}, {}]
    assert copy.payload["message_ids"] == [{"message_of": letters[0].id}, {"message_of": letters[1].id, "part": 0}]


async def test_of_a_long_text_whose_end_went_with_another_text_its_beginning_goes_too(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        chat = (await tx.get_one(Candidate, ticket.candidate_id)).chat_id
        for text, number in (("word " * 815 + "the end", 21), ("and more", 22)):
            await relay.add(tx, desk, ticket, written(text, number), chat, NOW, key=f"u{number}")
        shown = select(Outgoing).where(Outgoing.key.like("%:add%")).order_by(Outgoing.id)
        begin, end, other = (await tx.execute(shown)).scalars().all()
        for row, message, first in ((begin, 501, None), (end, 502, end.id), (other, 502, end.id)):
            row.state, row.message_id, row.joined_id = OutgoingState.SENT, message, first
        assert await remove(tx, Wish(chat, 23, EN), 21, own=True, key="u23")
        calls = select(Outgoing).where(Outgoing.key.like("u23:copy%")).order_by(Outgoing.id)
        gone, blank = (await tx.execute(calls)).scalars().all()
    assert (gone.method, gone.payload) == ("deleteMessage", {"message_id": {"message_of": begin.id}})
    assert (blank.method, blank.payload["text"], blank.after_id) == ("editMessageText", EN.deleted_text, gone.id)
    assert blank.payload["message_id"] == {"message_of": end.id}
    assert [row.payload for row in (begin, end)] == [{}, {}]
    assert other.payload["text"].endswith("and more")


async def test_with_a_message_the_words_of_all_its_changes_go(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        chat = (await tx.get_one(Candidate, ticket.candidate_id)).chat_id
        await relay.add(tx, desk, ticket, written("celadon", 21), chat, NOW, key="u21")
        await relay.add(tx, desk, ticket, written("another text", 22), chat, NOW, key="u22")
        await tx.execute(update(Outgoing).values(state=OutgoingState.SENT, message_id=Outgoing.id + 500))
        for number, state in ((23, OutgoingState.SENT), (24, OutgoingState.FAILED), (25, OutgoingState.WAITING)):
            for text, about in (("celadon", 21), ("another text", 22)):
                key = f"u{number}{about}"
                assert await edits.edit_added(tx, desk, written(f"{text} {number}", about), chat, NOW, key=key)
            newest = Outgoing.key.startswith(f"u{number}", autoescape=True)
            await tx.execute(update(Outgoing).where(newest).values(state=state))
        assert await remove(tx, Wish(chat, 26, EN), 21, own=True, key="u26")
        await tx.flush()
        rows = {row.key: row for row in await outbox(tx)}
    assert not [key for key, row in rows.items() if "celadon" in str(row.payload)]
    assert sum("another text" in str(row.payload) for row in rows.values()) == 4
    (waiting,) = [row for key, row in rows.items() if key.startswith("u2521")]
    assert waiting.state is OutgoingState.DROPPED
    assert rows["u26:copy"].state is OutgoingState.WAITING


async def test_what_was_shown_anew_is_taken_back_with_what_it_stood_for(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        chat = (await tx.get_one(Candidate, ticket.candidate_id)).chat_id
        await relay.add(tx, desk, ticket, written("celadon", 21), chat, NOW, key="u21")
        await tx.execute(update(Outgoing).values(state=OutgoingState.SENT, message_id=Outgoing.id + 500))
        assert await edits.edit_added(tx, desk, written("celadon, changed", 21), chat, NOW, key="u22")
        change = (await tx.execute(select(Outgoing).where(Outgoing.key.startswith("u22:edit")))).scalar_one()
        change.state = OutgoingState.FAILED  # somebody has deleted the copy
        await edits.show_anew(tx, desk, change)
        await tx.execute(update(Outgoing).where(Outgoing.key.endswith(":anew")).values(state=OutgoingState.SENT))
        assert await remove(tx, Wish(chat, 23, EN), 21, own=True, key="u23")
        await tx.flush()
        assert not [row.key for row in await outbox(tx) if "celadon" in str(row.payload)]
