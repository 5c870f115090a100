"""Consent, what people give to research under it, and the ledger of releases."""

import sqlalchemy as sa
from alembic import op

from api.models import base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CHANGES = ("changed_at", "claimed_at", "completed_at", "accepted_at")


def upgrade() -> None:
    op.create_table(
        "pseudonym_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_version", sa.String(length=64), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.Text(), nullable=False),
        sa.Column("created_at", base.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pseudonym_keys")),
        sa.UniqueConstraint("study_version", "generation", name=op.f("uq_pseudonym_keys_study_version_generation")),
    )
    op.create_table(
        "releases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("since", sa.String(length=64), nullable=True),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("zones", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("snapshot_at", base.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
        sa.UniqueConstraint("name", name=op.f("uq_releases_name")),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("study_version", sa.String(length=64), nullable=False),
        sa.Column("consented", sa.Boolean(), nullable=False),
        sa.Column("age_confirmed", sa.Boolean(), nullable=False),
        sa.Column("allow_research_export", sa.Boolean(), nullable=False),
        sa.Column("data_mode", sa.String(length=7), nullable=False),
        sa.Column("participant_code", sa.String(length=64), nullable=True),
        sa.Column("received_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_consents_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index("ix_consents_user_id_id", "consents", ["user_id", "id"])

    op.create_table(
        "participants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("study_version", sa.String(length=64), nullable=False),
        sa.Column("pseudonym", sa.String(length=64), nullable=False),
        sa.Column("split", sa.String(length=5), nullable=False),
        sa.Column("joined_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_participants_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participants")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_participants_pseudonym")),
        sa.UniqueConstraint("user_id", "study_version", name=op.f("uq_participants_user_id_study_version")),
    )
    op.create_table(
        "released_participants",
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("pseudonym", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_released_participants_release_id")),
        sa.PrimaryKeyConstraint("release_id", "pseudonym", name=op.f("pk_released_participants")),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("consent_id", sa.Integer(), nullable=False),
        sa.Column("decided_at", base.Moment(), nullable=False),
        sa.Column("policy_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("fallback_reason", sa.String(length=32), nullable=True),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("component", sa.String(length=10), nullable=False),
        sa.Column("epsilon", sa.Double(), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("levels", sa.JSON(), nullable=False),
        sa.Column("distributions", sa.JSON(), nullable=False),
        sa.Column("propensity", sa.Double(), nullable=False),
        sa.Column("seed", sa.String(length=32), nullable=False),
        sa.Column("context_schema", sa.String(length=32), nullable=False),
        sa.Column("action_schema", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name=op.f("fk_decisions_consent_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_decisions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_decisions_decision_id")),
    )
    op.create_index(op.f("ix_decisions_consent_id"), "decisions", ["consent_id"])
    op.create_index("ix_decisions_user_id", "decisions", ["user_id"])

    op.create_table(
        "events",
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("event_name", sa.String(length=64), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("consent_id", sa.Integer(), nullable=True),
        sa.Column("client_timestamp", base.Moment(), nullable=True),
        sa.Column("received_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name=op.f("fk_events_consent_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_events_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("user_id", "fingerprint", name=op.f("uq_events_user_id_fingerprint")),
    )
    op.create_index(op.f("ix_events_consent_id"), "events", ["consent_id"])

    op.create_table(
        "progress_snapshots",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("level_title", sa.String(length=100), nullable=False),
        sa.Column("total_points", sa.Integer(), nullable=False),
        sa.Column("streak_days", sa.Integer(), nullable=False),
        sa.Column("active_missions_count", sa.Integer(), nullable=False),
        sa.Column("completed_missions_count", sa.Integer(), nullable=False),
        sa.Column("claimed_rewards_count", sa.Integer(), nullable=False),
        sa.Column("failed_missions_count", sa.Integer(), nullable=False),
        sa.Column("badges_earned_count", sa.Integer(), nullable=False),
        sa.Column("reflection_count", sa.Integer(), nullable=False),
        sa.Column("game_metrics", sa.JSON(), nullable=False),
        sa.Column("learning_metrics", sa.JSON(), nullable=False),
        sa.Column("badge_ids", sa.JSON(), nullable=False),
        sa.Column("mission_summary", sa.JSON(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("consent_id", sa.Integer(), nullable=True),
        sa.Column("client_timestamp", base.Moment(), nullable=True),
        sa.Column("received_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name=op.f("fk_progress_snapshots_consent_id")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_progress_snapshots_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_progress_snapshots")),
        sa.UniqueConstraint("user_id", "month", name=op.f("uq_progress_snapshots_user_id_month")),
    )
    op.create_index(op.f("ix_progress_snapshots_consent_id"), "progress_snapshots", ["consent_id"])

    op.create_table(
        "reflections",
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("category", sa.String(length=12), nullable=False),
        sa.Column("reflection_text", sa.Text(), nullable=False),
        sa.Column("intended_action", sa.Text(), nullable=True),
        sa.Column("confidence_rating", sa.Integer(), nullable=True),
        sa.Column("quality_score", base.Amount(), nullable=False),
        sa.Column("quality_level", sa.String(length=10), nullable=False),
        sa.Column("strengths", sa.JSON(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("consent_id", sa.Integer(), nullable=True),
        sa.Column("client_timestamp", base.Moment(), nullable=True),
        sa.Column("received_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name=op.f("fk_reflections_consent_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_reflections_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reflections")),
        sa.UniqueConstraint("user_id", "fingerprint", name=op.f("uq_reflections_user_id_fingerprint")),
    )
    op.create_index(op.f("ix_reflections_consent_id"), "reflections", ["consent_id"])

    op.create_table(
        "responses",
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("instrument_key", sa.String(length=64), nullable=False),
        sa.Column("instrument_version", sa.String(length=16), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("score_missing", sa.String(length=16), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("consent_id", sa.Integer(), nullable=True),
        sa.Column("client_timestamp", base.Moment(), nullable=True),
        sa.Column("received_at", base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name=op.f("fk_responses_consent_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_responses_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responses")),
        sa.UniqueConstraint("user_id", "fingerprint", name=op.f("uq_responses_user_id_fingerprint")),
    )
    op.create_index(op.f("ix_responses_consent_id"), "responses", ["consent_id"])

    with op.batch_alter_table("challenge_metrics") as batch_op:
        batch_op.add_column(sa.Column("consent_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_challenge_metrics_consent_id"), ["consent_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_challenge_metrics_consent_id"), "consents", ["consent_id"], ["id"])

    with op.batch_alter_table("monthly_summaries") as batch_op:
        batch_op.add_column(sa.Column("consent_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_monthly_summaries_consent_id"), ["consent_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_monthly_summaries_consent_id"), "consents", ["consent_id"], ["id"])

    with op.batch_alter_table("point_entries") as batch_op:
        batch_op.add_column(sa.Column("consent_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_point_entries_consent_id"), ["consent_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_point_entries_consent_id"), "consents", ["consent_id"], ["id"])

    with op.batch_alter_table("user_challenges") as batch_op:
        batch_op.add_column(sa.Column("changed_at", base.Moment(), nullable=True))
        batch_op.add_column(sa.Column("consent_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_user_challenges_consent_id"), ["consent_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_user_challenges_consent_id"), "consents", ["consent_id"], ["id"])

    challenges = sa.table("user_challenges", *(sa.column(name) for name in CHANGES))
    moments = [challenges.c[name] for name in CHANGES]
    op.execute(sa.update(challenges).values(changed_at=sa.func.coalesce(*moments[1:])))
    with op.batch_alter_table("user_challenges") as batch_op:
        batch_op.alter_column("changed_at", existing_type=base.Moment(), nullable=False)

    with op.batch_alter_table("weekly_summaries") as batch_op:
        batch_op.add_column(sa.Column("consent_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_weekly_summaries_consent_id"), ["consent_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_weekly_summaries_consent_id"), "consents", ["consent_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("weekly_summaries") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_weekly_summaries_consent_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_weekly_summaries_consent_id"))
        batch_op.drop_column("consent_id")

    with op.batch_alter_table("user_challenges") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_user_challenges_consent_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_user_challenges_consent_id"))
        batch_op.drop_column("consent_id")
        batch_op.drop_column("changed_at")

    with op.batch_alter_table("point_entries") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_point_entries_consent_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_point_entries_consent_id"))
        batch_op.drop_column("consent_id")

    with op.batch_alter_table("monthly_summaries") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_monthly_summaries_consent_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_monthly_summaries_consent_id"))
        batch_op.drop_column("consent_id")

    with op.batch_alter_table("challenge_metrics") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_challenge_metrics_consent_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_challenge_metrics_consent_id"))
        batch_op.drop_column("consent_id")

    op.drop_table("responses")

    op.drop_table("reflections")

    op.drop_table("progress_snapshots")

    op.drop_table("events")

    op.drop_table("decisions")

    op.drop_table("released_participants")
    op.drop_table("participants")

    op.drop_table("consents")
    op.drop_table("releases")
    op.drop_table("pseudonym_keys")
