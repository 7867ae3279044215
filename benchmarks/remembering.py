"""An encoder that remembers: vectors that a benchmark has made once, its next run reads from a file.

Questions with their tokens are remembered within a run only.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bot.evaluation.judging import Remembering
from indexer.encoder import Encoder, Vectors
from indexer.model import LAYOUT


class RememberingEncoder:
    """Gives the same vectors as the encoder within, which it asks only for texts that are new."""

    def __init__(self, within: Encoder, folder: Path) -> None:
        self.identity, self.dims = within.identity, within.dims
        self._within = within
        self._path = folder / f"vectors-{LAYOUT}-{sha256(within.identity.encode()).hexdigest()[:12]}.npz"
        self._known: dict[bytes, npt.NDArray[np.float32]] = {}
        self.questions = Remembering(within).questions  # in the file, tokens would take ten times the room
        if self._path.is_file():
            with np.load(self._path) as file:
                self._known = dict(zip(map(bytes, file["keys"]), file["vectors"], strict=True))

    def queries(self, texts: Sequence[str], /) -> Vectors:
        """Encode what people ask."""
        return self._encode(b"query", texts, self._within.queries)

    def passages(self, texts: Sequence[str], /) -> Vectors:
        """Encode what is searched."""
        return self._encode(b"passage", texts, self._within.passages)

    def save(self) -> None:
        """Write what is known; a run that is stopped leaves the file as it was."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".draft.npz")
        keys = np.array([list(key) for key in self._known], np.uint8)
        np.savez(draft, keys=keys, vectors=np.array(list(self._known.values()), np.float32))
        draft.replace(self._path)

    def _encode(self, kind: bytes, texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors]) -> Vectors:
        keys = [sha256(kind + text.encode()).digest()[:16] for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if missing:
            self._known.update(zip(missing, encode(list(missing.values())), strict=True))
        return np.array([self._known[key] for key in keys], np.float32).reshape(len(texts), self.dims)
