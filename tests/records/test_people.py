import asyncio

from sqlalchemy import JSON, Enum, LargeBinary, String, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.records.forgetting import Forgotten, forget, remove_forgotten
from bot.records.people import candidate_of, chat_of, move_chat
from bot.records.sessions import Database
from bot.records.states import ChatKind, Direction, OutgoingState, UpdateState
from bot.records.tables import (
    Attachment,
    Base,
    Candidate,
    Chat,
    Note,
    Outgoing,
    Proposal,
    Question,
    Relay,
    Ticket,
    Topic,
    Update,
    Wording,
)

ALICE, BOB, STAFF = 700001, 700002, -100700003
SECRET = "Could I join with my nursing diploma?"


WORD = "zbignie"  # in all columns that can hold words of a person: it fits into the shortest
# Those that hold none: names and numbers of ours, what staff, Telegram and the machines say, what is known of courses.
NOBODYS = {
    *("activation.noted", "canned.title", "canned.fr", "canned.en", "chat.reason"),
    *("chat.leased_by", "member.name", "member.username", "note.album", "outgoing.key", "outgoing.method"),
    *("outgoing.message_ids", "outgoing.error", "process.name", "proposal.questions", "role.name", "setting.key"),
    *("setting.value", "snapshot.id", "snapshot.manifest", "snapshot.stored_by", "snapshot_file.name"),
    *("snapshot_file.sha256", "snapshot_file.data", "theme.fr", "theme.en", "theme.told_fr", "theme.told_en"),
    *("timer.key", "timer.kind", "timer.payload", "timer.error", "update.kind", "update.leased_by", "update.error"),
}
BY_NAME = {"ban.fingerprint", "ban.pseudonym", "candidate.id"}  # of somebody who is not banned nothing is kept


async def filled(tx: AsyncSession) -> Candidate:
    """A candidate with the word in every column that can hold one of a person."""
    staff, chat = await chat_of(tx, STAFF, "supergroup"), await chat_of(tx, ALICE, "private")
    alice = await candidate_of(tx, chat.id, WORD)
    alice.chosen_language = alice.course = alice.shown_name = WORD
    own = {"candidate_id": alice.id, "course": WORD, "language": WORD, "reason": WORD}
    question = Question(
        **own,
        topic=WORD,
        text=WORD,
        decision=WORD,
        entry_id=WORD,
        alternatives=[WORD],
        snapshot_id=WORD,
    )
    tx.add(question)
    await tx.flush()
    ticket = Ticket(**own, question_id=question.id, found=[{"question": WORD}], remark=WORD)
    tx.add(ticket)
    await tx.flush()

    async def row(key: str, to: Chat, **values: object) -> Outgoing:
        made = Outgoing(key=key, chat_id=to.id, method="sendMessage", payload={"text": WORD}, priority=0, **values)
        tx.add(made)
        await tx.flush()
        return made

    shown, topic = await row("card", staff, ticket_id=ticket.id), await row("topic", staff)
    for key in ("own", "u1:list", "u2:list#1", "u2:list", "u3:list"):
        sent = await row(key, chat if key == "own" else staff)
        tx.add(Attachment(outgoing_id=sent.id, content=WORD.encode()))
    proposal = Proposal(ticket_id=ticket.id, course=WORD, topic=WORD, language=WORD, entry_id=WORD, similar=[WORD])
    tx.add_all(
        [
            Update(update_id=1, chat_id=chat.id, kind="message", raw={"text": WORD}, state=UpdateState.SET_ASIDE),
            Relay(
                ticket_id=ticket.id,
                direction=Direction.TO_STAFF,
                chat_id=chat.id,
                message_id=5,
                outgoing_id=shown.id,
                file=WORD,
            ),
            Topic(chat_id=staff.id, candidate_id=alice.id, outgoing_id=topic.id, name=WORD),
            Note(chat_id=staff.id, message_id=6),
            proposal,
        ]
    )
    await tx.flush()
    tx.add(Wording(proposal_id=proposal.id, language=WORD, question=WORD, answer=WORD, also=[WORD]))
    await tx.flush()
    return alice


async def holding(tx: AsyncSession) -> set[str]:
    """The columns in which the word stands."""
    found = set()
    for table in Base.metadata.sorted_tables:
        rows = (await tx.execute(select(table))).mappings().all()
        found |= {f"{table.name}.{name}" for row in rows for name, value in row.items() if WORD in repr(value)}
    return found


