"""What staff answered becomes an entry: masked, changed by staff, published by an admin, offered to who asked."""

import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.delivery import outbox
from bot.dialogue.texts import texts
from bot.sandbox.people import User
from indexer import store
from indexer.encoder import OnnxEncoder
from indexer.engine import index

from .house import House, Json, buttons, house

EN = texts("en")
GLAZE = "Which glazes may we use, I am Sara Benali, 06 12 34 56 78?"
REPLY = "All glazes on the blue shelf, Sara. Questions: marie@pottery.example"


@pytest.fixture
async def pottery(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A bot for a small course whose files may be written."""
    engine = index(knowledge, encoder, tmp_path / "index").engine
    async with house(engine, tmp_path, knowledge_dir=knowledge) as running:
        yield running


async def proposed(flow: House, person: User, question: str = GLAZE, answer: str = REPLY) -> Json:
    """A ticket answered, closed, and made a proposal of."""
    await flow.ask(person, f"/human {question}")
    card = flow.cards()[-1]
    await flow.group(flow.paul, answer, reply_to=card)
    said = await flow.group(flow.paul, "/close", reply_to=card)
    (offer,) = [message for message in said if EN.button_learn in buttons(message)]
    (shown,) = await flow.press_in_group(flow.paul, offer, EN.button_learn)
    return shown


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def last(flow: House, card: Json) -> Json:
    """The card as it stands now."""
    await flow.quiet()
    return next(m for m in flow.received(flow.staff) if m["message_id"] == card["message_id"])


async def test_from_a_closed_ticket_to_the_next_candidate_s_answer(pottery: House, knowledge: Path) -> None:
    sara = pottery.candidate("Sara")
    card = await proposed(pottery, sara)
    assert "Which glazes may we use" in card["text"]
    assert "blue shelf" in card["text"]
    for secret in ("Sara", "Benali", "06 12", "marie@"):
        assert secret not in card["text"]
    assert EN.learn_missing.format(language=EN.language_fr) in card["text"]

    (said,) = await pottery.group(
        pottery.paul, "Which glazes may we use?\nAll glazes on the **blue shelf**, 12 of them.", reply_to=card
    )
    assert said["text"] == EN.learn_changed
    (said,) = await pottery.group(pottery.paul, "FR\nQuels émaux ?", reply_to=card)
    assert said["text"] == EN.learn_incomplete
    await pottery.group(
        pottery.paul, "FR\nQuels émaux peut-on utiliser ?\nTous ceux de l'étagère bleue.\nTheme: glazing", reply_to=card
    )
    card = await last(pottery, card)
    assert "étagère bleue" in card["text"]
    assert "glazing" in card["text"]

    await pottery.press_in_group(pottery.paul, card, EN.button_publish)
    assert EN.learn_published not in (await last(pottery, card))["text"]
    told = await pottery.press_in_group(pottery.marie, card, EN.button_publish)
    assert told[-1]["text"] == EN.learn_published_now.format(entry="which-glazes-may-we-use", told=0)
    card = await last(pottery, card)
    assert EN.learn_published in card["text"]
    assert buttons(card) == []

    (answer,) = await pottery.ask(pottery.candidate("Ana"), "Which glazes may we use?")
    assert "blue shelf, 12 of them" in answer["text"]
    assert EN.learn_source in answer["text"]
    (answer,) = await pottery.ask(pottery.candidate("Luc", "fr"), "Quels émaux peut-on utiliser ?")
    assert "étagère bleue" in answer["text"]
    assert (knowledge / "glazing-team.fr.md").is_file()


async def test_a_reply_that_was_corrected_is_proposed_as_corrected(pottery: House) -> None:
    await pottery.ask(pottery.candidate("Sara"), f"/human {GLAZE}")
    card = pottery.cards()[-1]
    sent = pottery.api.say(pottery.paul, "All glazes on the red shelf.", chat=pottery.staff, reply_to=card)
    await pottery.quiet()
    pottery.api.edit(pottery.paul, sent, "All glazes on the blue shelf.")
    said = await pottery.group(pottery.paul, "/close", reply_to=card)
    (offer,) = [message for message in said if EN.button_learn in buttons(message)]
    (shown,) = await pottery.press_in_group(pottery.paul, offer, EN.button_learn)
    assert "blue shelf" in shown["text"]
    assert "red shelf" not in shown["text"]


async def test_who_asked_the_same_and_agreed_is_offered_the_answer_once(pottery: House) -> None:
    ana, luc = pottery.candidate("Ana"), pottery.candidate("Luc")
    (note,) = await pottery.ask(ana, "/human Which glazes may I use?")
    assert EN.button_wish in buttons(note)
    (kept,) = await pottery.press(ana, note, EN.button_wish)
    assert kept["text"] == EN.wish_kept
    await pottery.ask(luc, "/human Which glazes may we use?")  # has not agreed
    card = await proposed(pottery, pottery.candidate("Sara"), "Which glazes may we use?", "All on the blue shelf.")
    before = len(pottery.received(ana)), len(pottery.received(luc))
    told = await pottery.press_in_group(pottery.marie, card, EN.button_publish)
    assert told[-1]["text"] == EN.learn_published_now.format(entry="which-glazes-may-we-use", told=1)
    (offered,) = pottery.received(ana)[before[0] :]
    assert offered["text"].startswith(EN.wish_answered)
    assert "blue shelf" in offered["text"]
    assert len(pottery.received(luc)) == before[1]


@pytest.mark.parametrize("ending", ["team", "cancel", "back"])
async def test_who_was_left_without_a_reply_may_ask_to_be_told(pottery: House, ending: str) -> None:
    ana = pottery.candidate("Ana")
    await pottery.ask(ana, "/human Which glazes may I use?")
    card = pottery.cards()[-1]
    if ending == "team":
        await pottery.group(pottery.marie, "/close", reply_to=card)
    elif ending == "cancel":
        await pottery.ask(ana, "/cancel")
    else:
        await pottery.press(ana, pottery.received(ana)[-1], f"b:{(await pottery.tickets())[0].id}", forged=True)
    (said,) = [message for message in pottery.received(ana)[1:] if EN.button_wish in buttons(message)]
    assert said["text"].endswith(EN.wish_offer)
    (kept,) = await pottery.press(ana, said, EN.button_wish)
    assert kept["text"] == EN.wish_kept
    card = await proposed(pottery, pottery.candidate("Sara"), "Which glazes may we use?", "All on the blue shelf.")
    await pottery.press_in_group(pottery.marie, card, EN.button_publish)
    assert "blue shelf" in pottery.received(ana)[-1]["text"]


async def test_who_agreed_had_a_reply_or_asked_nothing_in_words_is_not_asked_again(pottery: House) -> None:
    ana, luc, eva = (pottery.candidate(name) for name in ("Ana", "Luc", "Eva"))
    (note,) = await pottery.ask(ana, "/human Which glazes may I use?")
    await pottery.press(ana, note, EN.button_wish)
    (cancelled,) = await pottery.ask(ana, "/cancel")
    assert buttons(cancelled) == []
    await pottery.ask(luc, "/human Which glazes may I use?")
    await pottery.group(pottery.marie, "The blue ones.", reply_to=pottery.cards()[-1])
    cancelled, _rating = await pottery.ask(luc, "/cancel")
    assert buttons(cancelled) == []
    (note,) = await pottery.ask(eva, "/human")
    assert EN.button_wish not in buttons(note)


async def test_an_answer_to_another_question_with_nothing_else_near_is_a_reason_to_be_told(pottery: House) -> None:
    ana = pottery.candidate("Ana")
    (answer,) = await pottery.ask(ana, "What should I bring along?")
    (other,) = await pottery.press(ana, answer, EN.button_not_mine)
    offered = buttons(other)
    assert EN.button_wish in offered or len(offered) > 1
    assert (EN.button_wish in offered) == (offered[0] == EN.button_person)


async def test_a_draft_gives_way_to_its_answer(pottery: House, knowledge: Path) -> None:
    card = await proposed(pottery, pottery.candidate("Sara"), "How much is a term?", "A term is 240 euros.")
    assert EN.learn_fills.format(entry="fee") in card["text"]
    told = await pottery.press_in_group(pottery.marie, card, EN.button_publish)
    assert told[-1]["text"] == EN.learn_published_now.format(entry="fee", told=0)
    (answer,) = await pottery.ask(pottery.candidate("Ana"), "What does it cost?")
    assert "240 euros" in answer["text"]
    assert "{#fee}" not in (knowledge / "later.en.md").read_text(encoding="utf-8")
    assert "{#bicycle}" in (knowledge / "later.en.md").read_text(encoding="utf-8")


async def test_the_gate_refuses_and_the_file_is_put_back_until_an_admin_gives_a_reason(
    pottery: House, knowledge: Path, tmp_path: Path
) -> None:
    golden = '- {ask: "Which glazes may we use?", language: en, expect: escalate, kind: plain}\n'
    (knowledge / "golden.yaml").write_text(golden, encoding="utf-8")
    files = contents(knowledge)
    live = store.live(tmp_path / "index")
    card = await proposed(pottery, pottery.candidate("Sara"), "Which glazes may we use?", "All on the blue shelf.")
    told = await pottery.press_in_group(pottery.marie, card, EN.button_publish)
    assert "golden.yaml:1" in told[-1]["text"]
    assert contents(knowledge) == files
    assert store.live(tmp_path / "index") == live
    assert EN.button_publish in buttons(await last(pottery, card))
    (refused,) = await pottery.group(pottery.paul, "publish: I say so", reply_to=card)
    assert refused["text"] == EN.admins_only
    told = await pottery.group(pottery.marie, "publish: the fair is tomorrow", reply_to=card)
    assert told[-1]["text"].startswith(EN.learn_published_now.split("'")[0])
    assert store.activations(tmp_path / "index")[0].reason == "the fair is tomorrow"


async def test_what_was_discarded_or_made_up_does_nothing(pottery: House, knowledge: Path) -> None:
    sara = pottery.candidate("Sara")
    card = await proposed(pottery, sara)
    (answer,) = await pottery.ask(pottery.candidate("Ana"), "Where can I park a bicycle?")
    files = contents(knowledge)
    await pottery.press(sara, answer, "e:p:1", forged=True)
    await pottery.press_in_group(pottery.paul, card, "e:p:1", forged=True)
    await pottery.press_in_group(pottery.paul, card, EN.button_discard)
    assert EN.learn_discarded in (await last(pottery, card))["text"]
    await pottery.press_in_group(pottery.marie, card, "e:p:1", forged=True)
    (said,) = await pottery.group(pottery.paul, "Another answer", reply_to=card)
    assert said["text"] == EN.learn_gone
    assert contents(knowledge) == files


async def test_what_a_reason_came_to_is_said_even_if_saying_it_fails_at_first(
    pottery: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = await proposed(pottery, pottery.candidate("Sara"))
    await pottery.press_in_group(pottery.paul, card, EN.button_discard)
    put, refusals = outbox.put, iter([True])
    pottery.trouble_expected = True

    async def refusing(tx: Any, chat: Any, method: str, payload: Any, **options: Any) -> int:
        if payload.get("text") == EN.learn_gone and next(refusals, False):
            raise RuntimeError("cut off")
        return await put(tx, chat, method, payload, **options)

    monkeypatch.setattr(outbox, "put", refusing)
    (said,) = await pottery.group(pottery.marie, "publish: the fair is tomorrow", reply_to=card)
    assert said["text"] == EN.learn_gone


async def test_forgetting_takes_what_is_not_published(pottery: House) -> None:
    sara = pottery.candidate("Sara")
    await proposed(pottery, sara)
    (ask,) = await pottery.ask(sara, "/forget")
    await pottery.press(sara, ask, EN.button_yes)
    kept = await pottery.everything_kept()
    assert "blue shelf" not in kept
    assert "glazes" not in kept


@pytest.mark.parametrize(
    ("number", "remedy"), [(errno.EROFS, "let the bot write there"), (errno.ENOSPC, "free some space")]
)
async def test_a_folder_that_cannot_be_written_is_said_plainly(
    pottery: House, knowledge: Path, monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    write, files = Path.write_text, contents(knowledge)

    def refuse(path: Path, data: str, **more: Any) -> int:
        if path.parent == knowledge:
            write(path, "half", **more)
            raise OSError(number, os.strerror(number), str(path))
        return write(path, data, **more)

    card = await proposed(pottery, pottery.candidate("Sara"), "Which glazes may we use?", "All on the blue shelf.")
    with monkeypatch.context() as full:
        full.setattr(Path, "write_text", refuse)
        told = await pottery.press_in_group(pottery.marie, card, EN.button_publish)
    assert "the bot cannot write to the knowledge files" in told[-1]["text"]
    assert remedy in told[-1]["text"]
    assert contents(knowledge) == files
    assert EN.button_publish in buttons(await last(pottery, card))
    told = await pottery.press_in_group(pottery.marie, card, EN.button_publish)
    assert told[-1]["text"] == EN.learn_published_now.format(entry="which-glazes-may-we-use", told=0)
