"""A process that rebuilds an index again and again, each time killed by itself at a later file operation.

Arguments: the knowledge folder, the index's root. Prints one line a run: the operation, how it ended, what is live.
"""

import os
import signal
import sys
from pathlib import Path

from indexer import store
from indexer.engine import index, with_live_snapshot
from tests.indexer.standin import WordEncoder

TOUCHING = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree"}
STEP = 7


def rebuild(folder: Path, root: Path, last: int) -> None:
    """Index, and die at this file operation, as by kill -9."""
    count = 0

    def look(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in TOUCHING and str(root) in str(arguments[0]):
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)
    index(folder, WordEncoder(), root)


def main(folder: Path, root: Path) -> None:
    """Fork, rebuild, die; until a run comes to its end."""
    text = (folder / "later.en.md").read_text(encoding="utf-8")
    status = last = 1
    while status:
        (folder / "later.en.md").write_text(text.replace("courtyard", f"courtyard {last}"), encoding="utf-8")
        child = os.fork()
        if not child:
            rebuild(folder, root, last)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        found = with_live_snapshot(WordEncoder(), root).find("Where do I leave my bicycle?", "en")
        half = [path.name for path in store.history(root) if not (path / "manifest.json").is_file()]
        print(last, status, found[0].entry.answer.splitlines()[0], half, flush=True)
        last += STEP


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
