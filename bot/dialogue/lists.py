"""What people wrote down beside the code, as YAML: texts, words, phrases."""

from pathlib import Path
from typing import Any

import yaml

# Ten times faster where PyYAML has libyaml, and the files of this folder are read at every start.
LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def read(name: str) -> Any:
    """A file of this folder."""
    return yaml.load(Path(__file__).with_name(name).read_text(encoding="utf-8"), LOADER)  # noqa: S506  # safe
