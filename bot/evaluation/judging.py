"""Golden questions put to an engine, and each turn judged."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.dialogue.conversation import Exchange, Turn
from bot.dialogue.decide import Answer, Beside, Clarify, Limits
from bot.evaluation.golden import CHAT, ESCALATE, Golden
from bot.understanding import understood
from indexer.encoder import Encoded, Encoder
from indexer.engine import Engine
from indexer.passages import Hit

Progress = Callable[[int, int], None]


class Outcome(StrEnum):
    """What became of a golden question."""

    RIGHT = "right"  # answered with the expected entry, handed over where it should be, greeted where it is a greeting
    ASKED = "asked"  # asked back: with the expected entry among the choices, or where no entry answers
    MISSED = "missed"  # handed over, or asked back without the expected entry
    WRONG = "wrong"  # something else was shown as the answer


@dataclass(frozen=True, slots=True)
class Judged:
    """A golden question, what the assistant made of it, and how that is judged."""

    golden: Golden
    turn: Turn
    outcome: Outcome

    @property
    def hits(self) -> tuple[Hit, ...]:
        """Of the first part, drafts among them."""
        return self.turn.parts[0].hits if self.turn.parts else ()

    @property
    def confidence(self) -> float:
        """Of the first hit; 0 where there is none or it is a draft."""
        return self.turn.parts[0].confidence if self.turn.parts else 0.0

    @property
    def first_right(self) -> bool:
        """Whether the best hit is an expected entry."""
        return bool(self.hits) and not self.hits[0].entry.draft and self.rank == 1

    @property
    def rank(self) -> int | None:
        """The place of an expected entry among the answered hits, from 1; None if it is not there."""
        wanted = {*self.golden.expect, *self.golden.also}
        answers = self.turn.parts[0].answers if self.turn.parts else ()
        return next((place for place, hit in enumerate(answers, 1) if hit.entry.id in wanted), None)


class Remembering:
    """An encoder that remembers questions: golden ones are put to several engines, one after the other."""

    def __init__(self, encoder: Encoder) -> None:
        self.identity, self.dims = encoder.identity, encoder.dims
        self.queries, self.passages = encoder.queries, encoder.passages
        self._encoder = encoder
        self._known: dict[str, Encoded] = {}

    def questions(self, texts: Sequence[str], /) -> list[Encoded]:
        """Encode what people ask, with its tokens."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known |= dict(zip(new, self._encoder.questions(new), strict=True))
        return [self._known[text] for text in texts]


def judge(
    engine: Engine,
    questions: Iterable[Golden],
    limits: Limits,
    today: date,
    progress: Progress = lambda *_: None,
) -> list[Judged]:
    """Put every question to the engine as a candidate would write it."""
    listed = list(questions)
    judged = []
    for number, golden in enumerate(listed):
        before = _exchange(golden, engine)
        turn = understood(
            engine, golden.ask, limits, today, language=golden.language, before=before, chosen=golden.course
        )
        judged.append(Judged(golden, turn, outcome(golden, turn)))
        progress(number + 1, len(listed))
    return judged


def _exchange(golden: Golden, engine: Engine) -> Exchange | None:
    if golden.before is None:
        return None
    entry = engine.entry(golden.before.entry, golden.language) if golden.before.entry else None
    if entry is None:
        return Exchange(golden.before.ask)
    return Exchange(golden.before.ask, entry.topic_name, entry.id, wording=entry.question, language=golden.language)


def outcome(golden: Golden, turn: Turn) -> Outcome:
    """Judge a turn against what is expected; to ask which course is meant is to ask back."""
    if turn.courses:
        return Outcome.ASKED
    if any(isinstance(part.decision, Beside) for part in turn.parts):  # no question was found: the team is offered
        expected = {*golden.expect}
        return Outcome.RIGHT if expected == {CHAT} else Outcome.ASKED if expected == {ESCALATE} else Outcome.MISSED
    if golden.expect == (CHAT,) or turn.chat:
        kind = golden.expect == (CHAT,)
        shown = any(isinstance(part.decision, Answer) for part in turn.parts)
        return Outcome.RIGHT if kind and turn.chat else Outcome.WRONG if kind and shown else Outcome.MISSED
    wanted = {*golden.expect, *golden.also} - {ESCALATE}
    again = any(part.again for part in turn.parts)  # told that there is no more to say, with the team to ask
    answered = [
        part.decision.entry.id
        for part in turn.parts
        if isinstance(part.decision, Answer) and not (part.again and part.decision.entry.id not in wanted)
    ]
    offered = {entry.id for part in turn.parts if isinstance(part.decision, Clarify) for entry in part.decision.entries}
    if any(entry_id not in wanted for entry_id in answered):
        return Outcome.WRONG
    must = [entry_id for entry_id in golden.expect if entry_id != ESCALATE]
    if not must:
        return Outcome.ASKED if offered or again else Outcome.RIGHT
    got = {*answered, *golden.also} if set(answered) & set(golden.also) else set(answered)
    if len(got) >= 1 and (set(must) <= got or (len(must) == 1 and answered)):
        return Outcome.RIGHT
    return Outcome.ASKED if set(must) & (offered | got) or offered & set(golden.also) else Outcome.MISSED
