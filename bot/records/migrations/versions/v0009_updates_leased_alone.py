"""Updates that belong to no chat know who handles them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("update", sa.Column("leased_by", sa.String(length=100)))
