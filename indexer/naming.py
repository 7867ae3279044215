"""Names made of what people write: small letters, digits and hyphens, each given once."""

import re
import unicodedata
from collections.abc import Container
from itertools import count


def slug(text: str, words: int | None = None) -> str:
    """Small letters, digits and hyphens out of any text, or out of its first words.

    >>> slug(" Qui sont les intervenants, dans l'école ? ", words=4)
    'qui-sont-les-intervenants'
    """
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", ascii_text)[:words])


def free(name: str, taken: Container[str]) -> str:
    """The name, or else the first of name-2, name-3 … that is not taken."""
    return next(one for number in count(1) if (one := f"{name}-{number}" if number > 1 else name) not in taken)
