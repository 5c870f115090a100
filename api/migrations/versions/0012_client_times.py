"""Clients say when something was done: the time of a challenge's progress, and an index of actions by their time."""

import sqlalchemy as sa
from alembic import op

from api.models import base

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OF_IDS = ("ix_todo_actions_todo_id_action_type_id", ["todo_id", "action_type", "id"])
OF_TIMES = ("ix_todo_actions_todo_id_action_type_created_at", ["todo_id", "action_type", "created_at"])


def upgrade() -> None:
    op.add_column("user_challenges", sa.Column("progress_at", base.Moment(), nullable=True))
    begun = "status <> 'accepted' OR current_progress <> 0"
    op.execute(f"UPDATE user_challenges SET progress_at = changed_at WHERE {begun}")  # noqa: S608 - a constant
    op.create_index(OF_TIMES[0], "todo_actions", OF_TIMES[1])
    op.drop_index(OF_IDS[0], "todo_actions")


def downgrade() -> None:
    op.create_index(OF_IDS[0], "todo_actions", OF_IDS[1])
    op.drop_index(OF_TIMES[0], "todo_actions")
    op.drop_column("user_challenges", "progress_at")
