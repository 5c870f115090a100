"""Households of Kinderbud: participants, users, and the tokens of their devices and assistants."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.models.base import Base, Moment
from api.models.sessions import BrowserSession, KnownBrowser

FORMER_MEMBER = "Former member"
"""The name of a participant whose own name was forgotten."""
HOUSEHOLD_ADMIN = "admin"
"""The role of users who decide for their household."""


class Household(Base):
    """A family. Its day is the day in its time zone. `learning_since` is when it agreed to take part in learning,
    `learning_fold` its permanent part (training or evaluation), `claude_key` its Claude key, encrypted with
    SECRET_KEY."""

    __tablename__ = "households"
    __table_args__ = (CheckConstraint("daily_task_count BETWEEN 3 AND 15", name="daily_task_count"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    time_zone: Mapped[str] = mapped_column(String(64))
    daily_task_count: Mapped[int]
    learning_since: Mapped[datetime | None] = mapped_column(Moment)
    learning_fold: Mapped[int | None]
    claude_key: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)


class HouseholdParticipant(Base):
    """A person with todos: a child with a birthday, or an adult."""

    __tablename__ = "household_participants"
    __table_args__ = (CheckConstraint("is_adult OR birthday IS NOT NULL", name="child_has_birthday"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    is_adult: Mapped[bool]
    birthday: Mapped[date | None]


class HouseholdUser(Base):
    """A person who signs in; each has an adult participant. The first user of a household is its admin. A user without
    a password has only tokens, until a link sets one. `reset_asked_at` is the time of the last request for a link."""

    __tablename__ = "household_users"

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("household_participants.id", ondelete="CASCADE"), index=True)
    display_name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    role: Mapped[str] = mapped_column(String(10))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    reset_asked_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)


class HouseholdSession(BrowserSession):
    """A login of a user on the family's pages."""

    __tablename__ = "household_sessions"

    owner_id: Mapped[int] = mapped_column("user_id", ForeignKey("household_users.id", ondelete="CASCADE"), index=True)


class HouseholdBrowser(KnownBrowser):
    """A known browser of a user on the family's pages."""

    __tablename__ = "household_browsers"

    owner_id: Mapped[int] = mapped_column("user_id", ForeignKey("household_users.id", ondelete="CASCADE"), index=True)


class HouseholdLink(Base):
    """A single-use link: an invitation into the household, or, with a `user_id`, a new password for that user.
    `made_by_id` is the admin who invites; an operator's links have none."""

    __tablename__ = "household_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("household_users.id", ondelete="CASCADE"), index=True)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("household_users.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class HouseholdToken(Base):
    """A capability to act for a user; only its SHA-256 is stored."""

    __tablename__ = "household_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("household_users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
