"""Accepted challenges, their progress, the points ledger and badges."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.models.base import Amount, Base, Moment


class UserChallenge(Base):
    """A template that a person accepted for a month."""

    __tablename__ = "user_challenges"
    __table_args__ = (UniqueConstraint("user_id", "challenge_template_id", "month"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    challenge_template_id: Mapped[int] = mapped_column(ForeignKey("challenge_templates.id"))
    month: Mapped[str] = mapped_column(String(7))
    status: Mapped[str] = mapped_column(String(12))
    current_progress: Mapped[Decimal] = mapped_column(Amount)
    source: Mapped[str] = mapped_column(String(4))
    ai_suggestion_id: Mapped[str | None] = mapped_column(String(36))
    accepted_at: Mapped[datetime] = mapped_column(Moment)
    progress_at: Mapped[datetime | None] = mapped_column(Moment)
    """The effective time of the stored progress; older progress does not overwrite it."""
    completed_at: Mapped[datetime | None] = mapped_column(Moment)
    claimed_at: Mapped[datetime | None] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    consent_id: Mapped[int | None] = mapped_column(ForeignKey("consents.id"), index=True)
    """The consent of the acceptance and of all later changes; None once a change has none."""


class ChallengeMetric(Base):
    """The latest value of a metric that a person's app uploaded for a month."""

    __tablename__ = "challenge_metrics"
    __table_args__ = (UniqueConstraint("user_id", "month", "metric_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    month: Mapped[str] = mapped_column(String(7))
    metric_key: Mapped[str] = mapped_column(String(64))
    value: Mapped[Decimal] = mapped_column(Amount)
    client_timestamp: Mapped[datetime | None] = mapped_column(Moment)
    received_at: Mapped[datetime] = mapped_column(Moment)
    consent_id: Mapped[int | None] = mapped_column(ForeignKey("consents.id"), index=True)


class PointEntry(Base):
    """A row of the points ledger. Rows are only added, one for each cause."""

    __tablename__ = "point_entries"
    __table_args__ = (UniqueConstraint("user_id", "cause", "cause_id"), Index("ix_point_entries_user", "user_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    points: Mapped[int]
    cause: Mapped[str] = mapped_column(String(20))
    cause_id: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Moment)
    consent_id: Mapped[int | None] = mapped_column(ForeignKey("consents.id"), index=True)


class UserBadge(Base):
    """A badge that a person has earned, when and why."""

    __tablename__ = "user_badges"
    __table_args__ = (UniqueConstraint("user_id", "badge_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    badge_id: Mapped[int] = mapped_column(ForeignKey("badges.id"))
    reason: Mapped[str] = mapped_column(Text)
    earned_at: Mapped[datetime] = mapped_column(Moment)
