"""Bans that outlast /forget; questions that were changed once they were on a card."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("question", sa.Column("edited_at", TIME))
    op.create_table(
        "ban",
        sa.Column("fingerprint", sa.String(length=128), nullable=False),
        sa.Column("pseudonym", sa.String(length=16), nullable=False),
        sa.Column("banned_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_ban"),
        sa.UniqueConstraint("pseudonym", name="uq_ban_pseudonym"),
    )
