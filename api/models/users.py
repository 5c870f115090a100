"""People, identified only by an opaque id, and their budget profiles."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from api.models.base import Amount, Base, Moment


class User(Base):
    """A person. The uuid is a capability: a client that knows it may act for this person."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)


class Profile(Base):
    """A person's budget profile."""

    __tablename__ = "profiles"
    __table_args__ = (
        CheckConstraint("budget_cycle_start_day BETWEEN 1 AND 28", name="cycle_start_day"),
        CheckConstraint("allow_exact_income OR exact_income_local IS NULL", name="exact_income_allowed"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    income_range_id: Mapped[int] = mapped_column(ForeignKey("income_ranges.id"))
    user_profile: Mapped[str] = mapped_column(String(20))
    allow_exact_income: Mapped[bool]
    exact_income_local: Mapped[Decimal | None] = mapped_column(Amount)
    coach_style: Mapped[int]
    savings_goal_type: Mapped[str] = mapped_column(String(10))
    saving_goal_value: Mapped[Decimal] = mapped_column(Amount)
    budget_cycle_start_day: Mapped[int]
    time_zone: Mapped[str | None] = mapped_column(String(64))
    currency: Mapped[str | None] = mapped_column(String(3))
    updated_at: Mapped[datetime] = mapped_column(Moment)
