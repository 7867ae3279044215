"""What is kept. Types exist in SQLite and PostgreSQL alike; only `Chat` holds Telegram's chat and user ids."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bot.records.states import ChatKind, Direction, Feedback, OutgoingState, ProposalState, TicketState, UpdateState

# SQLite numbers rows by itself only in a column of type INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")
# Numbers are never given twice, so a late reference cannot point to somebody else.
NEVER_REUSED = {"sqlite_autoincrement": True}


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


class UtcTime(TypeDecorator[datetime]):
    """Aware datetimes in, aware UTC datetimes out; a naive one is refused with ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC, since SQLite drops the zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value.isoformat()}; use utc_now() or .astimezone()")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Back in UTC, whatever zone the server speaks."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _values(kind: type[StrEnum]) -> list[str]:
    return [member.value for member in kind]


class Base(DeclarativeBase):
    """The metadata and the column types that annotations stand for."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads it once, as a plain dict
        datetime: UtcTime,
        StrEnum: Enum(StrEnum, native_enum=False, length=16, values_callable=_values),
        dict[str, Any]: JSON(none_as_null=True),
        list[str]: JSON(none_as_null=True),
        list[int]: JSON(none_as_null=True),
    }


class Chat(Base):
    """A Telegram chat, private or group. All other tables know it by `id` alone."""

    __tablename__ = "chat"
    __table_args__ = (NEVER_REUSED,)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    telegram_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    kind: Mapped[ChatKind]
    unreachable_since: Mapped[datetime | None]  # blocked or removed; cleared when they write again
    reason: Mapped[str | None] = mapped_column(String(200))
    forum: Mapped[bool] = mapped_column(default=False, server_default=false())  # a group with topics
    leased_by: Mapped[str | None] = mapped_column(String(100))  # the worker that handles its updates
    leased_until: Mapped[datetime | None]
    served_at: Mapped[datetime | None]  # last claim: who has waited longest is next
    paused_until: Mapped[datetime | None] = mapped_column(index=True)  # Telegram asked for silence (429)
    forgotten_at: Mapped[datetime | None]  # removed as soon as its last message has gone
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Process(Base):
    """One of the processes at work on this database."""

    __tablename__ = "process"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]  # last sign of life


class Role(Base):
    """What one process at a time does for all: polling, sending. It falls free with its holder's row."""

    __tablename__ = "role"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    held_by: Mapped[str | None] = mapped_column(ForeignKey(Process.name, ondelete="SET NULL"))


class Candidate(Base):
    """A person who asks, under a pseudonym."""

    __tablename__ = "candidate"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(Chat.id), unique=True)
    language: Mapped[str | None] = mapped_column(String(8))  # of what they wrote last
    chosen_language: Mapped[str | None] = mapped_column(String(8))  # to be spoken with, by their own wish
    course: Mapped[str | None] = mapped_column(String(100))  # chosen or named, where a school has several
    shown_name: Mapped[str | None] = mapped_column(String(64))  # shared with staff, by the person's own wish
    banned_at: Mapped[datetime | None]
    muted_until: Mapped[datetime | None]  # a ban that ends by itself
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(default=utc_now)

    @property
    def known_as(self) -> str:
        """What staff call them: by pseudonym, with the name that they chose to share."""
        return f"{self.shown_name} ({self.id})" if self.shown_name else self.id

    def silenced(self, now: datetime) -> bool:
        """Whether the team does not hear them: banned, or muted still."""
        return self.banned_at is not None or (self.muted_until is not None and self.muted_until > now)


class Update(Base):
    """The inbox: what Telegram sent, committed before Telegram may forget it."""

    __tablename__ = "update"
    __table_args__ = (
        Index("ix_update_next", "state", "chat_id", "seq"),
        Index("ix_update_pace", "chat_id", "received_at"),
        NEVER_REUSED,
    )

    seq: Mapped[int] = mapped_column(RowId, primary_key=True)
    update_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    chat_id: Mapped[int | None] = mapped_column(ForeignKey(Chat.id, ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(64))
    raw: Mapped[dict[str, Any] | None]
    state: Mapped[UpdateState] = mapped_column(default=UpdateState.NEW)
    attempts: Mapped[int] = mapped_column(default=0)  # times begun, so that one that kills its worker is counted
    leased_by: Mapped[str | None] = mapped_column(String(100))  # the worker that handles it, if it belongs to no chat
    not_before: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(200))  # class and place, never people's texts
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]


