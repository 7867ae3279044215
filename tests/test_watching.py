"""`guichet index --watch`, in a process of its own, as an editor sees it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

# Ctrl-C works, also where these tests were started in the background, which ignores it.
WATCH = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from bot.cli import main
sys.argv[1:] = ["index", "--watch"]
main()
"""


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_what_is_saved_is_live_and_what_is_wrong_is_said(knowledge: Path, cache: Path, tmp_path: Path) -> None:
    settings = {"CACHE_DIR": cache, "DATA_DIR": tmp_path / "data", "KNOWLEDGE_DIR": knowledge}
    surroundings = os.environ | {f"GUICHET_{name}": str(value) for name, value in settings.items()}
    watching = subprocess.Popen(
        [sys.executable, "-c", WATCH],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=surroundings | {"PYTHONUNBUFFERED": "1"},
    )
    assert watching.stdout
    said = iter(watching.stdout.readline, "")
    path = knowledge / "later.en.md"
    try:
        assert any("Encoding" in line for line in said)
        append(path, "\n## Can I bring my dog? {#dog}\n\nYes.\n")  # while the first index is still being built
        assert any("Can I bring my dog? [en, later.en.md:" in line for line in said)
        append(path, "\n## No name\n\nYes.\n")
        assert any("later.en.md:26: expected" in line for line in said)
        path.write_text(path.read_text(encoding="utf-8").replace("## No name", "## A name? {#name}"), encoding="utf-8")
        assert any("A name? [en, later.en.md:26]" in line for line in said)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 0
        assert "Traceback" not in watching.stdout.read()
    finally:
        watching.kill()
        watching.wait()
