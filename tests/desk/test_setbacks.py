from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk import setbacks
from bot.desk.desk import Desk
from bot.records.people import candidate_of, chat_of
from bot.records.sessions import Database
from bot.records.states import OutgoingState, UpdateState
from bot.records.tables import Outgoing, Update, utc_now

ERROR = "KeyError at bot.handlers.staff:7"


async def give_up(tx: AsyncSession, number: int, *, kind: str = "message", chat: int = 5, later: float = 0) -> Desk:
    """An update that has just been set aside, `later` hours from now."""
    staff = await chat_of(tx, -7, "supergroup")
    desk = Desk(staff.id, "en")
    now = utc_now() + timedelta(hours=later)
    place = await chat_of(tx, chat, "private" if chat > 0 else "group")
    update = Update(update_id=number, chat_id=place.id, kind=kind, raw={}, state=UpdateState.SET_ASIDE, finished_at=now)
    tx.add(update)
    await tx.flush()
    await setbacks.heard(tx, update.seq, ERROR, desk=desk, now=now)
    return desk


async def notices(tx: AsyncSession) -> list[Outgoing]:
    rows = select(Outgoing).where(Outgoing.key.startswith(setbacks.KEY)).order_by(Outgoing.id)
    return list((await tx.execute(rows)).scalars())


async def test_staff_are_told_of_the_first_at_once(db: Database) -> None:
    async with db.begin() as tx:
        desk = await give_up(tx, 1)
        (notice,) = await notices(tx)
    assert (notice.chat_id, notice.not_before) == (desk.chat, None)
    assert f"number 1, {ERROR}" in notice.payload["text"]
    assert "guichet status" in notice.payload["text"]


async def test_many_make_one_notice_an_hour_with_their_count(db: Database) -> None:
    async with db.begin() as tx:
        await give_up(tx, 1)
        (first,) = await notices(tx)
        first.state = OutgoingState.SENT
        for number in range(2, 7):
            await give_up(tx, number)
        first, second = await notices(tx)
    assert second.not_before == first.created_at + setbacks.QUIET
    assert "5 things" in second.payload["text"]
    assert "number 6" in second.payload["text"]


async def test_after_a_quiet_hour_staff_are_told_at_once_again(db: Database) -> None:
    async with db.begin() as tx:
        await give_up(tx, 1)
        (first,) = await notices(tx)
        first.state = OutgoingState.SENT
        await give_up(tx, 2, later=2)
        _, second = await notices(tx)
    assert second.not_before is None
    assert "5 things" not in second.payload["text"]


@pytest.mark.parametrize(("kind", "chat", "told"), [("message", 5, 1), ("my_chat_member", 5, 0), ("message", -9, 0)])
async def test_who_waits_for_an_answer_is_told(db: Database, kind: str, chat: int, told: int) -> None:
    async with db.begin() as tx:
        place = await chat_of(tx, chat, "private" if chat > 0 else "group")
        await candidate_of(tx, place.id, "fr")
        await give_up(tx, 1, kind=kind, chat=chat)
        said = (await tx.execute(select(Outgoing.payload).where(Outgoing.chat_id == place.id))).scalars().all()
    assert len(said) == told
    assert all("L’équipe en est informée" in payload["text"] for payload in said)