async def test_no_column_holds_a_word_of_who_is_forgotten(db: Database) -> None:
    """A column that is new is to be filled here, or to be named among those that hold nobody's words."""
    texts = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, String | JSON | LargeBinary)
        and not isinstance(column.type, Enum)
        and not column.foreign_keys
    }
    async with db.begin() as tx:
        alice = await filled(tx)
        assert await holding(tx) == texts - NOBODYS - BY_NAME
        await forget(tx, alice.id)
        assert await holding(tx) == set()


async def person(tx: AsyncSession, telegram_id: int, words: str) -> tuple[Candidate, Outgoing]:
    """A candidate with a row in every table, each with their words or id; and the answer they got."""
    chat = await chat_of(tx, telegram_id, "private")
    staff = await chat_of(tx, STAFF, "supergroup")
    candidate = await candidate_of(tx, chat.id, "en")
    ticket = Ticket(candidate_id=candidate.id, course="ai", language="en", reason="unsure")
    tx.add(ticket)
    await tx.flush()

    def message(key: str, to: Chat, **values: object) -> Outgoing:
        text_of_it = {"text": f"{words} {telegram_id}"}
        return Outgoing(
            key=f"{key}{chat.id}", chat_id=to.id, method="sendMessage", payload=text_of_it, priority=0, **values
        )

    answer = message("answer", chat, state=OutgoingState.SENT)
    card = message("card", staff, ticket_id=ticket.id, state=OutgoingState.SENT)
    tx.add_all([answer, card])
    await tx.flush()
    notice = message("notice", staff, after_id=answer.id, after_state=OutgoingState.FAILED)
    question = Question(
        candidate_id=candidate.id, course="ai", language="en", text=words, decision="escalate", answer_id=answer.id
    )
    raw = {"message": {"text": words, "chat": {"id": telegram_id}}}
    handled = Update(update_id=chat.id, chat_id=chat.id, kind="message", raw=raw, state=UpdateState.SET_ASIDE)
    relay = Relay(ticket_id=ticket.id, direction=Direction.TO_STAFF, chat_id=chat.id, message_id=5, outgoing_id=card.id)
    tx.add_all([notice, message("waiting", staff, ticket_id=ticket.id), question, handled, relay])
    await tx.flush()
    ticket.card_id, ticket.question_id = card.id, question.id
    return candidate, answer


async def everything(tx: AsyncSession) -> str:
    """Every value of every table."""
    return repr([(await tx.execute(select(table))).all() for table in Base.metadata.sorted_tables])


async def test_a_chat_is_made_once_even_by_two_at_a_time(db: Database) -> None:
    async def look_up() -> int:
        async with db.begin() as tx:
            return (await chat_of(tx, ALICE, "private")).id

    assert len(set(await asyncio.gather(*(look_up() for _ in range(8))))) == 1


async def test_a_candidate_keeps_name_and_language(db: Database) -> None:
    async with db.begin() as tx:
        chat = await chat_of(tx, ALICE, "private")
        first = await candidate_of(tx, chat.id, "fr")
    async with db.begin() as tx:
        again = await candidate_of(tx, chat.id, None)
    assert (again.id, again.language) == (first.id, "fr")
    assert again.last_seen_at > first.last_seen_at


async def test_forgetting_leaves_nothing_of_the_person_and_all_of_the_others(db: Database) -> None:
    async with db.begin() as tx:
        alice, _ = await person(tx, ALICE, SECRET)
        await person(tx, BOB, "Bob's words")
    async with db.read() as tx:
        bob_before = (await everything(tx)).count("Bob's words")
    async with db.begin() as tx:
        counts = await forget(tx, alice.id)
    async with db.read() as tx:
        left = await everything(tx)
    for trace in (SECRET, alice.id, str(ALICE)):
        assert trace not in left
    assert counts == Forgotten(questions=1, tickets=1, messages=1, updates=1)
    assert left.count("Bob's words") == bob_before


async def test_what_staff_were_to_hear_of_a_forgotten_person_is_dropped(db: Database) -> None:
    async with db.begin() as tx:
        alice, _ = await person(tx, ALICE, SECRET)
        await forget(tx, alice.id)
        rows = (await tx.execute(select(Outgoing.key, Outgoing.state, Outgoing.payload))).all()
    assert {row.key.rstrip("0123456789"): row.state for row in rows} == {
        "card": OutgoingState.SENT,
        "notice": OutgoingState.DROPPED,
        "waiting": OutgoingState.DROPPED,
    }
    assert all(row.payload == {} for row in rows)


