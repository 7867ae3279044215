"""Processes that share a database, and the roles that one of them has at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "process",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("beat_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_process"),
    )
    op.create_table(
        "role",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("held_by", sa.String(length=80)),
        sa.ForeignKeyConstraint(["held_by"], ["process.name"], name="fk_role_held_by", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("name", name="pk_role"),
    )
