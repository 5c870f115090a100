"""Kinderbud: households, guides, plans, todos, days."""

import sqlalchemy as sa
from alembic import op

from api.models import base

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "guides",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("short_title", sa.String(length=80), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("source_type", sa.String(length=10), nullable=False),
        sa.Column("color", sa.String(length=7), nullable=False),
        sa.Column("for_adults", sa.Boolean(), nullable=False),
        sa.Column("seeded", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guides")),
        sa.UniqueConstraint("key", name=op.f("uq_guides_key")),
    )
    op.create_table(
        "households",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("daily_task_count", sa.Integer(), nullable=False),
        sa.Column("learning_since", base.Moment(), nullable=True),
        sa.Column("learning_fold", sa.Integer(), nullable=True),
        sa.Column("created_at", base.Moment(), nullable=False),
        sa.CheckConstraint("daily_task_count BETWEEN 3 AND 15", name=op.f("ck_households_daily_task_count")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_households")),
    )
    op.create_table(
        "completion_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_completion_runs_household_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_completion_runs")),
        sa.UniqueConstraint("household_id", "first_on", name=op.f("uq_completion_runs_household_id_first_on")),
    )
    op.create_table(
        "day_selections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("fallback_reason", sa.String(length=32), nullable=True),
        sa.Column("policy_id", sa.String(length=64), nullable=False),
        sa.Column("daily_note", sa.Text(), nullable=False),
        sa.Column("seed", sa.String(length=32), nullable=True),
        sa.Column("epsilon", sa.Double(), nullable=False),
        sa.Column("logged", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_day_selections_household_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_selections")),
        sa.UniqueConstraint("household_id", "day", name=op.f("uq_day_selections_household_id_day")),
    )
    op.create_table(
        "guide_stages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("guide_id", sa.Integer(), nullable=False),
        sa.Column("stage_key", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("age_start_months", sa.Integer(), nullable=True),
        sa.Column("age_end_months", sa.Integer(), nullable=True),
        sa.Column("goals", sa.Text(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("seeded", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["guide_id"], ["guides.id"], name=op.f("fk_guide_stages_guide_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guide_stages")),
        sa.UniqueConstraint("guide_id", "stage_key", name=op.f("uq_guide_stages_guide_id_stage_key")),
    )
    op.create_table(
        "household_participants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("is_adult", sa.Boolean(), nullable=False),
        sa.Column("birthday", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "is_adult OR birthday IS NOT NULL", name=op.f("ck_household_participants_child_has_birthday")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_household_participants_household_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_participants")),
    )
    op.create_index(
        op.f("ix_household_participants_household_id"), "household_participants", ["household_id"], unique=False
    )
    op.create_table(
        "guide_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stage_id", sa.Integer(), nullable=False),
        sa.Column("item_key", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=10), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("area", sa.String(length=20), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("how_to", sa.Text(), nullable=False),
        sa.Column("evidence_summary", sa.Text(), nullable=False),
        sa.Column("frequency", sa.String(length=10), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("by_months", sa.Integer(), nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("seeded", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["stage_id"], ["guide_stages.id"], name=op.f("fk_guide_items_stage_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guide_items")),
        sa.UniqueConstraint("stage_id", "item_key", name=op.f("uq_guide_items_stage_id_item_key")),
    )
    op.create_table(
        "household_users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("display_name", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("created_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_household_users_household_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["household_participants.id"],
            name=op.f("fk_household_users_participant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_users")),
        sa.UniqueConstraint("email", name=op.f("uq_household_users_email")),
    )
    op.create_index(op.f("ix_household_users_household_id"), "household_users", ["household_id"], unique=False)
    op.create_index(op.f("ix_household_users_participant_id"), "household_users", ["participant_id"], unique=False)
    op.create_table(
        "plans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("guide_id", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("stage_id", sa.Integer(), nullable=True),
        sa.Column("created_at", base.Moment(), nullable=False),
        sa.Column("ended_at", base.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["guide_id"], ["guides.id"], name=op.f("fk_plans_guide_id")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_plans_household_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["household_participants.id"], name=op.f("fk_plans_participant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["stage_id"], ["guide_stages.id"], name=op.f("fk_plans_stage_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
    )
    op.create_index(op.f("ix_plans_household_id"), "plans", ["household_id"], unique=False)
    op.create_index(op.f("ix_plans_participant_id"), "plans", ["participant_id"], unique=False)
    op.create_index(
        "uq_plans_active",
        "plans",
        ["participant_id", "guide_id"],
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )
    op.create_table(
        "household_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", base.Moment(), nullable=False),
        sa.Column("last_used_at", base.Moment(), nullable=True),
        sa.Column("revoked_at", base.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["household_users.id"], name=op.f("fk_household_tokens_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_household_tokens_digest")),
    )
    op.create_index(op.f("ix_household_tokens_user_id"), "household_tokens", ["user_id"], unique=False)
    op.create_table(
        "todos",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=True),
        sa.Column("guide_item_id", sa.Integer(), nullable=True),
        sa.Column("source_type", sa.String(length=10), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("frequency", sa.String(length=10), nullable=True),
        sa.Column("last_completed_on", sa.Date(), nullable=True),
        sa.Column("snoozed_until", sa.Date(), nullable=True),
        sa.Column("dismissed", sa.Boolean(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["guide_item_id"], ["guide_items.id"], name=op.f("fk_todos_guide_item_id")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_todos_household_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["household_participants.id"], name=op.f("fk_todos_participant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_todos_plan_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_todos")),
        sa.UniqueConstraint("participant_id", "guide_item_id", name=op.f("uq_todos_participant_id_guide_item_id")),
    )
    op.create_index("ix_todos_household_id_plan_id", "todos", ["household_id", "plan_id"], unique=False)
    op.create_index(op.f("ix_todos_plan_id"), "todos", ["plan_id"], unique=False)
    op.create_table(
        "day_items",
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("todo_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_day_items_household_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["todo_id"], ["todos.id"], name=op.f("fk_day_items_todo_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("household_id", "day", "todo_id", name=op.f("pk_day_items")),
    )
    op.create_index(op.f("ix_day_items_todo_id"), "day_items", ["todo_id"], unique=False)
    op.create_table(
        "household_answers",
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("route", sa.String(length=128), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["household_tokens.id"], name=op.f("fk_household_answers_token_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_answers")),
        sa.UniqueConstraint("token_id", "route", "key", name=op.f("uq_household_answers_token_id_route_key")),
    )
    op.create_index(op.f("ix_household_answers_created_at"), "household_answers", ["created_at"], unique=False)
    op.create_table(
        "todo_actions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("todo_id", sa.Integer(), nullable=False),
        sa.Column("action_type", sa.String(length=10), nullable=False),
        sa.Column("action_date", sa.Date(), nullable=False),
        sa.Column("snoozed_to", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("performed_by", sa.Integer(), nullable=True),
        sa.Column("created_at", base.Moment(), nullable=False),
        sa.Column("undone_at", base.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_todo_actions_household_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["performed_by"], ["household_users.id"], name=op.f("fk_todo_actions_performed_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["todo_id"], ["todos.id"], name=op.f("fk_todo_actions_todo_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_todo_actions")),
    )
    op.create_index(
        "ix_todo_actions_household_id_action_date", "todo_actions", ["household_id", "action_date"], unique=False
    )
    op.create_index(op.f("ix_todo_actions_performed_by"), "todo_actions", ["performed_by"], unique=False)
    op.create_index(
        "ix_todo_actions_todo_id_action_type_action_date",
        "todo_actions",
        ["todo_id", "action_type", "action_date"],
        unique=False,
    )
    op.create_index(
        "ix_todo_actions_todo_id_action_type_id", "todo_actions", ["todo_id", "action_type", "id"], unique=False
    )
    op.create_index(
        "uq_todo_actions_completed",
        "todo_actions",
        ["todo_id", "action_date"],
        unique=True,
        sqlite_where=sa.text("action_type = 'completed' AND undone_at IS NULL"),
        postgresql_where=sa.text("action_type = 'completed' AND undone_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_todo_actions_completed",
        table_name="todo_actions",
        sqlite_where=sa.text("action_type = 'completed' AND undone_at IS NULL"),
        postgresql_where=sa.text("action_type = 'completed' AND undone_at IS NULL"),
    )
    op.drop_index("ix_todo_actions_todo_id_action_type_id", table_name="todo_actions")
    op.drop_index("ix_todo_actions_todo_id_action_type_action_date", table_name="todo_actions")
    op.drop_index(op.f("ix_todo_actions_performed_by"), table_name="todo_actions")
    op.drop_index("ix_todo_actions_household_id_action_date", table_name="todo_actions")
    op.drop_table("todo_actions")
    op.drop_index(op.f("ix_household_answers_created_at"), table_name="household_answers")
    op.drop_table("household_answers")
    op.drop_index(op.f("ix_day_items_todo_id"), table_name="day_items")
    op.drop_table("day_items")
    op.drop_index(op.f("ix_todos_plan_id"), table_name="todos")
    op.drop_index("ix_todos_household_id_plan_id", table_name="todos")
    op.drop_table("todos")
    op.drop_index(op.f("ix_household_tokens_user_id"), table_name="household_tokens")
    op.drop_table("household_tokens")
    op.drop_index(
        "uq_plans_active", table_name="plans", sqlite_where=sa.text("active"), postgresql_where=sa.text("active")
    )
    op.drop_index(op.f("ix_plans_participant_id"), table_name="plans")
    op.drop_index(op.f("ix_plans_household_id"), table_name="plans")
    op.drop_table("plans")
    op.drop_index(op.f("ix_household_users_participant_id"), table_name="household_users")
    op.drop_index(op.f("ix_household_users_household_id"), table_name="household_users")
    op.drop_table("household_users")
    op.drop_table("guide_items")
    op.drop_index(op.f("ix_household_participants_household_id"), table_name="household_participants")
    op.drop_table("household_participants")
    op.drop_table("guide_stages")
    op.drop_table("day_selections")
    op.drop_table("completion_runs")
    op.drop_table("households")
    op.drop_table("guides")
