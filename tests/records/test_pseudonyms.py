import pytest

from bot.records import people
from bot.records.people import candidate_of, chat_of
from bot.records.pseudonyms import ANIMALS, SECOND, pseudonym
from bot.records.sessions import Database
from bot.records.tables import Candidate


def test_every_name_is_two_friendly_words_and_fits_its_column() -> None:
    assert len({*ANIMALS, *SECOND}) == len(ANIMALS) + len(SECOND)
    assert all(word.isascii() and word.isalpha() and len(word) <= 6 for word in (*ANIMALS, *SECOND))
    animal, second = pseudonym().split()
    assert animal in ANIMALS
    assert second in SECOND
    assert pseudonym(numbered=True).split()[2].isdecimal()


async def test_nobody_gets_a_name_that_another_has(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.records.pseudonyms.ANIMALS", ["Panda"])
    monkeypatch.setattr("bot.records.pseudonyms.SECOND", ["Indigo", "Tango"])
    async with db.begin() as tx:
        chats = [(await chat_of(tx, 1000 + number, "private")).id for number in range(9)]
        names = [(await candidate_of(tx, chat, "fr")).id for chat in chats]
        again = [(await candidate_of(tx, chat, "fr")).id for chat in chats]
    assert len(set(names)) == len(names)
    assert again == names
    assert all(name.startswith("Panda ") and len(name) <= 16 for name in names)
    assert len(names) > people.CROWDED


async def test_a_name_of_earlier_days_stays(db: Database) -> None:
    async with db.begin() as tx:
        chat = await chat_of(tx, 1000, "private")
        tx.add(Candidate(id="C-7KQ4M", chat_id=chat.id))
    async with db.begin() as tx:
        assert (await candidate_of(tx, chat.id, "fr")).id == "C-7KQ4M"
