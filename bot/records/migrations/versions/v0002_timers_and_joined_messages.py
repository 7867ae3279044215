"""Timers; messages that carry several texts; what the sender looks for has an index."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "timer",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=200)),
        sa.Column("set_aside_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_timer"),
        sa.UniqueConstraint("key", name="uq_timer_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_timer_due", "timer", ["set_aside_at", "due_at"])
    op.add_column("outgoing", sa.Column("joined_id", ID))
    op.create_index("ix_outgoing_joined_id", "outgoing", ["joined_id"])
    op.create_index("ix_outgoing_message", "outgoing", ["chat_id", "message_id"])
    op.create_index("ix_chat_paused_until", "chat", ["paused_until"])