class Outgoing(Base):
    """The outbox: what is to be sent, committed together with its cause."""

    __tablename__ = "outgoing"
    __table_args__ = (
        Index("ix_outgoing_next", "state", "priority", "id"),
        Index("ix_outgoing_order", "chat_id", "state"),
        Index("ix_outgoing_message", "chat_id", "message_id"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)  # the same cause never sends twice
    chat_id: Mapped[int] = mapped_column(ForeignKey(Chat.id))
    method: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]]  # Bot API parameters without chat_id
    priority: Mapped[int]
    state: Mapped[OutgoingState] = mapped_column(default=OutgoingState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None]
    after_id: Mapped[int | None] = mapped_column(ForeignKey("outgoing.id"), index=True)
    after_state: Mapped[OutgoingState | None]  # the outcome of `after` in which this row is sent
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", use_alter=True), index=True)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    joined_id: Mapped[int | None] = mapped_column(
        RowId, index=True
    )  # the first of several rows that went as one message
    message_ids: Mapped[list[int] | None]  # of an album: all of them, `message_id` is the first
    error: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    sent_at: Mapped[datetime | None]


class Question(Base):
    """What was asked and what the bot made of it."""

    __tablename__ = "question"
    __table_args__ = (NEVER_REUSED,)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    candidate_id: Mapped[str] = mapped_column(ForeignKey(Candidate.id), index=True)
    course: Mapped[str] = mapped_column(String(100))  # empty as long as it is not known which
    topic: Mapped[str | None] = mapped_column(String(100))  # of the entry that came nearest, if it came near
    language: Mapped[str] = mapped_column(String(8))
    text: Mapped[str]
    decision: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    entry_id: Mapped[str | None] = mapped_column(String(200))
    confidence: Mapped[float | None]
    alternatives: Mapped[list[str]] = mapped_column(default=list)
    snapshot_id: Mapped[str | None] = mapped_column(String(100))
    asked_at: Mapped[datetime] = mapped_column(default=utc_now)
    feedback: Mapped[Feedback | None]
    answer_id: Mapped[int | None] = mapped_column(ForeignKey(Outgoing.id))
    message_id: Mapped[int | None] = mapped_column(BigInteger)  # of the candidate's own message
    edited_at: Mapped[datetime | None]  # the candidate changed it once it was on a card
    dismissed_at: Mapped[datetime | None]  # staff want no entry for it, nor for others that ask the same


class Ticket(Base):
    """A question in the hands of people."""

    __tablename__ = "ticket"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    candidate_id: Mapped[str] = mapped_column(ForeignKey(Candidate.id), index=True)
    course: Mapped[str] = mapped_column(String(100))
    language: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(String(32))
    state: Mapped[TicketState] = mapped_column(default=TicketState.OPEN)
    owner_chat_id: Mapped[int | None] = mapped_column(ForeignKey(Chat.id, ondelete="SET NULL"))
    # The staff's group that it lives in; none: the main one
    group_chat_id: Mapped[int | None] = mapped_column(ForeignKey(Chat.id))
    question_id: Mapped[int | None] = mapped_column(ForeignKey(Question.id))
    card_id: Mapped[int | None] = mapped_column(ForeignKey(Outgoing.id))
    found: Mapped[list[dict[str, Any]]] = mapped_column(
        JSON, default=list, server_default="[]"
    )  # entry, its question, confidence
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)
    asked_at: Mapped[datetime | None]  # since when the candidate waits for staff; none: it is the candidate's turn
    replied_at: Mapped[datetime | None]  # first reply
    answered_at: Mapped[datetime | None]  # last reply
    hushed_at: Mapped[datetime | None]  # the candidate knows that a person has it, and that the bot keeps silent
    closed_at: Mapped[datetime | None]
    rating: Mapped[int | None]  # 1 to 5
    remark: Mapped[str | None] = mapped_column(String(500))  # the candidate's line beside the rating

    # Two first messages at the same moment: the database lets one of them open the ticket.
    __table_args__ = (
        Index(
            "uq_ticket_not_closed",
            "candidate_id",
            unique=True,
            sqlite_where=text("state != 'closed'"),
            postgresql_where=text("state != 'closed'"),
        ),
        NEVER_REUSED,
    )


