"""The topic of a candidate, over several tickets."""

import pytest
from sqlalchemy import select, update

from bot.desk import endings, tickets
from bot.dialogue.texts import texts
from bot.records.sessions import Database
from bot.records.tables import Chat, Topic

from .examples import NOW, asked, handed_over, outbox


@pytest.mark.parametrize("newer_is_open", [True, False])
async def test_an_older_ticket_no_longer_names_or_closes_the_topic(db: Database, newer_is_open: bool) -> None:
    async with db.begin() as tx:
        staff = (await asked(tx, "", None))[0].chat
        await tx.execute(update(Chat).where(Chat.id == staff).values(forum=True))
        desk, older = await handed_over(tx)
        await endings.close(tx, desk, older, NOW, key="c", by_team=True)
        desk, newer = await handed_over(tx, "Et quand ?", 12)
        if not newer_is_open:
            await endings.close(tx, desk, newer, NOW, key="d", by_team=True)
        before = len(await outbox(tx))
        await endings.rate(tx, desk, older, 5, key="r")
        topic = (await tx.execute(select(Topic))).scalar_one()
        assert ("Et quand ?" in topic.name, topic.closed) == (True, not newer_is_open)
        assert not [row.method for row in (await outbox(tx))[before:] if "Topic" in row.method]


async def test_an_older_ticket_that_opens_again_has_the_topic_back(db: Database) -> None:
    async with db.begin() as tx:
        staff = (await asked(tx, "", None))[0].chat
        await tx.execute(update(Chat).where(Chat.id == staff).values(forum=True))
        desk, older = await handed_over(tx)
        await tickets.close(tx, older.id, NOW)
        desk, newer = await handed_over(tx, "Et quand ?", 12)
        await endings.close(tx, desk, newer, NOW, key="d", by_team=True)
        assert await endings.reopen(tx, desk, older, NOW, key="o")
        topic = (await tx.execute(select(Topic))).scalar_one()
    assert "Combien ?" in topic.name
    assert texts("en").topic_open in topic.name
    assert not topic.closed
