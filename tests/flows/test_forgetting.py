"""What is held of a person: shown to them whole, erased from every table and file, and from the staff's group."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.dialogue.texts import texts
from bot.records.states import UpdateState
from bot.records.tables import Attachment, Outgoing, Timer, Update, utc_now
from bot.sandbox.botapi import BotApi
from bot.sandbox.people import User
from indexer.encoder import OnnxEncoder
from indexer.engine import Engine, index

from .house import TOKEN, House, Json, house

EN = texts("en")
SET_ASIDE = UpdateState.SET_ASIDE
FIRST = "Which glazes suit Zbigniewa's blue teapots?"
SECOND = "It is about the Ostrobothnian teapots"
REPLY = "Celadon, for Ostrobothnian teapots"
REMARK = "Celadonissimo indeed"
# No word of a pseudonym: whoever is called by it would be taken for what was said.
TRACES = ("Zbigniewa", "Kowalczyk", "Ostrobothnian", "Celadon", "teapots")


@pytest.fixture
def kiln(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path) -> Engine:
    """A small course's engine."""
    return index(knowledge, encoder, tmp_path / "index").engine


@pytest.fixture
async def flow(kiln: Engine, knowledge: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A bot for it, on SQLite."""
    async with house(kiln, tmp_path / "data", knowledge_dir=knowledge) as running:
        yield running


def zbigniewa(flow: House) -> User:
    return flow.candidate("Zbigniewa", last_name="Kowalczyk", username="zbigniewa_k")


async def erased(flow: House, person: User) -> str:
    """Somebody has everything erased; what they are told at the end."""
    (sure,) = await flow.ask(person, "/forget")
    (done,) = await flow.press(person, sure, EN.button_yes)
    said: str = done["text"]
    return said


async def lived(flow: House, person: User) -> Json:
    """A person with something in every place that holds people's data; the card of their ticket."""
    await flow.ask(person, "/start")
    (noted,) = await flow.ask(person, f"/human {FIRST}")
    card = flow.cards()[-1]
    await flow.press(person, noted, EN.button_wish)
    await flow.press(person, noted, EN.button_share_name)
    await flow.ask(person, SECOND)
    flow.api.send_media(person, "photo", caption=SECOND)
    await flow.group(flow.marie, "/find teapots")
    await flow.group(flow.marie, "/stats all")
    await flow.group(flow.marie, "/gaps all")
    await flow.group(flow.marie, REPLY, reply_to=card)
    await flow.group(flow.marie, f"// {REPLY}", reply_to=card)
    said = await flow.group(flow.paul, "/close", reply_to=card)
    (offer,) = [m for m in said if EN.button_learn in json.dumps(m)]
    await flow.press_in_group(flow.paul, offer, EN.button_learn)
    (rate,) = [m for m in flow.received(person) if m["text"] == EN.rate_ask]
    (rated,) = await flow.press(person, rate, "5")
    await flow.ask(person, REMARK, reply_to=rated)
    await flow.ask(person, f"/human {SECOND}")
    flow.trouble_expected = True
    broken = {"message_id": "seven", "date": "x", "chat": person.chat_json(), "from": person.json(), "text": FIRST}
    flow.api.push({"message": broken})
    async with flow.bot.deps.db.begin() as tx:  # staff's reply that quotes the question, given up as well
        raw = {"message": {"text": "Yes", "reply_to_message": {"text": f"New question: {FIRST}"}}}
        tx.add(Update(update_id=7, kind="message", chat_id=flow.bot.deps.staff_chat, raw=raw, state=SET_ASIDE))
    await flow.quiet()
    return card


def on_disk(folder: Path) -> bytes:
    """Every byte of the data folder: database, its log, and whatever else lies there."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


async def test_nothing_of_a_forgotten_person_is_found_anywhere(
    kiln: Engine, knowledge: Path, tmp_path: Path, database_url: str
) -> None:
    data = tmp_path / "data"
    where: dict[str, Any] = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with house(kiln, data, knowledge_dir=knowledge, **where) as flow:
        person = zbigniewa(flow)
        await lived(flow, person)
        before = await flow.everything_kept()
        for trace in (*TRACES, str(person.id)):
            assert trace in before
        assert (await erased(flow, person)).startswith(EN.forget_done)
        kept, logged = await flow.everything_kept(), "\n".join(flow.log.lines)
        for trace in (*TRACES, str(person.id)):
            assert trace not in kept
            assert trace not in logged
        running = on_disk(data)
    for left in (running, on_disk(data)):
        number = person.id.to_bytes((person.id.bit_length() + 8) // 8, "big")
        for sign in (number, *(trace.encode() for trace in (*TRACES, str(person.id)))):
            assert sign not in left
    if not where:
        assert b"CREATE TABLE" in running


async def test_others_keep_what_is_theirs(flow: House) -> None:
    karim = flow.candidate("Karim")
    await flow.ask(karim, "/human Is parking free for Karim's lorry?")
    person = zbigniewa(flow)
    await lived(flow, person)
    await erased(flow, person)
    assert "Karim's lorry" in await flow.everything_kept()
    assert any("Karim's lorry" in card["text"] for card in flow.cards())


async def test_the_topic_of_who_is_forgotten_goes(kiln: Engine, knowledge: Path, tmp_path: Path) -> None:
    async with house(kiln, tmp_path / "data", knowledge_dir=knowledge, group={"forum": True}) as flow:
        person = zbigniewa(flow)
        await flow.ask(person, f"/human {FIRST}")
        (topic,) = flow.staff.topics.values()
        await flow.group(flow.marie, REPLY, thread=topic.id)
        said = await erased(flow, person)
        assert EN.forget_group not in said
        assert flow.staff.topics == {}
        (told,) = flow.received(flow.staff)
        assert told["text"].endswith(EN.staff_forgotten.partition("{candidate}")[2])


@asynccontextmanager
async def topic_that_stays(kiln: Engine, knowledge: Path, tmp_path: Path) -> AsyncIterator[tuple[House, User]]:
    """Somebody with a topic that the bot may not delete."""
    group = {"forum": True, "bot_lacks": ["can_delete_messages"]}
    async with house(kiln, tmp_path / "data", knowledge_dir=knowledge, group=group) as flow:
        person = zbigniewa(flow)
        await flow.ask(person, f"/human {FIRST}")
        yield flow, person


async def test_a_topic_that_the_bot_may_not_delete_is_left_to_staff(
    kiln: Engine, knowledge: Path, tmp_path: Path
) -> None:
    async with topic_that_stays(kiln, knowledge, tmp_path) as (flow, person):
        await erased(flow, person)
        assert flow.received(flow.staff)[-1]["text"].endswith(EN.staff_forgotten_rest.partition("{candidate}")[2])


async def test_who_writes_in_the_topic_of_who_is_forgotten_is_told_that_nobody_reads_it(
    kiln: Engine, knowledge: Path, tmp_path: Path
) -> None:
    async with topic_that_stays(kiln, knowledge, tmp_path) as (flow, person):
        (topic,) = flow.staff.topics.values()
        sent = flow.api.say(flow.marie, "One moment", chat=flow.staff, thread=topic.id)
        await flow.quiet()
        await erased(flow, person)
        for reply_to in (None, sent):
            (said,) = await flow.group(flow.marie, "Blue ones do", reply_to=reply_to, thread=topic.id)
            assert (said["text"], said["message_thread_id"]) == (EN.staff_no_match, topic.id)


async def test_in_a_plain_group_the_messages_go_and_staff_see_why(flow: House) -> None:
    person = zbigniewa(flow)
    await flow.ask(person, f"/human {FIRST}")
    await flow.group(flow.marie, REPLY, reply_to=flow.cards()[0])
    await flow.ask(person, SECOND)
    said = await erased(flow, person)
    assert said == f"{EN.forget_done}\n\n{EN.forget_remains}\n\n{EN.forget_anew}"
    assert not [m for m in flow.received(flow.staff) if "teapots" in str(m)]
    assert flow.received(flow.staff)[-1]["text"].endswith(EN.staff_forgotten.partition("{candidate}")[2])


async def test_who_answers_a_colleague_about_who_is_forgotten_is_told_that_nobody_reads_it(
    kiln: Engine, knowledge: Path, tmp_path: Path
) -> None:
    plain = {"supergroup": True}
    async with house(kiln, tmp_path / "data", knowledge_dir=knowledge, group=plain) as flow:
        person, other = zbigniewa(flow), flow.candidate("Karim")
        await flow.ask(person, f"/human {FIRST}")
        sent = flow.api.say(flow.marie, REPLY, chat=flow.staff, reply_to=flow.cards()[0])
        note = flow.api.say(flow.marie, "// hm", chat=flow.staff, reply_to=flow.cards()[0])
        await flow.quiet()
        flow.api.fail("deleteMessages", "Bad Request: message can't be deleted", times=9)
        await erased(flow, person)
        (said,) = await flow.group(flow.paul, "Blue ones do", reply_to=sent)
        assert said["text"] == EN.staff_no_match
        assert await flow.group(flow.paul, "I see", reply_to=note) == []
        await flow.ask(other, f"/human {SECOND}")
        again = flow.api.say(flow.marie, "One moment", chat=flow.staff, reply_to=flow.cards()[-1])
        assert await flow.group(flow.marie, "Tomorrow", reply_to=again) == []
        talk = flow.api.say(flow.marie, "Lunch?", chat=flow.staff)
        assert await flow.group(flow.paul, "Yes", reply_to=talk) == []


class Clock:
    """A clock that jumps when told."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


async def test_what_is_older_than_two_days_is_left_to_staff_and_said(
    kiln: Engine, knowledge: Path, tmp_path: Path
) -> None:
    clock = Clock()
    api = BotApi(TOKEN)
    async with house(kiln, tmp_path / "data", api=api, now=clock, knowledge_dir=knowledge) as flow:
        person = zbigniewa(flow)
        await flow.ask(person, f"/human {FIRST}")
        (card,) = flow.cards()
        clock.ahead = timedelta(days=3)
        said = await erased(flow, person)
        assert EN.forget_group in said
        assert card["message_id"] in [m["message_id"] for m in flow.received(flow.staff)]
        assert flow.received(flow.staff)[-1]["text"].endswith(EN.staff_forgotten_rest.partition("{candidate}")[2])


async def test_an_open_question_is_named_before_it_is_lost(flow: House) -> None:
    person = zbigniewa(flow)
    (sure,) = await flow.ask(person, "/forget")
    assert sure["text"] == EN.forget_ask
    await flow.ask(person, f"/human {FIRST}")
    (sure,) = await flow.ask(person, "/forget")
    assert EN.forget_open in sure["text"]
    await flow.press(person, sure, EN.button_yes)
    async with flow.bot.deps.db.read() as tx:
        kinds = (await tx.execute(select(Timer.kind))).scalars().all()
    assert "remind" not in kinds


async def test_my_data_asked_for_again_and_again_are_gathered_once_until_they_are_sent(flow: House) -> None:
    person = flow.candidate()
    await flow.ask(person, "Hello")
    flow.api.fail("sendDocument", 500, times=2, when=lambda call: call["chat_id"] == person.id)
    for _ in range(5):
        flow.api.say(person, "/mydata")
    await flow.quiet()
    assert len([message for message in flow.received(person) if "document" in message]) == 2
    assert len(await flow.ask(person, "/mydata")) == 2  # and now anew


async def test_my_data_as_files_that_the_bot_does_not_keep(flow: House) -> None:
    person = zbigniewa(flow)
    await lived(flow, person)
    readable, programs = await flow.ask(person, "/mydata")
    assert readable["caption"] == EN.mydata_caption
    content = {m["document"]["file_name"]: flow.api.world.files[m["document"]["file_id"]] for m in (readable, programs)}
    text, data = content["my-data.txt"].upload.content.decode(), json.loads(content["my-data.json"].upload.content)
    for part in (FIRST, SECOND, REPLY, REMARK, "Zbigniewa Kowalczyk", str(person.id)):
        assert part in text
        assert part in json.dumps(data, ensure_ascii=False)
    assert not re.findall(r"\b(?:send|copy|edit)[A-Z]\w*|callback_query|edited_message|my_chat_member", text)
    assert {one["What"] for one in data["Sent to you"]} == {"a message"}
    assert data["Your questions"][0]["Text"] == FIRST
    assert data["Your questions"][0]["Course"] == "pottery"
    assert data["Your questions"][0]["Reason"] in text
    assert data["Your requests to the team"][0]["Your rating of the team (1 to 5)"] == 5
    assert data["Your requests to the team"][0]["Your remark"] == REMARK
    async with flow.bot.deps.db.read() as tx:
        assert (await tx.execute(select(Attachment))).all() == []
        assert (await tx.execute(select(Outgoing.method).where(Outgoing.method == "sendDocument"))).all()


async def test_my_data_in_french_of_somebody_who_is_new(flow: House) -> None:
    readable, _ = await flow.ask(flow.candidate("Léa", "fr"), "/mydata")
    text = flow.api.world.files[readable["document"]["file_id"]].upload.content.decode()
    assert "Vos questions: rien" in text
    assert "Langue: fr" in text