async def test_the_last_message_is_kept_until_it_has_gone(db: Database) -> None:
    async with db.begin() as tx:
        alice, _ = await person(tx, ALICE, SECRET)
        farewell = Outgoing(
            key="bye", chat_id=alice.chat_id, method="sendMessage", payload={"text": "Done."}, priority=0
        )
        tx.add(farewell)
        await tx.flush()
        await forget(tx, alice.id, keep=farewell.id)
        assert not await remove_forgotten(tx, alice.chat_id)
        assert (await tx.get_one(Outgoing, farewell.id)).state is OutgoingState.WAITING
        farewell.state = OutgoingState.SENT
        await tx.flush()
        assert await remove_forgotten(tx, alice.chat_id)
        assert str(ALICE) not in await everything(tx)


async def test_who_writes_again_before_the_last_message_has_gone_stays(db: Database) -> None:
    async with db.begin() as tx:
        alice, answer = await person(tx, ALICE, SECRET)
        answer.state = OutgoingState.WAITING
        await forget(tx, alice.id, keep=answer.id)
        chat = await chat_of(tx, ALICE, "private")
        await tx.execute(update(Outgoing).values(state=OutgoingState.SENT))
        assert not await remove_forgotten(tx, chat.id)


async def test_a_message_that_waits_to_be_handled_survives_its_chat(db: Database) -> None:
    async with db.begin() as tx:
        alice, _ = await person(tx, ALICE, SECRET)
        tx.add(Update(update_id=9, chat_id=alice.chat_id, kind="message", raw={"text": "later"}))
        await tx.flush()
        await forget(tx, alice.id)
        later = (await tx.execute(select(Update).where(Update.update_id == 9))).scalar_one()
        await tx.refresh(later)
    assert (later.chat_id, later.raw) == (None, {"text": "later"})


async def test_a_group_that_became_a_supergroup_keeps_its_rows(db: Database) -> None:
    async with db.begin() as tx:
        old = await chat_of(tx, -55, "group")
        early = await chat_of(tx, -10055, "supergroup")  # heard of before we learnt of the move
        tx.add(Update(update_id=1, chat_id=early.id, kind="message", raw={}))
        await tx.flush()
        await move_chat(tx, old.id, -10055)
    async with db.read() as tx:
        chat = (await tx.execute(select(Chat))).scalar_one()
        moved = (await tx.execute(select(Update.chat_id))).scalar_one()
    assert (chat.id, chat.telegram_id, chat.kind) == (old.id, -10055, ChatKind.SUPERGROUP)
    assert moved == old.id


async def test_a_move_told_twice_keeps_the_chat_that_settings_know(db: Database) -> None:
    async with db.begin() as tx:
        staff = await chat_of(tx, -55, "group")
        await move_chat(tx, staff.id, -10055)  # noticed by sending
    async with db.begin() as tx:
        again = await chat_of(tx, -55, "group")  # the old group's last message arrives later
        tx.add(Update(update_id=1, chat_id=again.id, kind="message", raw={}))
        await tx.flush()
        await move_chat(tx, again.id, -10055)
    async with db.read() as tx:
        assert (await tx.execute(select(Chat.id, Chat.telegram_id))).all() == [(staff.id, -10055)]
        assert (await tx.execute(select(Update.chat_id))).scalar_one() == staff.id


async def test_numbers_of_the_old_group_s_messages_are_forgotten_with_the_move(db: Database) -> None:
    async with db.begin() as tx:
        await person(tx, ALICE, SECRET)
        old = (await tx.execute(select(Chat).where(Chat.telegram_id == STAFF))).scalar_one()
        card, new = (await tx.execute(select(Outgoing).where(Outgoing.chat_id == old.id).limit(2))).scalars()
        early = await chat_of(tx, -10056, "supergroup")
        card.message_id, new.message_id, new.chat_id = 5, 5, early.id
        tx.add(Relay(ticket_id=1, direction=Direction.TO_CANDIDATE, chat_id=old.id, message_id=6, outgoing_id=card.id))
        await tx.flush()
        for _ in range(2):
            await move_chat(tx, old.id, -10056)
        for row in (card, new):
            await tx.refresh(row)
        relays = (await tx.execute(select(Relay.direction))).scalars().all()
        numbers = (await tx.execute(select(Outgoing.message_id).where(Outgoing.id.in_((card.id, new.id))))).scalars()
        assert list(numbers) == [None, 5]
    assert new.chat_id == old.id
    assert relays == [Direction.TO_STAFF]
