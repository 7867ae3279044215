"""Files that wait to be sent; proposed entries; who wants to hear of an answer."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
STATE = sa.Enum("draft", "approved", "published", "discarded", name="proposalstate", native_enum=False, length=16)


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("outgoing_id", ID, sa.ForeignKey("outgoing.id", ondelete="CASCADE"), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("outgoing_id", name="pk_attachment"),
    )
    op.create_table(
        "proposal",
        sa.Column("id", ID, nullable=False),
        sa.Column("ticket_id", ID, sa.ForeignKey("ticket.id", ondelete="SET NULL")),
        sa.Column("course", sa.String(length=100), nullable=False),
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("entry_id", sa.String(length=200)),
        sa.Column("similar", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("made_by", ID, sa.ForeignKey("chat.id", ondelete="SET NULL")),
        sa.Column("decided_by", ID, sa.ForeignKey("chat.id", ondelete="SET NULL")),
        sa.Column("card_id", ID, sa.ForeignKey("outgoing.id", ondelete="SET NULL")),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("published_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_proposal"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_proposal_ticket_id", "proposal", ["ticket_id"])
    alive = sa.text("state != 'discarded'")
    op.create_index(
        "uq_proposal_of_ticket", "proposal", ["ticket_id"], unique=True, sqlite_where=alive, postgresql_where=alive
    )
    op.create_table(
        "wording",
        sa.Column("proposal_id", ID, sa.ForeignKey("proposal.id", ondelete="CASCADE"), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", "language", name="pk_wording"),
    )
    op.create_table(
        "wish",
        sa.Column("question_id", ID, sa.ForeignKey("question.id", ondelete="CASCADE"), nullable=False),
        sa.Column("wished_at", TIME, nullable=False),
        sa.Column("told_at", TIME),
        sa.PrimaryKeyConstraint("question_id", name="pk_wish"),
    )
