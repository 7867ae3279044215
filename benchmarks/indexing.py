"""What `index.py` measures, each part in a process of its own, so that none counts another's memory.

    python benchmarks/indexing.py PART PASSAGES FOLDER

FOLDER is what `made_up.lay_out` has written. Prints as JSON what was found, and the most megabytes that were held.
"""

import json
import resource
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from statistics import median
from time import perf_counter, thread_time
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))  # to run as a script

from benchmarks.made_up import StoredEncoder, changed, entries, keys_of
from indexer import confidence, store
from indexer.building import build
from indexer.encoder import Encoded, Vectors
from indexer.entries import Entry
from indexer.search import NEAREST_PASSAGES, search
from indexer.snapshot import load

ASKED = 200  # questions
NEAREST = 10
Found = dict[str, Any]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that it takes, and what it gives."""
    begun = perf_counter()
    result = work()
    return perf_counter() - begun, result


def questions(known: Sequence[Entry], encoder: StoredEncoder) -> list[tuple[Entry, Encoded]]:
    """Some entries, each with a vector near one of its ways of asking, and with the tokens of that."""
    some = known[:: max(1, len(known) // ASKED)]
    noise = np.random.default_rng(1).standard_normal((len(some), encoder.dims), np.float32) * 0.3 / encoder.dims**0.5
    near = encoder.queries([one.also[0] for one in some]) + noise
    unit = near / np.linalg.norm(near, axis=1, keepdims=True)
    return [(one, Encoded(vector, encoder.tokens(one.also[0]))) for one, vector in zip(some, unit, strict=True)]


def guichet_build(known: Sequence[Entry], encoder: StoredEncoder, folder: Path) -> Found:
    """Entries to a snapshot, with nothing to start from."""
    seconds, built = timed(lambda: build(known, encoder, store.snapshot_folder(folder)))
    store.activate(folder, built.snapshot_id)
    return {"seconds": seconds, "encoded": built.encoded}


def guichet_rebuild(known: Sequence[Entry], encoder: StoredEncoder, folder: Path) -> Found:
    """The same after one entry has changed."""
    old = store.live(folder)
    seconds, built = timed(lambda: build(changed(known), encoder, store.snapshot_folder(folder), old=old))
    return {"seconds": seconds, "encoded": built.encoded}


def guichet_search(known: Sequence[Entry], encoder: StoredEncoder, folder: Path) -> Found:
    """Open the snapshot; then vectors alone, and questions with all that is measured of a hit."""
    live = store.live(folder)
    assert live  # built before
    seconds, snapshot = timed(lambda: load(live))
    everything = [(0, len(snapshot.vectors))]
    fusion = confidence.load().fusion
    nearest, whole, worked, recalls = [], [], [], []
    for one, encoded in questions(known, encoder):
        took, rows = timed(partial(snapshot.nearest.search, encoded.vector, NEAREST_PASSAGES, everything))
        truth = np.argsort(-(snapshot.vectors @ encoded.vector), kind="stable")[:NEAREST]
        recalls.append(float(np.isin(truth, rows).mean()))
        nearest.append(took)
        begun = thread_time()
        whole.append(timed(partial(search, snapshot, one.also[0], encoded, one.language, fusion))[0])
        worked.append(thread_time() - begun)
    times = {"nearest_ms": nearest, "question_ms": whole, "question_cpu_ms": worked}
    facts = snapshot.manifest["index"]
    return {
        "seconds": seconds,
        **{name: median(values) * 1000 for name, values in times.items()},
        "recall": float(np.mean(recalls)),
        "kind": facts["kind"],
        "stated": facts["recall"],
    }


def langchain_build(known: Sequence[Entry], encoder: StoredEncoder, folder: Path) -> Found:
    """LangChain's FAISS from the same texts and vectors, saved."""
    pieces = _pieces(known, encoder)
    ids = [str(number) for number in range(len(pieces))]
    near = _faiss()
    seconds, _ = timed(lambda: near.from_embeddings(pieces, embed, ids=ids).save_local(str(folder / "langchain")))
    return {"seconds": seconds}


def langchain_rebuild(known: Sequence[Entry], encoder: StoredEncoder, folder: Path) -> Found:
    """Open it, take out the passages of one entry, put in the new ones, save; where they stand is taken as known."""
    old, new = (_pieces(some[:1], encoder) for some in (known, changed(known)))

    opened = _faiss().load_local

    def replace_one() -> None:
        near = opened(str(folder / "langchain"), embed, allow_dangerous_deserialization=True)
        near.delete([str(number) for number in range(len(old))])
        near.add_embeddings(new)
        near.save_local(str(folder / "langchain-changed"))

    return {"seconds": timed(replace_one)[0]}


def langchain_search(known: Sequence[Entry], encoder: StoredEncoder, folder: Path) -> Found:
    """Open it; then vectors alone, as it knows nothing else."""
    opened = partial(_faiss().load_local, str(folder / "langchain"), embed, allow_dangerous_deserialization=True)
    seconds, near = timed(opened)
    asked = [encoded.vector.tolist() for _, encoded in questions(known, encoder)]
    times = [timed(partial(near.similarity_search_by_vector, vector, k=NEAREST))[0] for vector in asked]
    return {"seconds": seconds, "nearest_ms": median(times) * 1000}


def _pieces(known: Sequence[Entry], encoder: StoredEncoder) -> list[tuple[str, Vectors]]:
    return [(key[1], encoder.vectors[encoder.rows[key]]) for key in keys_of(known)]


def _faiss() -> Any:
    return import_module("langchain_community.vectorstores").FAISS  # by name, since LangChain is optional


def embed(_: str) -> list[float]:
    """All vectors are given."""
    raise NotImplementedError


PARTS: dict[str, Callable[[Sequence[Entry], StoredEncoder, Path], Found]] = {
    "guichet-build": guichet_build,
    "guichet-rebuild": guichet_rebuild,
    "guichet-search": guichet_search,
    "langchain-build": langchain_build,
    "langchain-rebuild": langchain_rebuild,
    "langchain-search": langchain_search,
}


def peak_mb() -> float:
    """The most memory that this process has held."""
    told = Path("/proc/self/status")
    if told.is_file():  # elsewhere, what the process held that started this one may count
        return next(int(line.split()[1]) for line in told.read_text().splitlines() if line.startswith("VmHWM")) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def main(part: str, passages: int, folder: Path) -> None:
    """Do one part and print what was found."""
    threadpool_limits(limits=1)  # as in the product
    found = PARTS[part](entries(passages), StoredEncoder(folder), folder)
    print(json.dumps({"mb": peak_mb(), **found}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
