"""A text to the numbers of its pieces, as the model was taught them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer

PIECES, TOKENIZER = "pieces.model", "tokenizer.json"


@dataclass(frozen=True)
class Tokens:
    """`cut` gives the numbers of a text's pieces, `telling` says of each whether its piece has a letter or digit.

    Marks and what the model does not know, such as emoji, are not telling.
    """

    cut: Callable[[str], list[int]]
    telling: Callable[[int], bool]

    def before(self, prefix: str) -> int:
        """How many pieces come before those of a text that has this prefix."""
        both = zip(self.cut(prefix.strip()), self.cut(f"{prefix}a"), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))


def load(folder: Path, most: int) -> Tokens:
    """What a prepared model's folder says; of longer texts the first `most` numbers, both ends included.

    SentencePiece takes a quarter of the memory of the library `tokenizers`, and a third of its time: models that were
    taught with it are prepared for it.
    """
    if (folder / PIECES).is_file():
        return _pieces(folder / PIECES, most)
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(most)
    return Tokens(
        lambda text: list(tokenizer.encode(text).ids),
        cache(lambda number: _tells(tokenizer.decode([number]))),  # of a mark nothing is left
    )


def _pieces(path: Path, most: int) -> Tokens:
    processor = SentencePieceProcessor(model_file=str(path))
    begin, end = processor.bos_id(), processor.eos_id()

    def marks(number: int) -> bool:
        return bool(processor.is_control(number) or processor.is_unknown(number))

    return Tokens(
        lambda text: [begin, *processor.encode(text)[: most - 2], end],
        cache(lambda number: not marks(number) and _tells(processor.id_to_piece(number))),
    )


def _tells(piece: str) -> bool:
    return any(map(str.isalnum, piece))
