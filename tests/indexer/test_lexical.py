from math import log
from pathlib import Path
from random import Random

import bm25s
import numpy as np
import pytest

from indexer.lexical import Bm25, fold, grams, load, save, scored, wording, words
from indexer.postings import count
from indexer.stopwords import STOPWORDS

DOCUMENTS = [["kiln", "hot"], ["kiln", "clay", "clay"], ["wood"]]  # two tokens a document on average


def indexed(documents: list[list[str]]) -> Bm25:
    counted, size = count(enumerate(documents)), len(documents)
    return Bm25(counted, scored(counted, size), size)


def idf(having: int, documents: int = 3) -> float:
    return log(1 + (documents - having + 0.5) / (having + 0.5))


def saturation(count: int, length: int, average: float = 2) -> float:
    return count / (count + 1.2 * (0.25 + 0.75 * length / average))


def near(*values: float) -> object:
    return pytest.approx(values, rel=1e-5)


@pytest.mark.parametrize(
    ("text", "folded"),
    [("DIPLÔME", "diplome"), ("Cœur", "coeur"), ("Straße", "strasse"), ("e\u0301te\u0301", "ete")],
)
def test_fold_forgets_accents_and_capitals(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("À qui s'adresse la formation ?", "a qui s’adresse la FORMATION", True),
        ("Who is it for?", "  who is it\tfor ???", True),
        ("E-learning…", "« e learning »", True),
        ("Who is it for?", "Who is it from?", False),
        ("Do you teach C?", "Do you teach C++?", False),
        ("Bac+4 ?", "Bac 4 ?", False),
        ("Bac+4 ?", "bac +4", True),
        ("100 % en ligne ?", "100% en ligne", True),
        ("e‑learning", "e-learning", True),
        ("5 % wrong?", "5 wrong?", False),
    ],
)
def test_ways_of_writing_the_same_question(one: str, other: str, alike: bool) -> None:
    assert (wording(one) == wording(other)) is alike


def test_words_are_stemmed_without_accents_and_stop_words() -> None:
    assert words("Les formations à distance", "fr") == words("la formation, DISTANCE", "fr")
    assert words("There are the applications", "en") == words("application", "en")
    assert words("l'école d'été", "fr") == words("école été", "fr")


def test_stop_words_are_written_as_texts_are_compared() -> None:
    for some in STOPWORDS.values():
        assert {fold(word) for word in some} == some
        assert all(word.isalpha() for word in some)


def test_a_question_of_stop_words_alone_keeps_them() -> None:
    assert words("Is it there?", "en") == ["is", "it", "there"]
    assert words("?!", "en") == []


def test_names_of_programs_are_the_words_that_they_are_made_of() -> None:
    assert words("read_csv and POSTGRES_USER", "en") == ["read", "csv", "postgr", "user"]


def test_grams_stay_within_words_and_know_their_borders() -> None:
    assert grams("Clé") == [" cl", "cle", "le ", " cle", "cle ", " cle "]
    assert grams("a b") == [" a ", " b "]
    assert grams("…") == []


def test_a_typo_leaves_grams_in_common() -> None:
    assert len(set(grams("certification")) & set(grams("certifcation"))) >= 10


def test_bm25_is_the_formula() -> None:
    found = indexed(DOCUMENTS).match(["kiln", "clay"])
    assert tuple(found.bm25) == near(
        idf(2) * saturation(1, 2), idf(2) * saturation(1, 3) + idf(1) * saturation(2, 3), 0.0
    )


def test_shares_are_of_the_best_possible() -> None:
    found = indexed(DOCUMENTS).match(["kiln", "clay"])
    best = idf(2) + idf(1)
    assert tuple(found.held) == near(idf(2) / best, 1.0, 0.0)
    assert tuple(found.share) == near(*(score / best for score in found.bm25))
    assert (found.share < found.held + 1e-6).all()


def test_a_word_that_nobody_has_weighs_most() -> None:
    found = indexed(DOCUMENTS).match(["kiln", "moon"])
    assert tuple(found.held) == near(*(idf(2) / (idf(2) + idf(0)) * has for has in (1, 1, 0)))
    assert tuple(indexed(DOCUMENTS).match(["moon"]).bm25) == (0, 0, 0)


def test_a_repeated_word_counts_again() -> None:
    once, twice = (indexed(DOCUMENTS).match(["kiln"] * times) for times in (1, 2))
    assert tuple(twice.bm25) == near(*(2 * once.bm25))
    assert tuple(twice.held) == near(*once.held)


def kept(documents: list[list[str]], folder: Path) -> Bm25:
    save(count(enumerate(documents)), len(documents), folder)
    return load(folder, len(documents))


@pytest.mark.parametrize("documents", [[], [[]], [[], []]])
def test_nothing_to_match_scores_nothing(documents: list[list[str]], tmp_path: Path) -> None:
    for empty in (indexed(documents), kept(documents, tmp_path / "words")):
        assert tuple(empty.match(["kiln"]).bm25) == (0.0,) * len(documents)


def test_no_words_score_nothing() -> None:
    found = indexed(DOCUMENTS).match([])
    assert tuple(found.bm25) == tuple(found.share) == tuple(found.held) == (0, 0, 0)


def test_a_document_without_words_scores_nothing_among_others() -> None:
    assert tuple(indexed([["kiln"], []]).match(["kiln"]).bm25)[1] == 0


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    asked = ["clay", "moon", "kiln", "wood"]
    saved, loaded = indexed(DOCUMENTS).match(asked), kept(DOCUMENTS, tmp_path / "words").match(asked)
    assert [tuple(saved.bm25), tuple(saved.held)] == [tuple(loaded.bm25), tuple(loaded.held)]


def test_known_is_the_weight_of_tokens_that_are_anywhere_among_some() -> None:
    index, unknown = indexed(DOCUMENTS), log(1 + 3.5 / 0.5)
    assert index.match(["hot", "moon"]).known == pytest.approx(idf(1) / (idf(1) + unknown))
    assert index.match(["hot", "moon"], [slice(1, 3)]).known == 0.0
    assert index.match(["clay", "wood"], [slice(1, 3)]).known == pytest.approx(1.0)
    assert index.match([]).known == 0.0


def test_some_documents_alone_are_matched_as_among_all() -> None:
    chance = Random(1)
    documents = [
        chance.choices("kiln clay wood glaze fire shed bowl".split(), k=chance.randint(0, 5)) for _ in range(60)
    ]
    index = indexed(documents)
    for asked in (["kiln", "clay", "clay", "moon"], ["moon"], ["fire"], []):
        for among in ([slice(None)], [slice(3, 9)], [slice(0, 0), slice(40, 60)]):
            every = index.match(asked, among)
            for some in ([], [7], sorted(chance.sample(range(60), 20)), list(range(60))):
                held, known = index.held(asked, np.array(some, np.int64), among)
                assert held.tolist() == every.held[some].tolist()
                assert known == every.known


def test_scores_are_the_ones_of_a_library() -> None:
    chance = Random(0)
    documents = [
        chance.choices("kiln clay wood glaze fire shed bowl hot".split(), k=chance.randint(1, 9)) for _ in range(50)
    ]
    library = bm25s.BM25(k1=1.2, b=0.75)
    library.index(documents, show_progress=False)
    asked = ["clay", "fire", "fire"]
    assert tuple(indexed(documents).match(asked).bm25) == near(*library.get_scores(asked))
