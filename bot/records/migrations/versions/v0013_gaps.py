"""Questions that nothing answers: dismissed by staff, or made a proposal of; who made which index live."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.add_column("question", sa.Column("dismissed_at", sa.DateTime(timezone=True)))
    op.add_column("wording", sa.Column("also", JSON, server_default="[]", nullable=False))
    op.add_column("proposal", sa.Column("questions", JSON, server_default="[]", nullable=False))
    op.add_column("proposal", sa.Column("first_question", sa.BigInteger()))
    undecided = sa.text("state IN ('draft', 'approved')")
    op.create_index(
        "uq_proposal_for_questions",
        "proposal",
        ["first_question"],
        unique=True,
        sqlite_where=undecided,
        postgresql_where=undecided,
    )
    op.create_table(
        "activation",
        sa.Column("id", ID, nullable=False),
        sa.Column("noted", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_activation"),
        sqlite_autoincrement=True,
    )
