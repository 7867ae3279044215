"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
STATE = sa.String(16)


def upgrade() -> None:
    _chat()
    _setting()
    _candidate()
    _update()
    _outgoing()
    _question()
    _ticket()
    _relay()
    # Outbox and tickets name each other. SQLite took this reference with the table.
    if op.get_bind().dialect.supports_alter:
        op.create_foreign_key("fk_outgoing_ticket_id", "outgoing", "ticket", ["ticket_id"], ["id"])


def _chat() -> None:
    op.create_table(
        "chat",
        sa.Column("id", ID, nullable=False),
        sa.Column("telegram_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", STATE, nullable=False),
        sa.Column("unreachable_since", TIME),
        sa.Column("reason", sa.String(length=200)),
        sa.Column("leased_by", sa.String(length=100)),
        sa.Column("leased_until", TIME),
        sa.Column("served_at", TIME),
        sa.Column("paused_until", TIME),
        sa.Column("forgotten_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chat"),
        sa.UniqueConstraint("telegram_id", name="uq_chat_telegram_id"),
        sqlite_autoincrement=True,
    )


def _setting() -> None:
    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_setting"),
    )


def _candidate() -> None:
    op.create_table(
        "candidate",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("chat_id", ID, nullable=False),
        sa.Column("language", sa.String(length=8)),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chat.id"], name="fk_candidate_chat_id"),
        sa.PrimaryKeyConstraint("id", name="pk_candidate"),
        sa.UniqueConstraint("chat_id", name="uq_candidate_chat_id"),
    )


def _update() -> None:
    op.create_table(
        "update",
        sa.Column("seq", ID, nullable=False),
        sa.Column("update_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", ID),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("raw", sa.JSON()),
        sa.Column("state", STATE, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", TIME),
        sa.Column("error", sa.String(length=200)),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.ForeignKeyConstraint(["chat_id"], ["chat.id"], name="fk_update_chat_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("seq", name="pk_update"),
        sa.UniqueConstraint("update_id", name="uq_update_update_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_update_next", "update", ["state", "chat_id", "seq"])


def _outgoing() -> None:
    op.create_table(
        "outgoing",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("chat_id", ID, nullable=False),
        sa.Column("method", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", TIME),
        sa.Column("after_id", ID),
        sa.Column("after_state", STATE),
        sa.Column("ticket_id", ID),
        sa.Column("message_id", sa.BigInteger()),
        sa.Column("error", sa.String(length=200)),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sent_at", TIME),
        sa.ForeignKeyConstraint(["after_id"], ["outgoing.id"], name="fk_outgoing_after_id"),
        sa.ForeignKeyConstraint(["chat_id"], ["chat.id"], name="fk_outgoing_chat_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_outgoing_ticket_id", use_alter=True),
        sa.PrimaryKeyConstraint("id", name="pk_outgoing"),
        sa.UniqueConstraint("key", name="uq_outgoing_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outgoing_after_id", "outgoing", ["after_id"])
    op.create_index("ix_outgoing_next", "outgoing", ["state", "priority", "id"])
    op.create_index("ix_outgoing_order", "outgoing", ["chat_id", "state"])
    op.create_index("ix_outgoing_ticket_id", "outgoing", ["ticket_id"])


def _question() -> None:
    op.create_table(
        "question",
        sa.Column("id", ID, nullable=False),
        sa.Column("candidate_id", sa.String(length=16), nullable=False),
        sa.Column("course", sa.String(length=100), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32)),
        sa.Column("entry_id", sa.String(length=200)),
        sa.Column("confidence", sa.Double()),
        sa.Column("alternatives", sa.JSON(), nullable=False),
        sa.Column("snapshot_id", sa.String(length=100)),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("feedback", STATE),
        sa.Column("answer_id", ID),
        sa.Column("message_id", sa.BigInteger()),
        sa.ForeignKeyConstraint(["answer_id"], ["outgoing.id"], name="fk_question_answer_id"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name="fk_question_candidate_id"),
        sa.PrimaryKeyConstraint("id", name="pk_question"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_question_candidate_id", "question", ["candidate_id"])


def _ticket() -> None:
    op.create_table(
        "ticket",
        sa.Column("id", ID, nullable=False),
        sa.Column("candidate_id", sa.String(length=16), nullable=False),
        sa.Column("course", sa.String(length=100), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("owner_chat_id", ID),
        sa.Column("question_id", ID),
        sa.Column("card_id", ID),
        sa.Column("thread_id", sa.BigInteger()),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("answered_at", TIME),
        sa.Column("closed_at", TIME),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name="fk_ticket_candidate_id"),
        sa.ForeignKeyConstraint(["card_id"], ["outgoing.id"], name="fk_ticket_card_id"),
        sa.ForeignKeyConstraint(["owner_chat_id"], ["chat.id"], name="fk_ticket_owner_chat_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["question_id"], ["question.id"], name="fk_ticket_question_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ticket_candidate_id", "ticket", ["candidate_id"])
    op.create_index(
        "uq_ticket_not_closed",
        "ticket",
        ["candidate_id"],
        unique=True,
        sqlite_where=sa.text("state != 'closed'"),
        postgresql_where=sa.text("state != 'closed'"),
    )


def _relay() -> None:
    op.create_table(
        "relay",
        sa.Column("id", ID, nullable=False),
        sa.Column("ticket_id", ID, nullable=False),
        sa.Column("direction", STATE, nullable=False),
        sa.Column("chat_id", ID, nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("outgoing_id", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chat.id"], name="fk_relay_chat_id"),
        sa.ForeignKeyConstraint(["outgoing_id"], ["outgoing.id"], name="fk_relay_outgoing_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_relay_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_relay"),
        sa.UniqueConstraint("chat_id", "message_id", "direction", name="uq_relay_chat_id_message_id_direction"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_relay_outgoing_id", "relay", ["outgoing_id"])
    op.create_index("ix_relay_ticket_id", "relay", ["ticket_id"])
