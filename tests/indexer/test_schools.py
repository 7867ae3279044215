from dataclasses import replace

from indexer.schools import ANSWERED, SCHOOLS, WAYS, small_schools
from tests.indexer.examples import entry


def test_small_schools_have_few_entries_and_are_asked_for_what_they_lack() -> None:
    ways = tuple(f"Way {number}?" for number in range(9))
    many = [
        replace(entry(f"e{number}", language=language), also=tuple(f"{number} {language} {way}" for way in ways))
        for number in range(ANSWERED + 3)
        for language in ("fr", "en")
    ]
    price = entry("price", "What is the price?", draft=True, answer="", also=("How much?",))
    schools = list(small_schools([*many, price], [("Will it rain?", "en")]))
    assert len(schools) == SCHOOLS
    assert schools == list(small_schools([*many, price], [("Will it rain?", "en")]))
    for school in schools:
        has = {one.id for one in school.entries}
        assert len(has - {"price"}) == ANSWERED
        assert max(len(one.also) for one in school.entries) <= max(WAYS)
        known = {way for one in school.entries for way in one.also}
        assert not known & {question for question, *_ in school.asked}  # each of them is held out
        assert {id_ for *_, id_ in school.asked} - {None} == has - {"price"}
        assert any(id_ is None for *_, id_ in school.asked)
    assert {one.language for one in schools[0].entries} == {"fr"}
