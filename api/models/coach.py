"""What the coach said to people who can be told apart."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.models.base import Base, Moment


class Suggestion(Base):
    """A challenge that the coach pointed a person at, so that it can be accepted as its suggestion. Nothing else of
    what was said or asked is here, the row is deleted after 60 days, and it is never exported."""

    __tablename__ = "suggestions"
    __table_args__ = (Index("ix_suggestions_user_id_created_at", "user_id", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    suggestion_id: Mapped[str] = mapped_column(String(36))
    lever: Mapped[str] = mapped_column(String(10))
    challenge_slug: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)


class Decision(Base):
    """A decision that the coach took for somebody who consented, as it was drawn: everything that a replay needs."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("decision_id"), Index("ix_decisions_user_id", "user_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[str] = mapped_column(String(36))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    consent_id: Mapped[int] = mapped_column(ForeignKey("consents.id"), index=True)
    decided_at: Mapped[datetime] = mapped_column(Moment)
    policy_id: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(8))
    fallback_reason: Mapped[str | None] = mapped_column(String(32))
    phase: Mapped[str] = mapped_column(String(10))
    component: Mapped[str] = mapped_column(String(10))
    epsilon: Mapped[float]
    context: Mapped[list[float]] = mapped_column(JSON)
    levels: Mapped[list[int]] = mapped_column(JSON)
    distributions: Mapped[list[list[float]]] = mapped_column(JSON)
    propensity: Mapped[float]
    seed: Mapped[str] = mapped_column(String(32))
    context_schema: Mapped[str] = mapped_column(String(32))
    action_schema: Mapped[str] = mapped_column(String(32))
