"""An album stays among staff as a whole, though the note is the caption of one part alone."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("note", sa.Column("album", sa.String(length=64)))
