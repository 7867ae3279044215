from pathlib import Path

import numpy as np

from benchmarks.remembering import RememberingEncoder
from tests.indexer.standin import WordEncoder


def test_only_new_texts_are_encoded_and_all_come_back_in_order(tmp_path: Path) -> None:
    first = RememberingEncoder(WordEncoder(), tmp_path)
    vectors = first.queries(["a kiln", "a wheel", "a kiln"])
    first.save()
    within = WordEncoder()
    second = RememberingEncoder(within, tmp_path)
    assert np.array_equal(second.queries(["a wheel", "clay", "a kiln"])[[2, 0, 2]], vectors)
    assert within.encoded == ["clay"]
    second.passages(["a kiln"])
    assert within.encoded == ["clay", "a kiln"]  # a passage is encoded otherwise than a question


def test_a_question_keeps_its_tokens_within_a_run(tmp_path: Path) -> None:
    within = WordEncoder()
    encoder = RememberingEncoder(within, tmp_path)
    first, second = encoder.questions(["a kiln", "a wheel"])
    again, new = encoder.questions(["a wheel", "clay"])
    assert again is second
    assert (len(first.tokens), len(new.tokens)) == (2, 1)
    assert within.encoded == ["a kiln", "a wheel", "clay"]


def test_another_model_has_a_memory_of_its_own(tmp_path: Path) -> None:
    first = RememberingEncoder(WordEncoder(), tmp_path)
    first.queries(["a kiln"])
    first.save()
    within = WordEncoder("other@1")
    RememberingEncoder(within, tmp_path).queries(["a kiln"])
    assert within.encoded == ["a kiln"]
