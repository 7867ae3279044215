"""A text to the numbers of its pieces, as the model was taught them."""

import json
import math
import re
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

Tokens = Callable[[str], list[int]]
SPACE = "\u2581"  # begins each word
WORD = re.compile(f"{SPACE}[^{SPACE}]*")
UNKNOWN_PENALTY = 10.0  # an unknown letter is this much less likely than the least likely piece
REMEMBERED, LONGEST_REMEMBERED = 4096, 32  # words, letters: the same few thousand make up most of any text


def load(path: Path) -> Tokens:
    """What a `tokenizer.json` says, as a function; Unigram ones take a fifth of the library's memory here."""
    data = json.loads(path.read_text(encoding="utf-8"))
    if _is_plain_unigram(data):
        return Unigram(data)
    tokenizer = Tokenizer.from_file(str(path))
    return lambda text: list(tokenizer.encode(text).ids)


def _is_plain_unigram(data: Mapping[str, Any]) -> bool:
    """Whether it cuts words as `Unigram` does."""
    words, ends = data["pre_tokenizer"] or {}, data["post_processor"] or {}
    return (
        (data["model"]["type"], data["model"].get("byte_fallback"), data["padding"]) == ("Unigram", False, None)
        and (words.get("type"), words.get("prepend_scheme"), words.get("split")) == ("Metaspace", "always", True)
        and (words["replacement"], ends.get("type")) == (SPACE, "TemplateProcessing")
        and data["normalizer"] is not None
        and all(token["special"] for token in data["added_tokens"])
    )


class Unigram:
    """Of all ways to cut a word into known pieces, the likeliest one (Kudo 2018, "Subword Regularization").

    Gives the numbers that the library `tokenizers` gives, whose tree of pieces takes 75 MB for ninety thousand of them;
    but text that looks like one of the model's special marks, such as "<mask>", is text.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        model, marks = data["model"], {token["content"] for token in data["added_tokens"]}
        self._pieces = {piece: number for number, (piece, _) in enumerate(model["vocab"]) if piece not in marks}
        self._scores = [score for _, score in model["vocab"]]
        self._longest = max(map(len, self._pieces))
        self._unknown, self._unknown_score = model["unk_id"], min(self._scores) - UNKNOWN_PENALTY
        self._before, self._after = _ends(data["post_processor"])
        most = (data["truncation"] or {}).get("max_length", sys.maxsize)
        self._most = most - len(self._before) - len(self._after)
        model["vocab"] = model["vocab"][: self._unknown + 1]  # the library is to normalise only
        self._normalise = Tokenizer.from_str(json.dumps(data)).normalizer.normalize_str
        self._remembered = lru_cache(REMEMBERED)(self._cut)

    def __call__(self, text: str) -> list[int]:
        """The numbers of a text's pieces, between those of its beginning and its end."""
        spaced = self._normalise(text).replace(" ", SPACE)
        numbers: list[int] = []
        for word in WORD.findall(spaced if spaced.startswith(SPACE) else SPACE + spaced) if spaced else ():
            numbers += self._remembered(word) if len(word) <= LONGEST_REMEMBERED else self._cut(word)
        return [*self._before, *numbers[: self._most], *self._after]

    def _cut(self, word: str) -> list[int]:
        """Viterbi's algorithm: for each letter, the best way to cut what stands before it."""
        size, numbers, scores = len(word), self._pieces, self._scores
        best, begins, pieces = [0.0] + [-math.inf] * size, [0] * (size + 1), [self._unknown] * (size + 1)
        for start in range(size):
            so_far = best[start]
            for end in range(start + 1, min(size, start + self._longest) + 1):
                number = numbers.get(word[start:end])
                if number is not None and so_far + scores[number] > best[end]:
                    best[end], begins[end], pieces[end] = so_far + scores[number], start, number
            if word[start] not in numbers and so_far + self._unknown_score > best[start + 1]:
                best[start + 1] = so_far + self._unknown_score
                begins[start + 1], pieces[start + 1] = start, self._unknown
        found: list[int] = []
        end = size
        while end:
            if pieces[end] != self._unknown or found[-1:] != [self._unknown]:  # unknown letters in a row are one piece
                found.append(pieces[end])
            end = begins[end]
        return found[::-1]


def _ends(template: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """The numbers that stand before and after a text's own."""
    ends: tuple[list[int], list[int]] = [], []
    after = False
    for part in template["single"]:
        if "SpecialToken" in part:
            ends[after].extend(template["special_tokens"][part["SpecialToken"]["id"]]["ids"])
        after = after or "Sequence" in part
    return ends
