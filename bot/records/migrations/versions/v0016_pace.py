"""How much one person has written lately is asked for each message."""

from alembic import op

revision = "0016"
down_revision = "0014"


def upgrade() -> None:
    op.create_index("ix_update_pace", "update", ["chat_id", "received_at"])
