"""The file `.env`: values set in it, all else left as it stands."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from dotenv import set_key

# Written without quotes: Docker would take them for a part of the value.
PLAIN = re.compile(r"""[^\s'"#\\$](?:[^\n'"#\\$]*[^\s'"#\\$])?""")


def write(path: Path, values: Mapping[str, str]) -> None:
    """Set these names; other lines stay. The file holds a secret: its owner alone may read it. Whole or not at all."""
    path = path.resolve()
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    for name, value in values.items():
        set_key(draft, name, value, "never" if PLAIN.fullmatch(value) else "always", encoding="utf-8")
    draft.chmod(0o600)
    draft.replace(path)
