"""The course that a candidate has chosen, what a question is about, and the staff group that a ticket lives in."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("candidate", sa.Column("course", sa.String(length=100)))
    op.add_column("question", sa.Column("topic", sa.String(length=100)))
    number = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    for table in ("ticket", "member"):  # in words, since SQLite takes a reference only together with its column
        reference = f"CONSTRAINT fk_{table}_group_chat_id REFERENCES chat (id)"
        op.execute(f"ALTER TABLE {table} ADD COLUMN group_chat_id {number} {reference}")
