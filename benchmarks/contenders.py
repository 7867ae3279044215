"""What `query.py` compares. Each runs in a process of its own, so that none counts another's memory or threads.

    python benchmarks/contenders.py NAME FOLDER

It takes one question a line, as JSON [question, language], and answers each with the milliseconds that it took, by the
clock and of the processor's time, all threads together; at the end of its input it prints the megabytes that it holds.
FOLDER is what `query.py` prepared.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from datetime import date
from functools import partial
from importlib import import_module
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a script

from benchmarks.memory import memory_mb

COUNTED = 5  # hits
Answer = Callable[[str, str], object]
Answering = AbstractContextManager[Answer]  # ends what it has started


@contextmanager
def guichet(folder: Path, facts: dict[str, str]) -> Iterator[Answer]:
    """All that `guichet run` loads and starts; a turn is gone through once, what is timed is the search."""
    from bot.loading import loading  # noqa: PLC0415

    with loading(), ThreadPoolExecutor(1) as beside:
        from indexer.engine import open_engine  # noqa: PLC0415

        opening = beside.submit(open_engine, facts["model"], Path(facts["cache"]), folder / "index")
        import bot.app  # noqa: F401, PLC0415  # counted in time and memory, as in the running bot
        from bot.dialogue.decide import Limits  # noqa: PLC0415
        from bot.publishing.searcher import apart  # noqa: PLC0415
        from bot.understanding import understood  # noqa: PLC0415

        engine = opening.result()
    searcher, today = apart(engine, folder / "index"), date.today()  # noqa: DTZ011  # any
    with asyncio.Runner() as runner:
        until_the_end = AsyncExitStack()  # the memory of both processes counts
        runner.run(until_the_end.enter_async_context(searcher))
        runner.run(searcher.run(engine, understood, facts["question"], Limits(), today))
        yield engine.find  # type: ignore[misc]  # the language that it is given is "fr" or "en"
        runner.run(until_the_end.aclose())


@contextmanager
def forward(_: Path, facts: dict[str, str]) -> Iterator[Answer]:
    """The model's file alone, as the product opens it. Tokens are made before the clock starts."""
    import numpy as np  # noqa: PLC0415

    from indexer import model, tokens  # noqa: PLC0415
    from indexer.encoder import open_session  # noqa: PLC0415

    session = open_session(Path(facts["prepared"]) / "encoder.onnx")
    prepared = model.read(Path(facts["prepared"]))
    cut = tokens.load(prepared.folder, prepared.most_tokens).cut

    def cut_before(question: str, _: str) -> Callable[[], object]:
        ids = np.array([cut(prepared.query_prefix + question)], np.int64)
        return partial(session.run, ["vectors"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})

    yield cut_before


@contextmanager
def langchain(folder: Path, embed: Callable[[str], list[float]]) -> Iterator[Answer]:
    """LangChain's ensemble of FAISS and BM25 over the same entries, five hits each, equal weights."""
    import numpy as np  # noqa: PLC0415

    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    vectors = np.load(folder / "texts.npy").tolist()
    # Imported by name, since LangChain is optional.
    retrievers: Any = import_module("langchain_community.retrievers")
    stores: Any = import_module("langchain_community.vectorstores")
    ensembles: Any = import_module("langchain_classic.retrievers")
    near = stores.FAISS.from_embeddings(zip(texts, vectors, strict=True), embed)
    words = retrievers.BM25Retriever.from_texts(texts, k=COUNTED)
    both = ensembles.EnsembleRetriever(
        retrievers=[near.as_retriever(search_kwargs={"k": COUNTED}), words], weights=[0.5, 0.5]
    )
    yield lambda question, _: both.invoke(question)


def langchain_onnx(folder: Path, facts: dict[str, str]) -> Answering:
    """LangChain with the product's own encoder."""
    from indexer.encoder import OnnxEncoder  # noqa: PLC0415
    from indexer.model import read  # noqa: PLC0415

    encoder = OnnxEncoder(read(Path(facts["prepared"])))
    return langchain(folder, lambda text: encoder.queries([text])[0].tolist())


def langchain_torch(folder: Path, facts: dict[str, str]) -> Answering:
    """LangChain with sentence-transformers, the model's usual home."""
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    model = SentenceTransformer(facts["reference"], device="cpu")
    prefix = facts["query_prefix"]
    return langchain(folder, lambda text: model.encode(prefix + text, normalize_embeddings=True).tolist())


CONTENDERS: dict[str, Callable[[Path, dict[str, str]], Answering]] = {
    "guichet": guichet,
    "forward": forward,
    "langchain-onnx": langchain_onnx,
    "langchain-torch": langchain_torch,
}


def serve(name: str, folder: Path) -> None:
    """Answer questions until there are no more."""
    logging.disable(logging.WARNING)  # of what others would rather have imported, and how
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    with CONTENDERS[name](folder, facts) as answer:
        for line in sys.stdin:
            question, language = json.loads(line)
            begun, worked = perf_counter(), process_time()
            found = answer(question, language)
            if callable(found):
                begun, worked = perf_counter(), process_time()
                found()
            took = perf_counter() - begun, process_time() - worked
            print(json.dumps([seconds * 1000 for seconds in took]), flush=True)
        print(json.dumps(memory_mb([os.getpid()])), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
