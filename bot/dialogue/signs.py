"""Signs that are not shown, and what is left of a text without them."""

import re
import unicodedata

# Bidirectional overrides, embeddings and isolates can make a text read as another; the rest is invisible.
_HIDDEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u2069\u3164\ufeff\ufff9-\ufffb\ufffe\uffff]"
    "|(?<![\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])\u200d"  # but for what joins emoji
)


def visible(text: str) -> str:
    """Return the text without control characters, overrides and what has no width; line ends stay."""
    text = _HIDDEN.sub("", text.replace("\r\n", "\n").replace("\t", " "))
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs"))


def clean(text: str, limit: int = 4096) -> str:
    """Return people's text as it may be shown, in at most `limit` characters."""
    text = re.sub(r"\n{3,}", "\n\n", visible(text)).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
