"""Texts to vectors. The port, and its adapter for a prepared model: ONNX Runtime, no torch."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import onnxruntime
from threadpoolctl import threadpool_limits

from indexer import tokens
from indexer.cores import cores
from indexer.model import Model, damaged
from indexer.tokens import Tokens

Vectors = npt.NDArray[np.float32]
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A question: its unit vector, shape (dims,), and one for each token with a letter or digit, shape (n, width)."""

    vector: Vectors
    tokens: Vectors


class Encoder(Protocol):
    """Texts to unit vectors, float32, shape (len(texts), dims); those of tokens have a width of their own."""

    @property
    def identity(self) -> str:
        """Names the model: vectors of two encoders may be compared only if their identities are equal."""
        ...

    @property
    def dims(self) -> int:
        """Length of a vector."""
        ...

    def queries(self, texts: Sequence[str], /) -> Vectors:
        """Encode what people ask."""
        ...

    def questions(self, texts: Sequence[str], /) -> list[Encoded]:
        """Encode what people ask, with its tokens."""
        ...

    def passages(self, texts: Sequence[str], /) -> Vectors:
        """Encode what is searched."""
        ...


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """A session on one thread: for a single question a second one saves no time, and takes half the processor again."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A sum and its normalisation as one node take three times as long as apart.
    return onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
    )


class OnnxFile:
    """One ONNX file: `input_ids` and `attention_mask` in, unit `vectors` and those of the `tokens` out.

    `pieces` gives the ids of a text.
    """

    def __init__(self, path: Path, pieces: Tokens) -> None:
        self._session = open_session(path)
        self._pieces = pieces

    def vector(self, text: str) -> Vectors:
        """The unit vector of one text, shape (dims,)."""
        return self._run(self._pieces.cut(text), ["vectors"])[0]

    def encoded(self, text: str, before: int = 0) -> Encoded:
        """One text with its telling tokens, but for the first ones, so many as come `before` what somebody asks."""
        numbers = self._pieces.cut(text)
        vector, tokens = self._run(numbers, ["vectors", "tokens"])
        telling = [place for place in range(before, len(numbers)) if self._pieces.telling(numbers[place])]
        return Encoded(vector, tokens[telling])

    def _run(self, numbers: Sequence[int], wanted: Sequence[str]) -> list[Vectors]:
        ids = np.array([numbers], np.int64)
        found = self._session.run(wanted, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return [np.asarray(one[0], np.float32) for one in found]


class OnnxEncoder:
    """The adapter for a prepared model; safe to call from several threads.

    Many texts are spread over all cores. The threads of BLAS and FAISS, which spin while they wait, are set to one in
    the whole process: beside these they make a search on two cores ten times slower.
    """

    def __init__(self, model: Model) -> None:
        threadpool_limits(limits=1)
        self.identity = model.identity
        self.dims = model.dims
        self._model = model
        try:
            pieces = tokens.load(model.folder, model.most_tokens)
            self._file = OnnxFile(model.folder / "encoder.onnx", pieces)
            self._before = pieces.before(model.query_prefix)
        except Exception as error:  # both libraries raise errors of their own
            raise damaged(model.folder, error) from error

    def __reduce__(self) -> tuple[type["OnnxEncoder"], tuple[Model]]:
        """Another process opens the same model."""
        return OnnxEncoder, (self._model,)

    def queries(self, texts: Sequence[str], /) -> Vectors:
        """Encode what people ask."""
        return self._encode([self._model.query_prefix + text for text in texts])

    def questions(self, texts: Sequence[str], /) -> list[Encoded]:
        """Encode what people ask, with its tokens."""
        asked = [self._model.query_prefix + text for text in texts]
        return _each(partial(self._file.encoded, before=self._before), asked)

    def passages(self, texts: Sequence[str], /) -> Vectors:
        """Encode what is searched."""
        return self._encode([self._model.passage_prefix + text for text in texts])

    def _encode(self, texts: Sequence[str]) -> Vectors:
        return np.array(_each(self._file.vector, texts), np.float32).reshape(-1, self.dims)


def _each(work: Callable[[str], Found], texts: Sequence[str]) -> list[Found]:
    """One by one: with 8-bit activations a text's vector depends on its batch (cosine .997 to the same text alone), and
    the same question must get the same answer whoever else asks.
    """
    if len(texts) == 1:
        return [work(texts[0])]
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(work, texts))
