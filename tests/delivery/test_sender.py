import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Bot
from telegram.error import RetryAfter, TelegramError, TimedOut

from bot.delivery import calls, outbox, picking, sender
from bot.delivery.budgets import LIFTED, Limits
from bot.delivery.calls import Letter, Refused, deliver
from bot.delivery.outbox import Priority
from bot.delivery.outcomes import record
from bot.delivery.sender import Sender
from bot.records.forgetting import forget
from bot.records.news import Signal
from bot.records.people import candidate_of, chat_of
from bot.records.sessions import Database
from bot.records.states import OutgoingState
from bot.records.tables import Chat, Outgoing, Ticket, utc_now
from bot.sandbox.botapi import BotApi
from bot.sandbox.people import Chat as Place
from bot.sandbox.people import User

from .conftest import acquaintance

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SENT, FAILED = OutgoingState.SENT, OutgoingState.FAILED


class Clock:
    """A clock that goes when told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Desk:
    """Puts messages into the outbox and has them sent."""

    def __init__(self, db: Database, bot: Bot, limits: Limits = LIFTED) -> None:
        self.db, self.clock, self.ended = db, Clock(), Signal()
        self.sender = Sender(db, bot, limits=limits, ended=self.ended, now=self.clock)
        self.count = 0

    async def put(self, to: User | Place, text: str = "hello", **options: Any) -> int:
        method = options.pop("method", "sendMessage")
        payload = options.pop("payload", {"text": text})
        self.count += 1
        options = {"key": f"k{self.count}"} | options
        async with self.db.begin() as tx:
            chat = await chat_of(tx, to.id, "private" if to.id > 0 else "group")
            return await outbox.put(tx, chat.id, method, payload, **options)

    async def edit(self, to: User | Place, message: Any, text: str, **options: Any) -> int:
        payload = {"message_id": message, "text": text}
        return await self.put(to, method="editMessageText", payload=payload, **options)

    async def send(self) -> datetime | None:
        """Sends all that may go now; when to look again."""
        while True:
            ended = self.ended.next()
            async with asyncio.TaskGroup() as calls:
                again = await self.sender.start(calls)
            if not ended.is_set() and (again is None or again > self.clock.now):
                return again

    async def row(self, row_id: int) -> Outgoing:
        async with self.db.read() as tx:
            return await tx.get_one(Outgoing, row_id)

    async def chats(self) -> Sequence[Chat]:
        async with self.db.read() as tx:
            return (await tx.execute(select(Chat))).scalars().all()


@pytest.fixture
def desk(db: Database, bot: Bot) -> Desk:
    return Desk(db, bot)


def texts(api: BotApi, place: User | Place) -> list[str]:
    """What the bot wrote there."""
    return [message["text"] for message in api.messages(place) if message["from"]["is_bot"]]


async def test_what_was_sent_is_recorded_with_its_message_id(desk: Desk, api: BotApi, alice: User) -> None:
    row_id = await desk.put(alice)
    assert await desk.send() is None
    row = await desk.row(row_id)
    assert (row.state, row.sent_at, row.error) == (SENT, NOW, None)
    assert row.message_id == api.messages(alice)[-1]["message_id"]


async def test_only_what_lets_others_go_has_the_sender_look_again(desk: Desk, api: BotApi, alice: User) -> None:
    async def rings() -> bool:
        ended = desk.ended.next()
        async with asyncio.TaskGroup() as calls:
            await desk.sender.start(calls)
        return ended.is_set()

    await desk.put(alice, "one")
    await desk.put(alice, "two")
    assert await rings()
    assert not await rings()
    assert texts(api, alice) == ["one", "two"]


async def test_what_has_just_begun_is_no_reason_to_look_again(db: Database, bot: Bot, alice: User) -> None:
    desk = Desk(db, bot)

    def ticking() -> datetime:
        desk.clock.forward(0.001)
        return desk.clock.now

    sender = Sender(db, bot, limits=LIFTED, now=ticking)
    await desk.put(alice)
    async with asyncio.TaskGroup() as calls:
        assert await sender.start(calls) is None


@pytest.mark.parametrize(("error", "seconds"), [(TimedOut(), 1), (RetryAfter(7), 7)])
async def test_a_pause_begins_when_the_call_has_ended(
    desk: Desk, alice: User, monkeypatch: pytest.MonkeyPatch, error: TelegramError, seconds: float
) -> None:
    async def slow(*_: object, **__: object) -> None:
        desk.clock.forward(5)
        raise error

    monkeypatch.setattr(calls, "call", slow)
    await desk.put(alice)
    async with asyncio.TaskGroup() as under_way:
        await desk.sender.start(under_way)
    assert await desk.send() == NOW + timedelta(seconds=5 + seconds)


async def test_a_process_that_sends_no_more_begins_no_call(db: Database, bot: Bot, api: BotApi, alice: User) -> None:
    desk, mine = Desk(db, bot), False  # frozen after it had picked the message, and taken for dead
    desk.sender = Sender(db, bot, limits=LIFTED, ended=desk.ended, now=desk.clock, mine=lambda: mine)
    row_id = await desk.put(alice)
    await desk.send()
    assert (texts(api, alice), (await desk.row(row_id)).state) == ([], OutgoingState.WAITING)
    mine = True
    await desk.send()
    assert (texts(api, alice), (await desk.row(row_id)).state) == (["hello"], SENT)


async def test_what_a_number_given_again_causes_is_sent_and_the_earlier_keys_end_as_before(
    desk: Desk, api: BotApi, alice: User
) -> None:
    first = await desk.put(alice, "before", key="u7:list")
    async with desk.db.begin() as tx:
        await tx.execute(update(Outgoing).values(created_at=utc_now() - timedelta(days=7)))
    assert await desk.put(alice, "after", key="u7:list") != first
    await desk.send()
    assert texts(api, alice) == ["before", "after"]
    assert (await desk.row(first)).key.endswith("~u7:list")  # by which /forget empties what quotes people


async def test_the_same_key_is_sent_once(desk: Desk, api: BotApi, alice: User) -> None:
    first = await desk.put(alice, "once", key="u7")
    assert await desk.put(alice, "twice", key="u7") == first
    await desk.send()
    assert await desk.put(alice, "again", key="u7") == first
    await desk.send()
    assert texts(api, alice) == ["once"]


async def test_a_payload_must_leave_the_chat_to_the_row(desk: Desk, alice: User) -> None:
    with pytest.raises(ValueError, match="except chat_id"):
        await desk.put(alice, payload={"chat_id": alice.id, "text": "x"})


async def test_a_long_text_arrives_in_parts_and_in_order(desk: Desk, api: BotApi, alice: User) -> None:
    text = "A sentence of an answer. " * 400
    keyboard = {"inline_keyboard": [[{"text": "Helped", "callback_data": "h"}]]}
    row_id = await desk.put(alice, payload={"text": text, "reply_markup": keyboard}, key="u1")
    assert await desk.put(alice, payload={"text": text}, key="u1") == row_id
    await desk.put(alice, "next")
    await desk.send()
    arrived = api.messages(alice)[1:]
    assert " ".join(message["text"] for message in arrived[:3]) == text.strip()
    assert ["reply_markup" in message for message in arrived] == [False, False, True, False]
    assert (await desk.row(row_id)).message_id == arrived[2]["message_id"]


async def test_urgent_before_ordinary_and_old_before_new(desk: Desk, api: BotApi, alice: User) -> None:
    for text, priority in (
        ("d", Priority.REMINDER),
        ("b", Priority.CARD),
        ("a", Priority.ANSWER),
        ("c", Priority.CARD),
    ):
        await desk.put(alice, text, priority=priority)
    await desk.send()
    assert texts(api, alice) == ["a", "b", "c", "d"]


async def test_a_timer_goes_when_its_time_has_come_and_holds_nobody_up(desk: Desk, api: BotApi, alice: User) -> None:
    await desk.put(alice, "later", not_before=NOW + timedelta(days=2))
    await desk.put(alice, "now")
    assert await desk.send() == NOW + timedelta(days=2)
    assert texts(api, alice) == ["now"]
    desk.clock.forward(2 * 86400)
    await desk.send()
    assert texts(api, alice) == ["now", "later"]


@pytest.mark.parametrize(("when", "outcome"), [(SENT, ["first", "told"]), (FAILED, ["first"])])
async def test_a_row_follows_another_that_was_sent(
    desk: Desk, api: BotApi, alice: User, when: OutgoingState, outcome: list[str]
) -> None:
    bob = acquaintance(api, "Bob")
    first = await desk.put(alice, "first", not_before=NOW + timedelta(seconds=5))
    follower = await desk.put(bob, "told", after=first, when=when)
    await desk.send()
    assert texts(api, bob) == []
    desk.clock.forward(5)
    await desk.send()
    assert texts(api, alice) + texts(api, bob) == outcome
    assert (await desk.row(follower)).state is (SENT if when is SENT else OutgoingState.DROPPED)


@pytest.mark.parametrize(("when", "outcome"), [(SENT, []), (FAILED, ["told"])])
async def test_a_row_follows_another_that_failed(
    desk: Desk, api: BotApi, alice: User, when: OutgoingState, outcome: list[str]
) -> None:
    bob = acquaintance(api, "Bob")
    api.block(alice)
    first = await desk.put(alice, "first")
    follower = await desk.put(bob, "told", after=first, when=when)
    further = await desk.put(bob, "further", after=follower)
    await desk.send()
    assert texts(api, bob) == outcome + ["further"] * len(outcome)
    if when is SENT:
        assert {(await desk.row(row)).state for row in (follower, further)} == {OutgoingState.DROPPED}


async def test_a_row_uses_the_message_id_of_another(desk: Desk, api: BotApi, alice: User) -> None:
    first = await desk.put(alice, "short", not_before=NOW + timedelta(seconds=5))
    edit = await desk.put(
        alice, method="editMessageText", payload={"text": "long", "message_id": {"message_of": first}}
    )
    await desk.put(alice, "in between")
    await desk.send()
    desk.clock.forward(5)
    await desk.send()
    assert texts(api, alice) == ["in between", "long"]
    assert (await desk.row(edit)).message_id == (await desk.row(first)).message_id


async def test_a_row_that_needs_a_message_which_never_was_fails(desk: Desk, api: BotApi, alice: User) -> None:
    bob = acquaintance(api, "Bob")
    api.block(bob)
    gone = await desk.put(bob)
    edit = await desk.put(alice, method="editMessageText", payload={"text": "x", "message_id": {"message_of": gone}})
    reply = {"text": "an answer all the same", "reply_parameters": {"message_id": {"message_of": gone}}}
    await desk.put(alice, payload=reply)
    await desk.send()
    row = await desk.row(edit)
    assert (row.state, row.error) == (FAILED, f"depends on row {gone}, which has no message")
    assert texts(api, alice) == ["an answer all the same"]


async def test_a_row_that_cannot_be_read_keeps_no_other_from_being_sent(
    desk: Desk, api: BotApi, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    bob = acquaintance(api, "Bob")
    sent = await desk.put(alice, "first")
    await desk.send()
    bad = await desk.put(alice, payload={"text": "x", "reply_to": {"message_of": sent, "part": "one"}})
    await desk.put(alice, "after it")
    await desk.put(bob, "to another")
    await desk.send()
    assert (texts(api, alice), texts(api, bob)) == (["first", "after it"], ["to another"])
    row = await desk.row(bad)
    assert row.state is FAILED
    assert row.error
    assert row.error.startswith("TypeError")
    assert "given up" in caplog.text


async def test_who_hears_of_refusals_may_fail_and_all_is_noted_still(
    db: Database, bot: Bot, api: BotApi, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(tx: AsyncSession, letter: Letter, _refused: Refused) -> None:
        await tx.execute(update(Outgoing).where(Outgoing.id == letter.row_id).values(error="half of the work"))
        raise KeyError("text")

    desk = Desk(db, bot)
    desk.sender = Sender(db, bot, limits=LIFTED, ended=desk.ended, now=desk.clock, refused=fails)
    bob = acquaintance(api, "Bob")
    api.block(alice)
    refused, sent = await desk.put(alice), await desk.put(bob)
    await desk.send()
    assert [(await desk.row(row)).state for row in (refused, sent)] == [FAILED, SENT]
    assert (await desk.row(refused)).error != "half of the work"
    assert "nobody was told of a refusal" in caplog.text


async def test_a_pause_that_telegram_asks_for_concerns_that_chat_alone(desk: Desk, api: BotApi, alice: User) -> None:
    bob = acquaintance(api, "Bob")
    api.fail("sendMessage", 429, retry_after=7)
    row_id = await desk.put(alice, "first")
    await desk.put(alice, "second", priority=Priority.NOTICE)
    await desk.put(bob, "to Bob")
    assert await desk.send() == NOW + timedelta(seconds=7)
    assert (texts(api, alice), texts(api, bob)) == ([], ["to Bob"])
    assert (await desk.row(row_id)).attempts == 0
    desk.clock.forward(7)
    await desk.send()
    assert texts(api, alice) == ["first", "second"]


async def test_server_errors_are_tried_again_and_keep_the_order(desk: Desk, api: BotApi, alice: User) -> None:
    api.fail("sendMessage", 502, times=2)
    await desk.put(alice, "first")
    await desk.put(alice, "second")
    assert await desk.send() == NOW + timedelta(seconds=1)
    desk.clock.forward(1)
    assert await desk.send() == NOW + timedelta(seconds=3)
    assert texts(api, alice) == []
    desk.clock.forward(2)
    await desk.send()
    assert texts(api, alice) == ["first", "second"]


async def test_a_broken_connection_is_tried_again(desk: Desk, api: BotApi, alice: User) -> None:
    api.fail("sendMessage", "drop_before")
    row_id = await desk.put(alice)
    await desk.send()
    row = await desk.row(row_id)
    assert (row.state, row.attempts) == (OutgoingState.WAITING, 1)
    desk.clock.forward(1)
    await desk.send()
    assert (await desk.row(row_id)).state is SENT


async def test_a_candidate_who_blocked_the_bot_is_known_as_unreachable(desk: Desk, api: BotApi, alice: User) -> None:
    api.block(alice)
    row_id = await desk.put(alice)
    await desk.send()
    row, [chat] = await desk.row(row_id), await desk.chats()
    assert (row.state, chat.unreachable_since) == (FAILED, NOW)
    assert row.error == chat.reason == "Forbidden: bot was blocked by the user"


async def test_a_chat_that_telegram_does_not_know_is_out_of_reach(desk: Desk, api: BotApi) -> None:
    row_id = await desk.put(Place(-4711, "group"))
    await desk.send()
    row, [chat] = await desk.row(row_id), await desk.chats()
    assert (row.error, chat.unreachable_since) == ("BadRequest: Chat not found", NOW)


async def test_a_message_of_several_parts_fails_as_a_whole(desk: Desk, api: BotApi, alice: User) -> None:
    api.block(alice)
    last = await desk.put(alice, "word " * 2000)
    lost = await desk.put(alice, "not delivered", after=last, when=FAILED)
    seen = await desk.put(alice, "delivered", after=last)
    await desk.send()
    assert [(await desk.row(row)).state for row in (last, seen)] == [FAILED, OutgoingState.DROPPED]
    assert (await desk.row(lost)).state is FAILED  # tried, since the first part could not be delivered


async def test_a_group_that_moved_gets_its_message_at_its_new_id(desk: Desk, api: BotApi) -> None:
    staff = api.group("Staff")
    row_id = await desk.put(staff)
    moved = api.migrate(staff)
    await desk.send()
    [chat] = await desk.chats()
    assert texts(api, moved) == ["hello"]
    assert (chat.telegram_id, chat.kind) == (moved.id, "supergroup")
    assert (await desk.row(row_id)).attempts == 0


async def test_refused_markup_costs_the_markup_not_the_message(desk: Desk, api: BotApi, alice: User) -> None:
    await desk.put(alice, payload={"text": "2 < 3 <b>", "entities": [{"type": "bold", "offset": 90, "length": 5}]})
    await desk.send()
    assert texts(api, alice) == ["2 < 3 <b>"]


@pytest.mark.parametrize(
    ("refusal", "lost"),
    [
        ("Bad Request: ENTITY_TEXTURL_INVALID", {"entities"}),
        ("Bad Request: can't parse entities: unexpected end tag at byte offset 3", {"entities"}),
        ("Bad Request: BUTTON_DATA_INVALID", {"reply_markup"}),
        ("Bad Request: inline keyboard button URL 'x' is invalid: Wrong HTTP URL", {"reply_markup"}),
        ("Bad Request: message to be replied not found", {"reply_parameters"}),
        ("Bad Request: QUOTE_TEXT_INVALID", {"reply_parameters"}),
    ],
)
async def test_only_what_was_refused_is_left_out(
    desk: Desk, api: BotApi, alice: User, refusal: str, lost: set[str]
) -> None:
    api.fail("sendMessage", refusal)
    extras = {
        "entities": [{"type": "bold", "offset": 0, "length": 3}],
        "reply_markup": {"inline_keyboard": [[{"text": "b", "callback_data": "x"}]]},
        "reply_parameters": {"message_id": api.messages(alice)[0]["message_id"]},
    }
    await desk.put(alice, payload={"text": "the answer"} | extras)
    await desk.send()
    assert texts(api, alice) == ["the answer"]
    first, second = api.calls("sendMessage")
    assert first.params.keys() - second.params.keys() == lost


async def test_a_reply_to_a_deleted_message_arrives_as_a_message(desk: Desk, api: BotApi, alice: User) -> None:
    await desk.put(alice, payload={"text": "answer", "reply_parameters": {"message_id": 999}})
    await desk.send()
    assert texts(api, alice) == ["answer"]


async def test_an_edit_that_changes_nothing_counts_as_made(desk: Desk, api: BotApi, alice: User) -> None:
    same = {"text": "same", "reply_markup": {"inline_keyboard": [[{"text": "b", "callback_data": "x"}]]}}
    first = await desk.put(alice, payload=same)
    edit = await desk.put(alice, method="editMessageText", payload=same | {"message_id": {"message_of": first}})
    await desk.send()
    assert ((await desk.row(edit)).state, (await desk.row(edit)).message_id) == (
        SENT,
        (await desk.row(first)).message_id,
    )
    assert len(api.calls("editMessageText")) == 1
    assert "reply_markup" in api.messages(alice)[-1]


@pytest.mark.parametrize("by_row", [True, False])
async def test_a_newer_edit_takes_the_place_of_one_that_waits(
    desk: Desk, api: BotApi, alice: User, by_row: bool
) -> None:
    first, other = await desk.put(alice, "first"), await desk.put(alice, "other")
    named: Any = {"message_of": first}
    early = await desk.edit(alice, named, "v1") if by_row else None  # before anybody knows the message's id
    if not by_row:
        await desk.send()
        named = (await desk.row(first)).message_id
        early = await desk.edit(alice, {"message_of": first}, "v1")
    buttons = await desk.put(
        alice, method="editMessageReplyMarkup", payload={"message_id": named, "reply_markup": {"inline_keyboard": []}}
    )
    foreign = await desk.edit(alice, {"message_of": other}, "other, edited")
    newest = await desk.edit(alice, named, "v2", key="again")
    assert await desk.edit(alice, named, "v2", key="again") == newest
    assert early is not None
    dropped, unneeded = await desk.row(early), await desk.row(buttons)
    assert (dropped.state, dropped.error) == (OutgoingState.DROPPED, f"replaced by row {newest}")
    assert unneeded.state is OutgoingState.DROPPED
    await desk.send()
    assert texts(api, alice) == ["v2", "other, edited"]
    assert [call.params["text"] for call in api.calls("editMessageText")] == ["other, edited", "v2"]
    assert (await desk.row(foreign)).state is SENT


async def test_buttons_that_go_leave_the_text_that_waits(desk: Desk, api: BotApi, alice: User) -> None:
    first = await desk.put(alice, "first")
    text = await desk.edit(alice, {"message_of": first}, "text")
    payload = {"message_id": {"message_of": first}, "reply_markup": {"inline_keyboard": []}}
    await desk.put(alice, method="editMessageReplyMarkup", payload=payload)
    await desk.send()
    assert (await desk.row(text)).state is SENT
    assert texts(api, alice) == ["text"]


async def test_an_edit_gives_way_neither_to_one_for_later_nor_if_another_row_follows_it(
    desk: Desk, api: BotApi, alice: User
) -> None:
    first = await desk.put(alice, "first")
    followed = await desk.edit(alice, {"message_of": first}, "v1")
    await desk.put(alice, "v1 was shown", after=followed)
    later = await desk.edit(alice, {"message_of": first}, "v3", not_before=NOW + timedelta(hours=1))
    await desk.edit(alice, {"message_of": first}, "v2")
    await desk.send()
    assert [call.params["text"] for call in api.calls("editMessageText")] == ["v1", "v2"]
    desk.clock.forward(3600)
    await desk.send()
    assert (await desk.row(later)).state is SENT
    assert texts(api, alice) == ["v3", "v1 was shown"]


async def test_an_edit_whose_failure_another_row_waits_for_gives_way_and_takes_it_along(
    desk: Desk, api: BotApi, alice: User
) -> None:
    first = await desk.put(alice, "first")
    edit = await desk.edit(alice, {"message_of": first}, "v1")
    instead = await desk.put(alice, "v1", after=edit, when=FAILED)
    await desk.edit(alice, {"message_of": first}, "v2")
    await desk.send()
    assert {(await desk.row(row)).state for row in (edit, instead)} == {OutgoingState.DROPPED}
    assert texts(api, alice) == ["v2"]


async def test_an_edit_that_was_replaced_while_it_was_being_sent_comes_first(
    desk: Desk, api: BotApi, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await desk.put(alice, "first")
    await desk.send()
    early, replaced = await desk.edit(alice, {"message_of": first}, "v1"), asyncio.Event()

    async def slow(*arguments: Any) -> Any:
        await replaced.wait()
        return await deliver(*arguments)

    monkeypatch.setattr(sender, "deliver", slow)
    async with asyncio.TaskGroup() as calls:
        await desk.sender.start(calls)
        await desk.edit(alice, {"message_of": first}, "v2")
        replaced.set()
    await desk.send()
    assert (await desk.row(early)).state is SENT
    assert [call.params["text"] for call in api.calls("editMessageText")] == ["v1", "v2"]


async def test_of_an_edit_too_long_for_a_message_the_rest_follows(desk: Desk, api: BotApi, alice: User) -> None:
    gist = await desk.put(alice, "gist")
    text = "A sentence of an answer. " * 200
    keyboard = {"inline_keyboard": [[{"text": "Helped", "callback_data": "h"}]]}
    payload = {"message_id": {"message_of": gist}, "text": text, "reply_markup": keyboard}
    last = await desk.put(alice, method="editMessageText", payload=payload, key="more")
    assert await desk.put(alice, method="editMessageText", payload=payload, key="more") == last
    await desk.put(alice, "next")
    await desk.send()
    shown = [message for message in api.messages(alice) if message["from"]["is_bot"]]
    assert " ".join(message["text"] for message in shown[:2]) == text.strip()
    assert ["reply_markup" in message for message in shown] == [False, True, False]
    assert (await desk.row(last)).message_id == shown[1]["message_id"]


async def test_a_refusal_says_why_and_the_next_message_goes(desk: Desk, api: BotApi, alice: User) -> None:
    lost = await desk.put(alice, payload={"text": "x", "message_thread_id": 999})
    unknown = await desk.put(alice, method="sendTelepathy")
    await desk.put(alice, "next")
    await desk.send()
    assert (await desk.row(lost)).error == "BadRequest: Message thread not found"
    assert (await desk.row(unknown)).state is FAILED
    assert texts(api, alice) == ["next"]


async def test_the_id_of_a_new_topic_can_be_used(desk: Desk, api: BotApi) -> None:
    forum = api.group("Staff", forum=True)
    topic = await desk.put(forum, method="createForumTopic", payload={"name": "C-7KQ4M"})
    await desk.put(forum, payload={"text": "card", "message_thread_id": {"message_of": topic}})
    await desk.send()
    card = api.messages(forum)[-1]
    assert (card["text"], card["message_thread_id"]) == ("card", (await desk.row(topic)).message_id)


async def test_budgets_hold_back_one_chat_and_not_the_others(db: Database, bot: Bot, api: BotApi, alice: User) -> None:
    desk, bob = Desk(db, bot, Limits()), acquaintance(api, "Bob")
    for number in range(250):
        await desk.put(alice, str(number))
    await desk.put(bob, "to Bob")
    assert await desk.send() == NOW + timedelta(seconds=3)
    assert (texts(api, alice), texts(api, bob)) == (["0", "1", "2"], ["to Bob"])
    desk.clock.forward(3)
    await desk.send()
    assert len(texts(api, alice)) == 6


async def minutes(desk: Desk, api: BotApi, count: int) -> list[int]:
    """How many calls have been made after each minute."""
    made = []
    for _ in range(count):
        end = desk.clock.now + timedelta(minutes=1)
        while (again := await desk.send()) is not None and again < end:
            desk.clock.now = again
        made.append(len(api.calls("sendMessage")))
        desk.clock.now = end
    return made


async def test_forty_cards_in_a_minute_all_arrive_the_oldest_first(db: Database, bot: Bot, api: BotApi) -> None:
    desk, staff = Desk(db, bot, Limits()), api.group("Staff")
    button = {"inline_keyboard": [[{"text": "Take", "callback_data": "t"}]]}
    for number in range(40):
        await desk.put(staff, f"reminder {number}", priority=Priority.REMINDER) if number % 20 == 0 else None
        await desk.put(staff, payload={"text": str(number), "reply_markup": button}, priority=Priority.CARD)
    assert await minutes(desk, api, 3) == [20, 40, 41]  # Telegram's own limit is never met
    assert texts(api, staff) == [*map(str, range(40)), "reminder 0\n\nreminder 20"]


async def ticket_of(db: Database, name: str) -> int:
    """A ticket of somebody's own."""
    async with db.begin() as tx:
        chat = await chat_of(tx, 5_000_000 + len(name) * 1000 + ord(name[0]), "private")
        candidate = await candidate_of(tx, chat.id, "en")
        ticket = Ticket(candidate_id=candidate.id, course="c", language="en", reason="person")
        tx.add(ticket)
        await tx.flush()
        return ticket.id


