import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from bot.evaluation.golden import read_golden
from indexer import tokens
from indexer.encoder import OnnxEncoder
from indexer.model import DEFAULT_MODEL, prepare
from indexer.tokens import Unigram
from tests.conftest import REPOSITORY

KNOWLEDGE = REPOSITORY / "knowledge"
LETTERS = (
    "abcdefghijklmnopqrstuvwxyzéèàçùâêîôûœïü ABCÉÀ0123456789.,;:!?'’-–—«»()€%\"\n\t\u00a0\u202f日本😀👩‍👧ñßøλЖ▁ﬁ½²"
)
MARKS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


@pytest.fixture(scope="module")
def path(encoder: OnnxEncoder, cache: Path) -> Path:
    """The default model's tokenizer; the encoder sees to it that it is there."""
    return prepare(DEFAULT_MODEL, cache).folder / "tokenizer.json"


@pytest.fixture(scope="module")
def library(path: Path) -> Callable[[str], list[int]]:
    tokenizer = Tokenizer.from_file(str(path))
    return lambda text: list(tokenizer.encode(text).ids)


@pytest.fixture(scope="module")
def ours(path: Path) -> tokens.Tokens:
    return tokens.load(path)


def test_the_default_models_tokens_are_our_own(ours: tokens.Tokens) -> None:
    assert isinstance(ours, Unigram)


def test_all_that_we_know_and_are_asked_has_the_tokens_that_the_library_gives(
    ours: tokens.Tokens, library: Callable[[str], list[int]]
) -> None:
    files = [file.read_text(encoding="utf-8") for file in KNOWLEDGE.rglob("*.md")]
    asked = [question.ask for question in read_golden(KNOWLEDGE / "golden.yaml")]
    texts = [*asked, *files, *(line for file in files for line in file.splitlines())]
    assert len(texts) > 3_000
    for text in texts:
        assert ours(f"query: {text}") == library(f"query: {text}"), text


@given(st.text(alphabet=LETTERS, max_size=80) | st.text(max_size=40))
@example("")
@example(" ")
@example("▁a▁▁b ")
@example("😀" * 40)
@example("x" * 5_000)
@example("query: " + "un mot " * 600)  # more than the model takes in
def test_any_text_has_the_tokens_that_the_library_gives(
    ours: tokens.Tokens, library: Callable[[str], list[int]], text: str
) -> None:
    if not any(mark in text for mark in MARKS):
        assert ours(text) == library(text)


def test_a_text_that_looks_like_a_special_mark_is_text(
    ours: tokens.Tokens, library: Callable[[str], list[int]]
) -> None:
    begin, *between, end = ours("a <mask> and </s>")
    (mask,) = library("<mask>")[1:-1]
    assert {begin, end, mask}.isdisjoint(between)
    assert len(between) > 5


def test_other_kinds_are_left_to_the_library(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"one": 0, "two": 1, "?": 2}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert tokens.load(tmp_path / "tokenizer.json")("two one three") == [1, 0, 2]


def test_a_unigram_tokenizer_that_cuts_otherwise_is_left_to_the_library(path: Path, tmp_path: Path) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    data["pre_tokenizer"]["prepend_scheme"] = "never"
    other = tmp_path / "tokenizer.json"
    other.write_text(json.dumps(data), encoding="utf-8")
    assert not isinstance(tokens.load(other), Unigram)
    assert tokens.load(other)("un mot") == list(Tokenizer.from_file(str(other)).encode("un mot").ids)
