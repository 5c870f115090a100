"""Browsers that accounts know, who made an invitation, and the names of members who were removed."""

import sqlalchemy as sa
from alembic import op

from api.models import base

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OWNERS = {"household_browsers": ("user_id", "household_users"), "operator_browsers": ("operator_id", "operators")}
MADE_BY = "fk_household_links_made_by_id"


def upgrade() -> None:
    for table, (owner, owners) in OWNERS.items():
        op.create_table(
            table,
            sa.Column("id", sa.Integer(), nullable=False),
            sa.Column(owner, sa.Integer(), nullable=False),
            sa.Column("digest", sa.String(length=64), nullable=False),
            sa.Column("created_at", base.Moment(), nullable=False),
            sa.Column("seen_at", base.Moment(), nullable=False),
            sa.Column("link_until", base.Moment(), nullable=True),
            sa.ForeignKeyConstraint([owner], [f"{owners}.id"], name=op.f(f"fk_{table}_{owner}"), ondelete="CASCADE"),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
            sa.UniqueConstraint("digest", name=op.f(f"uq_{table}_digest")),
        )
        op.create_index(f"ix_{table}_{owner}", table, [owner])
    with op.batch_alter_table("household_links") as batch:  # made anew on SQLite, where no table refers to this one
        batch.add_column(sa.Column("made_by_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(MADE_BY, "household_users", ["made_by_id"], ["id"], ondelete="CASCADE")
        batch.create_index("ix_household_links_made_by_id", ["made_by_id"])
    op.add_column("todo_actions", sa.Column("former_name", sa.String(length=80), nullable=True))


def downgrade() -> None:
    op.drop_column("todo_actions", "former_name")
    with op.batch_alter_table("household_links") as batch:
        batch.drop_index("ix_household_links_made_by_id")
        batch.drop_constraint(MADE_BY, type_="foreignkey")
        batch.drop_column("made_by_id")
    for table in OWNERS:
        op.drop_table(table)
