"""Files written whole, and their digests."""

import hashlib
from contextlib import suppress
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Write a file by a rename: who reads meanwhile finds the old text. Raises OSError, and leaves nothing then."""
    draft = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def digest(path: Path) -> str:
    """A file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