async def test_texts_that_wait_for_one_place_go_as_one_message(desk: Desk, db: Database, api: BotApi) -> None:
    staff = api.group("Staff")
    sara, karim = await ticket_of(db, "Sara"), await ticket_of(db, "Karim")
    bold = [{"type": "bold", "offset": 0, "length": 2}]
    keyboard = {"inline_keyboard": [[{"text": "Take", "callback_data": "t"}]]}
    rows = [
        await desk.put(staff, payload={"text": "🎓 one", "entities": bold}, ticket_id=sara),
        await desk.put(staff, payload={"text": "of Karim"}, ticket_id=karim),
        await desk.put(staff, payload={"text": "🎓 two", "entities": bold}, ticket_id=sara),
        await desk.put(staff, payload={"text": "with a button", "reply_markup": keyboard}, ticket_id=sara),
        await desk.put(staff, payload={"text": "x" * 4090}, ticket_id=sara),
        await desk.put(staff, payload={"text": "three"}, ticket_id=sara),
    ]
    below = {"message_id": {"message_of": rows[2]}}
    await desk.put(staff, payload={"text": "below two", "reply_parameters": below}, ticket_id=sara)
    await desk.send()
    assert texts(api, staff) == ["🎓 one\n\n🎓 two\n\nthree", "of Karim", "with a button", "x" * 4090, "below two"]
    first = api.messages(staff)[0]
    assert [(entity["offset"], entity["length"]) for entity in first["entities"]] == [(0, 2), (8, 2)]
    assert {(await desk.row(row)).message_id for row in (rows[0], rows[2], rows[5])} == {first["message_id"]}
    assert api.messages(staff)[-1]["reply_to_message"]["message_id"] == first["message_id"]


