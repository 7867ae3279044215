"""Somebody may be muted for a time, which outlasts /forget as a ban does."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("candidate", sa.Column("muted_until", TIME))
    op.add_column("ban", sa.Column("until", TIME))
