"""The states that rows go through, stored by their value."""

from enum import StrEnum


class ChatKind(StrEnum):
    """Telegram's chat types."""

    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"
    CHANNEL = "channel"


class UpdateState(StrEnum):
    """Where an update stands in the inbox."""

    NEW = "new"  # committed, to be handled (again)
    DONE = "done"  # handled, its effects committed with it; its JSON erased
    SET_ASIDE = "set_aside"  # failed too often or unreadable; its JSON kept for a person to look at


class OutgoingState(StrEnum):
    """Where a message stands in the outbox."""

    WAITING = "waiting"  # to be sent as soon as budgets, times and other rows allow
    SENT = "sent"  # Telegram accepted it
    FAILED = "failed"  # Telegram refused it for good; `error` says why
    DROPPED = "dropped"  # not needed: the row it follows ended otherwise, or its person was forgotten


class TicketState(StrEnum):
    """Where a hand-over stands."""

    OPEN = "open"  # nobody has taken it
    CLAIMED = "claimed"  # a member of staff has it
    WAITING = "waiting"  # answered, the candidate's turn
    CLOSED = "closed"  # over


class Feedback(StrEnum):
    """What a candidate said of an answer."""

    HELPED = "helped"
    NOT_MINE = "not_mine"
    PERSON = "person"


class ProposalState(StrEnum):
    """Where a proposed entry stands."""

    DRAFT = "draft"  # staff may change it
    APPROVED = "approved"  # an admin has said yes; it is being indexed
    PUBLISHED = "published"  # the assistant answers from it
    DISCARDED = "discarded"  # not wanted


class Direction(StrEnum):
    """Which way a relayed message went."""

    TO_STAFF = "to_staff"
    TO_CANDIDATE = "to_candidate"
