"""What the coach pointed people at."""

import sqlalchemy as sa
from alembic import op

from api.models import base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "suggestions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("suggestion_id", sa.String(length=36), nullable=False),
        sa.Column("lever", sa.String(length=10), nullable=False),
        sa.Column("challenge_slug", sa.String(length=64), nullable=False),
        sa.Column("created_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_suggestions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestions")),
    )
    op.create_index(op.f("ix_suggestions_created_at"), "suggestions", ["created_at"])
    op.create_index("ix_suggestions_user_id_created_at", "suggestions", ["user_id", "created_at"])


def downgrade() -> None:
    op.drop_table("suggestions")
