import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from bot.evaluation.golden import read_golden
from indexer import modelmaker, tokens, unpacking
from indexer.pieces import pieces_of
from tests.conftest import REPOSITORY

KNOWLEDGE = REPOSITORY / "knowledge"
MOST = 512
LETTERS = (
    "abcdefghijklmnopqrstuvwxyzéèàçùâêîôûœïü ABCÉÀ0123456789.,;:!?'’-–—«»()€%\"\n\t\u00a0\u202f日本😀👩‍👧ñßøλЖ▁ﬁ½²"
)
MARKS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
Cut = Callable[[str], list[int]]


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The default model's tokenizer, cut to its vocabulary, as the library `tokenizers` reads it."""
    path = unpacking._asset(*unpacking.TOKENIZER)
    tokenizer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    unpacking._cut_vocabulary(tokenizer)
    today: dict[str, Any] = json.loads(Tokenizer.from_str(json.dumps(tokenizer)).to_str())  # the file's form is old
    return today


@pytest.fixture(scope="module")
def library(described: dict[str, Any]) -> Cut:
    tokenizer = Tokenizer.from_str(json.dumps(described))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MOST)
    (blank,) = tokenizer.encode(" ").ids[1:-1]

    def cut(text: str) -> list[int]:
        ids = list(tokenizer.encode(text).ids)
        return [*ids[:-2], ids[-1]] if ids[-2] == blank and len(ids) < MOST else ids  # see `pieces_of`

    return cut


@pytest.fixture(scope="module")
def ours(described: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> tokens.Tokens:
    folder = tmp_path_factory.mktemp("model")
    modelmaker._write_tokenizer(json.dumps(described), folder)
    assert [path.name for path in folder.iterdir()] == [tokens.PIECES]
    return tokens.load(folder, MOST)


def test_all_that_we_know_and_are_asked_has_the_tokens_that_the_library_gives(
    ours: tokens.Tokens, library: Cut
) -> None:
    files = [file.read_text(encoding="utf-8") for file in KNOWLEDGE.rglob("*.md")]
    asked = [question.ask for question in read_golden(KNOWLEDGE / "golden.yaml")]
    texts = [*asked, *files, *(line for file in files for line in file.splitlines())]
    assert len(texts) > 3_000
    for text in texts:
        assert ours.cut(f"query: {text}") == library(f"query: {text}"), text


@settings(derandomize=True, max_examples=500)  # where two ways to cut a word are equally likely, either is right
@given(st.text(alphabet=LETTERS, max_size=80) | st.text(max_size=40))
@example("")
@example(" ")
@example("▁a▁▁b ")
@example("😀" * 40)
@example("anticonstitutionnellement" * 200)
@example("query: " + "un mot " * 600)  # more than the model takes in
def test_any_text_has_the_tokens_that_the_library_gives(ours: tokens.Tokens, library: Cut, text: str) -> None:
    if not any(mark in text for mark in MARKS):
        assert ours.cut(text) == library(text)


def test_a_text_that_looks_like_a_special_mark_is_text(ours: tokens.Tokens, library: Cut) -> None:
    begin, *between, end = ours.cut("a <mask> and </s>")
    (mask,) = library("<mask>")[1:-1]
    assert {begin, end, mask}.isdisjoint(between)
    assert len(between) > 5


def test_bytes_that_stand_for_punctuation_tell_nothing(tmp_path: Path) -> None:
    """Tokenizers of this kind write a blank and other bytes as letters; words that were added are words."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    texts = ["Who is it? — Nobody!", "query: who"]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_tokens(["RNCP"])
    tokenizer.add_special_tokens(["<s>"])
    modelmaker._write_tokenizer(tokenizer.to_str(), tmp_path)
    pieces = tokens.load(tmp_path, 64)
    told = {tokenizer.decode([number], skip_special_tokens=False): pieces.telling(number) for number in range(300)}
    for word, tells in (("?", False), (" ", False), ("!", False), ("<s>", False), ("RNCP", True), ("W", True)):
        assert told.get(word, tells) is tells
    assert (told["?"], told["RNCP"], told["<s>"]) == (False, True, False)
    assert tokenizer.decode(pieces.cut("query: who")[pieces.before("query: ") :]).strip() == "who"
    assert pieces.before("") == 0


def test_what_comes_before_a_question_is_not_its_own(ours: tokens.Tokens) -> None:
    assert ours.cut("query: Qui ?")[: ours.before("query: ")] == ours.cut("query:")[:-1]
    assert ours.before("") == 1


def test_other_kinds_are_left_to_the_library(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"one": 0, "two": 1, "?": 2}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    modelmaker._write_tokenizer(tokenizer.to_str(), tmp_path)
    assert tokens.load(tmp_path, 2).cut("two one three") == [1, 0]


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("pre_tokenizer", {"prepend_scheme": "never"}),
        ("model", {"byte_fallback": True}),
        ("normalizer", {"normalizers": []}),
    ],
)
def test_a_unigram_tokenizer_that_cuts_otherwise_is_left_to_the_library(
    described: dict[str, Any], part: str, other: dict[str, Any]
) -> None:
    assert pieces_of(described | {part: described[part] | other}) is None
