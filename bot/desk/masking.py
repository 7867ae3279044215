"""What people write about themselves, taken out of a text before others read it.

In doubt it is masked: staff see the result and can write back what is public, such as the school's own address.
"""

import re
from collections.abc import Iterable, Sequence

from phonenumbers import Leniency, PhoneNumberMatcher

MASK = "[…]"
HOME = "FR"  # numbers without a country's prefix are read as this one's
SHORTEST_NAME = 3  # letters: shorter parts of a name are words of either language

_STREET = r"rue|avenue|av\.|boulevard|bd|bld|chemin|impasse|all[ée]e|quai|faubourg|r[ée]sidence"
_PERHAPS_STREET = "[Pp]lace|[Cc]ours|[Rr]oute|[Ss]quare|[Pp]assage|[Vv]illa|[Vv]oie"  # if a name follows
_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w'’-]*"
_WORD = r"[^\W\d_][\w'’-]*"
_TOWN = rf"{_CAPITAL}(?:[ -]{_CAPITAL}){{0,3}}(?: cedex(?: \d+)?)?"
_MONEY = r"(?!EUR|Euro|USD|GBP|CFA|FCFA)"
_NAME = rf"{_CAPITAL}(?: (?:(?:de|du|da|van|von|la|le|el|al|bin|ben) )?{_CAPITAL}){{0,3}}"

# In this order: what holds others inside comes first.
PATTERNS = (
    # E-mail addresses.
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    # Addresses on the web that carry more than a place: a login, parameters, a token in the path.
    re.compile(
        r"\b(?:https?://|www\.)[^\s<>()\[\]]*(?:[?#@]|(?<![A-Za-z0-9])(?=[A-Za-z]*\d)[A-Za-z0-9]{16,})[^\s<>()\[\]]*"
    ),
    # Telegram names and links to people.
    re.compile(r"(?<![\w/.])@[A-Za-z]\w{3,31}\b|\bt\.me/\w+"),
    # Bank accounts (IBAN): country, two digits, groups.
    re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?(?=[A-Z]*\d)[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,4})?\b", re.IGNORECASE),
    # French social security: sex, year, month, department, town, order, perhaps a key.
    re.compile(r"\b[12][ .]?\d{2}[ .]?\d{2}[ .]?(?:\d{2}|2[ABab])[ .]?\d{3}[ .]?\d{3}(?:[ .]?\d{2})?\b"),
    # Bank cards and the like: groups of four digits.
    re.compile(r"\b\d{4}(?:[ -]\d{4}){2,}\b"),
    # Numbers of documents: INE, passport, identity card, residence permit. Letters and at least five digits in one.
    re.compile(r"\b(?!RNCP)(?=[A-Za-z0-9]*[A-Za-z])(?=(?:[A-Za-z]*\d){5})[A-Za-z0-9]{7,}\b"),
    re.compile(r"\b(?!RNCP)(?=\d*[A-Z])(?=(?:[A-Z]*\d){2})[A-Z0-9]{9}\b"),  # the newer identity cards have fewer digits
    # Postal addresses, French and English, with the town that follows.
    re.compile(
        rf"\b\d{{1,4}}(?: ?(?:bis|ter|quater))?,? (?:(?i:{_STREET}) "
        rf"|(?:{_PERHAPS_STREET}) (?:d[eu]s? (?:la )?)?(?=[A-Z]))"
        rf"[^\n,;.!?]{{2,60}}(?:,? *\n?\d{{5}} {_TOWN})?"
    ),
    re.compile(
        rf"\b\d{{1,5}} (?:{_CAPITAL} ){{1,4}}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct"
        rf"|Square|Sq|Terrace|Close|Way)\b\.?"
    ),
    re.compile(rf"\b\d{{5}} {_MONEY}{_TOWN}\b"),
    re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b"),  # British postcodes
    # Telephone numbers as written where they are dialled; `phonenumbers` finds the others.
    re.compile(r"(?<![\w.,])(?:\+|00)\d{1,3}(?:[ .()/-]{0,3}\d){6,12}\b"),
    re.compile(r"(?<![\w.,])0\d(?:[ .-]?\d{2}){4}\b"),
    re.compile(r"(?<![\w.,])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b"),
    # Any other long number: of a file, of a candidate, of an account.
    re.compile(r"(?<![\w.,])\d{7,}\b"),
)
# Names by what stands before them; only the name goes.
INTRODUCED = (
    re.compile(
        r"(?P<before>(?i:\b(?:je m['’]appelle|mon (?:pr[ée])?nom (?:complet )?est|mon nom de famille est|my (?:full "
        r"|first |last |family )?name is|my name['’]s|i am called|i['’]m called|sign[ée] ?:|nom ?:|pr[ée]nom ?:"
        r"|name ?:)\s+))"
        rf"(?P<name>{_WORD}(?: {_WORD}(?= ?(?:$|[,.;!?\n])))?(?: {_CAPITAL})*)",
    ),
    re.compile(
        r"(?P<before>\b(?:[Mm]adame|[Mm]onsieur|[Mm]ademoiselle|M(?:me|lle|r|rs|s)\.?|M\.|Dr\.?|Docteur|Prof(?:esseure?|essor)?\.?)\s+)"
        rf"(?!(?:Madame|Monsieur|Mademoiselle)\b)(?P<name>{_NAME})"
    ),
    re.compile(
        rf"(?P<before>\b(?:[Jj]e suis|I am|I['’]m|[Cc]['’]est|[Tt]his is) )(?P<name>{_CAPITAL}(?: {_CAPITAL})+)"
    ),
    re.compile(
        r"(?P<before>(?i:\b(?:cordialement|bien à vous|(?:best |kind |warm )?regards|sincerely|bonne journée))[,.]?\s+)"
        rf"(?P<name>{_NAME})(?=\s*$)"
    ),
)
_TWICE = re.compile(rf"{re.escape(MASK)}(?:[\s,]*{re.escape(MASK)})+")


def mask(text: str, names: Iterable[str] = ()) -> str:
    """The text with […] in place of what tells who somebody is; `names` are those of the people concerned.

    >>> mask("Je m'appelle Sara Benali, 06 12 34 56 78")
    "Je m'appelle […], […]"
    """
    for pattern in PATTERNS[:3]:
        text = pattern.sub(MASK, text)
    text = _without_telephones(text)
    for pattern in PATTERNS[3:]:
        text = pattern.sub(MASK, text)
    for pattern in INTRODUCED:
        text = pattern.sub(rf"\g<before>{MASK}", text)
    if (named := _names(tuple(names))) is not None:
        text = named.sub(MASK, text)
    return _TWICE.sub(MASK, text)


def _without_telephones(text: str) -> str:
    """Right to left, so that places stay right."""
    found = list(PhoneNumberMatcher(text, HOME, leniency=Leniency.VALID))
    for match in reversed(found):
        text = f"{text[: match.start]}{MASK}{text[match.end :]}"
    return text


def _names(names: Sequence[str]) -> re.Pattern[str] | None:
    """Each name as a whole and its parts, however they are written."""
    whole = {name.strip() for name in names if name.strip()}
    parts = {part for name in whole for part in re.findall(r"[^\W\d_]+", name) if len(part) >= SHORTEST_NAME}
    wanted = sorted({re.escape(one) for one in whole | parts if len(one) >= SHORTEST_NAME}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(wanted)})(?!\w)", re.IGNORECASE) if wanted else None
