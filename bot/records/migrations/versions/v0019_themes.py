"""Themes that candidates ask to be told of."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

TIME = sa.DateTime(timezone=True)
ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "theme",
        sa.Column("id", ROW, nullable=False),
        sa.Column("fr", sa.String(length=60), nullable=False),
        sa.Column("en", sa.String(length=60), nullable=False),
        sa.Column("told_fr", sa.String(), nullable=True),
        sa.Column("told_en", sa.String(), nullable=True),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("fired_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_theme"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "subscription",
        sa.Column("theme_id", ROW, nullable=False),
        sa.Column("candidate_id", sa.String(length=16), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.id"], name="fk_subscription_theme_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidate.id"], name="fk_subscription_candidate_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("theme_id", "candidate_id", name="pk_subscription"),
    )
    op.create_index("ix_subscription_candidate_id", "subscription", ["candidate_id"])
