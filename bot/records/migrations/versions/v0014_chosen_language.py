"""The language that a candidate has chosen to be spoken with."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("candidate", sa.Column("chosen_language", sa.String(length=8)))
