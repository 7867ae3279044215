"""What stands in an e-mail beside its writer's own words: headers of mail programs, and what is quoted below."""

import re

_HEADER = re.compile(
    r"^\W{0,3}(?:from|to|cc|sent|date|subject|de|à|a|envoyé|objet|date d['’]envoi)[ \u00a0]?:[ \u00a0][^?]*$"
    r"|^\W{2,}(?:forwarded|original|message)\b[^?]{0,30}\W{2,}$|^\W*(?:begin forwarded message|message transféré)\W*$",
    re.IGNORECASE,
)
# Below one of these stands what is answered.
_ANSWERED = re.compile(
    r"^\W{0,3}(?:on|le)\b.{5,120}\b(?:wrote|a écrit)\s*:?\s*$|^-{2,}\s*(?:original message|message d['’]origine)\W*$",
    re.IGNORECASE,
)
_PREFIX = re.compile(r"^\s*(?:(?:fwd?|tr|re|wg|rv) ?: ?)+", re.IGNORECASE)


def own_words(text: str) -> str:
    """Return what is left above what a mail program quotes, without headers, quoted lines and "Fwd:"; "" if nothing is.

    >>> own_words("Who teaches?\\nOn Tue, 24 Nov 2026, Info wrote:\\n> Is it free?")
    'Who teaches?'
    """
    kept: list[str] = []
    headed = sum(bool(_HEADER.match(line)) for line in text.splitlines()) > 1
    for line in text.splitlines():
        is_header = headed and _HEADER.match(line)
        if _ANSWERED.match(line) or (is_header and any(map(str.strip, kept))):
            break
        if not is_header and not line.startswith(">"):
            kept.append(_PREFIX.sub("", line))
    return "\n".join(kept).strip()


def without_headers(text: str) -> str:
    """Return the whole text, what is quoted as well, without the lines that mail programs add.

    >>> without_headers("From: Tom\\nSubject: course\\n\\n> Who teaches?")
    'Who teaches?'
    """
    lines = (line.lstrip("> ") for line in text.splitlines() if not (_HEADER.match(line) or _ANSWERED.match(line)))
    return "\n".join(lines).strip()
