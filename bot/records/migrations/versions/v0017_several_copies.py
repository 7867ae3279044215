"""A message may have several copies: a question below a picture has a card, and the picture a copy of its own."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    with op.batch_alter_table("relay", table_kwargs={"sqlite_autoincrement": True}) as relay:
        relay.drop_constraint("uq_relay_chat_id_message_id_direction", type_="unique")
        relay.create_unique_constraint(
            "uq_relay_chat_id_message_id_direction_outgoing_id", ["chat_id", "message_id", "direction", "outgoing_id"]
        )
