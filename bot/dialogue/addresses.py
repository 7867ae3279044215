"""Links, e-mail addresses and telephone numbers: nothing to search for, but how somebody can be reached."""

import re

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
# Beginning with + or 0, nine digits or more, or as 555-123-4567. Not a social security number, nor a date.
_PHONE = re.compile(
    r"(?<![\w+.])(?<!\d[ -])(?:(?:\+|\(?0)\d(?:[ .()/-]{0,2}\d){7,13}|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})(?![\w/]|[.-]\d)"
)


def without_addresses(text: str) -> str:
    """Return the text without links and e-mail addresses.

    >>> without_addresses("https://example.org/course is it yours?")
    'is it yours?'
    """
    return " ".join(_without(text).split())


def without_contacts(text: str) -> str:
    """Return the text without links, e-mail addresses and telephone numbers, its lines kept."""
    return _PHONE.sub(" ", _without(text))


def tells_contact(text: str) -> bool:
    """Say whether a text has an e-mail address or a telephone number."""
    return bool(_MAIL.search(text) or _PHONE.search(_LINK.sub(" ", text)))


def _without(text: str) -> str:
    """The text with a blank for each link and e-mail address."""
    return _MAIL.sub(" ", _LINK.sub(" ", text))
