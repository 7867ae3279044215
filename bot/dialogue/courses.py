"""Which course a message is about: named in it, chosen before, or told by what is found. Pure but for `find`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from bot.dialogue.conversation import Exchange, Part, Turn, respond
from bot.dialogue.decide import Answer, Beside, Clarify, Limits
from bot.dialogue.language import fold
from bot.dialogue.message import Button, Message
from bot.dialogue.questions import resolve_follow_up
from bot.dialogue.render import Reason
from bot.dialogue.texts import texts
from indexer.courses import COMMON, Course
from indexer.entries import Language
from indexer.passages import Hit

Find = Callable[[str, Language, str | None], tuple[Hit, ...]]
Known = Callable[[str, str | None], bool]  # whether an entry of a course has these very words
AHEAD = 0.4  # by how much one course's answer must be surer than any other's, to be given without asking
WORD = re.compile(r"\w+")
# What may stand beside a course's name in a message that only names it.
BESIDE = frozenset(
    "the a about it is its for in of on please course courses programme program s il vous te plait svp"
    " le la les l un une c est ce cest pour en du de d des sur cours formation formations".split()
)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where answers are looked for: in several courses, or else in the only one; None for wherever there are any."""

    find: Find
    known: Known
    courses: Sequence[Course] = ()
    only: str | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """What a deep link says: the course, if it names one, and the rest of its payload."""

    course: str | None
    rest: str


def start_of(payload: str, school: Sequence[Course]) -> Start:
    """Read the payload of a deep link: a course, or a course and `_` and more.

    >>> start_of("law_fees", [Course("law", "Droit", "Law")])
    Start(course='law', rest='fees')
    """
    first, _, rest = payload.partition("_")
    known = {course.name for course in school}
    return Start(first, rest) if first in known else Start(None, payload)


@dataclass(frozen=True, slots=True)
class Named:
    """The one course that a text names, and the text without that name."""

    course: str
    rest: str

    @property
    def alone(self) -> bool:
        """Whether the text says nothing else."""
        return set(WORD.findall(fold(self.rest))) <= BESIDE


def named(text: str, school: Sequence[Course]) -> Named | None:
    """The course that a text names; None for none, or for several. Of overlapping names the longest counts."""
    if not school:
        return None
    flat = "".join((fold(letter) or letter)[0] for letter in text)  # as long as the text
    found = [(match.span(), course.name) for course in school for match in _names(course).finditer(flat)]
    longest = [
        (span, name)
        for span, name in found
        if not any(other[0] <= span[0] and span[1] <= other[1] and other != span for other, _ in found)
    ]
    if len({name for _, name in longest}) != 1:
        return None
    rest = text
    for (start, end), _ in sorted(longest, reverse=True):
        rest = rest[:start] + rest[end:]
    return Named(longest[0][1], " ".join(rest.split()))


def _names(course: Course) -> re.Pattern[str]:
    """Any of a course's names as whole words, however they are spaced, accented or written in capitals."""
    told = sorted((course.name, course.fr, course.en, *course.names), key=len, reverse=True)
    patterns = [r"[\W_]+".join(map(re.escape, words)) for name in told if (words := re.findall(r"[^\W_]+", fold(name)))]
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)")


def attend(
    text: str,
    sources: Sources,
    limits: Limits,
    today: date,
    *,
    language: Language | None = None,
    before: Exchange | None = None,
    chosen: str | None = None,
) -> Turn:
    """Understand a message within its course; where that cannot be told, the turn asks which one.

    A course named in the message counts for that message, and goes before the one `chosen` earlier.
    """
    school, only = sources.courses, sources.only
    ask = partial(respond, text, limits=limits, today=today, language=language, before=before)

    def within(course: str | None, names: Sequence[Course] = ()) -> Turn:
        known = partial(_known, sources.known, course, names=names)
        return ask(partial(_find, sources.find, course, names=names), known=known)

    if not school:
        return replace(within(only), course=only or "")
    name = named(text, school)
    if name and name.alone:
        turn = ask(lambda *_: ())
        return Turn(turn.text, turn.language, course=name.course, named=True)
    course = name.course if name else _of_before(text, before, school) or chosen
    if course in {one.name for one in school}:
        turn = within(course, school if name else ())
        return replace(turn, course=course or "", named=name is not None)
    anywhere = within(None)
    first = None if anywhere.chat else anywhere.parts[0].decision
    if first is None or isinstance(first, Beside) or getattr(first, "reason", None) is Reason.PERSON:
        return anywhere
    near = {hit.entry.course for part in anywhere.parts for hit in part.answers}
    turns = [replace(within(one.name), course=one.name) for one in school if one.name in near]
    return _told(anywhere, turns, limits) or Turn(
        anywhere.text,
        anywhere.language,
        parts=(Part(anywhere.text, Clarify(()), anywhere.parts[0].hits),),
        courses=tuple(school),
        foreign=anywhere.foreign,
    )


def _known(known: Known, course: str | None, question: str, *, names: Sequence[Course]) -> bool:
    """Whether an entry of a course has these very words, with or without the course's name in them."""
    name = named(question, names)
    return known(question, course) or bool(name and not name.alone and known(name.rest, course))


def _find(
    find: Find, course: str | None, question: str, language: Language, *, names: Sequence[Course]
) -> tuple[Hit, ...]:
    """What a course has for a question, with and without the course's name in it: the surer counts."""
    found = find(question, language, course)
    name = named(question, names)
    if name is None or name.alone:
        return found
    return max(found, find(name.rest, language, course), key=lambda hits: hits[0].confidence if hits else 0.0)


def _of_before(text: str, before: Exchange | None, school: Sequence[Course]) -> str | None:
    """The course that the question before named, if this message leans on it."""
    if before is None or not resolve_follow_up(text, before.question, before.topic):
        return None
    name = named(before.question, school)
    return name.course if name else None


def _told(anywhere: Turn, turns: Sequence[Turn], limits: Limits) -> Turn | None:
    """The turn of the course that is clearly ahead, or one that is the same in every course; None if neither is."""
    if all(_common(turn) for turn in (turns or [anywhere])):
        return replace((turns or [anywhere])[0], course="")
    claims = sorted(((_claim(turn), number) for number, turn in enumerate(turns)), reverse=True)
    second = claims[1][0] if len(claims) > 1 else 0.0
    if claims and claims[0][0] >= limits.answer and claims[0][0] - second >= AHEAD:
        return turns[claims[0][1]]
    return None


def _common(turn: Turn) -> bool:
    return all(isinstance(part.decision, Answer) and part.decision.entry.course == COMMON for part in turn.parts)


def _claim(turn: Turn) -> float:
    """How sure a course is of an answer of its own."""
    own = [part.confidence for part in turn.parts if part.answers and part.answers[0].entry.course == turn.course]
    return max(own, default=0.0)


def which(school: Sequence[Course], language: Language, chosen: str | None = None, then: str = "") -> Message:
    """Ask which course, or show the one that is chosen; a button for each, which leads on to the topic `then`."""
    words = texts(language)
    now = next((course.title(language) for course in school if course.name == chosen), None)
    said = words.course_now.format(course=now) if now else words.course_which
    rows = tuple(
        (Button(course.title(language), data=f"u:{course.name}" + (f":{then}" if then else "")),) for course in school
    )
    return Message(said, buttons=rows)
