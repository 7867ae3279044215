"""Where staff are."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement

from bot.desk.groups import Groups
from bot.desk.hours import Hours
from bot.dialogue.texts import texts
from bot.records.tables import Ticket
from indexer.courses import Course
from indexer.entries import Language


@dataclass(frozen=True, slots=True)
class Desk:
    """A staff group, by our own id, the language that they read, and when they work and want to be reminded.

    `groups` are all the staff's groups, where there are several; a ticket's messages go to its own, whatever `chat` is.
    """

    chat: int
    language: Language
    hours: Hours = Hours()  # noqa: RUF009  immutable
    reminders: tuple[timedelta, ...] = ()
    school: tuple[Course, ...] = ()  # where there are several courses
    groups: Groups | None = None
    close_after: timedelta = timedelta()  # a reply to which nobody has written more; none: never

    @property
    def known(self) -> Groups:
        """All the staff's groups."""
        return self.groups or Groups(self.chat)

    def group(self, ticket: Ticket) -> int:
        """Where a ticket lives."""
        return self.known.of(ticket)

    def here(self, ticket: Ticket) -> bool:
        """Whether a ticket lives in this group: only those of its members may do anything about it."""
        return self.group(ticket) == self.chat

    def holds(self) -> ColumnElement[bool]:
        """Tickets that live in this group."""
        return self.known.holds(self.chat)

    def route(self, course: str, topic: str | None) -> int:
        """The group that gets a question."""
        staff = next((one.staff for one in self.school if one.name == course), "")
        return self.known.route(course, topic, staff)

    def name(self, group: int) -> str:
        """What staff call a group: what is routed to it."""
        return self.known.name(group) or texts(self.language).group_main

    def title(self, course: str) -> str:
        """What staff call a course; empty where there is only one, and for one that is not known."""
        return next((one.title(self.language) for one in self.school if one.name == course), "")
