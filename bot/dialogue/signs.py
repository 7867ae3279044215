"""Signs that are not shown, and what is left of a text without them."""

import re

# Control characters and halves of surrogate pairs mean nothing in a text; bidirectional overrides, embeddings and
# isolates can make it read as another; the rest is invisible.
_HIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff"
    "\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u2069\u3164\ufeff\ufff9-\ufffb\ufffe\uffff]"
    "|(?<![\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])\u200d"  # but for what joins emoji
)

# Signs as they are said aloud.
_SPOKEN = {
    "?": re.compile(r"\s*\b(?:point d['’ ]interrogation|question mark)\b", re.IGNORECASE),
    "!": re.compile(r"\s*\b(?:point d['’ ]exclamation|exclamation (?:mark|point))\b", re.IGNORECASE),
    ",": re.compile(r"\s*\b(?:virgule|comma)\b", re.IGNORECASE),
    ".": re.compile(r"\s*\b(?:point final|full stop)\b", re.IGNORECASE),
}
MOST_NAMES = 2  # words in capitals that say nothing of how they are meant


def visible(text: str) -> str:
    """Return the text without control characters, overrides and what has no width; line ends stay."""
    return _HIDDEN.sub("", text.replace("\r\n", "\n").replace("\t", " "))


def clean(text: str, limit: int = 4096) -> str:
    """Return people's text as it may be shown, in at most `limit` characters."""
    text = re.sub(r"\n{3,}", "\n\n", visible(text)).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def calm(text: str) -> str:
    """Return a text of three words or more in capitals alone in small letters; fewer may be names.

    >>> calm("WHO TEACHES THERE?"), calm("RNCP OU VAE")[:4], calm("RNCP ?")
    ('who teaches there?', 'rncp', 'RNCP ?')
    """
    return text.lower() if text.isupper() and len(text.split()) > MOST_NAMES else text


def punctuated(text: str) -> str:
    """Return a text without signs with those that were dictated as words.

    >>> punctuated("who teaches question mark"), punctuated("What is a question mark?")
    ('who teaches?', 'What is a question mark?')
    """
    if re.search("[?.!,;:]", text):
        return text
    for sign, said in _SPOKEN.items():
        text = said.sub(sign, text)
    return text


def squeezed(text: str) -> str:
    """Return the text with one blank between words, at most two line ends and no sign more than three times in a row.

    >>> squeezed("who    teaches??????")
    'who teaches???'
    """
    text = text.replace("\ufdfa", " ")  # the one sign that stands for eighteen letters
    text = re.sub(r"(?: ?\n){3,}", "\n\n", re.sub(r"[^\S\n]+", " ", text))
    return re.sub(r"([^\w\s])\1{3,}", r"\1\1\1", text)
