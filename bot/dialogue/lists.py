"""What people wrote down beside the code, as YAML: texts, words, phrases."""

from pathlib import Path
from typing import Any

import yaml


def read(name: str) -> Any:
    """A file of this folder. Ten times faster where PyYAML has libyaml, and all of them are read at every start."""
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    return yaml.load(Path(__file__).with_name(name).read_text(encoding="utf-8"), loader)  # noqa: S506  # safe
