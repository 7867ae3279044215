"""Texts to vectors. The port, and its adapter for a prepared model: ONNX Runtime, no torch."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime
from threadpoolctl import threadpool_limits

from indexer import tokens
from indexer.model import Model, damaged
from indexer.tokens import Tokens

Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Texts to unit vectors, float32, shape (len(texts), dims)."""

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
    """One ONNX file: `input_ids` and `attention_mask` in, unit `vectors` out; `cut` gives the ids of a text."""

    def __init__(self, path: Path, cut: Tokens) -> None:
        self._session = open_session(path)
        self._tokens = cut

    def vector(self, text: str) -> Vectors:
        """The unit vector of one text, shape (dims,)."""
        numbers = np.array([self._tokens(text)], np.int64)
        inputs = {"input_ids": numbers, "attention_mask": np.ones_like(numbers)}
        return np.asarray(self._session.run(None, inputs)[0][0], np.float32)


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
            cut = tokens.load(model.folder, model.most_tokens)
            self._file = OnnxFile(model.folder / "encoder.onnx", cut)
        except Exception as error:  # both libraries raise errors of their own
            raise damaged(model.folder, error) from error

    def queries(self, texts: Sequence[str], /) -> Vectors:
        """Encode what people ask."""
        return self._encode([self._model.query_prefix + text for text in texts])

    def passages(self, texts: Sequence[str], /) -> Vectors:
        """Encode what is searched."""
        return self._encode([self._model.passage_prefix + text for text in texts])

    def _encode(self, texts: Sequence[str]) -> Vectors:
        # One by one: with 8-bit activations a text's vector depends on its batch (cosine .997 to the same text alone),
        # and the same question must get the same answer whoever else asks.
        if len(texts) == 1:
            return self._file.vector(texts[0])[None]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return np.array(list(pool.map(self._file.vector, texts)), np.float32).reshape(-1, self.dims)