async def test_a_candidate_s_messages_are_never_joined(desk: Desk, api: BotApi, alice: User) -> None:
    await desk.put(alice, "first")
    await desk.put(alice, "second")
    await desk.send()
    assert texts(api, alice) == ["first", "second"]


async def test_an_edit_of_one_of_several_texts_leaves_the_others(desk: Desk, api: BotApi) -> None:
    staff = api.group("Staff")
    one, two, three = [await desk.put(staff, text) for text in ("one", "two", "three")]
    await desk.send()
    for row, text in ((two, "two, corrected"), (three, "three as well"), (one, "1")):
        await desk.edit(staff, {"message_of": row}, text)
    await desk.send()
    assert texts(api, staff) == ["1\n\ntwo, corrected\n\nthree as well"]


async def test_texts_refused_together_are_sent_one_by_one(desk: Desk, api: BotApi) -> None:
    api.fail("sendMessage", "Bad Request: TEXT_INVALID", times=9, when=lambda params: "bad" in params["text"])
    staff = api.group("Staff")
    good, bad = await desk.put(staff, "good"), await desk.put(staff, "bad")
    await desk.send()
    assert texts(api, staff) == ["good"]
    assert [(await desk.row(row)).state for row in (good, bad)] == [SENT, FAILED]


async def test_a_process_that_dies_before_it_notes_a_message_repeats_that_one_alone(
    desk: Desk, db: Database, bot: Bot, api: BotApi, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: Any) -> None:
        raise MemoryError

    staff = api.group("Staff")
    await desk.put(alice, "before")
    await desk.send()
    rows = [await desk.put(staff, text) for text in ("one", "two")]
    monkeypatch.setattr(sender, "record", dies)
    with pytest.raises(ExceptionGroup):
        await desk.send()
    monkeypatch.undo()
    again = Desk(db, bot)
    assert {(await desk.row(row)).state for row in rows} == {OutgoingState.WAITING}
    await again.send()
    assert (texts(api, staff), texts(api, alice)) == (["one\n\ntwo"] * 2, ["before"])


