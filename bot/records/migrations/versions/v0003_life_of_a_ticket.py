"""Who has a ticket, how it went, who staff are, and their canned replies."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("candidate", sa.Column("shown_name", sa.String(length=64)))
    op.add_column("candidate", sa.Column("banned_at", TIME))
    op.add_column("ticket", sa.Column("found", sa.JSON(), nullable=False, server_default="[]"))
    for name in ("asked_at", "replied_at", "hushed_at"):
        op.add_column("ticket", sa.Column(name, TIME))
    op.add_column("ticket", sa.Column("rating", sa.Integer()))
    op.add_column("ticket", sa.Column("remark", sa.String(length=500)))
    op.execute("UPDATE ticket SET replied_at = answered_at")
    op.execute("UPDATE ticket SET asked_at = opened_at WHERE state = 'open'")
    _member()
    _collision()
    _canned()


def _member() -> None:
    op.create_table(
        "member",
        sa.Column("chat_id", ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=32)),
        sa.Column("seen_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chat.id"], name="fk_member_chat_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("chat_id", name="pk_member"),
    )


def _collision() -> None:
    op.create_table(
        "collision",
        sa.Column("ticket_id", ID, nullable=False),
        sa.Column("chat_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chat.id"], name="fk_collision_chat_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_collision_ticket_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ticket_id", "chat_id", name="pk_collision"),
    )


def _canned() -> None:
    op.create_table(
        "canned",
        sa.Column("id", ID, nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("fr", sa.String()),
        sa.Column("en", sa.String()),
        sa.PrimaryKeyConstraint("id", name="pk_canned"),
        sa.UniqueConstraint("title", name="uq_canned_title"),
        sqlite_autoincrement=True,
    )
