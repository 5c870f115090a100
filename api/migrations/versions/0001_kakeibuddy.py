"""Users, challenges, points, badges and summaries."""

import sqlalchemy as sa
from alembic import op

from api.models import base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "badges",
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("seeded", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_badges")),
        sa.UniqueConstraint("slug", name=op.f("uq_badges_slug")),
    )
    op.create_table(
        "challenge_templates",
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("challenge_type", sa.String(length=32), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("metric_key", sa.String(length=64), nullable=False),
        sa.Column("target_value", base.Amount(), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("reward_points", sa.Integer(), nullable=False),
        sa.Column("difficulty", sa.String(length=10), nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("seeded", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge_templates")),
        sa.UniqueConstraint("slug", name=op.f("uq_challenge_templates_slug")),
    )
    with op.batch_alter_table("challenge_templates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_challenge_templates_category_id"), ["category_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_challenge_templates_challenge_type"), ["challenge_type"], unique=False)
        batch_op.create_index(batch_op.f("ix_challenge_templates_difficulty"), ["difficulty"], unique=False)
        batch_op.create_index(batch_op.f("ix_challenge_templates_metric_key"), ["metric_key"], unique=False)

    op.create_table(
        "income_ranges",
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("seeded", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_income_ranges")),
        sa.UniqueConstraint("slug", name=op.f("uq_income_ranges_slug")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(length=64), nullable=False),
        sa.Column("created_at", base.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("uuid", name=op.f("uq_users_uuid")),
    )
    op.create_table(
        "challenge_metrics",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("metric_key", sa.String(length=64), nullable=False),
        sa.Column("value", base.Amount(), nullable=False),
        sa.Column("client_timestamp", base.Moment(), nullable=True),
        sa.Column("received_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_challenge_metrics_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge_metrics")),
        sa.UniqueConstraint(
            "user_id", "month", "metric_key", name=op.f("uq_challenge_metrics_user_id_month_metric_key")
        ),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("route", sa.String(length=128), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_idempotency_keys_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint("user_id", "route", "key", name=op.f("uq_idempotency_keys_user_id_route_key")),
    )
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_keys_created_at"), ["created_at"], unique=False)

    op.create_table(
        "monthly_summaries",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month_key", sa.Integer(), nullable=False),
        sa.Column("total_spent", base.Amount(), nullable=False),
        sa.Column("spent_wants", base.Amount(), nullable=False),
        sa.Column("spent_needs", base.Amount(), nullable=False),
        sa.Column("spent_culture", base.Amount(), nullable=False),
        sa.Column("spent_unexpected", base.Amount(), nullable=False),
        sa.Column("logging_days_count", sa.Integer(), nullable=False),
        sa.Column("client_timestamp", base.Moment(), nullable=True),
        sa.Column("received_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_monthly_summaries_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_monthly_summaries")),
        sa.UniqueConstraint("user_id", "month_key", name=op.f("uq_monthly_summaries_user_id_month_key")),
    )
    op.create_table(
        "point_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("cause_id", sa.Integer(), nullable=False),
        sa.Column("created_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_point_entries_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_entries")),
        sa.UniqueConstraint("user_id", "cause", "cause_id", name=op.f("uq_point_entries_user_id_cause_cause_id")),
    )
    with op.batch_alter_table("point_entries", schema=None) as batch_op:
        batch_op.create_index("ix_point_entries_user", ["user_id"], unique=False)

    op.create_table(
        "profiles",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("income_range_id", sa.Integer(), nullable=False),
        sa.Column("user_profile", sa.String(length=20), nullable=False),
        sa.Column("allow_exact_income", sa.Boolean(), nullable=False),
        sa.Column("exact_income_local", base.Amount(), nullable=True),
        sa.Column("coach_style", sa.Integer(), nullable=False),
        sa.Column("savings_goal_type", sa.String(length=10), nullable=False),
        sa.Column("saving_goal_value", base.Amount(), nullable=False),
        sa.Column("budget_cycle_start_day", sa.Integer(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("updated_at", base.Moment(), nullable=False),
        sa.CheckConstraint(
            "allow_exact_income OR exact_income_local IS NULL", name=op.f("ck_profiles_exact_income_allowed")
        ),
        sa.CheckConstraint("budget_cycle_start_day BETWEEN 1 AND 28", name=op.f("ck_profiles_cycle_start_day")),
        sa.ForeignKeyConstraint(["income_range_id"], ["income_ranges.id"], name=op.f("fk_profiles_income_range_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_profiles_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_profiles")),
    )
    op.create_table(
        "user_badges",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("badge_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("earned_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["badge_id"], ["badges.id"], name=op.f("fk_user_badges_badge_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_badges_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_badges")),
        sa.UniqueConstraint("user_id", "badge_id", name=op.f("uq_user_badges_user_id_badge_id")),
    )
    op.create_table(
        "user_challenges",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("challenge_template_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("current_progress", base.Amount(), nullable=False),
        sa.Column("source", sa.String(length=4), nullable=False),
        sa.Column("ai_suggestion_id", sa.String(length=36), nullable=True),
        sa.Column("accepted_at", base.Moment(), nullable=False),
        sa.Column("completed_at", base.Moment(), nullable=True),
        sa.Column("claimed_at", base.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["challenge_template_id"], ["challenge_templates.id"], name=op.f("fk_user_challenges_challenge_template_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_challenges_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_challenges")),
        sa.UniqueConstraint(
            "user_id",
            "challenge_template_id",
            "month",
            name=op.f("uq_user_challenges_user_id_challenge_template_id_month"),
        ),
    )
    op.create_table(
        "weekly_summaries",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("week_key", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month_key", sa.Integer(), nullable=False),
        sa.Column("total_spent", base.Amount(), nullable=False),
        sa.Column("spent_wants", base.Amount(), nullable=False),
        sa.Column("spent_needs", base.Amount(), nullable=False),
        sa.Column("spent_culture", base.Amount(), nullable=False),
        sa.Column("spent_unexpected", base.Amount(), nullable=False),
        sa.Column("logging_days_count", sa.Integer(), nullable=False),
        sa.Column("client_timestamp", base.Moment(), nullable=True),
        sa.Column("received_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_weekly_summaries_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weekly_summaries")),
        sa.UniqueConstraint(
            "user_id", "month_key", "week_key", name=op.f("uq_weekly_summaries_user_id_month_key_week_key")
        ),
    )


def downgrade() -> None:
    op.drop_table("weekly_summaries")
    op.drop_table("user_challenges")
    op.drop_table("user_badges")
    op.drop_table("profiles")
    with op.batch_alter_table("point_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_point_entries_user")

    op.drop_table("point_entries")
    op.drop_table("monthly_summaries")
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_keys_created_at"))

    op.drop_table("idempotency_keys")
    op.drop_table("challenge_metrics")
    op.drop_table("users")
    op.drop_table("income_ranges")
    with op.batch_alter_table("challenge_templates", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_challenge_templates_metric_key"))
        batch_op.drop_index(batch_op.f("ix_challenge_templates_difficulty"))
        batch_op.drop_index(batch_op.f("ix_challenge_templates_challenge_type"))
        batch_op.drop_index(batch_op.f("ix_challenge_templates_category_id"))

    op.drop_table("challenge_templates")
    op.drop_table("badges")
