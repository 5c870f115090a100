"""Spending of people by week and by month."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.models.base import Amount, Base, Moment


class Summary:
    """Common columns of weekly and monthly summaries. The latest client time wins; without one, the latest arrival."""

    id: Mapped[int] = mapped_column(primary_key=True)
    month_key: Mapped[int]
    total_spent: Mapped[Decimal] = mapped_column(Amount)
    spent_wants: Mapped[Decimal] = mapped_column(Amount)
    spent_needs: Mapped[Decimal] = mapped_column(Amount)
    spent_culture: Mapped[Decimal] = mapped_column(Amount)
    spent_unexpected: Mapped[Decimal] = mapped_column(Amount)
    logging_days_count: Mapped[int]
    client_timestamp: Mapped[datetime | None] = mapped_column(Moment)
    received_at: Mapped[datetime] = mapped_column(Moment)
    consent_id: Mapped[int | None] = mapped_column(ForeignKey("consents.id"), index=True)


class WeeklySummary(Summary, Base):
    """The summary of a week in a month; `week_key` counts from 1."""

    __tablename__ = "weekly_summaries"
    __table_args__ = (UniqueConstraint("user_id", "month_key", "week_key"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    week_key: Mapped[int]


class MonthlySummary(Summary, Base):
    """The summary of a month."""

    __tablename__ = "monthly_summaries"
    __table_args__ = (UniqueConstraint("user_id", "month_key"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
