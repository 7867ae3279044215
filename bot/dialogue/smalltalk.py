"""Small talk and noise: recognised only when the whole message is nothing else, so that no question is lost."""

import re
import unicodedata
from functools import cache
from typing import Any, Literal

from bot.dialogue import lists
from bot.dialogue.addresses import tells_contact, without_addresses, without_contacts
from bot.dialogue.language import fold
from bot.dialogue.questions import asks
from bot.dialogue.shorthand import with_apostrophes

ChatKind = Literal[
    "greeting",
    "thanks",
    "goodbye",
    "insult",
    "complaint",
    "gibberish",
    "presence",
    "language",
    "languages",
    "okay",
    "listening",
]

_PHRASES: dict[str, Any] = lists.read("phrases.yaml")
# What counts when a message holds several ("merci, au revoir"): the first of these that it holds.
_KINDS: dict[str, ChatKind] = {
    "complaint": "complaint",
    "insult": "insult",
    "languages": "languages",
    "presence": "presence",
    "thanks": "thanks",
    "goodbye": "goodbye",
    "listening": "listening",
    "greeting": "greeting",
    "fine": "thanks",
    "okay": "okay",
}
_SIGNS: dict[str, ChatKind] = {
    "👋": "greeting",
    "🖐": "greeting",
    "🙏": "thanks",
    "👍": "okay",
    "❤": "thanks",
    "👌": "okay",
}
_TAKING = "|".join(_PHRASES["taking"].split())
_MOST_WORDS = 14
_MOST_BESIDE = 40  # words of a poem that is wished for, or of what promises money
_LONGEST_WISH = 60  # words of a message in which one clause may wish for a person
_MOST_WISHING = 25  # words of such a clause, with its greeting and thanks
_CLAUSE = re.compile(
    r"[.!?;,:…()\n–—]+|\s-\s|\b(?:mais|but|so|donc|alors|because|car|parce que|puisque|since|et|and)\b"
)
_ROWS = ("azertyuiop", "qsdfghjklm", "wxcvbn", "qwertyuiop", "asdfghjkl", "zxcvbnm")
# Letters that hardly ever stand side by side in French or English words.
_UNUSUAL = frozenset(
    """bq bx bz bk bg cb cf cg cj cv cx cw dx dz dq fq fx fz fj fk fv fh fb fg gq gx gz gj gk gv gc hj hx hz hq hv hg hk
    jb jc jd jf jg jh jj jk jl jm jn jp jq jr js jt jv jw jx jy jz kq kx kz kj kv kg kd kp lx lz lq lj mx mz mq mj mk mg
    mw nz pq px pz pj pv pk qb qc qd qe qf qg qh qi qj qk ql qm qn qo qp qr qs qt qv qw qx qy qz rx rz sx sz sj tq tx tj
    vb vc vd vf vg vh vj vk vm vn vp vq vt vw vx vz wq wx wz wj wv wu wg wc wp wm wf wk xb xd xf xg xj xk xl xm xn xq xr
    xs xv xw xz yq yx yj yk yh yy zb zc zd zf zg zh zj zk zm zn zp zq zr zs zt zv zw zx gf fd sg hf uu iy yi aq xh"""
    .split()
)  # fmt: skip


def chat_kind(text: str) -> ChatKind | None:
    """Return what kind of small talk or noise the whole message is; None for anything that may be a question."""
    text = without_addresses(text)
    if not any(character.isalpha() for character in text):
        return next((kind for sign, kind in _SIGNS.items() if sign in text), "gibberish")
    words = _words(text)
    if len(words) > _MOST_WORDS:
        return None
    return _phrases(" ".join(words), asks="?" in text) or ("gibberish" if _is_noise(words) else None)


def is_beside(text: str) -> bool:
    """Say whether the whole message wants nothing of a course: a joke, the weather, love, a sum, the wrong chat …"""
    words = _words(text)
    said = " ".join(words)
    if not 0 < len(words) <= _MOST_BESIDE or re.search(rf"\b(?:{_PHRASES['about']})\b", said):
        return False
    signs = " ".join(fold(text).split())
    return bool(re.fullmatch(_any("beside"), said) or re.fullmatch(_any("beside_signs"), signs))


def asks_for_person(text: str) -> bool:
    """Say whether a message asks for a person rather than for the assistant, and asks nothing else.

    It does as a whole, in one of its clauses, or by telling in a few words how its author can be reached.
    """
    left = without_contacts(text)
    words = _words(left)
    if len(words) > _LONGEST_WISH:
        return False
    if _is_wish(" ".join(words), named=True):
        return True
    clauses = [said for clause in _CLAUSE.split(fold(left)) if (said := " ".join(_words(clause)))]
    others = [clause for clause in clauses if not _is_wish(clause)]
    if len(others) < len(clauses):
        return not any(asks(clause) for clause in others)
    return tells_contact(text) and len(words) <= _MOST_WORDS and not asks(left) and not any(map(asks, clauses))


