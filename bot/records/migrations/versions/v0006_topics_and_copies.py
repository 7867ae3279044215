"""Topics of a forum, notes among staff, and copies of albums."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("chat", sa.Column("forum", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("outgoing", sa.Column("message_ids", sa.JSON()))
    op.add_column("relay", sa.Column("part", sa.Integer()))
    op.add_column("relay", sa.Column("file", sa.String(length=100)))
    op.drop_column("ticket", "thread_id")
    op.create_table(
        "topic",
        sa.Column("id", ID, nullable=False),
        sa.Column("chat_id", ID, nullable=False),
        sa.Column("candidate_id", sa.String(length=16), nullable=False),
        sa.Column("outgoing_id", ID),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name="fk_topic_candidate_id"),
        sa.ForeignKeyConstraint(["chat_id"], ["chat.id"], name="fk_topic_chat_id"),
        sa.ForeignKeyConstraint(["outgoing_id"], ["outgoing.id"], name="fk_topic_outgoing_id"),
        sa.PrimaryKeyConstraint("id", name="pk_topic"),
        sa.UniqueConstraint("candidate_id", "chat_id", name="uq_topic_candidate_id_chat_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_topic_outgoing_id", "topic", ["outgoing_id"])
    op.create_table(
        "note",
        sa.Column("id", ID, nullable=False),
        sa.Column("chat_id", ID, nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chat.id"], name="fk_note_chat_id"),
        sa.PrimaryKeyConstraint("id", name="pk_note"),
        sa.UniqueConstraint("chat_id", "message_id", name="uq_note_chat_id_message_id"),
        sqlite_autoincrement=True,
    )
