"""Late interaction: how well each token of a question is met by an entry's ways of asking.

One vector a text says what it is about; only vectors of tokens say that a question about a known person asks for what
nobody has said. MaxSim (Khattab and Zaharia 2020, ColBERT): each token counts with its best cosine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexer.encoder import Vectors

CODES, SCALES, STARTS = "tokens.npy", "token_scales.npy", "token_starts.npy"
LARGEST = 127  # of a signed byte
MOST_ASKED = 64  # of a question: who writes more has said it by then
Codes = tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]  # of one text: a row a token, and each row's scale


@dataclass(frozen=True, slots=True, eq=False)
class TokenVectors:
    """Unit vectors of tokens, a byte each number: row i is `codes[i] * scales[i]`.

    Those of text n are the rows from `starts[n]` to `starts[n + 1]`.
    """

    codes: npt.NDArray[np.int8]  # (tokens, width)
    scales: npt.NDArray[np.float32]
    starts: npt.NDArray[np.int64]

    def of(self, text: int) -> Codes:
        """Those of one text."""
        here = slice(self.starts[text], self.starts[text + 1])
        return self.codes[here], self.scales[here]

    def met(self, tokens: Vectors, first: int, last: int) -> float:
        """The mean over `tokens`, shape (n, width), of each one's best cosine in the texts `first` to `last` - 1.

        0 where there is no token on either side.
        """
        here = slice(self.starts[first], self.starts[last])
        codes = self.codes[here]
        if not len(codes) or not len(tokens):
            return 0.0
        cosines = (codes.astype(np.float32) @ tokens[:MOST_ASKED].T) * self.scales[here, None]
        return float(cosines.max(axis=0).mean())


NO_TOKENS: Codes = (np.zeros((0, 0), np.int8), np.zeros(0, np.float32))


def coded(vectors: Vectors) -> Codes:
    """Vectors, shape (n, width), a byte each number."""
    scales = np.abs(vectors).max(axis=1, initial=1e-9) / LARGEST
    return np.round(vectors / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def join(texts: Sequence[Codes]) -> TokenVectors:
    """One text after the other."""
    width = max((codes.shape[1] for codes, _ in texts), default=0)
    codes = [np.zeros((0, width), np.int8), *(codes for codes, _ in texts if len(codes))]
    scales = [np.zeros(0, np.float32), *(scales for _, scales in texts)]
    starts = np.cumsum([0, *(len(codes) for codes, _ in texts)], dtype=np.int64)
    return TokenVectors(np.concatenate(codes), np.concatenate(scales), starts)


def save(tokens: TokenVectors, folder: Path) -> None:
    """Write what `load` reads."""
    for name, values in ((CODES, tokens.codes), (SCALES, tokens.scales), (STARTS, tokens.starts)):
        np.save(folder / name, values)


def load(folder: Path) -> TokenVectors:
    """Open what `save` wrote, mapped."""
    # Plain arrays: numpy's memmap class is slow to index.
    codes, scales, starts = (np.asarray(np.load(folder / name, mmap_mode="r")) for name in (CODES, SCALES, STARTS))
    return TokenVectors(codes, scales, starts)
