"""Studies and their frozen candidates, what decisions are drawn from, and outcomes."""

import sqlalchemy as sa
from alembic import op

from api.models import base

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DRAWN = (
    "shadow_levels",
    "shadow_policy_id",
    "candidate_levels",
    "rules_levels",
    "prev_disagrees",
    "because",
    "eligible",
)
OF_A_STUDY = ("candidate_id", "study_week", "local_week", "study_id")


def upgrade() -> None:
    op.create_table(
        "candidates",
        sa.Column("policy_id", sa.String(length=64), nullable=False),
        sa.Column("graph", sa.LargeBinary(), nullable=False),
        sa.Column("card", sa.LargeBinary(), nullable=False),
        sa.Column("frozen_at", base.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("policy_id", name=op.f("pk_candidates")),
    )
    op.create_table(
        "studies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_version", sa.String(length=64), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("around", sa.String(length=10), nullable=False),
        sa.Column("explore_epsilon", sa.Double(), nullable=False),
        sa.Column("confirm_epsilon", sa.Double(), nullable=False),
        sa.Column("candidate_id", sa.String(length=64), nullable=True),
        sa.Column("started_at", base.Moment(), nullable=False),
        sa.Column("confirmed_at", base.Moment(), nullable=True),
        sa.Column("stopped_at", base.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidates.policy_id"], name=op.f("fk_studies_candidate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
        sa.UniqueConstraint("study_version", name=op.f("uq_studies_study_version")),
    )
    with op.batch_alter_table("decisions") as batch_op:
        batch_op.add_column(sa.Column("study_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("local_week", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("study_week", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("candidate_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("eligible", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("because", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("prev_disagrees", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("rules_levels", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("candidate_levels", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("shadow_policy_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("shadow_levels", sa.JSON(none_as_null=True), nullable=True))
        batch_op.drop_index("ix_decisions_user_id")
        batch_op.create_index("ix_decisions_user_id_decided_at", ["user_id", "decided_at"])
        batch_op.create_unique_constraint(
            op.f("uq_decisions_user_id_study_id_local_week"), ["user_id", "study_id", "local_week"]
        )
        batch_op.create_foreign_key(op.f("fk_decisions_study_id"), "studies", ["study_id"], ["id"])
    op.create_table(
        "outcomes",
        sa.Column("decision_key", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("spent_share", sa.Double(), nullable=True),
        sa.Column("saved_share", sa.Double(), nullable=True),
        sa.Column("elapsed_share", sa.Double(), nullable=True),
        sa.Column("budget_used_up", sa.Double(), nullable=True),
        sa.Column("goal_reached", sa.Double(), nullable=True),
        sa.Column("next_needs_share", sa.Double(), nullable=True),
        sa.Column("context_at", base.Moment(), nullable=True),
        sa.Column("logging_days", sa.Integer(), nullable=True),
        sa.Column("summary_at", base.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["decision_key"], ["decisions.id"], name=op.f("fk_outcomes_decision_key"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_outcomes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("decision_key", name=op.f("pk_outcomes")),
    )
    op.create_index("ix_outcomes_user_id", "outcomes", ["user_id"])


def downgrade() -> None:
    op.drop_table("outcomes")
    with op.batch_alter_table("decisions") as batch_op:
        batch_op.drop_constraint(op.f("fk_decisions_study_id"), type_="foreignkey")
        batch_op.drop_constraint(op.f("uq_decisions_user_id_study_id_local_week"), type_="unique")
        batch_op.drop_index("ix_decisions_user_id_decided_at")
        batch_op.create_index("ix_decisions_user_id", ["user_id"])
        for column in (*DRAWN, *OF_A_STUDY):
            batch_op.drop_column(column)
    op.drop_table("studies")
    op.drop_table("candidates")
