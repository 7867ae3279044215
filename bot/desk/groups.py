"""The staff's groups: which one gets which questions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, or_, true

from bot.records.tables import Ticket


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups by our own ids: `routes` says which gets a `course`, a `course/topic` or a topic of all (`*/topic`).

    What no route speaks of goes to the `main` one.
    """

    main: int
    routes: Mapping[str, int] = field(default_factory=dict)

    @property
    def every(self) -> tuple[int, ...]:
        """All of them, the main one first."""
        return tuple(dict.fromkeys((self.main, *self.routes.values())))

    def route(self, course: str, topic: str | None, staff: str = "") -> int:
        """Where a question goes; a route that names its topic goes before one that does not.

        `staff` is the name under which several courses may be routed together.
        """
        by_topic = (f"{course}/{topic}", f"{staff}/{topic}", f"*/{topic}") if topic else ()
        return next((self.routes[key] for key in (*by_topic, course, staff) if key in self.routes), self.main)

    def of(self, ticket: Ticket) -> int:
        """Where a ticket lives; one of a group that is no longer routed to lives in the main one."""
        return ticket.group_chat_id if ticket.group_chat_id in self.routes.values() else self.main  # type: ignore[return-value]  # None is in no route

    def holds(self, group: int) -> ColumnElement[bool]:
        """Tickets that live in a group."""
        if not self.routes:
            return true()
        if group != self.main:
            return Ticket.group_chat_id == group
        others = [one for one in self.every if one != self.main]
        return or_(Ticket.group_chat_id.is_(None), Ticket.group_chat_id.not_in(others))

    def name(self, group: int) -> str:
        """What is routed to a group; empty for the main one."""
        return ", ".join(key for key, one in self.routes.items() if one == group != self.main)