class Relay(Base):
    """Which message is a copy of which: replies, edits and deletions find their counterpart here."""

    __tablename__ = "relay"
    __table_args__ = (UniqueConstraint("chat_id", "message_id", "direction", "outgoing_id"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey(Ticket.id), index=True)
    direction: Mapped[Direction]
    chat_id: Mapped[int] = mapped_column(ForeignKey(Chat.id))  # of the original
    message_id: Mapped[int] = mapped_column(BigInteger)  # of the original
    outgoing_id: Mapped[int] = mapped_column(ForeignKey(Outgoing.id), index=True)  # the copy
    part: Mapped[int | None]  # its place, from 0, where the copy is an album
    file: Mapped[str | None] = mapped_column(String(100))  # which file it was: an edit may have replaced it
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Timer(Base):
    """What is to happen at a time: a reminder, a digest, the end of a period. Deleted by happening."""

    __tablename__ = "timer"
    __table_args__ = (Index("ix_timer_due", "set_aside_at", "due_at"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)  # who sets it again moves it
    kind: Mapped[str] = mapped_column(String(64))  # whose handler runs
    due_at: Mapped[datetime]
    payload: Mapped[dict[str, Any]]  # ids of our own
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(200))  # class and place, never people's texts
    set_aside_at: Mapped[datetime | None]  # failed too often: not tried again by itself
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Member(Base):
    """Somebody seen in a staff group, by the name that colleagues know."""

    __tablename__ = "member"

    chat_id: Mapped[int] = mapped_column(ForeignKey(Chat.id, ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    username: Mapped[str | None] = mapped_column(String(32))
    group_chat_id: Mapped[int | None] = mapped_column(ForeignKey(Chat.id))  # where seen last
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)


class Collision(Base):
    """A member of staff who was told that a colleague has a ticket: once is enough."""

    __tablename__ = "collision"

    ticket_id: Mapped[int] = mapped_column(ForeignKey(Ticket.id, ondelete="CASCADE"), primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(Chat.id, ondelete="CASCADE"), primary_key=True)


class Canned(Base):
    """A reply that staff keep ready, in either language or both."""

    __tablename__ = "canned"
    __table_args__ = (NEVER_REUSED,)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    title: Mapped[str] = mapped_column(String(60), unique=True)
    fr: Mapped[str | None]
    en: Mapped[str | None]


class Topic(Base):
    """A candidate's topic in a staff group that is a forum; two first messages at once make one."""

    __tablename__ = "topic"
    __table_args__ = (UniqueConstraint("candidate_id", "chat_id"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(Chat.id))
    candidate_id: Mapped[str] = mapped_column(ForeignKey(Candidate.id))
    outgoing_id: Mapped[int | None] = mapped_column(ForeignKey(Outgoing.id), index=True)  # the call that makes it
    name: Mapped[str] = mapped_column(String(128))
    closed: Mapped[bool] = mapped_column(default=False)


class Note(Base):
    """What staff said among themselves where a candidate's messages are: it stays there, and so do replies to it."""

    __tablename__ = "note"
    __table_args__ = (UniqueConstraint("chat_id", "message_id"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(Chat.id))
    message_id: Mapped[int] = mapped_column(BigInteger)
    album: Mapped[str | None] = mapped_column(String(64))  # whose other parts stay as well


class Attachment(Base):
    """The bytes of a file that the bot made, until its message has been sent."""

    __tablename__ = "attachment"

    outgoing_id: Mapped[int] = mapped_column(ForeignKey(Outgoing.id, ondelete="CASCADE"), primary_key=True)
    content: Mapped[bytes]


class Proposal(Base):
    """An entry that is to be made of a ticket's question and its answer, or of questions that nothing answers."""

    __tablename__ = "proposal"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey(Ticket.id, ondelete="SET NULL"), index=True)
    course: Mapped[str] = mapped_column(String(100))
    topic: Mapped[str] = mapped_column(String(100))
    language: Mapped[str] = mapped_column(String(8))  # of the ticket
    state: Mapped[ProposalState] = mapped_column(default=ProposalState.DRAFT)
    entry_id: Mapped[str | None] = mapped_column(String(200))  # given when it is published
    similar: Mapped[list[str]] = mapped_column(default=list)  # ids of entries that come near
    questions: Mapped[list[int]] = mapped_column(default=list, server_default="[]")  # numbers of those it is to answer
    first_question: Mapped[int | None] = mapped_column(BigInteger)  # the lowest of these numbers
    made_by: Mapped[int | None] = mapped_column(ForeignKey(Chat.id, ondelete="SET NULL"))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey(Chat.id, ondelete="SET NULL"))
    card_id: Mapped[int | None] = mapped_column(ForeignKey(Outgoing.id, ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    published_at: Mapped[datetime | None]

    # Two who press at once make one proposal.
    __table_args__ = (
        Index(
            "uq_proposal_of_ticket",
            "ticket_id",
            unique=True,
            sqlite_where=text("state != 'discarded'"),
            postgresql_where=text("state != 'discarded'"),
        ),
        Index(
            "uq_proposal_for_questions",
            "first_question",
            unique=True,
            sqlite_where=text("state IN ('draft', 'approved')"),
            postgresql_where=text("state IN ('draft', 'approved')"),
        ),
        NEVER_REUSED,
    )


class Wording(Base):
    """A proposed entry in one language; staff write the other, no machine translates it."""

    __tablename__ = "wording"

    proposal_id: Mapped[int] = mapped_column(ForeignKey(Proposal.id, ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(String(8), primary_key=True)
    question: Mapped[str]
    answer: Mapped[str]  # empty until staff write it
    also: Mapped[list[str]] = mapped_column(default=list, server_default="[]")  # other ways of asking


class Wish(Base):
    """Somebody whose question had no answer wants to hear if one is published."""

    __tablename__ = "wish"

    question_id: Mapped[int] = mapped_column(ForeignKey(Question.id, ondelete="CASCADE"), primary_key=True)
    wished_at: Mapped[datetime] = mapped_column(default=utc_now)
    told_at: Mapped[datetime | None]  # once is enough


class Theme(Base):
    """Something that candidates may ask to be told of when its time has come."""

    __tablename__ = "theme"
    __table_args__ = (NEVER_REUSED,)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    fr: Mapped[str] = mapped_column(String(60))
    en: Mapped[str] = mapped_column(String(60))
    told_fr: Mapped[str | None]  # what is to be told
    told_en: Mapped[str | None]
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)
    fired_at: Mapped[datetime | None]  # its time has come: nobody can ask for it any more


class Subscription(Base):
    """Somebody who asked to be told of a theme; it ends with the message, or as soon as they want."""

    __tablename__ = "subscription"

    theme_id: Mapped[int] = mapped_column(ForeignKey(Theme.id, ondelete="CASCADE"), primary_key=True)
    candidate_id: Mapped[str] = mapped_column(
        ForeignKey(Candidate.id, ondelete="CASCADE"), primary_key=True, index=True
    )
    since: Mapped[datetime] = mapped_column(default=utc_now)


class Ban(Base):
    """A ban or muting that outlasts /forget: no number of a chat, only what tells it again, and the name for staff."""

    __tablename__ = "ban"

    fingerprint: Mapped[str] = mapped_column(String(128), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(16), unique=True)
    banned_at: Mapped[datetime]
    until: Mapped[datetime | None]  # of somebody who is muted; none: until it is lifted


class Setting(Base):
    """What the bot remembers of its surroundings, e.g. the staff group's chat."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[str]


# Keys in `setting` of the stored snapshot that all workers answer from, and of the proposal that waits for an admin.
ACTIVE_SNAPSHOT, WAITING_PROPOSAL = "active_snapshot", "waiting_proposal"
TELEGRAM_SILENT = "telegram_silent"  # since when, and why


class StoredSnapshot(Base):
    """An index as the workers of one database share it (PostgreSQL)."""

    __tablename__ = "snapshot"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    manifest: Mapped[dict[str, Any]]
    stored_by: Mapped[str] = mapped_column(String(100))  # the machine and the process
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class SnapshotFile(Base):
    """A piece of a file of a stored snapshot."""

    __tablename__ = "snapshot_file"

    snapshot_id: Mapped[str] = mapped_column(ForeignKey(StoredSnapshot.id, ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)  # its path in the snapshot's folder
    chunk: Mapped[int] = mapped_column(primary_key=True)  # 0, 1, …
    sha256: Mapped[str] = mapped_column(String(64))  # of the whole file
    data: Mapped[bytes] = mapped_column(LargeBinary)


class StoredActivation(Base):
    """Who made which index live, and why, on whichever machine (PostgreSQL)."""

    __tablename__ = "activation"
    __table_args__ = (NEVER_REUSED,)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    noted: Mapped[dict[str, Any]]  # as the line of a machine's own history
