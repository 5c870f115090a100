"""Claude: a household's key, the lease of a day, and the chat."""

import sqlalchemy as sa
from alembic import op

from api.models import base

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("households") as batch_op:
        batch_op.add_column(sa.Column("claude_key", sa.Text(), nullable=True))
    with op.batch_alter_table("day_selections") as batch_op:
        batch_op.add_column(sa.Column("prompt_version", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("input_tokens", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("output_tokens", sa.Integer(), nullable=True))
    op.create_table(
        "day_curations",
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("leased_until", base.Moment(), nullable=False),
        sa.Column("triggers", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.id"],
            name=op.f("fk_day_curations_household_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("household_id", "day", name=op.f("pk_day_curations")),
    )
    op.create_table(
        "chat_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=True),
        sa.Column("answers_id", sa.Integer(), nullable=True),
        sa.Column("prompt_version", sa.String(length=32), nullable=True),
        sa.Column("input_tokens", sa.Integer(), nullable=True),
        sa.Column("output_tokens", sa.Integer(), nullable=True),
        sa.Column("created_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.id"],
            name=op.f("fk_chat_messages_household_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["answers_id"], ["chat_messages.id"], name=op.f("fk_chat_messages_answers_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_messages")),
        sa.UniqueConstraint("answers_id", name=op.f("uq_chat_messages_answers_id")),
        sa.UniqueConstraint("household_id", "key", name=op.f("uq_chat_messages_household_id_key")),
    )
    op.create_index("ix_chat_messages_household_id_id", "chat_messages", ["household_id", "id"])


def downgrade() -> None:
    op.drop_table("chat_messages")
    op.drop_table("day_curations")
    # No batch: SQLite drops a column by itself, and a table that is made anew would take its families along.
    for column in ("output_tokens", "input_tokens", "prompt_version"):
        op.drop_column("day_selections", column)
    op.drop_column("households", "claude_key")