def _is_wish(said: str, *, named: bool = False) -> bool:
    """Say whether folded words wish for a person; where they are all there is, a person `named` is enough."""
    return (
        0 < len(said.split()) <= _MOST_WISHING
        and bool(_for_person("person", "person_named").fullmatch(said))
        and (named or bool(_for_person("person").fullmatch(said)))  # long, so made only where it may match
    )


def agrees(text: str) -> bool:
    """Say whether the whole message is a yes."""
    return bool(re.fullmatch(_any("agreed"), " ".join(_words(text))))


def chosen(text: str, count: int) -> tuple[int, ...]:
    """Return which of so many questions offered the whole message takes; none where it says anything else.

    >>> chosen("the second one, please", 3), chosen("les deux", 2), chosen("oui", 1), chosen("two years", 2)
    ((1,), (0, 1), (0,), ())
    """
    if count == 1 and agrees(text):
        return (0,)
    words = _words(text)
    if len(words) > _MOST_WORDS:
        return ()
    if re.fullmatch(rf"(?:(?:{_TAKING}) )*?(?:{_PHRASES['every']})(?: (?:{_TAKING}))*", " ".join(words)):
        return tuple(range(count))
    named = [word for word in words if not re.fullmatch(_TAKING, word)]
    places = {_place(word, count) for word in named}
    return tuple(sorted(places)) if places <= set(range(count)) else ()


def _place(word: str, count: int) -> int:
    """Return the place that a word names among so many; -1 for another word."""
    if re.fullmatch(_PHRASES["last"], word):
        return count - 1
    return next((at for at, names in enumerate(_PHRASES["places"]) if re.fullmatch(names, word)), -1)


def _words(text: str) -> list[str]:
    text = with_apostrophes(with_apostrophes(text, "en"), "fr")  # "that s all" would be French otherwise
    return re.sub(r"[^\w'+\s]|_", " ", fold(text)).split()


def _phrases(said: str, *, asks: bool) -> ChatKind | None:
    """Return the kind of a text that is made of known phrases alone; "c'est faux ?" says nothing of an answer."""
    if re.fullmatch(_any("nothing"), said):
        return "gibberish"
    if not _whole().fullmatch(said):
        return None
    name = next((name for name in _KINDS if _inside(name).search(said)), None)
    return None if name is None or (asks and name in {"fine", "okay", "complaint"}) else _KINDS[name]


@cache
def _any(*kinds: str) -> str:
    return "(?:" + "|".join(f"(?:{phrase})" for kind in kinds for phrase in _PHRASES[kind].splitlines()) + ")"


@cache
def _whole() -> re.Pattern[str]:
    part = rf"{_any(*_KINDS, 'filler')}(?:\s+|$)"
    return re.compile(f"(?:{part}){{1,6}}")


@cache
def _for_person(*kinds: str) -> re.Pattern[str]:
    around = rf"(?:{_any('greeting', 'thanks', 'filler', 'reached')}(?:\s+|$)){{0,6}}"
    return re.compile(rf"{around}{_any(*kinds)}(?:\s+|$){around}")


@cache
def _inside(kind: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\S){_any(kind)}(?!\S)")


def _is_noise(words: list[str]) -> bool:
    """Say whether every word looks like nothing that French or English would write."""
    letters = [word for word in words if not word.isdigit()]
    return all(_is_odd(word.replace("'", "")) for word in letters)


def _is_odd(word: str) -> bool:
    if any(unicodedata.category(letter) == "Lo" or letter > "\u024f" for letter in word):
        return False
    if len(word) < 3:
        return len(word) < 2 and not word.isdigit()
    if re.search(r"(.)\1{3}", word) or re.fullmatch(r"(.{1,3})\1{2,}.?", word) or _is_run(word):
        return True
    unusual = sum(word[at : at + 2] in _UNUSUAL for at in range(len(word) - 1))
    vowels = len(re.findall("[aeiouy]", word))
    return (
        unusual >= max(2, len(word) / 5)
        or (len(word) >= 6 and vowels == 0)
        or (unusual >= 1 and vowels == 0 and len(word) >= 4)
    )


def _is_run(word: str) -> bool:
    """Say whether the keys lie side by side on an azerty or qwerty keyboard."""
    return any(word in row or word[::-1] in row for row in _ROWS)
