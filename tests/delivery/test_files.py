from sqlalchemy import func, select

from bot.delivery.files import put_file
from bot.records.people import chat_of
from bot.records.states import OutgoingState
from bot.records.tables import Attachment
from bot.sandbox.botapi import BotApi
from bot.sandbox.people import User

from .test_sender import Desk, desk  # noqa: F401  a fixture

PICTURE = bytes(range(256)) * 40


async def put(desk: Desk, to: User, key: str = "f1", content: bytes = PICTURE) -> int:  # noqa: F811  that fixture
    async with desk.db.begin() as tx:
        chat = await chat_of(tx, to.id, "private")
        return await put_file(tx, chat.id, "document", "week.png", content, key=key, caption="A week")


async def kept(desk: Desk) -> int:  # noqa: F811  that fixture
    async with desk.db.read() as tx:
        return (await tx.execute(select(func.count()).select_from(Attachment))).scalar_one()


async def test_a_file_arrives_with_its_name_and_its_bytes_are_kept_no_longer(
    desk: Desk,  # noqa: F811  that fixture
    api: BotApi,
    alice: User,
) -> None:
    row = await put(desk, alice)
    assert await put(desk, alice) == row
    assert await kept(desk) == 1
    await desk.send()
    message = api.messages(alice)[-1]
    assert (message["caption"], message["document"]["file_name"]) == ("A week", "week.png")
    assert api.world.files[message["document"]["file_id"]].upload.content == PICTURE
    assert await kept(desk) == 0


async def test_a_file_that_telegram_refuses_is_not_kept_either(
    desk: Desk,  # noqa: F811  that fixture
    alice: User,
) -> None:
    row = await put(desk, alice, content=b"")
    await desk.send()
    assert (await desk.row(row)).state is OutgoingState.FAILED
    assert await kept(desk) == 0


async def test_a_file_survives_a_broken_connection(
    desk: Desk,  # noqa: F811  that fixture
    api: BotApi,
    alice: User,
) -> None:
    api.fail("sendDocument", "drop_before")
    await put(desk, alice)
    await desk.send()
    assert await kept(desk) == 1
    desk.clock.forward(60)
    await desk.send()
    assert "document" in api.messages(alice)[-1]
