"""People who ask, reply and write again, at random but as a seed has it, and what must come of each of their deeds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from bot.sandbox.botapi import BotApi
from bot.sandbox.people import Chat, User
from bot.sandbox.refusal import Json

# Answered by the knowledge that comes with the project; each by another entry.
ASKED = (
    "Who are the lecturers?",
    "What is the AI Project Manager course for?",
    "Who is in charge of the course?",
    "How many sessions have there been?",
    "Is the course suitable for a freelancer?",
    "Who decides in the end, the AI or the human?",
)
# Nothing answers it; the number tells one from the other.
UNKNOWN = "My parrot number {} has lost a feather: where does one buy glue for feathers in Lille?"
CARD, ADDED, REPLIED = "parrot number {} ", "addition {}.", "reply {}."
SIGNATURE = 40  # characters by which an answer is known


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody wrote in one chat, and the words by which it is known where it must arrive."""

    source: int
    target: int
    words: str


@dataclass(slots=True)
class Candidate:
    """Somebody on the way from questions to a person's reply and back."""

    user: User
    asks: list[int]  # places in ASKED
    number: int  # of their question to people
    hands_over: bool
    handed_over: bool = False
    replies: int = 0
    additions: int = 0


@dataclass(slots=True)
class Crowd:
    """Candidates and one member of staff; `known` are the beginnings of the answers to ASKED."""

    api: BotApi
    staff: Chat
    chance: Random
    known: Sequence[str]
    taken: str  # how the text begins that says to a candidate that people have the question
    deeds: list[Deed] = field(default_factory=list)
    people: list[Candidate] = field(default_factory=list)

    def act(self) -> None:
        """One update: somebody does what is their turn."""
        choices = [act for act in map(self._next, self.people) if act is not None]
        if not choices or (len(choices) < 12 and self.chance.random() < 0.4):
            choices = [(self._newcomer(), "ask")]
        candidate, what = self.chance.choice(choices)
        getattr(self, f"_{what}")(candidate)

    def _next(self, candidate: Candidate) -> tuple[Candidate, str] | None:
        if candidate.asks:
            return candidate, "ask"
        if not candidate.hands_over:
            return None
        if not candidate.handed_over:
            return candidate, "hand_over"
        if candidate.replies < 2 and candidate.replies <= candidate.additions and self._card(candidate):
            return candidate, "reply"
        return (candidate, "add") if candidate.additions < 2 else None

    def _newcomer(self) -> Candidate:
        number = len(self.people) + 1
        asks = self.chance.sample(range(len(ASKED)), self.chance.randint(1, 3))
        user = self.api.user(f"Person{number}")
        self.people.append(Candidate(user, asks, number, hands_over=self.chance.random() < 0.5))
        return self.people[-1]

    def _ask(self, candidate: Candidate) -> None:
        place = candidate.asks.pop()
        self.api.say(candidate.user, ASKED[place])
        self._expect(candidate.user.id, candidate.user.id, self.known[place])

    def _hand_over(self, candidate: Candidate) -> None:
        candidate.handed_over = True
        self.api.say(candidate.user, UNKNOWN.format(candidate.number))
        self._expect(candidate.user.id, self.staff.id, CARD.format(candidate.number))
        self._expect(candidate.user.id, candidate.user.id, self.taken)

    def _add(self, candidate: Candidate) -> None:
        candidate.additions += 1
        words = ADDED.format(f"{candidate.number}-{candidate.additions}")
        self.api.say(candidate.user, f"I forgot to say something, {words}")
        self._expect(candidate.user.id, self.staff.id, words)

    def _reply(self, candidate: Candidate) -> None:
        candidate.replies += 1
        words, card = REPLIED.format(f"{candidate.number}-{candidate.replies}"), self._card(candidate)
        admins = [number for number, role in self.staff.members.items() if role == "administrator"]
        marie = next(number for number in admins if number != self.api.bot.id)
        self.api.say(marie, f"Dear candidate, here is {words}", chat=self.staff, reply_to=card)
        self._expect(self.staff.id, candidate.user.id, words)

    def _card(self, candidate: Candidate) -> Json | None:
        """The newest message of the bot to staff with the candidate's question."""
        words = CARD.format(candidate.number)
        messages = reversed(self.staff.messages.values())
        ours = (message for message in messages if message["from"]["is_bot"])
        return next((message for message in ours if words in message.get("text", "")), None)

    def _expect(self, source: int, target: int, words: str) -> None:
        self.deeds.append(Deed(source, target, words))