async def test_an_answer_lost_on_the_network_is_the_other_way_to_a_repeat(desk: Desk, api: BotApi, alice: User) -> None:
    api.fail("sendMessage", "drop_after")
    row_id = await desk.put(alice, "twice")
    await desk.send()
    desk.clock.forward(1)
    await desk.send()
    assert texts(api, alice) == ["twice", "twice"]
    assert (await desk.row(row_id)).state is SENT


async def test_rows_that_wait_for_others_do_not_hide_those_behind_them(
    desk: Desk, api: BotApi, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = await desk.put(acquaintance(api, "Bob"), "late", not_before=NOW + timedelta(days=1))
    for _ in range(picking.PAGE + 1):
        payload = {"text": "x", "message_id": {"message_of": late}}
        await desk.put(alice, method="editMessageText", payload=payload, after=None, not_before=NOW)
    await desk.put(alice, "behind", priority=Priority.REMINDER)
    await desk.send()
    assert texts(api, alice) == ["behind"]


async def test_a_sent_message_is_noted_even_if_the_database_is_away_for_a_while(
    desk: Desk, api: BotApi, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = record, [OperationalError("database is locked", None, Exception())]

    async def failing(*arguments: Any) -> None:
        if failures:
            raise failures.pop()
        await real(*arguments)

    monkeypatch.setattr(sender, "record", failing)
    monkeypatch.setattr(sender, "backoff", lambda _: timedelta())
    row_id = await desk.put(alice)
    await desk.send()
    assert (await desk.row(row_id)).state is SENT
    assert texts(api, alice) == ["hello"]


async def test_the_last_message_to_a_forgotten_person_takes_their_chat_with_it(
    desk: Desk, db: Database, api: BotApi, alice: User
) -> None:
    await desk.put(alice, "earlier")
    farewell = await desk.put(alice, "All of it is erased.")
    async with db.begin() as tx:
        chat = await chat_of(tx, alice.id, "private")
        candidate = await candidate_of(tx, chat.id, "en")
        await forget(tx, candidate.id, keep=farewell)
    await desk.send()
    assert texts(api, alice) == ["All of it is erased."]
    assert await desk.chats() == []
