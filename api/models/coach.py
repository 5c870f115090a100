"""Suggestions to identified users, and the coach's studies with their decisions and outcomes."""

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.models.base import Base, Moment


class Suggestion(Base):
    """A challenge that the coach suggested to a person, so that it can be accepted as its suggestion. The row holds
    nothing else of the request or the answer, is deleted after 60 days, and is never exported."""

    __tablename__ = "suggestions"
    __table_args__ = (Index("ix_suggestions_user_id_created_at", "user_id", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    suggestion_id: Mapped[str] = mapped_column(String(36))
    lever: Mapped[str] = mapped_column(String(10))
    challenge_slug: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)


class Study(Base):
    """An experiment with the people who consented to a study version: its phase, and how decisions are drawn. There is
    at most one for each version."""

    __tablename__ = "studies"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_version: Mapped[str] = mapped_column(String(64), unique=True)
    phase: Mapped[str] = mapped_column(String(10))
    around: Mapped[str] = mapped_column(String(10))
    """The policy to which the explore phase adds noise: the rules, or the served coach."""
    explore_epsilon: Mapped[float]
    confirm_epsilon: Mapped[float]
    candidate_id: Mapped[str | None] = mapped_column(ForeignKey("candidates.policy_id"))
    started_at: Mapped[datetime] = mapped_column(Moment)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    stopped_at: Mapped[datetime | None] = mapped_column(Moment)


class Candidate(Base):
    """An artifact that is frozen for a confirm phase. It is stored here, so that all processes read the same bytes."""

    __tablename__ = "candidates"

    policy_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    graph: Mapped[bytes] = mapped_column(LargeBinary)
    card: Mapped[bytes] = mapped_column(LargeBinary)
    frozen_at: Mapped[datetime] = mapped_column(Moment)


class Decision(Base):
    """A decision of the coach for a person with consent, with everything that a replay needs.

    Decision points of a study have `study_id` and `local_week`, the Monday of the week where the person is.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        UniqueConstraint("decision_id"),
        UniqueConstraint("user_id", "study_id", "local_week"),
        Index("ix_decisions_user_id_decided_at", "user_id", "decided_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[str] = mapped_column(String(36))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    consent_id: Mapped[int] = mapped_column(ForeignKey("consents.id"), index=True)
    decided_at: Mapped[datetime] = mapped_column(Moment)
    policy_id: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(8))
    fallback_reason: Mapped[str | None] = mapped_column(String(32))
    study_id: Mapped[int | None] = mapped_column(ForeignKey("studies.id"))
    local_week: Mapped[date | None]
    study_week: Mapped[int | None]
    phase: Mapped[str] = mapped_column(String(10))
    component: Mapped[str] = mapped_column(String(10))
    candidate_id: Mapped[str | None] = mapped_column(String(64))
    epsilon: Mapped[float]
    context: Mapped[list[float]] = mapped_column(JSON)
    eligible: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """For each lever one digit per level, as in the dataset; None in decisions older than the column."""
    levels: Mapped[list[int]] = mapped_column(JSON)
    distributions: Mapped[list[list[float]]] = mapped_column(JSON)
    propensity: Mapped[float]
    because: Mapped[list[list[str]] | None] = mapped_column(JSON(none_as_null=True))
    prev_disagrees: Mapped[bool]
    rules_levels: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    candidate_levels: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    shadow_policy_id: Mapped[str | None] = mapped_column(String(64))
    shadow_levels: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    seed: Mapped[str] = mapped_column(String(32))
    context_schema: Mapped[str] = mapped_column(String(32))
    action_schema: Mapped[str] = mapped_column(String(32))


class Outcome(Base):
    """The outcome of a decision point as received: the pace up to the next context, and the week's summaries. Missing
    values stay missing, and late values are not entered (`data.rewards.outcomes`)."""

    __tablename__ = "outcomes"
    __table_args__ = (Index("ix_outcomes_user_id", "user_id"),)

    decision_key: Mapped[int] = mapped_column(ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    spent_share: Mapped[float | None]
    saved_share: Mapped[float | None]
    elapsed_share: Mapped[float | None]
    budget_used_up: Mapped[float | None]
    goal_reached: Mapped[float | None]
    next_needs_share: Mapped[float | None]
    context_at: Mapped[datetime | None] = mapped_column(Moment)
    logging_days: Mapped[int | None]
    summary_at: Mapped[datetime | None] = mapped_column(Moment)
