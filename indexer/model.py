"""Where a prepared model lives, and its preparation on first use, in a child process, so that torch never stays."""

import json
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

DEFAULT_MODEL = "multilingual-e5-small-fr-en"
STEPS = (
    "Unpacking the default model",
    "Loading it with sentence-transformers",
    "Writing it as ONNX",
    "Quantising it to 8 bits",
    "Comparing both",
)
LAYOUT = 7  # part of the folder's name and of the default model's identity: raise it when the files below change
log = logging.getLogger(__name__)


class ModelNotReady(Exception):  # noqa: N818  # reads as what it is
    """The model could not be made or read; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Model:
    """A prepared model folder: `encoder.onnx`, its weights `encoder.data`, facts in `model.json`.

    What cuts texts into tokens is `pieces.model` or `tokenizer.json` (see `indexer.tokens`).
    """

    folder: Path
    name: str
    identity: str
    dims: int
    most_tokens: int
    query_prefix: str
    passage_prefix: str


def model_folder(name: str, cache: Path) -> Path:
    """The folder for this model below the cache; a model given as a folder is told apart by its files' dates."""
    if name == DEFAULT_MODEL:
        return cache / "models" / f"{DEFAULT_MODEL}-{LAYOUT}"
    local = Path(name).expanduser()
    stamp = name
    if local.is_dir():
        files = sorted(path for path in local.rglob("*") if path.is_file())
        stamp = f"{local.resolve()}" + "".join(f"{p.name}{p.stat().st_size}{p.stat().st_mtime_ns}" for p in files)
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", Path(name).name).strip("-") or "model"
    return cache / "models" / f"{readable}-{sha256(stamp.encode()).hexdigest()[:10]}-{LAYOUT}"


def is_ready(name: str, cache: Path) -> bool:
    """Whether the model was prepared before."""
    return (model_folder(name, cache) / "model.json").is_file()


def prepare(name: str, cache: Path, progress: Callable[[str, int, int], None] = lambda *_: None) -> Model:
    """Give the prepared model, making it first if need be; `progress` gets (step, done, total).

    Raises ModelNotReady. Two processes that start at once make it once: the second waits for the first.
    """
    folder = model_folder(name, cache)
    if not (folder / "model.json").is_file():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.with_suffix(".lock")):
                if not (folder / "model.json").is_file():
                    _make(name, folder, progress)
        except OSError as error:
            raise ModelNotReady(
                f"{folder.parent}: cannot write the model ({error.strerror or error}): free some space (1 GB while "
                "it is made, 65 MB after) or set GUICHET_CACHE_DIR to another folder"
            ) from error
    return read(folder)


def read(folder: Path) -> Model:
    """Read a prepared folder; raises ModelNotReady when it is damaged."""
    try:
        facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        return Model(folder, **{field.name: facts[field.name] for field in fields(Model) if field.name != "folder"})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(folder, error) from error


def damaged(folder: Path, error: Exception) -> ModelNotReady:
    """The error for a prepared folder that cannot be used."""
    return ModelNotReady(f"{folder}: the prepared model is damaged ({error}): delete this folder")


def _make(name: str, folder: Path, progress: Callable[[str, int, int], None]) -> None:
    making = folder.with_suffix(".making")
    shutil.rmtree(making, ignore_errors=True)  # what a killed attempt left
    making.mkdir()
    command = [sys.executable, "-m", "indexer.modelmaker", name, str(making)]
    environment = os.environ | {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    child = subprocess.Popen(  # noqa: S603  # our own module with our own arguments
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # a pipe of its own would fill up unread, and the child wait for ever
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
    )
    reason = _follow(child, progress)
    shutil.rmtree(making / "sentence-transformers", ignore_errors=True)
    if reason:
        shutil.rmtree(making)
        raise ModelNotReady(reason)
    shutil.rmtree(folder, ignore_errors=True)  # a folder without its facts
    making.rename(folder)
    progress("Ready", len(STEPS), len(STEPS))


def _follow(child: subprocess.Popen[str], progress: Callable[[str, int, int], None]) -> str | None:
    """Pass the child's steps on; gives the reason if it failed."""
    assert child.stdout  # opened with a pipe
    reason, last = None, "no reason given"
    with child:
        for line in child.stdout:
            match _json(line):
                case {"step": str(step)}:
                    progress(step, STEPS.index(step), len(STEPS))
                case {"error": str(error)}:
                    reason = error
                case _:
                    last = line.strip() or last
    if child.returncode and not reason:
        reason = f"the model could not be made: {last} (more memory or disk may help; 2 GB of memory are needed once)"
    return reason


def _json(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None
